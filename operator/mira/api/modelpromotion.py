"""ModelPromotion: asks that a version become current in a stage."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from mira.api.conditions import Conditions, ConditionType
from mira.api.meta import LAST_COLUMNS, READY_COLUMNS, Column, Immutable, Kind, Model, Resource
from mira.api.modelstage import CurrentVersion
from mira.api.scalars import (
    Bool,
    Count,
    Digest,
    MetricName,
    ModelName,
    Sentence,
    Slice,
    StageName,
    Time,
    UserName,
    VersionId,
)
from mira.api.schema import list_map, stated_default


class Action(StrEnum):
    """Which way the stage goes."""

    PROMOTE = "Promote"
    ROLL_BACK = "RollBack"


class Decision(StrEnum):
    """What an approver decided."""

    APPROVED = "Approved"
    REJECTED = "Rejected"


class GateOutcome(StrEnum):
    """How a gate was judged."""

    PASS = "Pass"  # noqa: S105 - no password
    FAIL = "Fail"
    INCONCLUSIVE = "Inconclusive"


class Approval(Model):
    """One person's decision on one manifest."""

    approver: UserName = Field(
        description="Who decides: your own user name. Filled in on Kubernetes 1.36 and later, except with server-side "
        "apply."
    )
    decision: Decision = Field(description="Approved or Rejected.")
    digest: Digest = Field(description="The manifest that was looked at: the digest in status.digest.")
    comment: Sentence | None = Field(
        default=None,
        description="Why, in words. Writing another one renews an approval that no longer counts. Default: none.",
    )


class ModelPromotionSpec(Model):
    """Which version shall become current where. It cannot be changed, apart from approvals."""

    model: ModelName = Field(description="The model.")
    stage: StageName = Field(description="The stage, e.g. production.")
    version: VersionId = Field(description="The version that shall become current.")
    digest: Digest | None = Field(
        default=None, description="The sha256 that the version's manifest must have. Default: whatever it has."
    )
    action: Action = Field(
        default=Action.PROMOTE,
        description="Promote: gates, requirements and freeze windows must allow it. RollBack: back to a version that "
        "was current before; it skips them and needs the verb rollback.",
    )
    justification: Sentence | None = Field(
        default=None, description="Why, e.g. a change number; it goes into the lineage. Default: none."
    )
    expected_current: VersionId | None = Field(
        default=None,
        description="The version that must be current when this is decided, otherwise it is refused. Default: any.",
    )
    requested_by: UserName = Field(
        description="Who asks: your own user name. Filled in on Kubernetes 1.36 and later; before, write it yourself "
        "(`kubectl auth whoami` prints it)."
    )
    approvals: Annotated[tuple[Approval, ...], Field(max_length=32), list_map("approver"), stated_default([])] = Field(
        default=(),
        description="Who approved or rejected it, one entry for each person. The only field that may change.",
    )


class GateResult(Model):
    """How one gate was judged."""

    metric: MetricName = Field(description="The metric.")
    slice: Slice = Field(description="The slice of the evaluation rows. Empty: all rows.")
    measured: Annotated[str, Field(max_length=32)] | None = Field(
        default=None, description="The candidate's value. Absent: not reported."
    )
    current: Annotated[str, Field(max_length=32)] | None = Field(
        default=None, description="The current version's value on the same rows. Absent: not compared."
    )
    threshold: Annotated[str, Field(max_length=256)] = Field(description="What the gate asks for, e.g. `minimum 0.75`.")
    result: GateOutcome = Field(description="Pass, Fail or Inconclusive.")
    reason: Annotated[str, Field(max_length=256)] = Field(description="Why, in one word.")


class ApprovalStatus(Model):
    """What the operator makes of one approval."""

    approver: UserName = Field(description="Who decided.")
    decision: Decision = Field(description="Approved or Rejected.")
    digest: Digest = Field(description="The manifest that the decision is about.")
    comment: Sentence | None = Field(default=None, description="The approver's own words.")
    seen_at: Time | None = Field(
        default=None,
        description="When the operator first saw this entry with its policies in force. Absent: it never did, so it "
        "does not count.",
    )
    counts: Bool = Field(description="Whether it counts.")
    reason: Annotated[str, Field(max_length=256)] = Field(description="Why, in one word.")


class ModelPromotionStatus(Model):
    """How far the promotion has come and how it was decided."""

    observed_generation: Count = Field(default=0, description="The metadata.generation that this status is about.")
    conditions: Conditions = Field(default=(), description="What is so and why.")
    digest: Digest | None = Field(
        default=None, description="The sha256 of the version's manifest: what approvals must repeat."
    )
    gates: Annotated[tuple[GateResult, ...], Field(max_length=32), list_map("metric", "slice")] = Field(
        default=(), description="How each gate was judged."
    )
    approvals: Annotated[tuple[ApprovalStatus, ...], Field(max_length=32), list_map("approver")] = Field(
        default=(), description="What each approval is worth."
    )
    number: Count | None = Field(default=None, description="The number of the lineage entry that decided it.")
    previous: CurrentVersion | None = Field(
        default=None, description="The version that was current before. Absent: there was none."
    )
    decided_at: Time | None = Field(default=None, description="When it was decided.")


class ModelPromotion(Resource[ModelPromotionSpec, ModelPromotionStatus]):
    """Asks that a version of a model become current in a stage, or that the stage go back to it."""

    kind: Literal["ModelPromotion"] = "ModelPromotion"
    status: ModelPromotionStatus = Field(default_factory=ModelPromotionStatus)


KIND = Kind(
    resource=ModelPromotion,
    plural="modelpromotions",
    short_name="mpromo",
    conditions=(
        ConditionType.READY,
        ConditionType.RECONCILING,
        ConditionType.STALLED,
        ConditionType.VERSION_VERIFIED,
        ConditionType.GATES_PASSED,
        ConditionType.APPROVED,
        ConditionType.PROMOTED,
        ConditionType.FINISHED,
    ),
    columns=(
        Column("Model", ".spec.model", "The model."),
        Column("Stage", ".spec.stage", "The stage."),
        Column("Version", ".spec.version", "The version that shall become current."),
        *READY_COLUMNS,
        Column("Number", ".status.number", "The number of the lineage entry that decided it.", type="integer"),
        *LAST_COLUMNS,
    ),
    selectable=(".spec.model", ".spec.stage"),
    immutable=Immutable(
        but=("approvals",),
        message="a ModelPromotion cannot be changed, apart from approvals; create a new one under another name",
    ),
)
