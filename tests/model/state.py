"""A global state as one number: what everything is looked up by, and what takes the least memory.

Its lowest bits are what may still go wrong: two each for crashes, unclear answers and late writes.
"""

from tests.model.process import CRASH, LATE, LOST

STORE, USERS, OPERATOR, LOOSE, BUDGET = 24, 14, 24, 18, 6
O2 = BUDGET + LOOSE
O1 = O2 + OPERATOR
U = O1 + OPERATOR
S = U + USERS
SHIFT = {CRASH: 0, LOST: 2, LATE: 4}
LEFT = (1 << BUDGET) - 1


def _each(left: int) -> tuple[int, ...]:
    return tuple(left >> shift & 3 for shift in SHIFT.values())


def _allows(left: int, other: int) -> bool:
    """Whether every fault that `other` allows is allowed."""
    return all(mine >= theirs for mine, theirs in zip(_each(left), _each(other), strict=True))


# For everything that may be left: how many faults, of all sorts.
FAULTS_LEFT = tuple(sum(_each(left)) for left in range(LEFT + 1))
# The same, as bits: itself and what allows no more; what allows more; itself alone; nothing.
NO_MORE = tuple(sum(1 << other for other in range(LEFT + 1) if _allows(left, other)) for left in range(LEFT + 1))
MORE = tuple(
    sum(1 << other for other in range(LEFT + 1) if other != left and _allows(other, left)) for left in range(LEFT + 1)
)
ITSELF = tuple(1 << left for left in range(LEFT + 1))
NOTHING = (0,) * (LEFT + 1)


def packed(store: int, users: int, one: int, two: int, loose: int, budget: int) -> int:  # noqa: PLR0917
    """A state as one number; the operators in order, because they are alike."""
    if one > two:
        one, two = two, one
    return store << S | users << U | one << O1 | two << O2 | loose << BUDGET | budget


def unpacked(state: int) -> tuple[int, int, int, int, int, int]:
    """The parts of a state."""
    alike = (1 << OPERATOR) - 1
    return (
        state >> S,
        state >> U & (1 << USERS) - 1,
        state >> O1 & alike,
        state >> O2 & alike,
        state >> BUDGET & (1 << LOOSE) - 1,
        state & (1 << BUDGET) - 1,
    )
