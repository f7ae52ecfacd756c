"""Every state that the bounds allow, breadth first, and the history that leads to a broken promise.

A global state is one number, packed from: the store, what users left, what each operator has under way, the late writes
of operators that crashed, and what may still go wrong. The operators are alike, so the two are kept in order: of two
states that differ by who is who only one is looked at.
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
from tests.model.state import SHIFT, packed, unpacked
from tests.support import world

# About 6 GB.
MOST = 45_000_000


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
    ) -> None:
        self.bounds = bounds
        self.parts = Operators(bounds, driver, ask, patient)
        self.parents: dict[int, int] = {}
        self._at_rest: set[tuple[int, int]] = set()

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
        self.parents = {first: -1}
        frontier = [first]
        state = first
        try:
            while frontier:
                following: list[int] = []
                for count, state in enumerate(frontier):
                    self.look(state)
                    found.transitions += self.expand(state, following)
                    if count & 4095 == 0 and (time.monotonic() - began > seconds or len(self.parents) > most):
                        return self._summed(found, began)
                frontier = following
                found.depth += bool(frontier)
                if tell:
                    tell(self._summed(found, began))
            found.complete = True
        except promises.Violation as violation:
            violation.history = history(self.parts, self.parents, state)
            found.violation = violation
        return self._summed(found, began)

    def _summed(self, found: Found, began: float) -> Found:
        found.states, found.seconds = len(self.parents), time.monotonic() - began
        return found

    def expand(self, state: int, following: list[int]) -> int:
        """Adds every new state that follows; how many transitions there were."""
        store, users, one, two, loose, budget = unpacked(state)
        parts, parents = self.parts, self.parents
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
                if new not in parents:
                    parents[new] = state
                    following.append(new)
        for _, after, acted, afloat in parts.by_others(store, users, loose):
            seen = parts.views_of(acted)
            made += 1
            new = packed(after, acted, parts.renewed(one, after, seen), parts.renewed(two, after, seen), afloat, budget)
            if new not in parents:
                parents[new] = state
                following.append(new)
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
    tell: Callable[[Found], None] | None = None,
) -> tuple[Found, Exploration]:
    """The exploration; begun again each time that a read turns out to be one that must wait for its turn."""
    patient: frozenset[Site] = frozenset()
    began = time.monotonic()
    while True:
        exploration = Exploration(bounds, driver, ask, patient)
        try:
            found = exploration.run(seconds=seconds, most=most, tell=tell)
        except TooEarly as read:
            if read.site in patient:
                raise
            patient |= {read.site}
        else:
            found.seconds = time.monotonic() - began
            return found, exploration
