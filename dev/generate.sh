#!/usr/bin/env bash
# Writes every generated file from the code, or with --check says which are not what the code would write.
set -euo pipefail
python -m mira.api.crd "$@"
python -m mira.api.reference "$@"
python -m mira.adapters.policies.chart "$@"
python -m dev.reference "$@"
