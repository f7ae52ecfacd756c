"""The work queue against a model that is obviously right: nothing lost, turns, rate, back-off, and an exact `wait`.

Times are multiples of 1/64 s and the rate is a power of two, so that floats are exact and every bound is a sharp one.
"""

import copy
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mira.controller.queue import FIRST_BACKOFF, LONGEST_BACKOFF, Key, WorkQueue

TICK = 1 / 64
PER_SECOND, BURST = 16.0, 4
NAMESPACES = ("x", "y", "z")
KEYS = [Key("TrainingRun", namespace, str(number)) for namespace in NAMESPACES for number in range(2)]
AGAIN = st.integers(0, 8 * 64).map(lambda ticks: ticks * TICK)
FAR = 1e6


class ExactJitter(Random):
    """Jitter in steps of 1/16 of the whole, within the bounds that it is asked for."""

    def uniform(self, a: float, b: float) -> float:
        assert (a, b) == (0.8, 1.0)
        return self.randint(13, 16) / 16


@given(st.lists(st.sampled_from(["failed", "failed", "failed", "done"]), max_size=25), st.integers(0, 9))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_back_off_doubles_with_each_failure_in_a_row_up_to_the_longest(ends: list[str], seed: int) -> None:
    work, in_a_row = WorkQueue(jitter=Random(seed)), 0
    for end in ends:
        work.add(KEYS[0], 0)
        assert work.take(0) == KEYS[0]
        if end == "done":
            work.done(KEYS[0], 0)
            in_a_row = 0
            continue
        delay = work.failed(KEYS[0], 0)
        whole = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2**in_a_row)
        assert 0.8 * whole <= delay <= whole
        in_a_row += 1


@pytest.mark.parametrize("namespaces", [1, 2, 5])
def test_a_busy_namespace_delays_another_key_by_as_many_places_as_there_are_namespaces(namespaces: int) -> None:
    work = WorkQueue(burst=10_000)
    for number in range(1000):
        for namespace in range(namespaces):
            work.add(Key("TrainingRun", f"busy-{namespace}", str(number)), 0)
    for _ in range(321):
        work.take(0)
    late = Key("TrainingRun", "late", "one")
    work.add(late, 0)
    assert late in [work.take(0) for _ in range(namespaces + 1)]


def test_a_key_that_became_due_is_old_although_every_worker_is_busy_and_asks_for_none() -> None:
    """Found by the machine below: liveness looks at this age, and a hung operator seemed well in a quiet cluster."""
    work = WorkQueue()
    work.add_later(KEYS[0], 10)
    assert work.oldest(200) == 190
    assert work.depth == 1


def test_nobody_wakes_for_a_time_that_an_earlier_one_replaced() -> None:
    """Found by the machine below."""
    work = WorkQueue()
    work.add_later(KEYS[0], 30)
    work.add_later(KEYS[0], 10)
    assert work.take(10) == KEYS[0]
    work.done(KEYS[0], 11)
    assert work.wait(11) is None


def test_a_time_that_an_earlier_one_replaced_does_not_come_instead_of_one_that_was_asked_for_since() -> None:
    work = WorkQueue()
    work.add_later(KEYS[0], 30)
    work.add_later(KEYS[0], 10)
    assert work.take(10) == KEYS[0]
    work.done(KEYS[0], 11, again_in=29)
    assert work.take(30) is None
    assert work.take(40) == KEYS[0]


def test_the_wait_for_what_is_due_soon_counts_the_rate_too() -> None:
    """Found by the machine below."""
    work = WorkQueue(per_second=1.0, burst=1)
    work.add(KEYS[0], 0)
    work.take(0)
    work.add_later(KEYS[1], 0.25)
    assert work.wait(0) == 1.0


@dataclass
class Model:
    """What has been asked for: at once, at a time, and what a worker has."""

    asked: dict[Key, float] = field(default_factory=dict)
    due: dict[Key, float] = field(default_factory=dict)
    running: set[Key] = field(default_factory=set)
    failures: dict[Key, int] = field(default_factory=dict)

    def copied(self) -> "Model":
        return Model(dict(self.asked), dict(self.due), set(self.running))

    def add(self, key: Key, since: float) -> None:
        self.asked.setdefault(key, since)

    def add_later(self, key: Key, due: float) -> None:
        self.due[key] = min(due, self.due.get(key, due))

    def settle(self, now: float) -> None:
        """A time that has come asks for the key; it is used up by that, and not by an earlier run."""
        for due, key in sorted((due, key) for key, due in self.due.items() if due <= now):
            del self.due[key]
            self.add(key, due)

    def release(self, key: Key, now: float) -> None:
        """A key that was asked for while a worker had it waits from now on, behind the others."""
        self.running.discard(key)
        if self.asked.pop(key, None) is not None:
            self.asked[key] = now

    def waiting(self) -> list[Key]:
        """The keys that can be taken; in each namespace in this order."""
        return [key for key in self.asked if key not in self.running]


class AgainstTheModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.jitter = ExactJitter(1)
        self.work = WorkQueue(per_second=PER_SECOND, burst=BURST, jitter=self.jitter)
        self.model = Model()
        self.now = 100.0
        self.takes: list[float] = []
        # For each namespace: who has had a turn since its last one, and who must have had one before its next.
        self.turns: dict[str, tuple[set[str], set[str]]] = {}
        self.places: dict[Key, int] = {}

    @rule(key=st.sampled_from(KEYS))
    def add(self, key: Key) -> None:
        self.work.add(key, self.now)
        self.model.add(key, self.now)

    @rule(key=st.sampled_from(KEYS), delay=AGAIN)
    def add_later(self, key: Key, delay: float) -> None:
        self.work.add_later(key, self.now + delay)
        self.model.add_later(key, self.now + delay)

    @rule(ticks=st.integers(0, 8) | st.integers(0, 64 * 5))
    def time_passes(self, ticks: int) -> None:
        self.now += ticks * TICK

    @rule()
    def time_passes_until_a_key_can_be_taken(self) -> None:
        self.now += self.wait() or 0.0

    def wait(self) -> float | None:
        self.model.settle(self.now)
        return self.work.wait(self.now)

    @rule()
    def take(self) -> None:
        self.model.settle(self.now)
        self.line_up()
        key = self.work.take(self.now)
        assert (key is not None) == bool(self.model.waiting() and self.allowed(self.now))
        if key is not None:
            self.taken(key)

    def line_up(self) -> None:
        """Notes how many takes each new waiting key may have to let pass."""
        for namespace in NAMESPACES:
            line = [key for key in self.model.waiting() if key.namespace == namespace]
            for place, key in enumerate(line, 1):
                self.places.setdefault(key, place * len(NAMESPACES))

    def allowed(self, now: float) -> bool:
        """Whether one more take now keeps every window: never more than burst + rate * t in t seconds."""
        takes = [*self.takes, now]
        return all(len(takes) - first <= BURST + PER_SECOND * (now - then) for first, then in enumerate(takes))

    def taken(self, key: Key) -> None:
        assert key not in self.model.running, "two workers have one key"
        line = [each for each in self.model.waiting() if each.namespace == key.namespace]
        assert key == line[0], "who came first in a namespace goes first"
        had, must = self.turns.get(key.namespace, (set(), set()))
        assert must <= had, f"{key.namespace} has two turns, and {must - had} waits"
        for seen, _ in self.turns.values():
            seen.add(key.namespace)
        self.model.running.add(key)
        del self.model.asked[key]
        self.turns[key.namespace] = (set(), {each.namespace for each in self.model.waiting()} - {key.namespace})
        self.takes.append(self.now)
        self.places.pop(key)
        self.places = {each: left - 1 for each, left in self.places.items()}
        assert all(left > 0 for left in self.places.values()), "a key waits longer than its places"

    @precondition(lambda self: self.model.running)
    @rule(data=st.data(), again=st.none() | AGAIN)
    def done(self, data: st.DataObject, again: float | None) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.running)))
        self.work.done(key, self.now, again_in=again)
        self.model.release(key, self.now)
        self.model.failures.pop(key, None)
        if again is not None:
            self.model.add_later(key, self.now + again)

    @precondition(lambda self: self.model.running)
    @rule(data=st.data())
    def failed(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.running)))
        delay = self.work.failed(key, self.now)
        whole = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** self.model.failures.get(key, 0))
        assert 0.8 * whole <= delay <= whole <= LONGEST_BACKOFF
        self.model.release(key, self.now)
        self.model.failures[key] = self.model.failures.get(key, 0) + 1
        self.model.add_later(key, self.now + delay)

    @precondition(lambda self: len(self.takes) % 5 == 4)
    @rule()
    def clear(self) -> None:
        """Nothing is due any more; who works on what stays, and so does the rate."""
        self.work.clear()
        self.model.asked, self.model.due, self.model.failures = {}, {}, {}
        self.turns, self.places = {}, {}

    @invariant()
    def who_works_on_what_is_told(self) -> None:
        assert set(self.work.running()) == self.model.running

    def copied(self) -> WorkQueue:
        """To look at what would be: looking must not change what comes."""
        return copy.deepcopy(self.work, {id(self.jitter): self.jitter})

    @invariant()
    def depth_age_and_wait_are_exact(self) -> None:
        """With nothing else happening, a take after the wait succeeds and none before it does."""
        work, model = self.copied(), self.model.copied()
        model.settle(self.now)
        since = [model.asked[key] for key in model.waiting()]
        assert work.oldest(self.now) == max((self.now - each for each in since), default=0.0)
        assert work.depth == len(since)
        wait = work.wait(self.now)
        if wait is None:
            assert not since and not model.due
            return
        at = self.now + wait
        if wait > 0:
            assert self.copied().take(at - TICK / 2) is None
        if work.take(at) is None:
            # Whoever works on a key that becomes due takes it himself when he is done: nobody else can.
            assert not since
            assert min(model.due, key=lambda key: (model.due[key], key)) in model.running

    def teardown(self) -> None:
        """Whatever was asked for is taken in the end, and then nothing is left."""
        for key in sorted(self.model.running):
            self.done_with(key)
        while (wait := self.wait()) is not None:
            self.now += wait
            self.model.settle(self.now)
            self.line_up()
            taken = self.work.take(self.now)
            assert taken is not None, "nothing happens and nothing runs: the wait was exact"
            self.taken(taken)
            self.done_with(taken)
        assert (self.model.asked, self.model.due) == ({}, {}), "lost"
        assert self.work.take(self.now + FAR) is None

    def done_with(self, key: Key) -> None:
        self.work.done(key, self.now)
        self.model.release(key, self.now)


AgainstTheModel.TestCase.settings = settings(max_examples=100, stateful_step_count=50, derandomize=True, deadline=None)
TestAgainstTheModel = AgainstTheModel.TestCase
