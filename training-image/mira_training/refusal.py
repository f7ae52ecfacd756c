"""Why a training cannot go on, told apart by whether another try could help."""

from collections.abc import Sequence

from mira.api.reasons import Reason
from mira.registry.manifest import DriftSummary
from mira.registry.outcome import FailedCheck


class Refused(Exception):
    """Trying again cannot help: the order, the data or the code must change. Ends the attempt with exit code 64."""

    def __init__(
        self,
        reason: Reason,
        message: str,
        failed_checks: Sequence[FailedCheck] = (),
        drift: DriftSummary | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.failed_checks = tuple(failed_checks)
        self.drift = drift


class Interrupted(BaseException):
    """The pod is told to stop. Not an Exception, so that no `except Exception` of user code swallows it."""


def listed(names: Sequence[str], most: int = 12) -> str:
    """The names as a sentence lists them, cut after a dozen: `a, b, c and 5 more`."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
