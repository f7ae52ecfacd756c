"""ModelStage: under which rules a version becomes current, and what serves it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from mira.api.conditions import Conditions, ConditionType
from mira.api.meta import LAST_COLUMNS, READY_COLUMNS, Column, Kind, Model, Resource
from mira.api.scalars import (
    Bool,
    Count,
    Cron,
    Decimal,
    Digest,
    Int,
    MetricName,
    ModelName,
    NotNegative,
    ObjectName,
    Sentence,
    Slice,
    StageName,
    Time,
    TimeZone,
    UserName,
    VersionId,
)
from mira.api.schema import LIST_ATOMIC, LIST_SET, Rule, cel, in_words, list_map, rules, stated_default

TARGET = r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(/[A-Za-z0-9_-]+)?$"


class ApprovalMode(StrEnum):
    """Who decides that a version becomes current."""

    MANUAL = "Manual"
    AUTOMATIC = "Automatic"


class AutomaticFor(StrEnum):
    """Whose promotions need no person's approval."""

    SERVICE_ACCOUNTS = "ServiceAccounts"
    ALL = "All"


class RefreshKind(StrEnum):
    """What serves a model."""

    DEPLOYMENT = "Deployment"
    STATEFUL_SET = "StatefulSet"
    INFERENCE_SERVICE = "InferenceService"
    WEBHOOK = "Webhook"
    ECS_SERVICE = "ECSService"


class OnRefreshFailure(StrEnum):
    """What happens if a target does not come to serve the new version."""

    HOLD = "Hold"
    ROLL_BACK = "RollBack"


class Gate(Model):
    """One rule on one metric of the candidate."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "has(self.minimum) || has(self.maximum) || has(self.maxRegression)",
                "a gate needs at least one of minimum, maximum and maxRegression: a gate without one lets everything "
                "pass",
            ),
            Rule(
                "!has(self.minimum) || !has(self.maximum) || double(self.minimum) <= double(self.maximum)",
                "minimum must not be above maximum",
                field=".minimum",
            ),
        )
    )

    metric: MetricName = Field(description="The metric that is judged, e.g. roc_auc.")
    minimum: Decimal | None = Field(
        default=None, description='The smallest value that passes, e.g. "0.75". Default: any value.'
    )
    maximum: Decimal | None = Field(
        default=None, description='The largest value that passes, e.g. "0.2". Default: any value.'
    )
    max_regression: NotNegative | None = Field(
        default=None,
        description="By how much the candidate may be worse than the current version on the same rows, in the metric's "
        'unit, e.g. "0.002". It passes only if the 95% interval of the difference says so. Default: any regression.',
    )
    slice: Slice = Field(
        default="",
        description="Only the evaluation rows whose column has this value, as `column=value`, e.g. plan=pro; the run "
        "must list the column in evaluation.slices. Empty: all rows.",
    )


class ApprovalPolicy(Model):
    """Who approves a promotion."""

    mode: ApprovalMode = Field(
        default=ApprovalMode.MANUAL,
        description="Manual: people approve. Automatic: what passes the gates is promoted; only where the namespace "
        "has the label mira.constellation.dev/automatic-promotion, otherwise it counts as Manual.",
    )
    required_approvals: Annotated[Int, Field(ge=1, le=16)] = Field(
        default=1, description="How many people must approve, where people approve."
    )
    valid_seconds: Annotated[Int, Field(ge=60, le=31_536_000)] | None = Field(
        default=None, description="For how long an approval counts, in seconds. Default: for ever."
    )
    automatic_for: AutomaticFor = Field(
        default=AutomaticFor.SERVICE_ACCOUNTS,
        description="With mode Automatic: whose promotions need no approval, ServiceAccounts (what Argo CD applies "
        "from Git) or All. The namespace's label sets the bound.",
    )


class RollbackPolicy(Model):
    """Who approves going back to an earlier version."""

    required_approvals: Annotated[Int, Field(ge=0, le=16)] = Field(
        default=0, description="How many people must approve a rollback. 0: the verb rollback is enough."
    )


class Requirement(Model):
    """Where a version must have been current before."""

    stage: StageName = Field(description="The stage of the same model where the version must have been current.")
    soak_seconds: Annotated[Int, Field(ge=0, le=31_536_000)] = Field(
        default=0, description="For how long it must have been current there, in seconds."
    )


class FreezeWindow(Model):
    """A recurring time in which nothing is promoted; rollbacks are."""

    schedule: Cron = Field(
        description="When the window opens, as five cron fields: minute, hour, day of month, month, day of week; e.g. "
        '"0 16 * * 5".'
    )
    duration_seconds: Annotated[Int, Field(ge=60, le=2_678_400)] = Field(
        description="For how long it stays open, in seconds."
    )
    time_zone: TimeZone = Field(default="UTC", description="The time zone of schedule, e.g. Europe/Berlin.")


class RefreshTarget(Model):
    """Something that serves the stage's current version."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "(self.kind == 'ECSService') == self.name.contains('/')",
                "name must be <cluster>/<service> for kind ECSService and an object's name for every other kind",
                field=".name",
            )
        )
    )

    kind: RefreshKind = Field(
        description="What it is: Deployment, StatefulSet, InferenceService, Webhook or ECSService."
    )
    name: Annotated[
        str,
        Field(min_length=1, max_length=253, pattern=TARGET),
        in_words(TARGET, "must be an object's name, or <cluster>/<service> for kind ECSService"),
    ] = Field(
        description="Its name in the stage's namespace. For Webhook: the name of a Secret with the keys url and "
        "token. For ECSService: <cluster>/<service>."
    )


