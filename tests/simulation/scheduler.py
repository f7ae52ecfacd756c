"""Threads and time under control: one thing happens at a time, chance decides which, and the clock jumps to the next.

Each simulated thread is a greenlet. It runs until it sleeps or waits; only then may another one run. So a history is a
function of its seed alone. Threads belong to an owner (one operator process), to be killed or stopped as a whole.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from types import TracebackType
from typing import NamedTuple, Self

from greenlet import GreenletExit, getcurrent, greenlet


class Hung(AssertionError):
    """Nothing can happen any more, or the same moment goes on without end."""


@dataclass(eq=False)
class Task:
    """One simulated thread; `turn` counts its waits, so that a timer of an earlier wait wakes nobody."""

    name: str
    owner: str
    scheduler: "Scheduler"
    strand: greenlet = field(init=False)
    turn: int = 0
    waiting: bool = False
    woken: bool = False
    ended: bool = False

    def join(self, timeout: float | None = None) -> None:
        until = None if timeout is None else self.scheduler.now + timeout
        while not self.ended and (until is None or self.scheduler.now < until):
            self.scheduler.sleep(0.05)

    def is_alive(self) -> bool:
        return not self.ended


class _Timer(NamedTuple):
    due: float
    number: int
    task: Task
    turn: int


class Scheduler:
    """Runs tasks one at a time. `now` is in seconds and moves only when nothing is left to do at this moment."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.now = 0.0
        self._ready: list[Task] = []
        self._timers: list[_Timer] = []
        self._count = 0
        self._frozen: dict[str, list[Task]] = {}
        self._dead: set[str] = set()
        self._all: list[Task] = []
        self._hub = getcurrent()
        self._current: Task | None = None

    def spawn(self, owner: str, name: str, run: Callable[[], object]) -> Task:
        """A new task; its first turn comes by chance, like every other."""
        task = Task(name, owner, self)

        def body() -> None:
            try:
                run()
            finally:
                task.ended = True

        task.strand = greenlet(body, parent=self._hub)
        self._ready.append(task)
        self._all.append(task)
        return task

    def sleep(self, seconds: float) -> None:
        """Lets others run until this much time has passed."""
        self._wait(seconds)

    def wait_in(self, queue: list[Task], timeout: float | None) -> bool:
        """Waits until somebody wakes this task out of the queue; False if the time ran out before."""
        task = self._running()
        queue.append(task)
        woken = self._wait(timeout)
        if task in queue:
            queue.remove(task)
        return woken

    def wake(self, task: Task) -> None:
        """Makes a waiting task ready."""
        if task.waiting:
            task.waiting, task.woken = False, True
            self._ready.append(task)

    def kill(self, owner: str) -> None:
        """None of the owner's tasks ever runs again: no clean-up, no last words."""
        self._dead.add(owner)
        self._frozen.pop(owner, None)

    def freeze(self, owner: str) -> None:
        """The owner's tasks stand still, while the time goes on."""
        self._frozen.setdefault(owner, [])

    def thaw(self, owner: str) -> None:
        """The owner's tasks go on."""
        self._ready += self._frozen.pop(owner, [])

    def run(self, until: Callable[[], bool], *, limit: float) -> bool:
        """Whether the condition came to hold before the limit of time."""
        while not until():
            if not self._one(limit):
                return False
        return True

    def close(self) -> None:
        """Ends every task that is left; nothing may come of it any more.

        Also those that wait for what never comes: what a suspended task refers to is never collected.
        """
        for task in self._all:
            if not task.strand.dead:
                task.strand.throw(GreenletExit)

    def _one(self, limit: float) -> bool:
        """One turn of one task; False if the next one is due after the limit."""
        if not self._ready:
            if not self._timers:
                raise Hung("nothing can happen any more")
            if self._timers[0].due > limit:
                self.now = limit
                return False
            self._admit_due()
            return True
        place = self.random.randrange(len(self._ready))
        self._ready[place], self._ready[-1] = self._ready[-1], self._ready[place]
        task = self._ready.pop()
        if task.owner in self._frozen:
            self._frozen[task.owner].append(task)
        elif task.owner not in self._dead:
            self._current = task
            task.strand.switch()
            self._current = None
        return True

    def _admit_due(self) -> None:
        self.now = max(self.now, self._timers[0].due)
        while self._timers and self._timers[0].due <= self.now:
            timer = heapq.heappop(self._timers)
            if timer.task.waiting and timer.task.turn == timer.turn:
                timer.task.waiting = False
                self._ready.append(timer.task)

    def _wait(self, timeout: float | None) -> bool:
        task = self._running()
        task.turn += 1
        task.waiting, task.woken = True, False
        if timeout is not None:
            self._count += 1
            heapq.heappush(self._timers, _Timer(self.now + max(0.0, timeout), self._count, task, task.turn))
        self._hub.switch()
        return task.woken

    def _running(self) -> Task:
        if self._current is None:
            raise RuntimeError("only a task can wait")
        return self._current


@dataclass
class Condition:
    """As `threading.Condition`. Its lock is never contended: nobody else runs until somebody waits."""

    scheduler: Scheduler
    _waiting: list[Task] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        return None

    def wait(self, timeout: float | None = None) -> bool:
        return self.scheduler.wait_in(self._waiting, timeout)

    def notify(self) -> None:
        # One whose time has just run out waits no more, though it has not had its turn yet.
        waiting = [task for task in self._waiting if task.waiting]
        if waiting:
            task = self.scheduler.random.choice(waiting)
            self._waiting.remove(task)
            self.scheduler.wake(task)

    def notify_all(self) -> None:
        waiting, self._waiting[:] = list(self._waiting), []
        for task in waiting:
            self.scheduler.wake(task)


@dataclass
class Flag:
    """As `threading.Event`."""

    scheduler: Scheduler
    _set: bool = False
    _waiting: list[Task] = field(default_factory=list)

    def set(self) -> None:
        self._set = True
        waiting, self._waiting[:] = list(self._waiting), []
        for task in waiting:
            self.scheduler.wake(task)

    def clear(self) -> None:
        self._set = False

    def is_set(self) -> bool:
        return self._set

    def wait(self, timeout: float | None = None) -> bool:
        return self._set or self.scheduler.wait_in(self._waiting, timeout)


@dataclass(frozen=True)
class SimulatedThreads:
    """The port `Threads` for one process."""

    scheduler: Scheduler
    owner: str

    def start(self, name: str, run: Callable[[], object]) -> Task:
        return self.scheduler.spawn(self.owner, name, run)

    def condition(self) -> Condition:
        return Condition(self.scheduler)

    def flag(self) -> Flag:
        return Flag(self.scheduler)
