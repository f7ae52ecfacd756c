#!/usr/bin/env bash
# The tests, in two tracks side by side, each about as long as the other. Temporary files stay in .cache/.
set -uo pipefail
mkdir -p .cache/tests

track() {  # name, then pytest's arguments; its output is shown when it ends, so that the two do not mix
  local name=$1; shift
  pytest -q --durations 5 --basetemp ".cache/tests/$name" -p no:cacheprovider "$@" >".cache/tests/$name.log" 2>&1
  local code=$?
  printf '\n=== %s\n' "$name"; cat ".cache/tests/$name.log"
  return $code
}

echo "testing side by side, about 14 minutes; each part is shown when it ends (meanwhile: .cache/tests/*.log)"
{
  track pure tests/registry tests/decide tests/controller tests/model tests/simulation tests/training tests/images
  pure=$?
  track install tests/api tests/chart || pure=1
  exit $pure
} &
{
  track journey tests/journey
  servers=$?
  track servers tests/policies tests/dev || servers=1
  # Each call of a journey cut once: its plans run side by side themselves.
  track faults tests/faults || servers=1
  exit $servers
} &
failed=0
wait %1 || failed=1
wait %2 || failed=1
exit $failed