class ModelStageSpec(Model):
    """The rules of one stage of one model, written by those who answer for what it serves."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!has(self.requires) || self.requires.stage != self.stage",
                "requires.stage must be another stage than this one",
                field=".requires.stage",
            )
        )
    )

    model: Annotated[ModelName, cel(Rule("self == oldSelf", "model cannot be changed; create another ModelStage"))] = (
        Field(description="The model.")
    )
    stage: Annotated[StageName, cel(Rule("self == oldSelf", "stage cannot be changed; create another ModelStage"))] = (
        Field(description="The stage's name, e.g. production. The object's name must be <model>.<stage>.")
    )
    gates: Annotated[tuple[Gate, ...], Field(max_length=32), list_map("metric", "slice")] = Field(
        default=(), description="The rules on metrics that a version must pass. Default: none."
    )
    approval_policy: Annotated[ApprovalPolicy, stated_default({})] = Field(
        default=ApprovalPolicy(), description="Who approves a promotion."
    )
    rollback_policy: Annotated[RollbackPolicy, stated_default({})] = Field(
        default=RollbackPolicy(), description="Who approves going back to an earlier version."
    )
    requires: Requirement | None = Field(
        default=None, description="Where a version must have been current before. Default: nowhere."
    )
    freeze_windows: Annotated[tuple[FreezeWindow, ...], Field(max_length=16), LIST_ATOMIC] = Field(
        default=(), description="Recurring times in which nothing is promoted. Default: none."
    )
    refresh: Annotated[tuple[RefreshTarget, ...], Field(max_length=16), list_map("kind", "name")] = Field(
        default=(), description="What serves the stage and is told of a new version. Default: nothing; readers poll."
    )
    on_refresh_failure: OnRefreshFailure = Field(
        default=OnRefreshFailure.HOLD,
        description="What happens if a target does not come to serve the new version. Hold: nothing more is promoted "
        "until somebody looks. RollBack: the stage goes back to the version before.",
    )
    version: VersionId | None = Field(
        default=None,
        description="The version that should be current, where Git decides: a change makes the promotion, going back "
        "makes the rollback. Default: promotions decide.",
    )
    requested_by: UserName | None = Field(
        default=None,
        description="Who changed version last: your own user name. Filled in on Kubernetes 1.36 and later. Required "
        "with version.",
    )


class CurrentVersion(Model):
    """The version that a stage serves."""

    version: VersionId = Field(description="The version's id.")
    digest: Digest = Field(description="The sha256 of its manifest.")


class Hold(Model):
    """Why nothing more is promoted."""

    reason: Annotated[str, Field(max_length=256)] = Field(description="Why, in one word.")
    message: Sentence = Field(description="Why, and how to release it.")
    since: Time = Field(description="Since when.")
    version: VersionId | None = Field(default=None, description="The version that failed.")


class TargetStatus(Model):
    """What one target serves."""

    kind: RefreshKind = Field(description="What it is.")
    name: Annotated[str, Field(max_length=253)] = Field(description="Its name.")
    observed_version: Annotated[str, Field(max_length=128)] | None = Field(
        default=None, description="The version that it was seen to serve. Absent: not known."
    )
    ready: Bool = Field(default=False, description="Whether it serves the stage's current version.")


class ModelStageStatus(Model):
    """What the stage serves and what it waits for."""

    observed_generation: Count = Field(default=0, description="The metadata.generation that this status is about.")
    conditions: Conditions = Field(default=(), description="What is so and why.")
    current: CurrentVersion | None = Field(default=None, description="The current version. Absent: none yet.")
    since: Time | None = Field(default=None, description="Since when it is current.")
    number: Count = Field(default=0, description="The number of the newest lineage entry; 0: none yet.")
    pointer: Annotated[str, Field(max_length=2048)] | None = Field(
        default=None, description="The uri of the stage's current.json, which readers read."
    )
    pending_promotions: Annotated[tuple[ObjectName, ...], Field(max_length=32), LIST_SET] = Field(
        default=(), description="The promotions that are not decided yet, the first 32."
    )
    hold: Hold | None = Field(default=None, description="Why nothing more is promoted. Absent: nothing holds it.")
    targets: Annotated[tuple[TargetStatus, ...], Field(max_length=16), list_map("kind", "name")] = Field(
        default=(), description="What each target serves."
    )


class ModelStage(Resource[ModelStageSpec, ModelStageStatus]):
    """Says under which rules a version of a model becomes current in a stage, and what serves it."""

    kind: Literal["ModelStage"] = "ModelStage"
    status: ModelStageStatus = Field(default_factory=ModelStageStatus)


KIND = Kind(
    resource=ModelStage,
    plural="modelstages",
    short_name="mstage",
    conditions=(
        ConditionType.READY,
        ConditionType.RECONCILING,
        ConditionType.STALLED,
        ConditionType.POINTER_SYNCED,
        ConditionType.REFRESHED,
    ),
    columns=(
        *READY_COLUMNS,
        Column("Version", ".status.current.version", "The current version."),
        Column("Number", ".status.number", "The number of the newest lineage entry.", type="integer"),
        Column("Since", ".status.since", "How long the version has been current.", type="date"),
        *LAST_COLUMNS,
    ),
    selectable=(".spec.model", ".spec.stage"),
    rules=(
        Rule(
            "self.metadata.name == self.spec.model + '.' + self.spec.stage",
            "metadata.name must be <model>.<stage>",
            message_expression="'metadata.name must be <model>.<stage>: ' + self.spec.model + '.' + self.spec.stage",
        ),
    ),
)
