#!/usr/bin/env bash
# The tests in parts, as many side by side as keep two cores busy: much of a journey is waiting. Files stay in .cache/.
set -uo pipefail
mkdir -p .cache/tests

part() {  # name and folders in one word; its output is shown when it ends, so that the parts do not mix
  read -r name folders <<<"$1"
  local began=$SECONDS
  # shellcheck disable=SC2086
  pytest -q --durations 5 --basetemp ".cache/tests/$name" -p no:cacheprovider $folders >".cache/tests/$name.log" 2>&1
  local code=$?
  printf '\n=== %s, %d s\n%s\n' "$name" $((SECONDS - began)) "$(cat ".cache/tests/$name.log")"
  return $code
}
export -f part

echo "testing side by side, 6 to 17 minutes on two cores; each part is shown when it ends (meanwhile: .cache/tests/*.log)"
# The longest first.
xargs -P 3 -d '\n' -I {} bash -c 'part "{}"' <<'PARTS'
simulation tests/simulation
journey tests/journey
faults tests/faults
pure tests/adapters tests/registry tests/decide tests/controller tests/contract tests/model tests/images tests/imports
training tests/training
servers tests/policies tests/dev
install tests/api tests/chart tests/serving
PARTS
