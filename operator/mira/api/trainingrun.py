"""TrainingRun: trains one model once and publishes one version."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from mira.api.conditions import ConditionType
from mira.api.data import Data, Hooks
from mira.api.job import Job
from mira.api.meta import LAST_COLUMNS, READY_COLUMNS, Column, Immutable, Kind, Model, Resource
from mira.api.scalars import (
    RESERVED_VERSIONS,
    Bool,
    CodeRef,
    ColumnName,
    Estimator,
    Image,
    Int,
    MetricName,
    ModelName,
    Sentence,
    Share,
    StageName,
    UserName,
    VersionId,
)
from mira.api.schema import FREE_FORM, LIST_SET, Rule, rules
from mira.api.trainingrun_status import TrainingRunStatus

MAX_NAME = 54
"""The Job is named `<run>-<8 characters>`, and a Job's name is a label: at most 63."""


class Task(StrEnum):
    """What kind of model is trained."""

    CLASSIFICATION = "Classification"
    REGRESSION = "Regression"
    TRANSFORM = "Transform"
    CUSTOM = "Custom"


class Artifact(StrEnum):
    """A form in which the model is published."""

    SKOPS = "Skops"
    ONNX = "ONNX"
    JOBLIB = "Joblib"
    DIRECTORY = "Directory"


class DriftMethod(StrEnum):
    """What tells how far the data is from the current version's training data."""

    SUMMARY = "Summary"
    EVIDENTLY = "Evidently"


class Search(Model):
    """A search for better parameters, inside the one Job of the run."""

    trials: Annotated[Int, Field(ge=1, le=1000)] = Field(description="How many sets of parameters are tried.")
    metric: MetricName = Field(description="The metric that decides which set is best, e.g. roc_auc.")
    space: Annotated[dict[str, Any], Field(min_length=1, max_length=64), FREE_FORM] = Field(
        description="For each parameter what to try: a list of values, or low and high (with log: true on a "
        "logarithmic scale)."
    )


class Evaluation(Model):
    """How the model is measured."""

    metrics: Annotated[tuple[MetricName, ...], Field(max_length=32), LIST_SET] = Field(
        default=(),
        description="The metrics to report; the first is the main one. Default: the usual ones of the task. Whether "
        "the task has them is checked in the pod, before any data is read.",
    )
    slices: Annotated[tuple[ColumnName, ...], Field(max_length=8), LIST_SET] = Field(
        default=(),
        description="Columns for whose values the metrics are reported as well: of each column the 30 most frequent "
        "values, without those that fewer than 30 evaluation rows have. Default: none.",
    )
    against: StageName | None = Field(
        default=None,
        description="The stage with whose current version the model is compared on the same rows. Default: "
        "promotion.stage; without that no comparison. Nor is there one while nothing is current in it.",
    )


class Drift(Model):
    """A comparison of the data with the current version's training data."""

    method: DriftMethod = Field(
        default=DriftMethod.SUMMARY,
        description="What tells of it: Summary (built in, quick), or Evidently: the same verdict, and beside it "
        "Evidently's report of both sides, for which the current version's training data is read again.",
    )
    max_drifted_share: Share | None = Field(
        default=None,
        description='The share of drifted columns above which the run fails, e.g. "0.3". Default: drift is reported '
        "only.",
    )


class RunPromotion(Model):
    """The promotion that is made when the run succeeds."""

    stage: StageName = Field(description="The stage to promote the version to.")
    justification: Sentence | None = Field(
        default=None, description="Why, e.g. a change number; it goes into the lineage. Default: none."
    )


_READS_ITSELF = "self.task in ['Transform', 'Custom'] || (has(self.hooks) && has(self.hooks.ingest))"


def _format_rule(part: str) -> Rule:
    """The rule that the rows of one part of the data have a format, unless the image reads them itself."""
    uri = f"self.data.{part}.uri"
    return Rule(
        f"!has(self.data.{part}) || has(self.data.{part}.format) || {_READS_ITSELF} || "
        f"{uri}.endsWith('.csv') || {uri}.endsWith('.csv.gz') || {uri}.endsWith('.parquet')",
        "format is required where the suffix of uri is not .csv, .csv.gz or .parquet (a prefix has none): set it to "
        "CSV or Parquet, or read the data in hooks.ingest",
        field=f".data.{part}.format",
        reason="FieldValueRequired",
    )


_RULES = (
    Rule(
        "!(self.task in ['Classification', 'Regression']) || has(self.data.target)",
        "target is required for task Classification and Regression: name the column to predict",
        field=".data.target",
        reason="FieldValueRequired",
    ),
    Rule(
        "!has(self.hooks) || !has(self.hooks.train) || self.task == 'Custom'",
        "hooks.train is allowed only with task Custom: use estimator, or set task: Custom",
        field=".hooks.train",
        reason="FieldValueForbidden",
    ),
    Rule(
        "self.task != 'Custom' || has(self.artifacts)",
        "artifacts is required for task Custom: list what the code writes, of Skops, ONNX, Joblib and Directory",
        field=".artifacts",
        reason="FieldValueRequired",
    ),
    Rule(
        "self.task != 'Transform' || has(self.estimator)",
        "estimator is required for task Transform, which has no default one: write module:attr",
        field=".estimator",
        reason="FieldValueRequired",
    ),
    Rule(
        "self.task != 'Custom' || (has(self.hooks) && has(self.hooks.train))",
        "hooks.train is required for task Custom: write module:attr of the function that trains",
        field=".hooks.train",
        reason="FieldValueRequired",
    ),
    Rule(
        "!has(self.data.inputs) || has(self.features) || (has(self.hooks) && has(self.hooks.ingest))",
        "data.inputs needs features or hooks.ingest, which they are handed to: write module:attr in one of them",
        field=".data.inputs",
    ),
    _format_rule("training"),
    _format_rule("holdout"),
)


