"""Waiting for a condition, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], *, timeout: float, every: float = 0.05, what: str) -> T:
    """The first true value that `condition` returns; a TimeoutError that names `what` if none came in `timeout` s."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"waited {timeout:g} s in vain: {what}")
        time.sleep(min(every, left))
    return value
