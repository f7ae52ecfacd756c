"""Every state that the bounds allow, and the history that leads to a broken promise.

A global state is one number, packed from: the store, what users left, what each operator has under way, the late writes
of operators that crashed, and what may still go wrong. The operators are alike, so the two are kept in order: of two
states that differ by who is who only one is looked at.

What may still go wrong decides only which faults can follow, and none has to. So of two states that differ in nothing
else, and of which one has left whatever the other has, everything that follows from the other follows from the one:
the other is covered and not looked at. Histories with the fewest faults come first, so that the one is met first;
without covering the shortest come first.
"""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mira.registry.entry import Entry
from tests.model import promises
from tests.model.automaton import Site
from tests.model.bounds import PRODUCTION, Bounds, Driver
from tests.model.ground import Users
from tests.model.history import history
from tests.model.operators import Operators
from tests.model.process import CRASH, LATE, LOST, TooEarly
from tests.model.state import BUDGET, FAULTS_LEFT, ITSELF, LEFT, MORE, NO_MORE, NOTHING, SHIFT, packed, unpacked
from tests.support import world

# 6 to 10 GB: 17 million took 3.3 GB in one exploration and 5.8 GB in another.
MOST = 30_000_000


@dataclass
class Found:
    """What an exploration found."""

    bounds: Bounds
    states: int = 0
    transitions: int = 0
    depth: int = 0
    seconds: float = 0.0
    complete: bool = False
    violation: promises.Violation | None = None

    @property
    def speed(self) -> float:
        """Transitions a second."""
        return self.transitions / max(self.seconds, 0.001)


