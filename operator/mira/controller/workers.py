"""The threads that take keys from the queue and give each to its pass."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from mira.controller.queue import Key, WorkQueue
from mira.controller.threads import RealThreads, Running, Threads

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Again:
    """How a pass ended: seconds after which the key should be looked at again, None if only when something happens."""

    seconds: float | None


Pass = Callable[[Key], Again]


class Workers:
    """N threads around one queue. A pass that raises is logged and tried again with back-off; it stops nobody else.

    They take keys only between `resume` and `pause`; what is added meanwhile waits in the queue.
    """

    def __init__(
        self,
        queue: WorkQueue,
        run: Pass,
        *,
        threads: int,
        clock: Callable[[], float],
        failed: Callable[[Key, Exception], None],
        made_by: Threads | None = None,
    ) -> None:
        self._queue = queue
        self._run = run
        self._clock = clock
        self._failed = failed
        self._made_by = made_by or RealThreads()
        self._condition = self._made_by.condition()
        self._stopping = False
        self._paused = False
        self._count = threads
        self._threads: list[Running] = []

    def start(self) -> None:
        """Takes keys from now on, also those that were added before, unless paused."""
        self._threads = [self._made_by.start(f"worker-{n}", self._work) for n in range(self._count)]

    def pause(self) -> None:
        """Takes no further key until `resume`; passes that run go on."""
        with self._condition:
            self._paused = True

    def resume(self) -> None:
        """Takes keys again."""
        with self._condition:
            self._paused = False
            self._condition.notify_all()

    def stop(self, *, seconds: float) -> bool:
        """Takes no further key; whether every running pass ended within the time."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        deadline = self._clock() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - self._clock()))
        return not any(thread.is_alive() for thread in self._threads)

    def add(self, key: Key) -> None:
        """Makes the key due at once, from any thread."""
        with self._condition:
            self._queue.add(key, self._clock())
            self._condition.notify()

    def depth(self) -> int:
        """How many keys are due and not being worked on."""
        with self._condition:
            return self._queue.depth

    def oldest(self) -> float:
        """How long the key that waits longest has been due, in seconds."""
        with self._condition:
            return self._queue.oldest(self._clock())

    def alive(self) -> bool:
        """Whether every thread still runs; a pass that raises ends none of them."""
        return all(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while (key := self._take()) is not None:
            try:
                again = self._run(key)
            except Exception as error:  # noqa: BLE001 - one poison resource must delay no other
                self._tell(key, error)
                self._finish(key, None)
            else:
                self._finish(key, again)

    def _tell(self, key: Key, error: Exception) -> None:
        try:
            self._failed(key, error)
        except Exception:
            log.exception("a failed pass could not be told", extra={"key": str(key)})

    def _take(self) -> Key | None:
        """The next key, waited for; None when the workers stop."""
        with self._condition:
            while not self._stopping:
                key = None if self._paused else self._queue.take(self._clock())
                if key is not None:
                    return key
                self._condition.wait(None if self._paused else self._queue.wait(self._clock()))
            return None

    def _finish(self, key: Key, again: Again | None) -> None:
        with self._condition:
            if again is None:
                self._queue.failed(key, self._clock())
            else:
                self._queue.done(key, self._clock(), again_in=again.seconds)
            self._condition.notify()
