"""One pass for a stage's key: the pointer follows the lineage, then the ModelStage's status follows both."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from mira.api.modelstage import ModelStage
from mira.api.reasons import Reason
from mira.controller.answering import LiveReader
from mira.controller.cache import Cache
from mira.controller.chains import Chains
from mira.controller.clock import Clock
from mira.controller.listing import has_ended
from mira.controller.queue import Key
from mira.controller.reading import Unreadable, read
from mira.controller.status import StatusWriter
from mira.controller.workers import Again
from mira.decide.modelstage import SeenStage, stage_status, trouble_status
from mira.registry.keys import LINEAGES, InvalidKey, StageKey
from mira.registry.lineage import BrokenChain, Link, read_entry
from mira.registry.pointing import Pointed, pointing
from mira.registry.steps import Procedure, Steps, answer_from
from mira.registry.store import ObjectStore, StoreRefused, StoreUnavailable


@dataclass
class StagePass:
    """Passes for stages, whether a ModelStage exists or only a lineage."""

    store: ObjectStore
    root: str
    live: LiveReader
    cache: Cache
    writer: StatusWriter
    chains: Chains
    clock: Clock
    resync: float
    _unended: dict[StageKey, Procedure[Pointed]] = field(default_factory=dict)

    def __call__(self, key: Key) -> Again:
        """When to look again. Raises StoreUnavailable and StoreRefused, after the status says so."""
        model, _, name = key.name.rpartition(".")
        try:
            stage = StageKey(key.namespace, model, name)
        except InvalidKey:
            return Again(None)
        try:
            pointed, broken = self._point(stage), ""
        except BrokenChain as error:
            self.chains.doubt(stage)
            pointed, broken = None, str(error)
        except (StoreUnavailable, StoreRefused) as error:
            with suppress(Unreadable):
                self._say_trouble(key, error)
            raise
        self._report(key, stage, pointed, broken)
        if pointed is not None and pointed.head.link is None and not self._is_asked_for(key, stage):
            # Nothing was ever decided here and nobody asks: a name that somebody mistyped costs nothing for ever.
            self.chains.forget(stage)
            return Again(None)
        return Again(self.resync)

    def _point(self, stage: StageKey) -> Pointed:
        self.chains.check(stage)
        procedure = self._unended.setdefault(stage, Procedure(pointing(stage)))
        try:
            pointed = procedure.advance(lambda call: answer_from(self.store, call))
        except BrokenChain:
            self._unended.pop(stage, None)
            raise
        self._unended.pop(stage, None)
        return pointed

    def _report(self, key: Key, stage: StageKey, pointed: Pointed | None, broken: str) -> None:
        raw = self.cache.get("ModelStage", key.namespace, key.name)
        if raw is None:
            return
        resource = read(ModelStage, raw)
        head = pointed.head.link if pointed else None
        seen = SeenStage(
            stage=resource,
            head=head,
            moved=self._mover(stage, head),
            label=self.live.label(key.namespace, resource),
            pointer_uri=f"{self.root}/{stage.pointer}",
            pending=tuple(self._pending(stage)),
            broken=broken,
        )
        self.writer.write(raw, resource, stage_status(seen, self.clock.now()))

    def _mover(self, stage: StageKey, head: Link | None) -> Link | None:
        """The entry that made the current version current."""
        if head is None or head.entry.moved_by is None:
            return None
        if head.entry.moved_by.number == head.entry.number:
            return head
        steps: Steps[Link | None] = read_entry(stage, head.entry.moved_by.number)
        return Procedure(steps).advance(lambda call: answer_from(self.store, call))

    def _pending(self, stage: StageKey) -> Iterator[str]:
        """The names of the promotions that ask for this stage and are not decided."""
        for body in self.cache.all("ModelPromotion"):
            spec, metadata = body["spec"], body["metadata"]
            wanted = (metadata["namespace"], spec["model"], spec["stage"])
            if wanted == (stage.namespace, stage.model, stage.stage) and not has_ended(body):
                yield metadata["name"]

    def _is_asked_for(self, key: Key, stage: StageKey) -> bool:
        known = self.cache.get("ModelStage", key.namespace, key.name) is not None
        return known or next(self._pending(stage), None) is not None

    def _say_trouble(self, key: Key, error: Exception) -> None:
        raw = self.cache.get("ModelStage", key.namespace, key.name)
        if raw is None:
            return
        refused = isinstance(error, StoreRefused)
        reason = Reason.REGISTRY_REFUSED if refused else Reason.REGISTRY_UNAVAILABLE
        resource = read(ModelStage, raw)
        message = str(error) if refused else reason.when
        self.writer.write(raw, resource, trouble_status(resource, reason, message, self.clock.now()))


def stages_with_lineage(store: ObjectStore) -> Iterator[Key]:
    """The keys of every stage that has a lineage: a commit whose resources are gone still has its pointer moved."""
    for namespace in store.folders(LINEAGES):
        for model in store.folders(namespace):
            for stage in store.folders(model):
                parts = stage.removeprefix(LINEAGES).strip("/").split("/")
                if len(parts) == 3:
                    yield Key("ModelStage", parts[0], f"{parts[1]}.{parts[2]}")
