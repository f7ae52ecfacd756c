"""Every entry that moves a stage gives an Event on its ModelStage, although the stage's reason stays the same."""

from datetime import timedelta
from typing import Any

from mira.adapters.cluster import Object
from mira.adapters.events import Recorder
from mira.controller.answering import FileChecks, LiveReader
from mira.controller.cache import Cache
from mira.controller.chains import Chains
from mira.controller.clock import Clock
from mira.controller.comparisons import Comparisons
from mira.controller.jobs import Jobs
from mira.controller.promotions import PromotionPass
from mira.controller.queue import Key
from mira.controller.stages import StagePass
from mira.controller.status import StatusWriter
from mira.decide.approvals import Proof
from mira.decide.job import Platform
from mira.registry.memory import MemoryStore
from tests.controller.in_memory import InMemory
from tests.support.world import MODEL, NAMESPACE, NOON, POLICIES_SINCE, STAGE, promotion, publish, stage


class Operator:
    """The two passes that a promotion and its stage take turns in, until neither has more to do."""

    def __init__(self) -> None:
        self.cluster, self.store, self.cache = InMemory(), MemoryStore(), Cache()
        clock = Clock(now=lambda: NOON + timedelta(minutes=5))
        writer = StatusWriter(self.cluster, self.cache, Recorder(self.cluster, clock.now), lambda *_: None)
        chains = Chains(self.store)
        live = LiveReader(self.cluster, clock, lambda _, *, anew: Proof(since=POLICIES_SINCE))
        self.stages = StagePass(self.store, "s3://mira", live, self.cache, writer, chains, clock, 30)
        files = FileChecks(self.store)
        jobs, platform = Jobs(self.cluster, self.store, self.cache), Platform("s3://mira")
        comparisons = Comparisons(self.cluster, self.store, jobs, self.cache, platform, clock)
        self.promotions = PromotionPass(
            self.store, files, live, comparisons, self.cache, writer, chains, clock, 30, "test", lambda _: None
        )
        self.put("ModelStage", stage().model_dump(by_alias=True, mode="json", exclude_none=True))

    def put(self, kind: str, body: Object) -> None:
        self.cluster.objects[kind, body["metadata"]["name"]] = body
        self.cache.put(kind, body)

    def decide(self, name: str, version: str, minute: int, **spec: Any) -> None:
        digest = publish(self.store, version)
        approvals = {} if spec else {"bob": digest}
        asked = promotion(name, version, created=NOON + timedelta(minutes=minute), approvals=approvals, **spec)
        self.put("ModelPromotion", asked.model_dump(by_alias=True, mode="json", exclude_none=True))
        for _ in range(2):
            self.promotions(Key("ModelPromotion", NAMESPACE, name))
            self.stages(Key("ModelStage", NAMESPACE, f"{MODEL}.{STAGE}"))

    def events(self) -> list[tuple[str, str]]:
        """Reason and message of the Events about the stage."""
        found = [body for body in self.cluster.list("Event") if body["involvedObject"]["kind"] == "ModelStage"]
        return [(body["reason"], body["message"]) for body in found]


def test_every_entry_that_moves_the_stage_gives_an_event_that_says_who_asked() -> None:
    operator = Operator()
    operator.decide("first", "v1", 0)
    operator.decide("second", "v2", 1)
    operator.decide("back", "v1", 2, action="RollBack")
    moves = [event for event in operator.events() if event[0] in ("Promoted", "RolledBack")]
    assert moves == [
        ("Promoted", "version v1 is current as entry 1, approved by bob; asked for by alice"),
        ("Promoted", "version v2 is current instead of v1 as entry 2, approved by bob; asked for by alice"),
        ("RolledBack", "version v1 is current instead of v2 as entry 3; asked for by alice"),
    ]


def test_what_moves_nothing_gives_the_stage_no_event() -> None:
    operator = Operator()
    operator.decide("second", "v2", 1)
    before = operator.events()
    operator.decide("first", "v1", 0)
    assert operator.cluster.objects["ModelPromotion", "first"]["status"]["number"] == 2
    assert operator.events() == before
