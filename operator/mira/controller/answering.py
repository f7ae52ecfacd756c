"""Answering the calls of a registry procedure: the store for what lies in S3, the API server for what is live."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from mira.adapters.cluster import Absent, Cluster, Object
from mira.api.identity import op, policy_digest
from mira.api.meta import GROUP
from mira.api.modelpromotion import Action, ModelPromotion
from mira.api.modelstage import ApprovalMode, ModelStage
from mira.controller.clock import Clock
from mira.controller.reading import read
from mira.decide.approvals import Proof
from mira.decide.promotion_case import Asked, Live
from mira.registry.document import digest
from mira.registry.manifest import Manifest
from mira.registry.steps import Call, CheckFiles, ReadLive, answer_from, check_against
from mira.registry.store import Fingerprint, ObjectStore

AUTOMATIC_LABEL = f"{GROUP}/automatic-promotion"
MOST_REMEMBERED = 1000


class Prove(Protocol):
    """How the admission policies are proven to be in force in a namespace; `anew` if something rests on it."""

    def __call__(self, namespace: str, *, anew: bool) -> Proof:
        """The proof, or what is wrong with them."""
        ...


@dataclass
class FileChecks:
    """Hashes a version's files once, and again as soon as one of them has another size or ETag."""

    store: ObjectStore
    _intact: OrderedDict[str, tuple[Fingerprint | None, ...]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def problem(self, manifest: Manifest) -> str | None:
        """None if every file has the sha256 that the manifest says, else a sentence about the first that has not."""
        identity = digest(manifest.render())
        prints = tuple(self.store.head(manifest.key.file(file.path)) for file in manifest.files)
        with self._lock:
            if self._intact.get(identity) == prints:
                return None
        problem = check_against(self.store, manifest)
        if problem is None:
            with self._lock:
                self._intact[identity] = prints
                while len(self._intact) > MOST_REMEMBERED:
                    self._intact.popitem(last=False)
        return problem


@dataclass(frozen=True)
class LiveReader:
    """Reads from the API server, never from the cache, what a decision rests on."""

    cluster: Cluster
    clock: Clock
    prove: Prove

    def read(self, asked: Asked) -> tuple[Live, Object | None]:
        """What is live, and the promotion's raw object, with whose resourceVersion its status must be written."""
        raw = self.cluster.get("ModelPromotion", asked.namespace, asked.name)
        raw_stage = self.cluster.get("ModelStage", asked.namespace, f"{asked.stage.model}.{asked.stage.stage}")
        promotion = read(ModelPromotion, raw) if raw else None
        stage = read(ModelStage, raw_stage) if raw_stage else None
        live = Live(
            promotion=promotion,
            op=op(asked.namespace, asked.name, raw["spec"]) if raw else "",
            stage=stage,
            policy_digest=policy_digest(raw_stage["spec"]) if raw_stage else None,
            label=self.label(asked.namespace, stage),
            proof=self.prove(asked.namespace, anew=_counts(promotion, stage)),
            now=self.clock.now(),
        )
        return live, raw

    def label(self, namespace: str, stage: ModelStage | None) -> str:
        """The namespace's automatic-promotion label; read only where it can make a difference."""
        if stage is None or stage.spec.approval_policy.mode is not ApprovalMode.AUTOMATIC:
            return ""
        try:
            found = self.cluster.get("Namespace", None, namespace)
        except Absent:
            return ""
        labels = (found or {}).get("metadata", {}).get("labels") or {}
        return str(labels.get(AUTOMATIC_LABEL, ""))


def _counts(promotion: ModelPromotion | None, stage: ModelStage | None) -> bool:
    """Whether something may be decided on this read, so that the proof must be made anew and not be remembered."""
    if promotion is None or stage is None:
        return False
    automatic = stage.spec.approval_policy.mode is ApprovalMode.AUTOMATIC
    return bool(promotion.spec.approvals) or automatic or promotion.spec.action is Action.ROLL_BACK


@dataclass
class Answering:
    """Answers one promotion's or stage's procedure; keeps the raw promotion of the last live read."""

    store: ObjectStore
    files: FileChecks
    live: LiveReader
    raw: Object | None = None

    def __call__(self, call: Call) -> Any:
        """The answer to one call of the procedure. Raises what the store or the API server raises."""
        match call:
            case ReadLive(about):
                live, self.raw = self.live.read(cast("Asked", about))
                return live
            case CheckFiles(manifest):
                return self.files.problem(manifest)
            case _:
                return answer_from(self.store, call)
