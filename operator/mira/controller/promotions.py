"""One pass for a ModelPromotion: drive its deciding on, and report the end or what it waits for."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mira.adapters.cluster import Answer, ClusterUnavailable, NamespaceTerminating, Object
from mira.api.identity import op
from mira.api.modelpromotion import ModelPromotion
from mira.api.reasons import Reason
from mira.controller.answering import Answering, FileChecks, LiveReader
from mira.controller.cache import Cache
from mira.controller.chains import Chains
from mira.controller.clock import Clock
from mira.controller.comparisons import Comparisons
from mira.controller.queue import Key
from mira.controller.reading import Unreadable, read
from mira.controller.status import StatusWriter
from mira.controller.workers import Again
from mira.decide.comparing import pair_of
from mira.decide.modelpromotion import (
    Judgement,
    Seen,
    blocked_status,
    decided_status,
    is_finished,
    renewed_status,
    told_to_stage,
    void,
    waiting_status,
)
from mira.decide.promotion_case import Asked
from mira.registry.deciding import Decided, Waiting, deciding
from mira.registry.document import REGISTRY_LIMIT, DocumentInvalid
from mira.registry.entry import Entry, EntryKind, Pointer
from mira.registry.keys import StageKey, VersionKey
from mira.registry.lineage import BrokenChain, Head
from mira.registry.signatures import Verifier
from mira.registry.steps import Procedure, Unsettled
from mira.registry.store import ObjectStore, StoreRefused, StoreUnavailable

POINTER_FOLLOWS = 0.1
End = Decided[Seen] | Waiting[Seen]


@dataclass
class _Attempt:
    """A promotion's deciding under way: kept over a failed read, so that an unresolved write is not forgotten."""

    asked: Asked
    procedure: Procedure[End]
    answering: Answering


