"""SIGTERM: it ends what runs, once, and no longer once the result is known; also what does not hear it."""

import signal
import socket
import threading
import time
from typing import TYPE_CHECKING

from mira_training.refusal import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
PATIENCE_SECONDS = 15.0  # of the thirty that a pod has; the outcome must still be written


class Interruption:
    """Raises Interrupted in the main thread when the pod is told to stop, until `ignore` is called.

    Python hears a signal only between two of its own instructions. Where the main thread is in code that does not come
    back, `unheard` is called after a while, in a thread of its own.
    """

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        self.told = False
        self.unheard: Callable[[], None] = lambda: None
        self._heeded = True
        self._patience = patience
        self._inbox: socket.socket | None = None

    def listen(self) -> None:
        """Takes SIGTERM and SIGINT over. As PID 1 a process would otherwise ignore both. Only in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in SIGNALS:
            signal.signal(number, self._on_signal)
        if self._inbox is None:
            outbox, self._inbox = socket.socketpair()
            self._inbox.settimeout(0)
            threading.Thread(target=self._wait, args=(outbox,), name="interruption", daemon=True).start()
        # Written to at once, whatever the main thread does. Again at each call: an event loop takes it away.
        signal.set_wakeup_fd(self._inbox.fileno(), warn_on_full_buffer=False)

    def ignore(self) -> None:
        """From here on nothing is interrupted: what is left to do is to write down how it ended."""
        self._heeded = False

    def close(self) -> None:
        """Nothing is called any more. Only in the thread that listened."""
        self.unheard = lambda: None
        if self._inbox is not None:
            signal.set_wakeup_fd(-1)
            self._inbox.close()
            self._inbox = None

    def _on_signal(self, _: int, __: "FrameType | None") -> None:
        self.told = True
        if self._heeded:
            self._heeded = False
            raise Interrupted

    def _wait(self, outbox: socket.socket) -> None:
        with outbox:
            while (told := outbox.recv(1)) and told[0] not in SIGNALS:
                pass
        if told:
            time.sleep(self._patience)
            self.unheard()
