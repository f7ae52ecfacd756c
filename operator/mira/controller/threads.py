"""Threads, given from outside so that a simulator can run the same code one step at a time."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol


class Condition(Protocol):
    """A lock, and a place to wait for a change of what it guards; as `threading.Condition`."""

    def __enter__(self) -> object: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> object: ...

    def wait(self, timeout: float | None = None) -> bool:
        """Gives the lock back until it is notified; False if the time ran out before."""
        ...

    def notify(self) -> None:
        """Wakes one that waits."""
        ...

    def notify_all(self) -> None:
        """Wakes all that wait."""
        ...


class Flag(Protocol):
    """Something that was said or not; as `threading.Event`."""

    def set(self) -> None:
        """Says it, and wakes whoever waits."""
        ...

    def clear(self) -> None:
        """Unsays it."""
        ...

    def is_set(self) -> bool:
        """Whether it was said."""
        ...

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it was said within the time; this is also the only way to sleep."""
        ...


class Running(Protocol):
    """A thread that was started; as `threading.Thread`."""

    def join(self, timeout: float | None = None) -> None:
        """Waits until it has ended, or no longer than this."""
        ...

    def is_alive(self) -> bool:
        """Whether it still runs."""
        ...


class Threads(Protocol):
    """Where threads and what they wait on come from."""

    def start(self, name: str, run: Callable[[], object]) -> Running:
        """A new thread that runs this, and ends with the process at the latest."""
        ...

    def condition(self) -> Condition:
        """A new condition with a lock of its own."""
        ...

    def flag(self) -> Flag:
        """A new flag that nobody has set."""
        ...


class RealThreads:
    """The operating system's threads."""

    def start(self, name: str, run: Callable[[], object]) -> Running:
        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    def condition(self) -> Condition:
        return threading.Condition()

    def flag(self) -> Flag:
        return threading.Event()
