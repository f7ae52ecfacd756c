"""Stages that have a lineage, whatever resources are left of them: found when this operator gains the Lease, hourly."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from mira.controller.queue import Key
from mira.controller.stages import stages_with_lineage
from mira.controller.threads import Flag, Threads
from mira.registry.store import ObjectStore, StoreRefused, StoreUnavailable

log = logging.getLogger(__name__)
HOUR = 3600.0
RETRY = 20.0


@dataclass
class Discovery:
    """Lists the lineages in a thread of its own, so that a commit whose resources are gone has its pointer moved."""

    store: ObjectStore
    enqueue: Callable[[Key], None]
    threads: Threads
    _stopping: bool = False
    _now: Flag = field(init=False)

    def __post_init__(self) -> None:
        self._now = self.threads.flag()

    def start(self) -> None:
        """Waits to be told to look, and looks again every hour after that."""
        self.threads.start("discovery", self._run)

    def look(self) -> None:
        """Looks now."""
        self._now.set()

    def stop(self) -> None:
        """Looks no further."""
        self._stopping = True
        self._now.set()

    def _run(self) -> None:
        self._now.wait()
        while not self._stopping:
            self._now.clear()
            self._now.wait(HOUR if self._found() else RETRY)

    def _found(self) -> bool:
        """Whether every lineage was listed."""
        try:
            for key in stages_with_lineage(self.store):
                self.enqueue(key)
        except (StoreUnavailable, StoreRefused) as error:
            log.warning("the lineages could not be listed; trying again", extra={"error": str(error)})
        except Exception:
            log.exception("the lineages could not be listed; trying again")
        else:
            return True
        return False
