"""The outcome: how the training image tells how it ended, in S3 for the record and as termination message in short."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from mira.registry.document import Digest, Document, Time
from mira.registry.manifest import DriftSummary, Name, Text
from mira.registry.manifest import FailedCheck as FailedCheck  # noqa: PLC0414 - part of an outcome, too

TERMINATION_LIMIT = 3 * 1024
EXIT_NEVER_RETRY = 64
EXIT_RETRY = 1


class Result(StrEnum):
    """How an attempt ended."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    INTERRUPTED = "Interrupted"


class Outcome(Document):
    """How one attempt ended; create-only, written also on failure, before the termination message."""

    SCHEMA: ClassVar[str] = "mira.outcome/v1"

    attempt: Name
    result: Result
    reason: Name
    message: Text
    retryable: bool
    step: Name
    digest: Digest | None = None
    failed_checks: list[FailedCheck] = Field(default_factory=list, max_length=100)
    drift: DriftSummary | None = None
    started_at: Time
    finished_at: Time


class Termination(Document):
    """The outcome in at most 3 KiB; user code can write this file, so it is a hint for people, never a proof."""

    SCHEMA: ClassVar[str] = "mira.termination/v1"
    LIMIT: ClassVar[int] = 4096

    result: Result
    reason: Name
    message: Annotated[str, StringConstraints(max_length=2048)]
    step: Name
    failed_checks: list[FailedCheck] = Field(default_factory=list, max_length=10)
    drift: DriftSummary | None = None
