#!/usr/bin/env bash
# The tests: first what needs no server and runs side by side, then what needs a cluster, one after the other.
set -euo pipefail
pytest -q -n 2 --dist loadfile tests --ignore tests/journey --ignore tests/policies --ignore tests/dev
