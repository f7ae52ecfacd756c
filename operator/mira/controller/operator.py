"""The operator put together: who is told what, and in which order it starts and stops."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Protocol

from mira import __version__
from mira.adapters.admission import prove
from mira.adapters.cluster import Cluster, Conflict
from mira.adapters.events import Recorder
from mira.adapters.metrics import MeteredStore, Metrics
from mira.api.conditions import ConditionType, condition
from mira.controller.answering import FileChecks, LiveReader
from mira.controller.cache import Cache
from mira.controller.chains import Chains
from mira.controller.clock import Clock
from mira.controller.comparisons import Comparisons
from mira.controller.discovery import Discovery
from mira.controller.fencing import FencedCluster, FencedStore, NotLeading
from mira.controller.jobs import Jobs
from mira.controller.leading import Claim, Elector
from mira.controller.listing import LISTED, Listing, has_ended, keys_of
from mira.controller.promotions import PromotionPass
from mira.controller.proving import Prover
from mira.controller.queue import Key, WorkQueue
from mira.controller.reading import Unreadable
from mira.controller.runs import RunPass
from mira.controller.settings import Settings
from mira.controller.stages import StagePass
from mira.controller.status import StatusWriter
from mira.controller.threads import RealThreads, Threads
from mira.controller.workers import Again, Workers
from mira.registry.signatures import Verifier
from mira.registry.store import ObjectStore, StoreRefused, StoreUnavailable

log = logging.getLogger(__name__)
STUCK_AFTER = 120.0
NOT_LEADING_YET = 0.5
Tell = Callable[[str, str, dict[str, Any]], None]


class Watch(Protocol):
    """What tells the operator that something changed; it may fail to, and lists make up for it."""

    def start(self) -> None:
        """Watches from now on."""
        ...

    def stop(self, *, seconds: float) -> None:
        """Ends the watches; waits no longer than `seconds`."""
        ...

    def alive(self) -> bool:
        """Whether it still watches, or will again."""
        ...


@dataclass
class Outside:
    """Everything that an operator needs of the world; a simulator gives another one. `keys`: one of them must sign."""

    cluster: Cluster
    store: ObjectStore
    watch: Callable[[Tell, Callable[[], None]], Watch]
    leases: Cluster
    clock: Clock = field(default_factory=Clock)
    threads: Threads = field(default_factory=RealThreads)
    random: Random = field(default_factory=Random)
    keys: Verifier | None = None


class Operator:
    """One operator process. `start` returns once the workers run; they take keys while this operator leads."""

    def __init__(self, settings: Settings, outside: Outside, metrics: Metrics) -> None:
        self.settings, self.metrics, self.clock = settings, metrics, outside.clock
        clock, threads = outside.clock, outside.threads
        claim = Claim(settings.lease, settings.namespace, settings.identity, settings.lease_seconds)
        self._elector = Elector(outside.leases, claim, clock, threads, self._gained, self._lost)
        self.cluster = FencedCluster(outside.cluster, self._elector.leads)
        self.store = FencedStore(MeteredStore(outside.store, metrics), self._elector.leads)
        self.cache = Cache()
        self._told_at = clock.monotonic()
        self._started = False
        chains = Chains(self.store)
        self._passes = self._passes_on(chains, outside.keys)
        self._workers = Workers(
            WorkQueue(jitter=outside.random),
            self._pass,
            threads=settings.workers,
            clock=clock.monotonic,
            failed=self._failed,
            made_by=threads,
        )
        self._workers.pause()
        self._listing = Listing(
            self.cluster, self.cache, self._wake, self._missed, settings.relist_seconds, threads, clock.monotonic
        )
        self._discovery = Discovery(self.store, self._enqueue, threads)
        self._watching = outside.watch(self._event, metrics.watch_restarts.inc)
        metrics.queue_depth.set_function(self._workers.depth)
        metrics.queue_oldest.set_function(self._workers.oldest)
        metrics.watch_age.set_function(self._watch_age)
        metrics.list_age.set_function(self._listing.age)
        metrics.broken.set_function(chains.broken)
        for kind in LISTED:
            metrics.cached.labels(kind).set_function(partial(self.cache.count, kind))
        metrics.leads.set_function(self._elector.leads)

    def _passes_on(self, chains: Chains, keys: Verifier | None) -> dict[str, Callable[[Key], Again]]:
        """The pass for each kind; they share the cache, the status writer and what was verified of the chains."""
        settings, clock = self.settings, self.clock
        prover = Prover(
            lambda namespace: prove(self.cluster, namespace, accounts=settings.operator_accounts), clock.monotonic
        )
        live = LiveReader(self.cluster, clock, prover.prove)
        self._writer = writer = StatusWriter(self.cluster, self.cache, Recorder(self.cluster, clock.now), self._ended)
        files = FileChecks(self.store)
        platform = settings.platform()
        jobs = Jobs(self.cluster, self.store, self.cache)
        return {
            "TrainingRun": RunPass(
                self.cluster,
                self.store,
                jobs,
                self.cache,
                writer,
                platform,
                clock,
                settings.resync_seconds,
                self._published,
                live.prove,
            ),
            "ModelPromotion": PromotionPass(
                self.store,
                files,
                live,
                Comparisons(self.cluster, self.store, jobs, self.cache, platform, clock),
                self.cache,
                writer,
                chains,
                clock,
                settings.resync_seconds,
                __version__,
                self._enqueue,
                keys,
            ),
            "ModelStage": StagePass(
                self.store, platform.registry, live, self.cache, writer, chains, clock, settings.resync_seconds
            ),
        }

    def start(self) -> bool:
        """Whether it started; False if it was stopped while it waited for the API server."""
        if not self._listing.until_listed():
            return False
        self._watching.start()
        self._listing.start()
        self._discovery.start()
        self._workers.start()
        self._elector.start()
        self._started = True
        log.info("the operator has started", extra={"registry": self.settings.registry, "version": __version__})
        return True

    def stop(self) -> None:
        """Lets every running pass end, hands the Lease to whoever stands by, then ends the watches."""
        self._discovery.stop()
        self._listing.stop()
        if self._started:
            self._workers.stop(seconds=20)
            self._elector.stop(seconds=5)
            self._watching.stop(seconds=5)
        log.info("the operator has stopped")

    def healthy(self) -> str:
        """Empty, or why the process should be started anew."""
        if not self._started:
            return ""
        if not (self._workers.alive() and self._watching.alive() and self._elector.alive()):
            return "a thread of the operator has ended"
        if (oldest := self._workers.oldest()) > STUCK_AFTER:
            return f"a key has been due for {oldest:.0f} s and no worker takes it"
        # A quiet watch may be well: in a quiet cluster it has nothing to tell. The lists are what must never stop.
        if (age := self._listing.age()) > self.settings.relist_seconds + STUCK_AFTER:
            return f"no list has come to an end for {age:.0f} s"
        return ""

    def ready(self) -> str:
        """Empty, or what is still waited for. Standing by is being ready."""
        return self._elector.problem() if self._started else "waiting for the API server and the CRDs"

    def _gained(self) -> None:
        """This operator works from now on: it looks at all that has not ended, for another one may have been at it."""
        self.metrics.lease_changes.labels("gained").inc()
        self._workers.resume()
        for kind in LISTED:
            for body in self.cache.all(kind):
                for key in keys_of(kind, body) if not has_ended(body) else ():
                    self._enqueue(key)
        self._discovery.look()

    def _lost(self) -> None:
        """This operator stands by from now on; passes that run are stopped at their next write."""
        self.metrics.lease_changes.labels("lost").inc()
        self._workers.pause()

    def _pass(self, key: Key) -> Again:
        started = self.clock.monotonic()
        try:
            again, result = self._look(key), "ok"
        except NotLeading:
            # Whoever leads next looks at everything; if that is this operator again, before it was told that it had
            # lost the Lease, nobody else would bring the key back. While it stands by, no key is kept.
            again, result = Again(NOT_LEADING_YET), "not leading"
        except Conflict:
            # Somebody wrote the object since it was read, and the event that says so may be late.
            self._refresh(key)
            again, result = Again(0.2), "conflict"
        except Unreadable:
            # Looking again does not help, but a stage's pointer follows its lineage whatever its ModelStage says.
            again = Again(self.settings.resync_seconds if key.kind == "ModelStage" else None)
            result = "unreadable"
        self._count(key, result, started)
        return again

    def _look(self, key: Key) -> Again:
        """One pass. Raises Unreadable, after the status says so."""
        try:
            return self._passes[key.kind](key)
        except Unreadable as error:
            log.warning("an object cannot be read", extra={"key": str(key), "error": str(error)})
            raw = self.cache.get(key.kind, key.namespace, key.name)
            if raw is not None and not has_ended(raw):
                self._writer.write_unreadable(key.kind, raw, str(error), self.clock.now())
            raise

    def _refresh(self, key: Key) -> None:
        """Brings the cache up to what is live."""
        # What was known before the read: an object that is created again meanwhile must not be taken for the one gone.
        known = self.cache.get(key.kind, key.namespace, key.name)
        live = self.cluster.get(key.kind, key.namespace, key.name)
        if live is not None and self.cache.put(key.kind, live):
            self._wake(key.kind, live)
        elif live is None and known is not None and self.cache.remove(key.kind, known):
            self._wake(key.kind, known)

    def _failed(self, key: Key, error: Exception) -> None:
        known = isinstance(error, StoreUnavailable | StoreRefused)
        self.metrics.passes.labels(key.kind, type(error).__name__).inc()
        log.warning(
            "a pass failed; it is tried again",
            extra={"key": str(key), "error": str(error)[:500]},
            exc_info=None if known else error,
        )

    def _count(self, key: Key, result: str, started: float) -> None:
        self.metrics.passes.labels(key.kind, result).inc()
        self.metrics.pass_seconds.labels(key.kind).observe(self.clock.monotonic() - started)

    def _event(self, kind: str, event: str, body: dict[str, Any]) -> None:
        """One watch event: into the cache, and whoever it concerns onto the queue."""
        self._told_at = self.clock.monotonic()
        news = self.cache.remove(kind, body) if event == "DELETED" else self.cache.put(kind, body)
        if news:
            self._wake(kind, body)
            return
        for key in keys_of(kind, body):
            # An own write is no news to the pass that wrote it, but to everybody else.
            if key.kind != kind:
                self._enqueue(key)

    def _wake(self, kind: str, body: dict[str, Any]) -> None:
        """Has everybody look again whom this change concerns."""
        for key in keys_of(kind, body):
            self._enqueue(key)
        if kind == "ModelStage":
            self._wake_promotions(body["metadata"]["namespace"], body["spec"]["model"], body["spec"]["stage"])

    def _wake_promotions(
        self, namespace: str, model: str, stage: str | None = None, version: str | None = None
    ) -> None:
        """Every promotion that waits for this stage's rules, or for this version."""
        for body in self.cache.all("ModelPromotion"):
            spec, metadata = body["spec"], body["metadata"]
            same = (metadata["namespace"], spec["model"]) == (namespace, model)
            if same and stage in (None, spec["stage"]) and version in (None, spec["version"]):
                self._enqueue(Key("ModelPromotion", namespace, metadata["name"]))

    def _published(self, namespace: str, model: str, version: str) -> None:
        self._wake_promotions(namespace, model, version=version)

    def _ended(self, kind: str, status: Any) -> None:
        """Counts what has just ended."""
        finished = condition(status.conditions, ConditionType.FINISHED)
        if finished is not None and finished.status == "True":
            counter = self.metrics.runs if kind == "TrainingRun" else self.metrics.promotions
            counter.labels(finished.reason).inc()

    def _enqueue(self, key: Key) -> None:
        self._workers.add(key)

    def _missed(self, kind: str, changed: int) -> None:
        self.metrics.watch_missed.labels(kind).inc(changed)

    def _watch_age(self) -> float:
        return self.clock.monotonic() - self._told_at
