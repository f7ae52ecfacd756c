"""The work queue: one worker for each key, nothing lost, failures wait longer, namespaces take turns."""

from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mira.controller.queue import FIRST_BACKOFF, LONGEST_BACKOFF, Key, WorkQueue

A, B, C = (Key("TrainingRun", "ns", name) for name in "abc")
SOON = 1e-6


def queue(**limits: Any) -> WorkQueue:
    return WorkQueue(**{"per_second": 1e9, "burst": 10**9, "jitter": Random(0)} | limits)


def taken(work: WorkQueue, now: float) -> list[Key]:
    keys = []
    while (key := work.take(now)) is not None:
        keys.append(key)
    return keys


def test_keys_come_in_the_order_in_which_they_were_added_and_once() -> None:
    work = queue()
    for key in (A, B, A, C, B):
        work.add(key, 0)
    assert work.depth == 3
    assert taken(work, 0) == [A, B, C]
    assert (work.depth, work.take(0), work.wait(0)) == (0, None, None)


def test_a_key_is_not_given_to_a_second_worker() -> None:
    work = queue()
    work.add(A, 0)
    assert work.take(0) == A
    work.add(A, 0)
    assert work.take(0) is None
    assert set(work.running()) == {A}


def test_a_key_that_is_added_while_it_is_worked_on_runs_once_more() -> None:
    work = queue()
    work.add(A, 0)
    work.take(0)
    for _ in range(3):
        work.add(A, 1)
    work.done(A, 2)
    assert taken(work, 2) == [A]
    work.done(A, 3)
    assert work.take(1e9) is None


@pytest.mark.parametrize("ends", ["done", "failed"])
def test_it_runs_once_more_at_once_however_the_pass_ends(ends: str) -> None:
    work = queue()
    work.add(A, 0)
    work.take(0)
    work.add(A, 0)
    getattr(work, ends)(A, 1)
    assert work.take(1) == A


def test_of_several_times_the_earliest_counts() -> None:
    work = queue()
    for due in (30, 10, 20):
        work.add_later(A, due)
    assert (work.wait(0), work.take(9.99)) == (10, None)
    assert work.take(10) == A
    work.done(A, 10)
    assert taken(work, 1000) == [], "the later times went with the earliest"


def test_a_later_time_does_not_put_off_an_earlier_one() -> None:
    work = queue()
    work.add_later(A, 10)
    work.add_later(A, 500)
    assert work.take(10) == A


def test_a_key_that_is_asked_for_again_later_is_due_then_and_not_before() -> None:
    work = queue()
    work.add(A, 0)
    work.take(0)
    work.done(A, 5, again_in=30)
    assert (work.take(34.9), work.wait(34)) == (None, 1)
    assert work.take(35) == A


def test_a_time_that_comes_while_the_key_is_worked_on_runs_it_once_more() -> None:
    work = queue()
    work.add_later(A, 10)
    work.add(A, 0)
    work.take(0)
    assert work.take(10) is None
    work.done(A, 11)
    assert work.take(11) == A


def test_failures_wait_twice_as_long_each_time_up_to_the_longest() -> None:
    work = queue()
    delays = []
    now = 0.0
    work.add(A, now)
    for _ in range(60):
        assert work.take(now) == A
        delays.append(work.failed(A, now))
        assert work.take(now + delays[-1] - SOON) is None
        now += delays[-1] + SOON
    for number, delay in enumerate(delays):
        full = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2**number)
        assert 0.8 * full <= delay <= full
    assert len({round(delay, 6) for delay in delays[20:]}) > 10, "jitter: what failed together must not come together"


def test_a_pass_that_ends_well_forgets_the_failures() -> None:
    work = queue()
    for _ in range(8):
        work.add(A, 0)
        work.take(0)
        work.failed(A, 0)
    work.add(A, 0)
    work.take(0)
    work.done(A, 0)
    work.add(A, 0)
    work.take(0)
    assert work.failed(A, 0) <= FIRST_BACKOFF


def test_failures_of_one_key_delay_no_other() -> None:
    work = queue()
    for _ in range(20):
        work.add(A, 0)
        work.take(0)
        work.failed(A, 0)
    work.add(B, 0)
    assert work.take(0) == B
    assert work.failed(B, 0) <= FIRST_BACKOFF


def test_an_event_brings_a_failed_key_back_at_once() -> None:
    work = queue()
    work.add(A, 0)
    work.take(0)
    work.failed(A, 0)
    work.add(A, 0.01)
    assert work.take(0.01) == A


def test_a_namespace_with_a_thousand_keys_delays_another_by_one_place() -> None:
    work = queue()
    for number in range(1000):
        work.add(Key("TrainingRun", "busy", str(number)), 0)
    for _ in range(500):
        work.take(0)
    work.add(Key("TrainingRun", "quiet", "one"), 0)
    assert "quiet" in [key.namespace for key in (work.take(0), work.take(0)) if key]


