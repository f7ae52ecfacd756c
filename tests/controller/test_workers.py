"""The threads around the queue: a pass that raises stops nobody, and stopping waits for what runs."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from mira.controller.queue import Key, WorkQueue
from mira.controller.workers import Again, Workers

LONG = 10.0


def key(name: str, namespace: str = "ns") -> Key:
    return Key("TrainingRun", namespace, name)


@contextmanager
def working(run: Callable[[Key], Again], threads: int = 4) -> Iterator[tuple[Workers, list[tuple[Key, Exception]]]]:
    failures: list[tuple[Key, Exception]] = []
    workers = Workers(
        WorkQueue(), run, threads=threads, clock=time.monotonic, failed=lambda at, error: failures.append((at, error))
    )
    workers.start()
    try:
        yield workers, failures
    finally:
        workers.stop(seconds=LONG)


class Seen:
    """Counts passes, and lets a test wait for them."""

    def __init__(self) -> None:
        self.counts: Counter[Key] = Counter()
        self._changed = threading.Condition()

    def saw(self, at: Key) -> None:
        with self._changed:
            self.counts[at] += 1
            self._changed.notify_all()

    def wait(self, at: Key, times: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.counts[at] >= times, LONG), f"{at}: {self.counts[at]} of {times}"


def test_every_key_is_worked_on() -> None:
    seen = Seen()

    def run(at: Key) -> Again:
        seen.saw(at)
        return Again(None)

    with working(run) as (workers, failures):
        for number in range(100):
            workers.add(key(str(number)))
        for number in range(100):
            seen.wait(key(str(number)))
    assert (failures, workers.depth()) == ([], 0)


def test_a_pass_that_raises_is_told_and_tried_again_and_delays_no_other() -> None:
    seen = Seen()

    def run(at: Key) -> Again:
        seen.saw(at)
        if at.name == "poison":
            raise ValueError("poison")
        return Again(None)

    with working(run, threads=1) as (workers, failures):
        workers.add(key("poison"))
        for number in range(50):
            workers.add(key(str(number)))
        for number in range(50):
            seen.wait(key(str(number)))
        seen.wait(key("poison"), 3)
        assert workers.alive()
    assert {at for at, _ in failures} == {key("poison")}
    assert all(str(error) == "poison" for _, error in failures)


def test_a_pass_that_hangs_delays_no_other_while_a_thread_is_left() -> None:
    seen, release = Seen(), threading.Event()

    def run(at: Key) -> Again:
        seen.saw(at)
        if at.name == "hangs":
            assert release.wait(LONG)
        return Again(None)

    with working(run, threads=2) as (workers, _):
        workers.add(key("hangs"))
        seen.wait(key("hangs"))
        for number in range(20):
            workers.add(key(str(number)))
        for number in range(20):
            seen.wait(key(str(number)))
        release.set()


def test_one_key_is_never_worked_on_by_two_threads() -> None:
    running: Counter[Key] = Counter()
    most: Counter[Key] = Counter()
    lock, seen = threading.Lock(), Seen()

    def run(at: Key) -> Again:
        with lock:
            running[at] += 1
            most[at] = max(most[at], running[at])
        seen.saw(at)
        with lock:
            running[at] -= 1
        return Again(0.0 if seen.counts[at] < 50 else None)

    keys = [key(name) for name in "ab"]
    with working(run, threads=8) as (workers, _):
        for _ in range(200):
            for at in keys:
                workers.add(at)
        for at in keys:
            seen.wait(at, 50)
    assert set(most.values()) == {1}


def test_what_is_added_while_it_runs_runs_again() -> None:
    seen, entered, release = Seen(), threading.Event(), threading.Event()

    def run(at: Key) -> Again:
        seen.saw(at)
        entered.set()
        assert release.wait(LONG)
        return Again(None)

    with working(run) as (workers, _):
        workers.add(key("a"))
        assert entered.wait(LONG)
        workers.add(key("a"))
        workers.add(key("a"))
        release.set()
        seen.wait(key("a"), 2)
    assert seen.counts[key("a")] == 2


def test_a_pass_is_looked_at_again_after_the_time_it_asks_for() -> None:
    times: list[float] = []
    seen = Seen()

    def run(at: Key) -> Again:
        times.append(time.monotonic())
        seen.saw(at)
        return Again(0.05 if len(times) < 3 else None)

    with working(run) as (workers, _):
        workers.add(key("a"))
        seen.wait(key("a"), 3)
    assert all(later - earlier >= 0.05 for earlier, later in pairwise(times))


def test_idle_workers_wake_for_a_key_at_once() -> None:
    seen = Seen()

    def run(at: Key) -> Again:
        seen.saw(at)
        return Again(30.0)

    with working(run) as (workers, _):
        workers.add(key("far in the future"))
        seen.wait(key("far in the future"))
        began = time.monotonic()
        workers.add(key("now"))
        seen.wait(key("now"))
        assert time.monotonic() - began < 5


def test_stopping_lets_what_runs_end_and_takes_nothing_more() -> None:
    seen, entered, release = Seen(), threading.Event(), threading.Event()

    def run(at: Key) -> Again:
        entered.set()
        assert release.wait(LONG)
        seen.saw(at)
        return Again(None)

    with working(run, threads=1) as (workers, _):
        workers.add(key("a"))
        workers.add(key("b"))
        assert entered.wait(LONG)
        stopped: list[bool] = []
        stopping = threading.Thread(target=lambda: stopped.append(workers.stop(seconds=LONG)))
        stopping.start()
        release.set()
        stopping.join(LONG)
    assert stopped == [True]
    assert seen.counts == {key("a"): 1}
    assert not workers.alive()


def test_stopping_does_not_wait_for_ever() -> None:
    entered, release = threading.Event(), threading.Event()

    def run(_: Key) -> Again:
        entered.set()
        assert release.wait(LONG)
        return Again(None)

    with working(run, threads=1) as (workers, _):
        workers.add(key("a"))
        assert entered.wait(LONG)
        assert workers.stop(seconds=0.05) is False
        release.set()


def test_stopping_wakes_whoever_is_idle() -> None:
    with working(lambda _: Again(None), threads=8) as (workers, _):
        began = time.monotonic()
        assert workers.stop(seconds=LONG)
        assert time.monotonic() - began < 5


def test_the_age_of_what_waits_is_told_while_all_are_busy() -> None:
    entered, release = threading.Event(), threading.Event()

    def run(_: Key) -> Again:
        entered.set()
        assert release.wait(LONG)
        return Again(None)

    with working(run, threads=1) as (workers, _):
        workers.add(key("a"))
        assert entered.wait(LONG)
        workers.add(key("b"))
        before = workers.oldest()
        while workers.oldest() <= before:
            assert workers.depth() == 1
        release.set()


def test_a_failure_that_cannot_even_be_told_stops_nobody() -> None:
    seen = Seen()

    def run(at: Key) -> Again:
        seen.saw(at)
        raise ValueError("poison")

    def failed(_: Key, __: Exception) -> None:
        raise RuntimeError("the log is full")

    workers = Workers(WorkQueue(), run, threads=1, clock=time.monotonic, failed=failed)
    workers.start()
    try:
        workers.add(key("a"))
        seen.wait(key("a"), 2)
        workers.add(key("b"))
        seen.wait(key("b"))
        assert workers.alive()
    finally:
        workers.stop(seconds=LONG)


@pytest.mark.parametrize("threads", [1, 3])
def test_as_many_threads_work_at_once_as_were_asked_for(threads: int) -> None:
    inside = threading.Barrier(threads + 1)

    def run(_: Key) -> Again:
        inside.wait(LONG)
        return Again(None)

    with working(run, threads=threads) as (workers, _):
        for number in range(threads):
            workers.add(key(str(number)))
        inside.wait(LONG)


def test_paused_they_remember_nothing_and_resumed_they_take_what_is_added_then() -> None:
    ran: list[str] = []
    done = threading.Event()

    def run(key: Key) -> Again:
        ran.append(key.name)
        done.set()
        return Again(None)

    workers = Workers(WorkQueue(), run, threads=2, clock=time.monotonic, failed=lambda *_: None)
    workers.add(Key("TrainingRun", "a", "added before"))
    workers.pause()
    workers.start()
    workers.add(Key("TrainingRun", "a", "added while paused"))
    assert (workers.depth(), workers.oldest()) == (0, 0.0)
    workers.resume()
    workers.add(Key("TrainingRun", "a", "added after"))
    assert done.wait(10)
    workers.stop(seconds=10)
    assert ran == ["added after"]
