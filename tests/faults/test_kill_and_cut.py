"""A sample of the campaign; MIRA_LONG=1 runs all of it (`python -m tests.faults --all` also writes its page)."""

import os
import sys
import time

from tests.faults.campaign import run_all, undisturbed
from tests.faults.faults import every_plan, sample
from tests.faults.ground import ground
from tests.faults.report import outcome, report, result_line

SAMPLE, SEED = 66, 1
# Calls that come a little oftener or rarer each time can be missed; what was not tried proves nothing.
HIT_AT_LEAST = 60


def test_killed_or_cut_at_any_call_it_ends_as_if_undisturbed_and_makes_nothing_twice() -> None:
    began = time.monotonic()
    with ground() as cluster:
        reference, names = undisturbed(cluster)
        plans = every_plan(names) if os.environ.get("MIRA_LONG") else sample(names, SAMPLE, seed=SEED)
        runs = []
        for run in run_all(cluster, plans, reference, side_by_side=3):
            sys.stdout.write(f"{result_line(run, reference)}\n")
            runs.append(run)
    sys.stdout.write(report(runs, reference, time.monotonic() - began))
    wrong = [run for run in runs if outcome(run, reference) == "other"]
    told = "\n\n".join(f"{run.plan}\n{run.difference(reference)}\n...\n{run.log[-3000:]}" for run in wrong)
    assert not wrong, f"{len(wrong)} plans ended otherwise:\n{told}"
    assert sum(run.hit for run in runs) >= HIT_AT_LEAST
