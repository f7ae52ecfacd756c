"""A sample of the campaign; with MIRA_LONG=1 all of it, which takes hours and writes its page."""

import os
import sys
import time
from collections import Counter

from tests.faults.calls import Identity, Name
from tests.faults.campaign import Run, run_all, undisturbed
from tests.faults.faults import Fault, every_plan, sample
from tests.faults.ground import ground
from tests.faults.report import REPORT, report
from tests.faults.results import result_of
from tests.faults.rights import beyond_its_rights

SAMPLE, SEED, SIDE_BY_SIDE = 60, 1, 4
# Calls that come a little oftener or rarer each time can be missed, and what was not tried proves nothing: for each
# plan that was missed the next one of these is tried.
SPARE = 20
TAIL = 3000
# What is promised: seconds from the last fault to what is wanted.
RIGHT_WITHIN = 30.0


def test_a_sample_takes_every_call_once_before_any_a_second_time_and_every_fault_equally_often() -> None:
    names = [Name(Identity("S3", "get", str(about)), ordinal) for about in range(14) for ordinal in (1, 2, 3)]
    plans = sample(names, 28, seed=1)
    assert set(Counter(plan.name.identity for plan in plans).values()) == {2}
    assert set(Counter(plan.fault for plan in plans).values()) == {28 // len(Fault)}
    assert len({(plan.name.identity, plan.fault) for plan in plans}) == 28
    assert plans == sample(names, 28, seed=1)


def test_killed_or_cut_at_any_call_it_ends_as_if_undisturbed_and_makes_nothing_twice() -> None:
    began, runs = time.monotonic(), list[Run]()
    with ground() as cluster:
        reference, names = undisturbed(cluster)
        assert beyond_its_rights(reference) == set()
        everything = every_plan(names)
        all_of_them = bool(os.environ.get("MIRA_LONG"))
        waiting = everything if all_of_them else sample(names, SAMPLE + SPARE, seed=SEED)
        wanted = len(everything) if all_of_them else SAMPLE
        while len(waiting) and (missing := wanted - sum(run.hit for run in runs)) > 0:
            plans, waiting = waiting[:missing], waiting[missing:]
            for run in run_all(cluster, plans, reference, side_by_side=SIDE_BY_SIDE):
                runs.append(run)
                sys.stdout.write(f"{result_of(run, reference)}\n")
    results = [result_of(run, reference) for run in runs]
    page = report(results, of=len(everything), seconds=time.monotonic() - began)
    sys.stdout.write(page)
    if all_of_them:
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(page)
    wrong = [run for run in runs if run.difference(reference)]
    told = "\n\n".join(f"{run.plan}\n{run.difference(reference)}\n...\n{run.log[-TAIL:]}" for run in wrong)
    assert not wrong, f"{len(wrong)} plans ended otherwise:\n{told}"
    assert max(run.recovered for run in runs if run.recovered is not None) <= RIGHT_WITHIN
    assert all_of_them or sum(run.hit for run in runs) == SAMPLE
