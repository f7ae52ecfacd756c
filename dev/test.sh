#!/usr/bin/env bash
# The tests, in two tracks side by side: what needs no cluster, and what stands on one. Temporary files stay in .cache/.
set -uo pipefail
mkdir -p .cache/tests

track() {  # name, then pytest's arguments; its output is shown when it ends, so that the two do not mix
  local name=$1; shift
  pytest -q --durations 5 --basetemp ".cache/tests/$name" -p no:cacheprovider "$@" >".cache/tests/$name.log" 2>&1
  local code=$?
  printf '\n=== %s\n' "$name"; cat ".cache/tests/$name.log"
  return $code
}

echo "testing in two tracks, about 5 minutes; each is shown when it ends (meanwhile: .cache/tests/*.log)"
track pure tests/registry tests/decide tests/controller tests/training tests/images &
pure=$!
track cluster tests/api tests/chart tests/policies tests/dev && track journey tests/journey
cluster=$?
wait $pure && exit $cluster
exit 1
