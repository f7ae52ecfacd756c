"""What ends the process when its result is known and something else does not come to an end."""

import os
import sys
import threading
from collections.abc import Callable

GRACE_SECONDS = 3.0


class Watchdog:
    """Ends the process a few seconds after `arm`, whatever hangs: a tracking server, a thread of user code."""

    def __init__(self, end: Callable[[int], None] = os._exit, grace: float = GRACE_SECONDS) -> None:
        self._end = end
        self._grace = grace

    def arm(self, exit_code: int) -> None:
        """Starts counting."""
        timer = threading.Timer(self._grace, self._bite, (exit_code,))
        timer.name, timer.daemon = "watchdog", True
        timer.start()

    def _bite(self, exit_code: int) -> None:
        sys.stdout.flush()
        self._end(exit_code)
