"""Which lineages were verified: nothing is decided on a stage whose chain has not been read from its first entry."""

import threading
from collections import Counter
from dataclasses import dataclass, field

from mira.registry.keys import StageKey
from mira.registry.lineage import Link, verify_chain
from mira.registry.steps import Procedure, answer_from
from mira.registry.store import ObjectStore


@dataclass
class Chains:
    """Verifies each stage's chain once per process; every later entry is checked when it is read as the head."""

    store: ObjectStore
    _verified: dict[StageKey, Link | None] = field(default_factory=dict)
    _broken: set[StageKey] = field(default_factory=set)
    _doubts: Counter[StageKey] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, stage: StageKey) -> None:
        """Raises BrokenChain if the lineage has a gap or a changed entry; a broken one is read anew each time."""
        while True:
            with self._lock:
                if stage in self._verified:
                    return
                doubts = self._doubts[stage]
            link = Procedure(verify_chain(stage), budget=1_000_000).advance(lambda call: answer_from(self.store, call))
            with self._lock:
                # What another worker doubted meanwhile may have been read before it broke: then once more.
                if self._doubts[stage] == doubts:
                    self._verified[stage] = link
                    self._broken.discard(stage)

    def doubt(self, stage: StageKey) -> None:
        """Has the chain verified again from its first entry before anything more is decided."""
        with self._lock:
            self._doubts[stage] += 1
            self._verified.pop(stage, None)
            self._broken.add(stage)

    def forget(self, stage: StageKey) -> None:
        """Has a stage that nothing was decided on verified again when somebody asks for it."""
        with self._lock:
            # Its doubts stay counted: a check that is under way compares with them.
            self._verified.pop(stage, None)

    def broken(self) -> int:
        """How many stages have a chain that was found broken and has not been found whole since."""
        with self._lock:
            return len(self._broken)
