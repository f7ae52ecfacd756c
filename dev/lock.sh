#!/usr/bin/env bash
# Writes the locks under requirements/ from pyproject.toml: exact versions, hashes, no URLs. Called by `make lock`.
set -euo pipefail
compile() { "${UV:-.venv/bin/uv}" pip compile --quiet --generate-hashes --no-header --no-annotate --python-version 3.11 "$@"; }
compile pyproject.toml --extra operator --extra training --extra drift --extra expectations --group dev \
  --output-file requirements/dev.txt
compile pyproject.toml --extra operator --constraints requirements/dev.txt --output-file requirements/operator.txt
compile pyproject.toml --extra training --extra drift --extra expectations --constraints requirements/dev.txt \
  --output-file requirements/training.txt
compile pyproject.toml --extra training --constraints requirements/dev.txt --output-file requirements/training-slim.txt
