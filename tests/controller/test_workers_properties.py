"""Workers under contention, with real threads: nothing lost, one pass of a key at a time, and what a pass may raise."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import pytest

from dev.waiting import wait_until
from mira.controller.queue import Key, WorkQueue
from mira.controller.workers import Again, Workers

LONG = 20.0
KEYS = [Key("TrainingRun", namespace, str(number)) for namespace in ("x", "y", "z") for number in range(4)]
POISON = Key("TrainingRun", "y", "poison")


class Ledger:
    """What was asked for and what passes saw of it: a pass serves what was asked for before it began."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.asked: Counter[Key] = Counter()
        self.served: Counter[Key] = Counter()
        self.passes: Counter[Key] = Counter()
        self.running: Counter[Key] = Counter()
        self.overlaps: list[Key] = []

    @contextmanager
    def one_pass(self, key: Key) -> Iterator[int]:
        with self.changed:
            seen = self.asked[key]
            self.running[key] += 1
            self.passes[key] += 1
            if self.running[key] > 1:
                self.overlaps.append(key)
            self.changed.notify_all()
        try:
            yield self.passes[key]
        finally:
            with self.changed:
                self.running[key] -= 1
                self.served[key] = max(self.served[key], seen)
                self.changed.notify_all()

    def ask(self, workers: Workers, key: Key) -> None:
        with self.changed:
            self.asked[key] += 1
        workers.add(key)

    def until(self, holds: Callable[[], bool], what: str) -> None:
        with self.changed:
            assert self.changed.wait_for(holds, LONG), f"{what}: {self.asked} asked, {self.served} served"


@contextmanager
def working(run: Callable[[Key], Again], threads: int) -> Iterator[Workers]:
    # No rate: what is tested here is who runs when, and not how often.
    queue = WorkQueue(per_second=1e9, burst=10**9, jitter=Random(0))
    workers = Workers(queue, run, threads=threads, clock=time.monotonic, failed=lambda *_: None)
    workers.start()
    try:
        yield workers
    finally:
        workers.stop(seconds=LONG)


@pytest.mark.parametrize("seed", range(3))
def test_every_add_is_followed_by_a_pass_that_began_after_it_and_no_key_has_two_at_once(seed: int) -> None:
    """Four threads add, eight work, passes fail or ask for more."""
    ledger = Ledger()

    def run(key: Key) -> Again:
        with ledger.one_pass(key) as number:
            if number % 7 == 3:
                raise ValueError("now and then")
            return Again(0.001 if number % 5 == 1 else None)

    def adder(random: Random) -> None:
        for _ in range(300):
            ledger.ask(workers, random.choice(KEYS))

    with working(run, threads=8) as workers:
        adders = [threading.Thread(target=adder, args=(Random(f"{seed}-{number}"),)) for number in range(4)]
        for thread in adders:
            thread.start()
        for thread in adders:
            thread.join(LONG)
        ledger.until(lambda: all(ledger.served[key] == ledger.asked[key] for key in KEYS), "an add was lost")
        assert workers.alive()
    assert ledger.overlaps == []


def test_one_poison_key_among_many_delays_none_of_them_and_is_tried_again_and_again() -> None:
    ledger = Ledger()

    def run(key: Key) -> Again:
        with ledger.one_pass(key):
            if key == POISON:
                raise ValueError("poison")
            return Again(None)

    with working(run, threads=2) as workers:
        ledger.ask(workers, POISON)
        ledger.until(lambda: ledger.passes[POISON] >= 2, "the poison key is tried again")
        began = time.monotonic()
        for key in KEYS * 20:
            ledger.ask(workers, key)
        ledger.until(lambda: all(ledger.served[key] == ledger.asked[key] for key in KEYS), "the others")
        assert time.monotonic() - began < LONG / 2
        ledger.until(lambda: ledger.passes[POISON] >= 3, "the poison key is tried once more")


def test_stop_waits_for_every_pass_that_runs_and_begins_none() -> None:
    ledger, release = Ledger(), threading.Event()

    def run(key: Key) -> Again:
        with ledger.one_pass(key):
            assert release.wait(LONG)
            return Again(0.0)

    with working(run, threads=3) as workers:
        for key in KEYS:
            ledger.ask(workers, key)
        ledger.until(lambda: ledger.running.total() == 3, "three run")
        stopped: list[tuple[bool, int]] = []
        stopping = threading.Thread(target=lambda: stopped.append((workers.stop(seconds=LONG), ledger.running.total())))
        stopping.start()
        workers.add(POISON)
        release.set()
        stopping.join(LONG)
        workers.add(POISON)
    assert stopped == [(True, 0)]
    assert ledger.passes.total() == 3


@pytest.mark.parametrize("error", [RecursionError, MemoryError, StopIteration, TimeoutError, AssertionError])
def test_whatever_a_pass_raises_is_a_failure_of_this_pass_alone(error: type[Exception]) -> None:
    ledger = Ledger()

    def run(key: Key) -> Again:
        with ledger.one_pass(key) as number:
            if key == POISON and number < 3:
                raise error
            return Again(None)

    with working(run, threads=1) as workers:
        ledger.ask(workers, POISON)
        ledger.ask(workers, KEYS[0])
        ledger.until(lambda: ledger.passes[POISON] == 3 and ledger.passes[KEYS[0]] == 1, "both end well")
        assert workers.alive()


def test_a_recursion_without_end_is_a_failure_of_this_pass_alone() -> None:
    ledger = Ledger()

    def deeper(depth: int) -> int:
        return deeper(depth + 1) + 1

    def run(key: Key) -> Again:
        with ledger.one_pass(key):
            if key == POISON:
                deeper(0)
            return Again(None)

    with working(run, threads=1) as workers:
        ledger.ask(workers, POISON)
        ledger.until(lambda: ledger.passes[POISON] >= 2, "tried again")
        ledger.ask(workers, KEYS[0])
        ledger.until(lambda: ledger.passes[KEYS[0]] == 1, "the other ends well")


class Panic(BaseException):
    """As pyo3's PanicException, which pydantic's core raises if it panics: no Exception."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, Panic])
def test_what_is_no_exception_ends_its_worker_which_is_told_and_the_others_go_on(error: type[BaseException]) -> None:
    """Liveness asks `alive`, and the process is started anew; until then every other key is worked on."""
    ledger = Ledger()

    def run(key: Key) -> Again:
        with ledger.one_pass(key):
            if key == POISON:
                raise error
            return Again(None)

    with working(run, threads=2) as workers:
        assert workers.alive()
        ledger.ask(workers, POISON)
        for key in KEYS:
            ledger.ask(workers, key)
        ledger.until(lambda: all(ledger.passes[key] == 1 for key in KEYS), "the others")
        wait_until(lambda: not workers.alive(), timeout=LONG, what="the end of a worker to be told")
        ledger.ask(workers, POISON)
        ledger.ask(workers, KEYS[0])
        ledger.until(lambda: ledger.passes[KEYS[0]] == 2, "one more of the others")
    assert ledger.passes[POISON] == 1, "nobody else takes what ended a worker"