@dataclass
class PromotionPass:
    """Passes for ModelPromotions."""

    store: ObjectStore
    files: FileChecks
    live: LiveReader
    comparisons: Comparisons
    cache: Cache
    writer: StatusWriter
    chains: Chains
    clock: Clock
    resync: float
    operator_version: str
    enqueue: Callable[[Key], None]
    keys: Verifier | None = None
    _attempts: dict[Key, _Attempt] = field(default_factory=dict)
    _decided: dict[Key, tuple[str, Decided[Seen]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, key: Key) -> Again:
        """When to look again. Raises StoreUnavailable and StoreRefused, after the status says so."""
        raw = self.cache.get("ModelPromotion", key.namespace, key.name)
        promotion = read(ModelPromotion, raw) if raw else None
        if promotion is not None and raw is not None and is_finished(promotion):
            if promotion.status.observed_generation < promotion.metadata.generation:
                self.writer.write(raw, promotion, renewed_status(promotion, self.clock.now()))
            self._forget(key)
            return Again(None)
        attempt = self._attempt(key, raw, promotion)
        if attempt is None:
            self._forget(key)
            return Again(None)
        return self._go_on(key, attempt, raw, promotion)

    def _go_on(self, key: Key, attempt: _Attempt, raw: Object | None, promotion: ModelPromotion | None) -> Again:
        try:
            self.chains.check(attempt.asked.stage)
            end = self._remembered(key, attempt) or attempt.procedure.advance(attempt.answering)
            self._drop(key)
            if isinstance(end, Waiting):
                return self._waiting(end, attempt)
        except NamespaceTerminating:
            return Again(None)
        except BrokenChain as error:
            self._drop(key)
            self.chains.doubt(error.stage)
            return self._blocked(raw, promotion, Reason.LINEAGE_BROKEN, str(error))
        except StoreUnavailable:
            self._blocked(raw, promotion, Reason.REGISTRY_UNAVAILABLE, Reason.REGISTRY_UNAVAILABLE.when)
            raise
        except StoreRefused as error:
            self._blocked(raw, promotion, Reason.REGISTRY_REFUSED, str(error))
            raise
        except (Answer, ClusterUnavailable, Unreadable, Unsettled):
            raise
        except Exception:
            # A procedure that raised by itself has ended; the next pass begins anew.
            self._drop(key)
            raise
        return self._end(key, end, attempt)

    def _attempt(self, key: Key, raw: Object | None, promotion: ModelPromotion | None) -> _Attempt | None:
        """The attempt under way, which has to be ended even if its resource is gone; else a new one."""
        with self._lock:
            known = self._attempts.get(key)
        if known is not None:
            return known
        if raw is None or promotion is None or promotion.metadata.deletion_timestamp is not None:
            return None
        asked = _asked(raw, promotion)
        judgement = Judgement(asked, self.operator_version, self.keys)
        steps = deciding(asked.stage, asked.op, judgement.judge(), self._void(asked, promotion))
        attempt = _Attempt(asked, Procedure(steps), Answering(self.store, self.files, self.live))
        with self._lock:
            self._attempts[key] = attempt
        return attempt

    def _void(self, asked: Asked, promotion: ModelPromotion) -> Callable[[Head], Entry]:
        def make(head: Head) -> Entry:
            return void(asked, promotion, self.operator_version, self.clock.now(), head)

        return make

    def _waiting(self, waiting: Waiting[Seen], attempt: _Attempt) -> Again:
        case = waiting.seen.case
        raw = attempt.answering.raw
        if waiting.gone or case is None or raw is None:
            # The cache is behind; the event that brings it up to date brings the key back.
            return Again(self.resync)
        fresh = case.weighed is not None and case.weighed.fresh
        seen = waiting.seen
        if seen.ruling is not None and (pair := pair_of(case, seen.ruling)) is not None:
            ruling = self.comparisons.look(pair)
            if ruling is None:
                return Again(0.0)
            seen = replace(seen, ruling=ruling)
        status = waiting_status(case.promotion, seen, self.clock.now())
        self.writer.write(raw, case.promotion, status)
        # What was recorded just now counts from the next look on.
        return Again(0.0 if fresh else self.resync)

    def _end(self, key: Key, end: Decided[Seen], attempt: _Attempt) -> Again:
        """Reports the end once the pointer shows it, so that `Promoted` is never said too early."""
        entry = end.link.entry
        self.enqueue(Key("ModelStage", key.namespace, f"{entry.model}.{entry.stage}"))
        if entry.kind is not EntryKind.REFUSE and not self._pointer_shows(entry):
            with self._lock:
                self._decided[key] = (attempt.asked.uid, end)
            return Again(POINTER_FOLLOWS)
        self._tell_stage(attempt.asked, entry)
        self._forget(key)
        live, raw = self.live.read(attempt.asked)
        if live.promotion is None or raw is None or live.promotion.metadata.uid != attempt.asked.uid:
            return Again(self.resync)
        self.writer.write(raw, live.promotion, decided_status(live.promotion, end, self.clock.now()))
        self._wake_others(key, attempt.asked.stage)
        return Again(None)

    def _tell_stage(self, asked: Asked, entry: Entry) -> None:
        """An Event on the ModelStage for each entry that moves it: its status shows only the newest."""
        told = told_to_stage(asked, entry)
        raw = self.cache.get("ModelStage", asked.namespace, f"{asked.stage.model}.{asked.stage.stage}")
        if told is not None and raw is not None:
            reason, message = told
            self.writer.recorder.record(raw, "Normal", reason, message)

    def _pointer_shows(self, entry: Entry) -> bool:
        """Whether the pointer has come as far as this entry."""
        stored = self.store.get(entry.stage_key.pointer, limit=REGISTRY_LIMIT)
        try:
            return stored is not None and Pointer.parse(stored.body).number >= entry.number
        except DocumentInvalid:
            return False

    def _blocked(self, raw: Object | None, promotion: ModelPromotion | None, reason: Reason, message: str) -> Again:
        if raw is not None and promotion is not None:
            self.writer.write(raw, promotion, blocked_status(promotion, reason, message, self.clock.now()))
        return Again(self.resync)

    def _wake_others(self, key: Key, stage: StageKey) -> None:
        """Every other promotion of the stage is decided on a new head from now on."""
        for body in self.cache.all("ModelPromotion"):
            spec, metadata = body["spec"], body["metadata"]
            other = Key("ModelPromotion", metadata["namespace"], metadata["name"])
            if other != key and (other.namespace, spec["model"], spec["stage"]) == (
                stage.namespace,
                stage.model,
                stage.stage,
            ):
                self.enqueue(other)

    def _remembered(self, key: Key, attempt: _Attempt) -> Decided[Seen] | None:
        with self._lock:
            uid, end = self._decided.get(key, ("", None))
            return end if uid == attempt.asked.uid else None

    def _drop(self, key: Key) -> None:
        with self._lock:
            self._attempts.pop(key, None)

    def _forget(self, key: Key) -> None:
        with self._lock:
            self._attempts.pop(key, None)
            self._decided.pop(key, None)


def _asked(raw: Object, promotion: ModelPromotion) -> Asked:
    namespace, spec = promotion.metadata.namespace, promotion.spec
    return Asked(
        namespace=namespace,
        name=promotion.metadata.name,
        uid=promotion.metadata.uid,
        op=op(namespace, promotion.metadata.name, raw["spec"]),
        stage=StageKey(namespace, spec.model, spec.stage),
        version=VersionKey(namespace, spec.model, spec.version),
    )
