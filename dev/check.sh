#!/usr/bin/env bash
# Everything that `make check` checks; every part runs, and the first that fails is named at the end.
set -uo pipefail
failed=()
run() { local what=$1; shift; "$@" || failed+=("$what"); }

run "ruff check" ruff check -q .
run "ruff format (make format)" ruff format -q --check .
run "mypy" mypy --no-error-summary
run "import-linter" lint-imports --no-cache
run "generated files (make generate)" dev/generate.sh --check
run "docs links" python -m dev.links
run "operator/__init__.py must not exist: it shadows the standard library's module" test ! -e operator/__init__.py
run "requirements/*.txt must hold no URL" bash -c '! grep -n "://" requirements/*.txt'

if ((${#failed[@]})); then
  printf 'failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "check: all good"
