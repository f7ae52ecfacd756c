"""An operator that is started again as often as it ends, as a kubelet would, but at once."""

import threading
import time
from collections.abc import Callable
from typing import Self

from dev.local import OperatorProcess

READY_WITHIN = 60.0


class KeptOperator:
    """Runs while the context lasts. What it ended with by itself, not by `kill`, is in `ends`."""

    def __init__(self, launch: Callable[[], OperatorProcess]) -> None:
        self._launch = launch
        self._lock = threading.Lock()
        self._operator: OperatorProcess | None = None
        self._killed: set[int] = set()
        self._stopping = False
        self.ends: list[int] = []
        self.starts: list[float] = []
        self.trouble: BaseException | None = None
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._stopping = True
            if self._operator is not None:
                # It is in the middle of nothing that anybody looks at any more.
                self._operator.process.kill()
        self._thread.join()

    def kill(self) -> None:
        """Ends it in the midst of what it does."""
        with self._lock:
            assert self._operator is not None
            self._killed.add(self._operator.process.pid)
            self._operator.process.kill()
            process = self._operator.process
        process.wait(10)

    def is_ready(self) -> bool:
        if self.trouble is not None:
            raise self.trouble
        with self._lock:
            operator = self._operator
        try:
            return operator is not None and operator.ready()
        except ChildProcessError:
            return False

    def _keep(self) -> None:
        try:
            while operator := self._started():
                began = time.monotonic()
                try:
                    operator.wait_until(operator.ready, timeout=READY_WITHIN, what="the operator to be ready")
                    self.starts.append(time.monotonic() - began)
                except ChildProcessError:
                    pass
                code = operator.process.wait()
                if operator.process.pid not in self._killed and not self._stopping:
                    self.ends.append(code)
        except BaseException as error:  # noqa: BLE001 - raised again where somebody listens
            self.trouble = error

    def _started(self) -> OperatorProcess | None:
        with self._lock:
            if self._stopping:
                return None
            self._operator = self._launch()
            return self._operator
