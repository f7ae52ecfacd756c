"""What a TrainingRun's status says: its Job, its step, the version that it made, and what was measured."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from mira.api.conditions import Conditions
from mira.api.meta import Model
from mira.api.scalars import (
    Count,
    Digest,
    MetricName,
    ObjectName,
    Time,
    VersionId,
)
from mira.api.schema import LIST_ATOMIC, list_map


class Direction(StrEnum):
    """Which values of a metric are the better ones."""

    HIGHER = "Higher"
    LOWER = "Lower"


class JobRef(Model):
    """The Job of a run."""

    name: Annotated[str, Field(max_length=63)] = Field(description="The Job's name.")
    uid: Annotated[str, Field(max_length=64)] = Field(description="The Job's uid: another one is not the run's Job.")


class PublishedVersion(Model):
    """The version that a run made or adopted."""

    id: VersionId = Field(description="The version's id.")
    uri: Annotated[str, Field(max_length=2048)] = Field(description="Where the model's files lie; it ends in a slash.")
    digest: Digest = Field(description="The sha256 of the version's manifest.")


class Metric(Model):
    """One measured value."""

    name: MetricName = Field(description="The metric's name.")
    value: Annotated[str, Field(max_length=32)] = Field(description="The value as a decimal.")
    direction: Direction | None = Field(
        default=None, description="Whether Higher or Lower values are better. Absent: not known."
    )


class MetricDifference(Model):
    """One metric of the candidate and of the current version on the same rows."""

    name: MetricName = Field(description="The metric's name.")
    candidate: Annotated[str, Field(max_length=32)] = Field(description="The value of this run's version.")
    current: Annotated[str, Field(max_length=32)] = Field(description="The value of the current version.")
    difference: Annotated[str, Field(max_length=32)] = Field(
        description="By how much the candidate is better: below 0, it is worse."
    )
    lower: Annotated[str, Field(max_length=32)] = Field(description="The lower end of the difference's 95% interval.")
    upper: Annotated[str, Field(max_length=32)] = Field(description="The upper end of the difference's 95% interval.")


class Comparison(Model):
    """The candidate against the version that was current when the run ended."""

    version: VersionId = Field(description="The version that was compared with.")
    digest: Digest = Field(description="The sha256 of its manifest.")
    metrics: Annotated[tuple[MetricDifference, ...], Field(max_length=64), list_map("name")] = Field(
        default=(), description="Each metric of both."
    )


class FailedCheck(Model):
    """One check that the data failed."""

    check: Annotated[str, Field(max_length=128)] = Field(description="Which check, e.g. maxNullShare.")
    column: Annotated[str, Field(max_length=256)] | None = Field(
        default=None, description="The column that failed it. Absent: the check is about the whole table."
    )
    message: Annotated[str, Field(max_length=1024)] = Field(description="What was found, in counts and not in values.")


class DriftVerdict(StrEnum):
    """Whether the data is still what the current version was trained on."""

    STABLE = "Stable"
    DRIFTED = "Drifted"
    NOT_MEASURED = "NotMeasured"


class FoundDrift(Model):
    """How far the data is from the training data of the version that was current when the run read it."""

    verdict: DriftVerdict = Field(
        description="Drifted: more columns than the threshold allows. NotMeasured: there was nothing to compare with."
    )
    reason: Annotated[str, Field(max_length=1024)] | None = Field(
        default=None, description="Why it was not measured. Absent: it was."
    )
    version: VersionId = Field(description="The version whose training data it was compared with.")
    digest: Digest = Field(description="The sha256 of its manifest.")
    drifted_share: Annotated[str, Field(max_length=32)] | None = Field(
        default=None, description="The share of the columns that drifted, as a decimal. Absent: not measured."
    )
    columns: Annotated[tuple[Annotated[str, Field(max_length=256)], ...], Field(max_length=10), LIST_ATOMIC] = Field(
        default=(), description="The columns that drifted most, at most ten; the whole report is drift.json."
    )


class CreatedPromotion(Model):
    """The promotion that was made for this run."""

    name: ObjectName = Field(description="Its name. Deleted by hand it is not made again.")
    created_at: Time = Field(description="When it was made.")


class RunStep(Model):
    """The step that a run is at."""

    name: Annotated[str, Field(max_length=32)] = Field(description="The step, e.g. train.")
    number: Count = Field(description="Which of the attempt's steps it is, from 1.")
    attempt: Annotated[str, Field(max_length=32)] = Field(description="The pod's attempt that says so.")
    begun_at: Time = Field(description="When it was begun.")


class TrainingRunStatus(Model):
    """How far the run has come and what it made."""

    observed_generation: Count = Field(default=0, description="The metadata.generation that this status is about.")
    conditions: Conditions = Field(default=(), description="What is so and why.")
    job: JobRef | None = Field(default=None, description="The run's Job.")
    attempts: Count = Field(default=0, description="How many pods tried it.")
    step: RunStep | None = Field(
        default=None, description="The step that the run is at, or was at when it ended. Absent: not told."
    )
    start_time: Time | None = Field(default=None, description="When the Job was made.")
    completion_time: Time | None = Field(default=None, description="When the run ended, well or badly.")
    version: PublishedVersion | None = Field(default=None, description="The version that the run made or adopted.")
    score: Annotated[str, Field(max_length=128)] | None = Field(
        default=None, description="The main metric and its value, e.g. `roc_auc 0.871`."
    )
    metrics: Annotated[tuple[Metric, ...], Field(max_length=64), list_map("name")] = Field(
        default=(), description="The version's metrics."
    )
    comparison: Comparison | None = Field(default=None, description="The version against the current one.")
    drift: FoundDrift | None = Field(
        default=None,
        description="The data against the current version's training data. Absent: nothing was current in the stage "
        "that the run is compared with, or there is none.",
    )
    failed_checks: Annotated[tuple[FailedCheck, ...], Field(max_length=10), LIST_ATOMIC] = Field(
        default=(), description="The first ten checks that the data failed."
    )
    logs: Annotated[str, Field(max_length=1024)] | None = Field(
        default=None, description="A command that shows the logs."
    )
    promotion: CreatedPromotion | None = Field(default=None, description="The promotion made when the run succeeded.")
