"""SIGTERM: it ends what runs, once, and no longer once the result is known."""

import signal
import threading
from types import FrameType

from mira_training.refusal import Interrupted


class Interruption:
    """Raises Interrupted in the main thread when the pod is told to stop, until `ignore` is called."""

    def __init__(self) -> None:
        self.told = False
        self._heeded = True

    def listen(self) -> None:
        """Takes SIGTERM and SIGINT over. As PID 1 a process would otherwise ignore both. Only in the main thread."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._on_signal)

    def ignore(self) -> None:
        """From here on nothing is interrupted: what is left to do is to write down how it ended."""
        self._heeded = False

    def _on_signal(self, _: int, __: FrameType | None) -> None:
        self.told = True
        if self._heeded:
            self._heeded = False
            raise Interrupted