def test_namespaces_take_turns() -> None:
    work = queue()
    for namespace, number in [("a", n) for n in range(4)] + [("b", n) for n in range(3)] + [("c", 0)]:
        work.add(Key("TrainingRun", namespace, str(number)), 0)
    assert [key.namespace for key in taken(work, 0)] == ["a", "b", "c", "a", "b", "a", "b", "a"]


def test_the_rate_bounds_all_passes_and_a_pause_allows_a_burst() -> None:
    work = queue(per_second=10.0, burst=5)
    for number in range(1000):
        work.add(Key("TrainingRun", "ns", str(number)), 100)
    assert len(taken(work, 100)) == 5
    assert taken(work, 100.05) == []
    assert work.wait(100.05) == pytest.approx(0.05)
    assert len(taken(work, 100.1 + SOON)) == 1
    assert len(taken(work, 101.1 + 2 * SOON)) == 5, "what was not used is not saved beyond the burst"


def test_the_age_of_what_waits_longest_is_told() -> None:
    work = queue()
    assert work.oldest(50) == 0
    work.add(A, 10)
    work.add(B, 20)
    assert work.oldest(50) == 40
    work.take(50)
    assert work.oldest(50) == 30


KEYS = [Key("TrainingRun", namespace, name) for namespace in ("x", "y") for name in ("1", "2", "3")]
PER_SECOND, BURST = 20.0, 8


class AnyHistory(RuleBasedStateMachine):
    """Whatever is added, taken, done and failed, in any order: kept beside a model of what must happen."""

    def __init__(self) -> None:
        super().__init__()
        self.work = WorkQueue(per_second=PER_SECOND, burst=BURST, jitter=Random(0))
        self.now = 1000.0
        self.running: set[Key] = set()
        self.wanted: dict[Key, float] = {}
        self.takes: list[float] = []

    def want(self, key: Key, due: float) -> None:
        self.wanted[key] = min(due, self.wanted.get(key, due))

    @rule(key=st.sampled_from(KEYS))
    def add(self, key: Key) -> None:
        self.work.add(key, self.now)
        self.want(key, self.now)

    @rule(key=st.sampled_from(KEYS), delay=st.floats(0, 50))
    def add_later(self, key: Key, delay: float) -> None:
        self.work.add_later(key, self.now + delay)
        self.want(key, self.now + delay)

    @rule(seconds=st.floats(0, 20))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def take(self) -> None:
        wait = self.work.wait(self.now)
        key = self.work.take(self.now)
        assert (key is not None) == (wait == 0.0)
        if key is not None:
            assert key not in self.running, "one worker for each key"
            assert self.wanted.pop(key) <= self.now, "nobody asked for it yet"
            self.running.add(key)
            self.takes.append(self.now)

    @rule(data=st.data(), again=st.none() | st.floats(0, 50))
    def done(self, data: st.DataObject, again: float | None) -> None:
        if self.running:
            key = data.draw(st.sampled_from(sorted(self.running)))
            self.work.done(key, self.now, again_in=again)
            self.running.discard(key)
            if again is not None:
                self.want(key, self.now + again)

    @rule(data=st.data())
    def failed(self, data: st.DataObject) -> None:
        if self.running:
            key = data.draw(st.sampled_from(sorted(self.running)))
            self.want(key, self.now + self.work.failed(key, self.now))
            self.running.discard(key)

    @invariant()
    def the_rate_is_kept(self) -> None:
        for first in range(len(self.takes)):
            span = self.takes[-1] - self.takes[first]
            assert len(self.takes) - first <= BURST + span * PER_SECOND + 1

    @invariant()
    def what_is_due_is_waited_for_no_longer_than_it_takes(self) -> None:
        free = [due for key, due in self.wanted.items() if key not in self.running]
        wait = self.work.wait(self.now)
        if free:
            assert wait is not None
            assert wait <= max(0.0, min(free) - self.now) + 1 / PER_SECOND

    def teardown(self) -> None:
        """Every key that somebody asked for is taken in the end."""
        for key in sorted(self.running):
            self.work.done(key, self.now)
        self.running.clear()
        for _ in range(10_000):
            wait = self.work.wait(self.now)
            if wait is None:
                break
            self.now += wait + SOON
            key = self.work.take(self.now)
            if key is not None:
                self.wanted.pop(key, None)
                self.work.done(key, self.now)
        assert self.wanted == {}, "lost"
        assert self.work.depth == 0


AnyHistory.TestCase.settings = settings(max_examples=120, stateful_step_count=40, derandomize=True, deadline=None)
TestAnyHistory = AnyHistory.TestCase
