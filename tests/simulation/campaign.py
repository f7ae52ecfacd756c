"""Many histories: each seed once, several processes side by side, and what came of them in numbers."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from mira.adapters import admission
from tests.simulation.faults import BY_HAND
from tests.simulation.shrinking import shrunk
from tests.simulation.simulation import Plan, Result, plan_of, simulate
from tests.support.world import documents_read_once

PIECE = 25


@dataclass
class Tally:
    """What came of some histories."""

    histories: int = 0
    settled: list[tuple[float, int]] = field(default_factory=list)  # seconds, seed
    struck: Counter[str] = field(default_factory=Counter)
    workloads: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    by_hand: tuple[float, int] = (0.0, 0)

    def add(self, other: "Tally") -> None:
        """Takes in what came of others."""
        self.histories += other.histories
        self.settled += other.settled
        self.struck += other.struck
        self.workloads += other.workloads
        self.failures += other.failures
        self.by_hand = max(self.by_hand, other.by_hand)

    def take(self, result: Result) -> None:
        """Takes in one history."""
        struck = [fault.what for _, fault in result.struck]
        self.histories += 1
        self.struck.update(struck)
        self.workloads.update(result.plan.workloads)
        if set(struck) & set(BY_HAND):
            self.by_hand = max(self.by_hand, (result.settled, result.plan.seed))
        else:
            self.settled.append((result.settled, result.plan.seed))

    def percentile(self, share: float) -> float:
        """The time within which this share of the histories was right again; 0 if there were none."""
        ordered = sorted(self.settled) or [(0.0, 0)]
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))][0]


def run(seeds: Iterable[int]) -> Tally:
    """What came of these seeds, one after the other; a failing one is shrunk and told."""
    tally = Tally()
    logging.disable(logging.CRITICAL)
    try:
        with documents_read_once(), policies_compared_once():
            for result in (simulate(plan_of(seed)) for seed in seeds):
                tally.take(result)
                if result.problems:
                    tally.failures.append(told(result))
    finally:
        logging.disable(logging.NOTSET)
    return tally


@contextmanager
def policies_compared_once() -> Iterator[None]:
    """The comparison is a pure function of objects: many histories compare the same ones once."""
    remembered: dict[tuple[Any, ...], list[str]] = {}
    real = admission._compared

    def compared(live: Sequence[tuple[Any, Any]]) -> Iterator[str]:
        found = [each and (each["metadata"]["uid"], each["metadata"]["resourceVersion"]) for _, each in live]
        key = tuple(found)
        if key not in remembered:
            remembered[key] = list(real(live))
        return iter(remembered[key])

    with patch.object(admission, "_compared", compared):
        yield


def told(result: Result) -> str:
    """A failing history, shrunk, as a person reads it."""

    def goes_wrong(plan: Plan) -> bool:
        return bool(simulate(plan).problems)

    smallest = simulate(shrunk(result.plan, goes_wrong))
    return f"{result.plan}\n{'; '.join(result.problems)}\n\nshrunk to:\n{smallest}"


def run_side_by_side(seeds: range, processes: int, progress: Callable[[Tally], None] = lambda _: None) -> Tally:
    """The same by several processes."""
    tally, began = Tally(), time.monotonic()
    with ProcessPoolExecutor(processes) as pool:
        for part in pool.map(run, _pieces(seeds)):
            tally.add(part)
            tally.seconds = time.monotonic() - began
            progress(tally)
    return tally


def _pieces(seeds: range) -> Iterator[range]:
    for start in range(seeds.start, seeds.stop, PIECE):
        yield range(start, min(start + PIECE, seeds.stop))
