"""A global state as one number: what everything is looked up by, and what takes the least memory."""

from tests.model.process import CRASH, LATE, LOST

STORE, USERS, OPERATOR, LOOSE, BUDGET = 24, 14, 24, 18, 6
O2 = BUDGET + LOOSE
O1 = O2 + OPERATOR
U = O1 + OPERATOR
S = U + USERS
SHIFT = {CRASH: 0, LOST: 2, LATE: 4}


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
