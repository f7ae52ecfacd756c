"""What a promotion is decided on: who asks, what is live, what lies in S3 - all read before anything is decided."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from mira.api.modelpromotion import Action, ModelPromotion
from mira.api.modelstage import ModelStage
from mira.decide.approvals import Proof, Weighed, weigh
from mira.decide.gates import judge_gates
from mira.registry.comparison import Comparison, Verdict
from mira.registry.document import DocumentInvalid, digest
from mira.registry.entry import Gate, Version
from mira.registry.keys import StageKey, VersionKey
from mira.registry.lineage import Head, Link, find_head, last_made_current
from mira.registry.manifest import MANIFEST_LIMIT, Manifest
from mira.registry.signatures import Sought, Verifier, find_signature
from mira.registry.steps import ReadLive, Steps, check_files, get


@dataclass(frozen=True)
class Asked:
    """One intention: the promotion of this uid, with the op that its name and spec give."""

    namespace: str
    name: str
    uid: str
    op: str
    stage: StageKey
    version: VersionKey


@dataclass(frozen=True)
class Live:
    """What Kubernetes says at this moment, never a cache.

    `policy_digest` is of the ModelStage's rules, `label` is the namespace's automatic-promotion label.
    """

    promotion: ModelPromotion | None
    op: str
    stage: ModelStage | None
    policy_digest: str | None
    label: str
    proof: Proof
    now: datetime


@dataclass(frozen=True)
class Evidence:
    """What S3 says of the candidate, and of it against the version that is current at the head.

    `signature` is None where none is asked for: no keys are configured, or the stage goes back.
    `required_stage_is_new` says that the stage where it must have been current before has no lineage.
    """

    manifest: Manifest | None = None
    digest: str | None = None
    manifest_problem: str = ""
    files_problem: str = ""
    signature: Sought | None = None
    comparison: Comparison | None = None
    made_current_before: Link | None = None
    soaked_since: datetime | None = None
    required_stage_is_new: bool = False


@dataclass(frozen=True)
class Case:
    """Everything that a decision rests on, and the gates and approvals judged from it."""

    asked: Asked
    head: Head
    promotion: ModelPromotion
    stage: ModelStage | None
    policy_digest: str | None
    proof: Proof
    now: datetime
    evidence: Evidence
    gates: tuple[Gate, ...] = ()
    weighed: Weighed | None = None

    @property
    def current(self) -> Version | None:
        """The version that the stage serves as of the head, None if it serves none yet."""
        return self.head.link.entry.current if self.head.link else None

    @property
    def rolls_back(self) -> bool:
        """Whether the stage goes back: neither gates nor soak times nor freeze windows hold that up."""
        return self.promotion.spec.action is Action.ROLL_BACK


def read_live(asked: Asked) -> Steps[Live]:
    """What Kubernetes says now; whoever drives the procedure must ask the API server and no cache."""
    return cast("Live", (yield ReadLive(asked)))


def still_asked(asked: Asked, live: Live) -> ModelPromotion | None:
    """The promotion if it is the very one that asked, unchanged and not being deleted."""
    promotion = live.promotion
    if promotion is None or promotion.metadata.deletion_timestamp is not None:
        return None
    return promotion if (promotion.metadata.uid, live.op) == (asked.uid, asked.op) else None


def same_facts(before: Live, after: Live) -> bool:
    """Whether nothing that a decision rests on differs between two live reads, but for the time."""
    return replace(before, now=after.now) == after


def case_of(asked: Asked, head: Head, promotion: ModelPromotion, live: Live, evidence: Evidence) -> Case:
    """The whole case. Gates are judged and approvals weighed here; nothing is concluded."""
    gates: tuple[Gate, ...] = ()
    weighed: Weighed | None = None
    current = head.link.entry.current if head.link else None
    if live.stage is not None and evidence.manifest is not None and evidence.digest is not None:
        if promotion.spec.action is Action.PROMOTE:
            gates = judge_gates(live.stage.spec.gates, evidence.manifest, current, evidence.comparison)
        weighed = weigh(promotion, live.stage, digest=evidence.digest, label=live.label, proof=live.proof, now=live.now)
    return Case(asked, head, promotion, live.stage, live.policy_digest, live.proof, live.now, evidence, gates, weighed)


def gather(
    asked: Asked, head: Head, promotion: ModelPromotion, live: Live, keys: Verifier | None = None
) -> Steps[Evidence]:
    """What S3 says, of the version, its files, its signature, its comparison with the current one, what it was before.

    A roll back needs no signature: its digest must be one that was current here, and it must be possible in any outage.
    """
    before = signature = None
    if promotion.spec.action is Action.ROLL_BACK:
        before = yield from last_made_current(asked.stage, head.link, asked.version.version)
    stored = yield from get(asked.version.manifest, limit=MANIFEST_LIMIT)
    if stored is None:
        return Evidence(made_current_before=before)
    found = digest(stored.body)
    try:
        manifest = Manifest.parse(stored.body)
    except DocumentInvalid as error:
        return Evidence(digest=found, manifest_problem=str(error))
    if manifest.key != asked.version:
        return Evidence(digest=found, manifest_problem=f"it is the manifest of {manifest.key.prefix}")
    files_problem = yield from check_files(manifest)
    if promotion.spec.action is Action.PROMOTE and keys is not None:
        signature = yield from find_signature(asked.version, found, keys)
    comparison = yield from _comparison(asked, head, found)
    since, known = yield from _soaked_since(asked, live.stage, found)
    return Evidence(
        manifest=manifest,
        digest=found,
        files_problem=files_problem or "",
        signature=signature,
        comparison=comparison,
        made_current_before=before,
        soaked_since=since,
        required_stage_is_new=not known,
    )


def _comparison(asked: Asked, head: Head, candidate_digest: str) -> Steps[Comparison | None]:
    """The comparison of exactly this pair, None if there is none yet.

    Its key is create-only: one that cannot be used will never be replaced by one that can, so the pair has none.
    """
    link = head.link
    current = link.entry.current if link else None
    if link is None or current is None or current.digest == candidate_digest:
        return None
    stored = yield from get(asked.version.comparison(candidate_digest, current.digest), limit=Comparison.LIMIT)
    if stored is None:
        return None
    try:
        comparison = Comparison.parse(stored.body)
        if (comparison.candidate, comparison.current) == (candidate_digest, current.digest):
            return comparison
        problem = "it is of other versions"
    except DocumentInvalid as error:
        problem = str(error)
    return Comparison(
        candidate=candidate_digest,
        current=current.digest,
        current_version=current.version,
        verdict=Verdict.NOT_COMPARABLE,
        reason=f"their comparison cannot be used: {problem}",
        rows=0,
        created_at=link.entry.decided_at,
    )


def _soaked_since(asked: Asked, stage: ModelStage | None, candidate_digest: str) -> Steps[tuple[datetime | None, bool]]:
    """Since when the candidate is current in the stage that is required before, and whether anything ever was."""
    if stage is None or stage.spec.requires is None:
        return None, True
    before = StageKey(asked.namespace, asked.stage.model, stage.spec.requires.stage)
    head = yield from find_head(before)
    if head.link is None:
        return None, False
    if head.link.entry.current is None or head.link.entry.current.digest != candidate_digest:
        return None, True
    mover = yield from last_made_current(before, head.link, asked.version.version)
    return mover.entry.decided_at if mover else None, True
