"""Time, given from outside so that a simulator can run the same code."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _whole_seconds() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Clock:
    """`now` is the wall clock in UTC, whole seconds; `monotonic` counts seconds and never goes back."""

    now: Callable[[], datetime] = _whole_seconds
    monotonic: Callable[[], float] = time.monotonic
