"""How much may go wrong in one exploration, and which way of breaking the drivers is tried."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.support.world import NOON

NOW: datetime = NOON.replace(minute=5)


@dataclass(frozen=True)
class Bounds:
    """Who acts, and what may go wrong how often.

    `pointers` says whether the operators also move the pointer. Where they do not, whatever a pointing does to a
    deciding is done by nobody in particular and at any time: a decision that is missing appears (`help`).
    Where nobody decides (`growth` > 0), the lineage grows by so many entries, at any time and of either sort.
    """

    names: tuple[str, ...] = ("one", "two", "three")
    operators: int = 2
    pointers: bool = True
    growth: int = 0
    crashes: int = 2
    unclear: int = 2
    late: int = 2
    acts: int = 2
    recreations: int = 1
    touched: tuple[str, ...] = ("one",)
    hands: int = 1

    @property
    def helped(self) -> bool:
        """Whether decisions appear by themselves."""
        return not self.pointers

    def words(self) -> str:
        """The bounds as a person says them."""
        who = f"{self.operators} operators x {len(self.names)} promotions" if self.names else "the pointer alone"
        parts = [
            who + (", each also moving the pointer" if self.pointers and self.names else ""),
            f"{self.crashes} crashes",
            f"{self.unclear} unclear answers",
            f"{self.late} late writes",
        ]
        if self.names:
            parts.append(f"{self.acts} acts of users on {', '.join(self.touched)}" if self.acts else "no acts of users")
        if self.pointers:
            parts.append(f"{self.hands} edits of the pointer by hand")
        if self.growth:
            parts.append(f"{self.growth} entries that appear")
        return "; ".join(parts)


@dataclass(frozen=True)
class Driver:
    """How procedures are driven: as production does, unless a variant says otherwise."""

    starts_over: bool = False
    forgets: bool = False
    stale_reads: bool = False


PRODUCTION = Driver()


class _Everything(frozenset[Any]):
    """Has everything in it."""

    def __contains__(self, _: object) -> bool:
        return True


# Every read waits for its turn: no early reads at all.
EVERY_READ_WAITS: frozenset[Any] = _Everything()

# Small enough for every run of the tests, each complete.
SMALL: dict[str, Bounds] = {
    "three promotions, deciding": Bounds(pointers=False, acts=0, hands=0),
    "two promotions, with users": Bounds(names=("one", "two"), pointers=False, acts=1, hands=0),
    "one promotion and the pointer": Bounds(names=("one",), acts=0, hands=0),
    "two promotions and the pointer": Bounds(names=("one", "two"), crashes=1, unclear=1, late=0, acts=0, hands=0),
    "the pointer alone": Bounds(names=(), growth=2, crashes=1, unclear=1, late=1, acts=0, hands=1),
}

# Each complete, within an hour in all. The first and the last are everything that may go wrong, explored apart, which
# the page gives the reason for; the others explore parts of both as one.
LARGE: dict[str, Bounds] = {
    "three promotions, deciding": Bounds(pointers=False, hands=0),
    "three promotions and the pointer": Bounds(crashes=1, unclear=0, late=1, acts=0, hands=0),
    "two promotions and the pointer": Bounds(names=("one", "two"), acts=0, hands=0),
    "one promotion and the pointer, with users": Bounds(names=("one",), crashes=1, unclear=1, late=1, acts=1, hands=1),
    "the pointer alone": Bounds(names=(), growth=3, acts=0),
}

# Too many to see them all: as deep as the time goes.
BEYOND: dict[str, Bounds] = {"all together": Bounds()}