class TrainingRunSpec(Model):
    """What a run trains, on what, and how. It cannot be changed, apart from suspend."""

    model_config = ConfigDict(json_schema_extra=rules(*_RULES))

    model: ModelName = Field(description="The model that the run makes a version of.")
    version: VersionId | None = Field(
        default=None,
        description="The id of the version that the run makes; an id is never used twice. Default: the run's name.",
    )
    description: Sentence | None = Field(default=None, description="What this run is for, in words. Default: none.")
    task: Task = Field(description="What is trained: Classification, Regression, Transform or Custom.")
    image: Image | None = Field(
        default=None,
        description="The training image by digest, e.g. registry.example.com/churn@sha256:..., from a registry that "
        "the platform team allows. Default: the image that came with Mira.",
    )
    estimator: Estimator | None = Field(
        default=None,
        description="`module:attr` of a function or class that gives an estimator, or a name that the image registers. "
        "Default for Classification and Regression: a gradient boosting that takes text columns.",
    )
    parameters: Annotated[dict[str, Any], Field(max_length=128), FREE_FORM] = Field(
        default_factory=dict,
        description="What the estimator is called with; any JSON, checked by the user's code before data is read. "
        "Default: none.",
    )
    features: CodeRef | None = Field(
        default=None,
        description="`module:attr` of a function features(df, inputs, params) that makes the features. Default: the "
        "columns as they are.",
    )
    hooks: Hooks | None = Field(default=None, description="User code for other steps. Default: none.")
    seed: Annotated[Int, Field(ge=0, le=4_294_967_295)] = Field(
        default=0, description="The seed of everything random in the run."
    )
    data: Data = Field(description="What the run reads, predicts and checks.")
    search: Search | None = Field(
        default=None, description="A search for better parameters. Default: none; parameters are used as they are."
    )
    evaluation: Evaluation | None = Field(
        default=None, description="How the model is measured. Default: the usual metrics of the task."
    )
    artifacts: Annotated[tuple[Artifact, ...], Field(min_length=1, max_length=4), LIST_SET] | None = Field(
        default=None,
        description="The forms in which the model is published: Skops, ONNX, Joblib, Directory. Default: Skops and "
        "ONNX; for Transform Directory. Required for Custom.",
    )
    drift: Drift | None = Field(
        default=None,
        description="Compares the data with the current version's training data. Default: a summary, for information.",
    )
    promotion: RunPromotion | None = Field(
        default=None,
        description="The promotion to make when the run succeeds. Default: none; promote by a ModelPromotion of your "
        "own.",
    )
    job: Job | None = Field(
        default=None, description="How the run's Job is made. Default: as the platform team set it up."
    )
    suspend: Bool = Field(
        default=False,
        description="Whether the run waits. The only field that may be changed. Before there is a Job, none is made. "
        "While the Job runs, it is suspended and its pod ended: what it has trained is lost, and the training starts "
        "anew when this is false again. With job.queueName, Kueue alone suspends and resumes a Job that exists.",
    )
    requested_by: UserName | None = Field(
        default=None,
        description="Who asks for the run: your own user name. Filled in on Kubernetes 1.36 and later. Required with "
        "promotion.",
    )


class TrainingRun(Resource[TrainingRunSpec, TrainingRunStatus]):
    """Trains one model once and publishes one immutable version of it."""

    kind: Literal["TrainingRun"] = "TrainingRun"
    status: TrainingRunStatus = Field(default_factory=TrainingRunStatus)


KIND = Kind(
    resource=TrainingRun,
    plural="trainingruns",
    short_name="mrun",
    conditions=(
        ConditionType.READY,
        ConditionType.RECONCILING,
        ConditionType.STALLED,
        ConditionType.DATA_VALIDATED,
        ConditionType.TRAINED,
        ConditionType.PUBLISHED,
        ConditionType.SUCCEEDED,
        ConditionType.FINISHED,
    ),
    columns=(
        Column("Model", ".spec.model", "The model."),
        *READY_COLUMNS,
        Column("Version", ".status.version.id", "The version that the run made."),
        Column("Score", ".status.score", "The main metric."),
        *LAST_COLUMNS,
    ),
    selectable=(".spec.model",),
    rules=(
        Rule(
            f"self.metadata.name.size() <= {MAX_NAME}",
            f"metadata.name must have at most {MAX_NAME} characters, because the Job is named after it: shorten it",
        ),
        Rule(
            f"has(self.spec.version) || !(self.metadata.name in {list(RESERVED_VERSIONS)})",
            "metadata.name is the version's id unless spec.version is set, and current, latest and previous point at "
            "versions: use another name",
        ),
    ),
    immutable=Immutable(
        but=("suspend",), message="a TrainingRun cannot be changed; create a new one under another name"
    ),
)
