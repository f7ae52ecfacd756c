"""What kopf is to an operator: its watch streams, with all that can go wrong with them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mira.controller.listing import LISTED
from tests.simulation.faults import KUBERNETES, OF_WATCHES, Fault
from tests.simulation.scheduler import Condition
from tests.simulation.watches import Watch

Tell = Callable[[str, str, dict[str, Any]], None]
STALE_FOR = 5.0


@dataclass(frozen=True)
class Streams:
    """The watches of one process; each kind's stream is a task of its own."""

    ground: Any
    process: str
    changed: Condition
    tell: Tell
    ended: Callable[[], None]

    def start(self) -> None:
        for kind in LISTED:
            self.ground.scheduler.spawn(self.process, f"watch {kind}", lambda kind=kind: self._follow(kind))

    def stop(self, *, seconds: float) -> None:
        """Nothing is left to be done: the process ends."""

    def alive(self) -> bool:
        return True

    def _follow(self, kind: str) -> None:
        scheduler = self.ground.scheduler
        watch = Watch(self.ground.server, kind, scheduler.random, labels=LISTED[kind])
        while True:
            if self.ground.away[KUBERNETES] > scheduler.now:
                watch.disconnect()
                scheduler.sleep(scheduler.random.uniform(0.2, 2.0))
                continue
            if not watch.connected:
                scheduler.sleep(scheduler.random.uniform(0.01, 0.5))
                watch.connect()
            if watch.pending() and (fault := self.ground.weather.due(OF_WATCHES, scheduler.now)):
                self._struck(watch, fault)
            told = watch.deliver()
            if told is None:
                self.changed.wait(5.0)
                continue
            scheduler.sleep(scheduler.random.uniform(0.001, 0.05))
            self.tell(kind, told.type, told.body)

    def _struck(self, watch: Watch, fault: Fault) -> None:
        self.ground.tell(self.process, f"watch {watch.kind}: {fault.what}")
        match fault.what:
            case "event dropped":
                watch.drop()
            case "event doubled":
                watch.duplicate()
            case "events in another order":
                watch.reorder()
            case "stream ended":
                watch.expire()
                self.ended()
            case "stream silent":
                watch.go_silent()
            case "lists stale":
                self.ground.stale_lists(int(fault.amount), STALE_FOR)
