"""Hundreds of histories of whole operators, with up to four faults each: every promise is kept and all comes right."""

import gc
import logging
import os
import subprocess
import sys

import pytest

from tests.simulation.broken_operators import BROKEN, Broken
from tests.simulation.campaign import run
from tests.simulation.faults import OF_CALLS, OF_PROCESSES, OF_SERVERS, OF_THE_WORLD, OF_WATCHES, Fault
from tests.simulation.simulation import Plan, plan_of, simulate
from tests.simulation.workloads import WORKLOADS
from tests.simulation.world import World

PARTS, EACH = 10, 100
FOUND = {
    "frozen for just longer than the Lease, with nobody to take it over": Plan(
        31, ("a rejection",), 1, (Fault(0.2, "frozen before it", "a read of S3", 9.0),)
    ),
    "frozen for just longer than the Lease, before anybody takes it over": Plan(
        31, ("a rejection",), 2, (Fault(0.2, "frozen before it", "a read of S3", 9.0),)
    ),
    "the pointer set back by hand between the operator's look at it and its report": Plan(
        1813, ("everything deleted and created again",), 2, (Fault(11.34, "pointer set back"),)
    ),
    "the only operator frozen for a minute as it puts back a pointer that was deleted": Plan(
        5561,
        ("an approval taken back",),
        1,
        (Fault(9.6, "frozen before it", "the pointer", 60.0), Fault(15.04, "pointer deleted")),
    ),
    "a training that reads a pointer garbled by hand": Plan(
        25882,
        ("everything deleted and created again",),
        1,
        (Fault(6.23, "pointer garbled"), Fault(8.4, "frozen before it", "the pointer", 60.0)),
    ),
}
FAULTS = {*OF_CALLS, *OF_PROCESSES, *OF_SERVERS, *OF_THE_WORLD, *OF_WATCHES}


@pytest.mark.parametrize("part", range(PARTS))
def test_every_promise_is_kept_and_all_comes_right_in_time(part: int) -> None:
    tally = run(range(part * EACH, (part + 1) * EACH))
    assert not tally.failures, "\n\n".join(tally.failures)
    assert tally.histories == EACH
    assert tally.percentile(0.95) <= 10.0


@pytest.mark.parametrize("plan", FOUND.values(), ids=FOUND.keys())
def test_what_was_found_wrong_once_stays_right(plan: Plan) -> None:
    assert simulate(plan).problems == ()


def test_the_plans_hold_every_fault_and_all_that_people_do() -> None:
    plans = [plan_of(seed) for seed in range(PARTS * EACH)]
    assert {fault.what for plan in plans for fault in plan.faults} == FAULTS
    assert {name for plan in plans for name in plan.workloads} == set(WORKLOADS)
    assert {plan.operators for plan in plans} == {1, 2, 3}
    assert {len(plan.faults) for plan in plans} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_the_histories_find_it_if(broken: Broken) -> None:
    logging.disable(logging.CRITICAL)
    try:
        with broken():
            assert any(simulate(plan_of(seed)).problems for seed in range(EACH))
    finally:
        logging.disable(logging.NOTSET)


def test_a_history_that_is_over_leaves_nothing_in_memory() -> None:
    """A campaign of a hundred thousand is one process's: half a megabyte of each would be all the memory there is."""
    simulate(plan_of(3))
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, World)]


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_is_the_same_history_in_every_process(hash_seed: str) -> None:
    seed = next(seed for seed in range(100) if len(plan_of(seed).faults) == 4 and plan_of(seed).operators == 3)
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", str(seed)],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == simulate(plan_of(seed)).digest