def memory() -> float:
    """The largest memory that this process had so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


class Exploration:
    """All histories within the bounds."""

    def __init__(
        self,
        bounds: Bounds,
        driver: Driver = PRODUCTION,
        ask: Any = world.asked,
        patient: frozenset[Site] = frozenset(),
        *,
        covering: bool = True,
    ) -> None:
        self.bounds = bounds
        self.parts = Operators(bounds, driver, ask, patient)
        self.parents: dict[int, int] = {}
        self._at_rest: set[tuple[int, int]] = set()
        # For each state without what may still go wrong: everything that was left where it was met, as bits.
        self._met: dict[int, int] = {}
        self._covers, self._covered_by = (NO_MORE, MORE) if covering else (ITSELF, NOTHING)
        self._rank = FAULTS_LEFT if covering else NOTHING
        # What is to be looked at, by rank, then by depth.
        self._waiting: list[dict[int, list[int]]] = []

    def first(self) -> int:
        """The state in which everything begins."""
        bounds, parts = self.bounds, self.parts
        users = parts.users(Users((1,) * len(parts.known), bounds.acts, bounds.recreations, bounds.hands))
        operator = parts.fresh(0, parts.views_of(users))
        others = operator if bounds.operators == 2 else parts.operators(())
        budget = sum(
            amount << SHIFT[cost]
            for cost, amount in ((CRASH, bounds.crashes), (LOST, bounds.unclear), (LATE, bounds.late))
        )
        return packed(0, users, operator, others, parts.loose(()), budget)

    def run(self, *, seconds: float, most: int = MOST, tell: Callable[[Found], None] | None = None) -> Found:
        """Looks at every state, until all are seen, a promise is broken, or the time or the states are used up."""
        began = time.monotonic()
        found = Found(self.bounds)
        first = self.first()
        self._waiting = [{} for _ in range(self._rank[first & LEFT] + 1)]
        self.parents = {}
        self._meet(first, -1, 0)
        state = first
        try:
            while (layer := self._next_layer()) is not None:
                found.depth = max(found.depth, layer[0])
                for count, state in enumerate(layer[1]):
                    if self._is_covered(state):
                        continue
                    self.look(state)
                    found.states += 1
                    found.transitions += self.expand(state, layer[0] + 1)
                    if count & 4095 == 0 and (time.monotonic() - began > seconds or len(self.parents) > most):
                        return self._timed(found, began)
                if tell:
                    tell(self._timed(found, began))
            found.complete = True
        except promises.Violation as violation:
            violation.history = history(self.parts, self.parents, state)
            found.violation = violation
        return self._timed(found, began)

    def _next_layer(self) -> tuple[int, list[int]] | None:
        """Of what waits, that of the highest rank, of this the least deep: its depth and states."""
        for waiting in reversed(self._waiting):
            if waiting:
                depth = min(waiting)
                return depth, waiting.pop(depth)
        return None

    def _meet(self, state: int, parent: int, depth: int) -> None:
        """Remembers a state that is to be looked at."""
        core, left = state >> BUDGET, state & LEFT
        self._met[core] = self._met.get(core, 0) | self._covers[left]
        self.parents[state] = parent
        self._waiting[self._rank[left]].setdefault(depth, []).append(state)

    def _is_covered(self, state: int) -> bool:
        """Whether the same with more left was met after this one."""
        return bool(self._met[state >> BUDGET] & self._covered_by[state & LEFT])

    def _timed(self, found: Found, began: float) -> Found:
        found.seconds = time.monotonic() - began
        return found

    def expand(self, state: int, depth: int) -> int:
        """Meets every state that follows, at this depth; how many transitions there were."""
        store, users, one, two, loose, budget = unpacked(state)
        parts, met = self.parts, self._met
        views = parts.views_of(users)
        made = 0
        for mine, other in ((one, two), (two, one)) if one != two else ((one, two),):
            for _, cost, after, operator, dropped in parts.steps(mine, store, views):
                left = budget
                if cost:
                    if not budget >> SHIFT[cost] & 3:
                        continue
                    left -= 1 << SHIFT[cost]
                if after != store:
                    partner, afloat = parts.renewed(other, after, views), parts.floating(loose, after, users, dropped)
                else:
                    partner, afloat = other, parts.floating(loose, after, users, dropped) if dropped else loose
                made += 1
                new = packed(after, users, operator, partner, afloat, left)
                if not met.get(new >> BUDGET, 0) >> left & 1:
                    self._meet(new, state, depth)
        for _, after, acted, afloat in parts.by_others(store, users, loose):
            seen = parts.views_of(acted)
            made += 1
            new = packed(after, acted, parts.renewed(one, after, seen), parts.renewed(two, after, seen), afloat, budget)
            if not met.get(new >> BUDGET, 0) >> budget & 1:
                self._meet(new, state, depth)
        return made

    def met(self) -> set[str]:
        """The reasons of all entries that were written in any history."""
        stores = self.parts.stores
        return {Entry.parse(raw).reason for store in range(len(stores.objects)) for raw in stores.entries(store)}

    def stores_reached(self) -> set[tuple[frozenset[tuple[str, bytes]], Users]]:
        """Every store that some state has, with what users left in it."""
        pairs = {unpacked(state)[:2] for state in self.parents}
        return {
            (frozenset(self.parts.stores.objects[store].items()), self.parts.users.all[users]) for store, users in pairs
        }

    def look(self, state: int) -> None:
        """The promise of every state in which all have come to rest, and that everything comes to its end."""
        store, users, one, two, _, _ = unpacked(state)
        parts = self.parts
        views = parts.views_of(users)
        if parts.calm(one, store, views) & parts.calm(two, store, views) and (store, users) not in self._at_rest:
            self._at_rest.add((store, users))
            versions = parts.users.all[users].versions
            promises.at_rest(parts.stores, store, parts.known, versions, pointed=self.bounds.pointers)


def explored(
    bounds: Bounds,
    *,
    driver: Driver = PRODUCTION,
    ask: Any = world.asked,
    seconds: float = 60,
    most: int = MOST,
    covering: bool = True,
    tell: Callable[[Found], None] | None = None,
) -> tuple[Found, Exploration]:
    """The exploration; begun again each time that a read turns out to be one that must wait for its turn."""
    patient: frozenset[Site] = frozenset()
    began = time.monotonic()
    while True:
        exploration = Exploration(bounds, driver, ask, patient, covering=covering)
        try:
            found = exploration.run(seconds=seconds, most=most, tell=tell)
        except TooEarly as read:
            if read.site in patient:
                raise
            patient |= {read.site}
        else:
            found.seconds = time.monotonic() - began
            return found, exploration
