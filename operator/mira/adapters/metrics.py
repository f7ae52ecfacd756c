"""The operator's Prometheus metrics; `docs/reference/metrics.md` is generated from this list."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from mira.registry.store import Fingerprint, ObjectStore, Put, Stored, StoreUnavailable

# No answer to a small call for so long is none; the client gives up and tries again several times first.
SILENT_AFTER = 5.0
OF_ANY_LENGTH = ("sha256",)


class StoreHealth:
    """Whether the registry's store answers: the last call was answered, and none has been waiting for long."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._answered = False
        self._waiting: dict[object, float] = {}  # calls, with when they began

    def began(self, call: object) -> None:
        """A call is under way, or was answered in part."""
        self._waiting[call] = self._monotonic()

    def ended(self, call: object, *, answered: bool | None) -> None:
        """A call is over; `answered` is None if its end says nothing of the store."""
        self._waiting.pop(call, None)
        if answered is not None:
            self._answered = answered

    def up(self) -> float:
        """1 or 0, as a gauge has it."""
        since = min(tuple(self._waiting.values()), default=self._monotonic())
        return float(self._answered and self._monotonic() - since <= SILENT_AFTER)


@dataclass
class Metrics:
    """Every metric, in a registry of its own."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    monotonic: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.passes = self._counter("mira_passes", "Passes of the operator over one key.", "kind", "result")
        self.pass_seconds = Histogram("mira_pass_seconds", "How long one pass took.", ["kind"], registry=self.registry)
        self.queue_depth = self._gauge("mira_queue_depth", "Keys that are due and not being worked on.")
        self.queue_oldest = self._gauge(
            "mira_queue_oldest_seconds", "How long the key that waits longest has been due."
        )
        self.requests = self._counter(
            "mira_cluster_requests", "Calls to the Kubernetes API; code 0 is no answer.", "verb", "kind", "code"
        )
        self.store_calls = self._counter("mira_registry_calls", "Calls to the registry's store.", "call", "result")
        self.store = StoreHealth(self.monotonic)
        self.store_up = self._gauge(
            "mira_registry_up", "Whether the registry's store answered the last call, and lets none wait for over 5 s."
        )
        self.store_up.set_function(self.store.up)
        self.cluster_up = self._gauge("mira_cluster_up", "Whether the Kubernetes API answered the last call.")
        self.cached = Gauge("mira_cached_objects", "Objects that are watched.", ["kind"], registry=self.registry)
        self.leads = self._gauge("mira_leads", "1 while this operator holds the Lease and works, 0 while it stands by.")
        self.lease_changes = self._counter("mira_lease_changes", "How often the Lease was gained or lost.", "change")
        self.watch_age = self._gauge("mira_watch_age_seconds", "Time since a watch last told anything.")
        self.watch_missed = self._counter(
            "mira_watch_missed", "Changes that a list found before a watch told them.", "kind"
        )
        self.list_age = self._gauge("mira_list_age_seconds", "Time since every kind was last listed, or that failed.")
        self.watch_restarts = self._counter("mira_watch_restarts", "How often kopf ended and was started again.")
        self.runs = self._counter("mira_runs_finished", "TrainingRuns that ended, by reason.", "reason")
        self.promotions = self._counter("mira_promotions_finished", "ModelPromotions that ended, by reason.", "reason")
        self.broken = self._gauge("mira_lineages_broken", "Stages whose lineage is broken: nothing moves there.")

    def saw_request(self, verb: str, kind: str, code: int, _seconds: float) -> None:
        """Takes in one call to Kubernetes."""
        self.requests.labels(verb, kind, str(code)).inc()
        self.cluster_up.set(0 if code == 0 or code >= 500 else 1)

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(name, words, labels, registry=self.registry)

    def _gauge(self, name: str, words: str) -> Gauge:
        return Gauge(name, words, registry=self.registry)


@dataclass(frozen=True)
class MeteredStore:
    """The same store, with each call counted and its health kept."""

    store: ObjectStore
    metrics: Metrics

    def get(self, key: str, *, limit: int) -> Stored | None:
        with self._call("get"):
            return self.store.get(key, limit=limit)

    def create(self, key: str, body: bytes) -> Put:
        with self._call("create") as call:
            return call.put(self.store.create(key, body))

    def replace(self, key: str, body: bytes, etag: str) -> Put:
        with self._call("replace") as call:
            return call.put(self.store.replace(key, body, etag))

    def list(self, prefix: str) -> Iterator[str]:
        with self._call("list") as call:
            return iter(tuple(call.each(self.store.list(prefix))))

    def folders(self, prefix: str) -> Iterator[str]:
        with self._call("folders") as call:
            return iter(tuple(call.each(self.store.folders(prefix))))

    def head(self, key: str) -> Fingerprint | None:
        with self._call("head"):
            return self.store.head(key)

    def sha256(self, key: str) -> tuple[int, str] | None:
        with self._call("sha256"):
            return self.store.sha256(key)

    def _call(self, name: str) -> "_Call":
        return _Call(self.metrics, name)


@dataclass(eq=False)
class _Call:
    """One call under way: counted with how it ended."""

    metrics: Metrics
    name: str
    result: str = "ok"

    def put(self, answer: Put) -> Put:
        """Remembers what a conditional write's answer said."""
        self.result = answer.value
        return answer

    def each(self, keys: Iterable[str]) -> Iterator[str]:
        """The keys. A list may be long: that its next key comes is an answer."""
        for key in keys:
            self.metrics.store.began(self)
            yield key

    def __enter__(self) -> Self:
        if self.name not in OF_ANY_LENGTH:
            self.metrics.store.began(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        result = self.result if kind is None else kind.__name__
        self.metrics.store_calls.labels(self.name, result).inc()
        # An unclear write says nothing of the store's health; the read that follows it does.
        unclear = self.result == Put.UNCLEAR.value
        unavailable = kind is not None and issubclass(kind, StoreUnavailable)
        self.metrics.store.ended(self, answered=None if unclear else not unavailable)
