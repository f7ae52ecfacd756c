"""A small world for tests: versions published in a store, a stage, promotions, and what would be read live."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from unittest.mock import patch

from mira.api.identity import op
from mira.api.modelpromotion import ModelPromotion, ModelPromotionSpec
from mira.api.modelstage import ModelStage
from mira.decide.approvals import Proof
from mira.decide.modelpromotion import Judgement, Seen, void
from mira.decide.promotion_case import Asked, Live
from mira.registry import lineage, pointing
from mira.registry.deciding import Decided, Waiting, deciding
from mira.registry.document import Document, digest, sha256
from mira.registry.entry import Entry
from mira.registry.keys import StageKey, VersionKey
from mira.registry.lineage import Head
from mira.registry.manifest import Code, Direction, File, Manifest, Metric, Rows, Run, Schema
from mira.registry.memory import MemoryStore
from mira.registry.signatures import Verifier
from mira.registry.steps import Call, Procedure, ReadLive, answer_from

NAMESPACE, MODEL, STAGE = "team-a", "churn", "production"
KEY = StageKey(NAMESPACE, MODEL, STAGE)
NOON = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
POLICIES_SINCE = NOON - timedelta(days=30)


def publish(
    store: MemoryStore, version: str, metrics: dict[str, str] | None = None, *, attempt: str = "aaaaaaaa-bbbbbbbb"
) -> str:
    """The digest of a version that is published in the store with one model file."""
    key = VersionKey(NAMESPACE, MODEL, version)
    content = f"model {version}".encode()
    path = f"attempts/{attempt}/model/model.onnx"
    store.objects[key.file(path)] = content
    manifest = Manifest(
        namespace=NAMESPACE,
        model=MODEL,
        version=version,
        task="Classification",
        attempt=attempt,
        run=Run(name=version, uid=f"uid-{version}", spec_hash="sha256:" + "1" * 64),
        code=Code(estimator="default"),
        seed=0,
        sources=[],
        rows=Rows(training=800, evaluation=200),
        model_schema=Schema(columns=[]),
        metrics=[
            Metric(name=n, value=v, direction=Direction.HIGHER) for n, v in (metrics or {"roc_auc": "0.80"}).items()
        ],
        files=[File(path=path, size=len(content), sha256=sha256(content))],
        created_at=NOON - timedelta(days=1),
    )
    store.objects[key.manifest] = manifest.render()
    return digest(manifest.render())


def promotion(name: str, version: str, *, uid: str = "", created: datetime = NOON, **spec: Any) -> ModelPromotion:
    """A promotion as the API server would give it; `approvals` as {approver: digest} count already."""
    approvals = spec.pop("approvals", {})
    entries = [{"approver": who, "decision": "Approved", "digest": what} for who, what in approvals.items()]
    seen = [entry | {"seenAt": "2026-11-25T12:00:00Z", "counts": True, "reason": "Counted"} for entry in entries]
    return ModelPromotion.model_validate(
        {
            "apiVersion": "mira.constellation.dev/v1alpha1",
            "kind": "ModelPromotion",
            "metadata": {
                "name": name,
                "namespace": NAMESPACE,
                "uid": uid or f"uid-{name}",
                "generation": 2,
                "resourceVersion": "7",
                "creationTimestamp": created.isoformat(),
            },
            "spec": {
                "model": MODEL,
                "stage": STAGE,
                "version": version,
                "requestedBy": "alice",
                "approvals": entries,
                **spec,
            },
            "status": {"approvals": seen},
        }
    )


def stage(**spec: Any) -> ModelStage:
    """A stage without gates that asks for one approval, unless told otherwise."""
    return ModelStage.model_validate(
        {
            "apiVersion": "mira.constellation.dev/v1alpha1",
            "kind": "ModelStage",
            "metadata": {
                "name": f"{MODEL}.{STAGE}",
                "namespace": NAMESPACE,
                "uid": "uid-stage",
                "generation": 1,
                "resourceVersion": "3",
            },
            "spec": {"model": MODEL, "stage": STAGE, **spec},
        }
    )


@cache
def op_of(name: str, spec: ModelPromotionSpec) -> str:
    """The op of a promotion of this name and spec."""
    return op(NAMESPACE, name, spec.wire())


def asked(resource: ModelPromotion) -> Asked:
    """What this promotion asks, with the op that its name and spec give."""
    spec = resource.spec
    return Asked(
        namespace=NAMESPACE,
        name=resource.metadata.name,
        uid=resource.metadata.uid,
        op=op_of(resource.metadata.name, spec),
        stage=StageKey(NAMESPACE, spec.model, spec.stage),
        version=VersionKey(NAMESPACE, spec.model, spec.version),
    )


@dataclass
class World:
    """What lies in S3 and what Kubernetes would answer; promotions can be put, replaced and deleted."""

    store: MemoryStore = field(default_factory=MemoryStore)
    promotions: dict[str, ModelPromotion] = field(default_factory=dict)
    stage: ModelStage | None = field(default_factory=stage)
    label: str = ""
    proof: Proof = field(default_factory=lambda: Proof(since=POLICIES_SINCE))
    now: datetime = NOON + timedelta(minutes=5)
    keys: Verifier | None = None

    def copy(self) -> "World":
        """The same world again; what happens in one of the two is not seen in the other."""
        store = MemoryStore(dict(self.store.objects))
        return replace(self, store=store, promotions=dict(self.promotions))

    def put(self, resource: ModelPromotion) -> ModelPromotion:
        self.promotions[resource.metadata.name] = resource
        return resource

    def live(self, question: Asked) -> Live:
        found = self.promotions.get(question.name)
        return Live(
            promotion=found,
            op=op_of(question.name, found.spec) if found else "",
            stage=self.stage,
            policy_digest="sha256:" + "2" * 64,
            label=self.label,
            proof=self.proof,
            now=self.now,
        )

    def answer(self, call: Call) -> Any:
        return self.live(call.about) if isinstance(call, ReadLive) else answer_from(self.store, call)

    def procedure(self, resource: ModelPromotion) -> Procedure[Decided[Seen] | Waiting[Seen]]:
        """The production code's own deciding of this promotion."""
        question = asked(resource)

        def close(head: Head) -> Entry:
            return void(question, resource, "test", self.now, head)

        return Procedure(deciding(question.stage, question.op, Judgement(question, "test", self.keys).judge(), close))

    def decide(self, resource: ModelPromotion) -> Decided[Seen] | Waiting[Seen]:
        """The end of this promotion, decided by one operator alone without faults."""
        return self.procedure(resource).advance(self.answer)

    def entries(self) -> list[Entry]:
        """The lineage of the one stage, in order."""
        return [Entry.parse(self.store.objects[key]) for key in self.store.list(KEY.lineage)]


def later(resource: ModelPromotion, **metadata: Any) -> ModelPromotion:
    """The same resource with other metadata."""
    return resource.model_copy(update={"metadata": resource.metadata.model_copy(update=metadata)})


@contextmanager
def documents_read_once() -> Iterator[None]:
    """Parsing and rendering are pure functions of bytes: a walk over many histories reads each document once."""

    @lru_cache(maxsize=20_000)
    def parsed(kind: type[Document], raw: bytes) -> Document:
        return parse(kind, raw)

    parse: Callable[[type[Document], bytes], Document] = Document.parse.__func__  # type: ignore[attr-defined]
    rendered = lru_cache(maxsize=20_000)(lineage.render_pointer)
    with (
        patch.object(Document, "parse", classmethod(parsed)),
        patch.object(lineage, "render_pointer", rendered),
        patch.object(pointing, "render_pointer", rendered),
    ):
        yield
