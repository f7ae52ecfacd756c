"""`mira_registry_up` turns 0 with a call that fails, and with one that nobody answers."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from mira.adapters.metrics import SILENT_AFTER, MeteredStore, Metrics
from mira.registry.memory import MemoryStore
from mira.registry.store import Stored, StoreUnavailable


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class Slow(MemoryStore):
    """Takes its time for every read, looks at the metric meanwhile, and may end without an answer."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        super().__init__()
        self.metrics, self.clock = metrics, clock
        self.seconds, self.fails = 0.0, False
        self.seen_meanwhile: float | None = None

    def get(self, key: str, *, limit: int) -> Stored | None:
        self.clock.now += self.seconds
        self.seen_meanwhile = up(self.metrics)
        if self.fails:
            raise StoreUnavailable("no answer")
        return super().get(key, limit=limit)

    def list(self, prefix: str) -> Iterator[str]:
        for key in ("a", "b", "c"):
            self.clock.now += self.seconds
            self.seen_meanwhile = up(self.metrics)
            yield key

    def folders(self, prefix: str) -> Iterator[str]:
        return self.list(prefix)

    def sha256(self, key: str) -> tuple[int, str] | None:
        self.clock.now += self.seconds
        self.seen_meanwhile = up(self.metrics)
        return super().sha256(key)


def up(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("mira_registry_up")


@pytest.fixture
def slow() -> Slow:
    clock = Clock()
    return Slow(Metrics(monotonic=clock), clock)


def test_a_store_that_was_never_asked_is_not_up(slow: Slow) -> None:
    assert up(slow.metrics) == 0


def test_it_is_up_after_an_answer_and_down_after_none(slow: Slow) -> None:
    store = MeteredStore(slow, slow.metrics)
    store.get("a", limit=10)
    assert up(slow.metrics) == 1
    slow.fails = True
    with pytest.raises(StoreUnavailable):
        store.get("a", limit=10)
    assert up(slow.metrics) == 0


@pytest.mark.parametrize(("seconds", "meanwhile"), [(SILENT_AFTER, 1), (SILENT_AFTER + 0.1, 0)])
def test_it_is_down_while_a_call_waits_for_long_and_up_once_that_is_answered(
    slow: Slow, seconds: float, meanwhile: float
) -> None:
    store = MeteredStore(slow, slow.metrics)
    store.get("a", limit=10)
    slow.seconds = seconds
    store.get("a", limit=10)
    assert slow.seen_meanwhile == meanwhile
    assert up(slow.metrics) == 1


@pytest.mark.parametrize(("seconds", "meanwhile"), [(SILENT_AFTER, 1), (SILENT_AFTER + 0.1, 0)])
@pytest.mark.parametrize("name", ["list", "folders"])
def test_a_list_may_be_long_but_none_of_its_keys(slow: Slow, name: str, seconds: float, meanwhile: float) -> None:
    store = MeteredStore(slow, slow.metrics)
    store.get("a", limit=10)
    slow.seconds = seconds
    assert list(getattr(store, name)("")) == ["a", "b", "c"]
    assert slow.seen_meanwhile == meanwhile
    assert up(slow.metrics) == 1


def test_the_digest_of_a_great_file_may_take_its_time(slow: Slow) -> None:
    store = MeteredStore(slow, slow.metrics)
    store.get("a", limit=10)
    slow.seconds = 600
    store.sha256("a")
    assert slow.seen_meanwhile == 1
