"""The smallest plan that still goes wrong: what is left is what it takes."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.simulation.simulation import Plan


def shrunk(plan: Plan, goes_wrong: Callable[[Plan], bool]) -> Plan:
    """The plan without every fault, workload and operator that it does not take to go wrong."""
    while (smaller := next((each for each in _smaller(plan) if goes_wrong(each)), None)) is not None:
        plan = smaller
    return plan


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Each plan with one thing less."""
    for place in range(len(plan.workloads)):
        if len(plan.workloads) > 1:
            yield replace(plan, workloads=plan.workloads[:place] + plan.workloads[place + 1 :])
    for place in range(len(plan.faults)):
        yield replace(plan, faults=plan.faults[:place] + plan.faults[place + 1 :])
    if plan.operators > 1:
        yield replace(plan, operators=plan.operators - 1)
