"""How an attempt ends: its outcome in S3 first, then the termination message, then the exit code."""

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mira.api.reasons import Reason
from mira.registry.document import digest
from mira.registry.drift import Drift
from mira.registry.manifest import DriftSummary
from mira.registry.outcome import (
    EXIT_NEVER_RETRY,
    EXIT_RETRY,
    TERMINATION_LIMIT,
    FailedCheck,
    Outcome,
    Result,
    Termination,
)
from mira.registry.store import ObjectStore, Put, StoreRefused, StoreUnavailable
from mira_training.exhaustion import exhausted
from mira_training.publication import Published
from mira_training.refusal import Interrupted, Refused

LONGEST_MESSAGE = 4096
SHORT_MESSAGE = 1024
TRIES = 2
STOPPED = (
    "the pod was told to stop (SIGTERM), e.g. by a node drain, a preemption, a deadline or the deletion of its Job; "
    "unless another attempt follows by itself, create a run under another name"
)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ending:
    """How an attempt ended, before it is written down."""

    result: Result
    reason: Reason
    message: str
    retryable: bool = False
    digest: str | None = None
    failed_checks: tuple[FailedCheck, ...] = ()
    drift: DriftSummary | None = None

    @property
    def unexpected(self) -> bool:
        """Whether the place in the code says more than the message."""
        return self.reason is Reason.UNEXPECTED

    @property
    def exit_code(self) -> int:
        """0, 64 (never retry) or 1 (another try may help)."""
        if self.result is Result.SUCCEEDED:
            return 0
        return EXIT_RETRY if self.retryable else EXIT_NEVER_RETRY

    def outcome(self, attempt: str, step: str, started_at: datetime, finished_at: datetime) -> Outcome:
        """The document for S3."""
        return Outcome(
            attempt=attempt,
            result=self.result,
            reason=self.reason,
            message=self.message[:LONGEST_MESSAGE],
            retryable=self.retryable,
            step=step,
            digest=self.digest,
            failed_checks=list(self.failed_checks),
            drift=self.drift,
            started_at=started_at,
            finished_at=finished_at,
        )

    def termination(self, step: str) -> bytes:
        """The message for Kubernetes, at most 3 KiB: fewer checks if it must be, then a shorter message."""
        sizes = ((SHORT_MESSAGE, 10), (SHORT_MESSAGE, 3), (SHORT_MESSAGE, 0), (200, 0))
        bodies = (self._termination(step, *size) for size in sizes)
        return next(body for body in bodies if len(body) <= TERMINATION_LIMIT)

    def _termination(self, step: str, length: int, checks: int) -> bytes:
        return Termination(
            result=self.result,
            reason=self.reason,
            message=self.message[:length],
            step=step,
            failed_checks=list(self.failed_checks[:checks]),
            # Ten names of columns may be more than 3 KiB hold; the message has the first five.
            drift=self.drift and self.drift.model_copy(update={"columns": [], "reason": ""}),
        ).render()


def succeeded(published: Published, attempt: str) -> Ending:
    """The version is there, made by this attempt or found made by another."""
    if published.attempt == attempt:
        said = f"version is published as {published.digest}"
        return Ending(Result.SUCCEEDED, Reason.SUCCEEDED, said, digest=published.digest)
    said = f"attempt {published.attempt} had published the version already, as {published.digest}"
    return Ending(Result.SUCCEEDED, Reason.ADOPTED, said, digest=published.digest)


def drift_measured(document: Drift, said: str, document_digest: str) -> Ending:
    """The answer of a drift check is there, whatever it is."""
    return Ending(Result.SUCCEEDED, Reason.DRIFT_MEASURED, said, digest=document_digest, drift=document.summary)


def compared(said: str, document_digest: str) -> Ending:
    """The pair has its comparison, whatever it says."""
    return Ending(Result.SUCCEEDED, Reason.COMPARED, said, digest=document_digest)


def failed(error: BaseException) -> Ending:
    """What an error means for the run, in a sentence. What the pod lacked comes first: it makes all others happen."""
    if lack := exhausted(error):
        # The same limit would end another try in the same way; another node may have a disk that is less full.
        return Ending(Result.FAILED, *lack, retryable=lack[0] is Reason.DISK_FULL)
    if isinstance(error, Refused):
        return Ending(Result.FAILED, error.reason, error.message, failed_checks=error.failed_checks, drift=error.drift)
    if isinstance(error, Interrupted | KeyboardInterrupt):
        return Ending(Result.INTERRUPTED, Reason.INTERRUPTED, STOPPED, retryable=True)
    if isinstance(error, StoreUnavailable):
        return Ending(Result.FAILED, Reason.REGISTRY_UNAVAILABLE, f"S3 does not answer: {error}", retryable=True)
    if isinstance(error, StoreRefused):
        said = f"S3 refuses: {error}; allow the run's service account to do this"
        return Ending(Result.FAILED, Reason.REGISTRY_REFUSED, said, retryable=True)
    said = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no message'}"
    return Ending(Result.FAILED, Reason.UNEXPECTED, f"{said}; see the log for where", retryable=True)


def record(store: ObjectStore, key: str, outcome: Outcome) -> None:
    """Writes the outcome, create-only. What fails here is logged: the exit code is still to be told."""
    body = outcome.render()
    try:
        for _ in range(TRIES):
            if store.create(key, body) is Put.WRITTEN:
                return
            found = store.get(key, limit=Outcome.LIMIT)
            if found is not None:
                if digest(found.body) != digest(body):
                    log.warning("%s was there already, with other content", key)
                return
    except (StoreUnavailable, StoreRefused) as error:
        log.warning("the outcome could not be written: %s", error)
        return
    log.warning("the outcome could not be written to %s", key)


def leave_message(path: Path | None, message: bytes) -> None:
    """Writes the termination message where Kubernetes looks for it, if it looks anywhere."""
    if path is None:
        return
    try:
        path.write_bytes(message)
    except OSError as error:
        log.warning("the termination message could not be written to %s: %s", path, error.strerror)
