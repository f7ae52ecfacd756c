"""The history that led to a state, in words."""

import itertools
from collections.abc import Iterator

from tests.model.operators import Operators
from tests.model.process import IDLE
from tests.model.state import SHIFT, packed, unpacked
from tests.support.world import KEY


def history(parts: Operators, parents: dict[int, int], state: int) -> list[str]:
    """What led to a state, one line for each step; operators keep their letters, however they are ordered."""
    path = [state]
    while (state := parents[state]) != -1:
        path.append(state)
    path.reverse()
    lines: list[str] = []
    letters = "AB"
    for before, after in itertools.pairwise(path):
        words, swapped = next(
            (words, swapped) for made, words, swapped in _told(parts, before, letters) if made == after
        )
        lines.append(words)
        letters = letters[::-1] if swapped else letters
    return lines


def _told(parts: Operators, state: int, letters: str) -> Iterator[tuple[int, str, bool]]:
    """Every state that follows, in words, and whether the operators changed places in it."""
    store, users, one, two, loose, budget = unpacked(state)
    views = parts.views_of(users)
    for first in (True, False):
        mine, other = (one, two) if first else (two, one)
        for step in parts.steps(mine, store, views):
            if step.cost and not budget >> SHIFT[step.cost] & 3:
                continue
            left = budget - (1 << SHIFT[step.cost] if step.cost else 0)
            partner = parts.renewed(other, step.store, views)
            afloat = parts.floating(loose, step.store, users, step.dropped)
            places = (step.operator, partner) if first else (partner, step.operator)
            words = f"operator {letters[0 if first else 1]}: {_words(parts, step.label)}"
            yield packed(step.store, users, *places, afloat, left), words, places[0] > places[1]
    for words, after, acted, afloat in parts.by_others(store, users, loose):
        seen = parts.views_of(acted)
        places = parts.renewed(one, after, seen), parts.renewed(two, after, seen)
        yield packed(after, acted, places[0], places[1], afloat, budget), words, places[0] > places[1]


def _words(parts: Operators, label: tuple[int, int, str]) -> str:
    slot, local, how = label
    if local == IDLE:
        return how or "crashes"
    who = "the pointer" if slot == parts.processes.pointing else parts.known[slot].name
    call = parts.automaton.call(local) if local > IDLE else None
    key = "/".join(getattr(call, "key", "").replace(f"{KEY.path}/", "").split("/")[:2])[:40]
    return f"{who}: {type(call).__name__} {key} {how}".rstrip() if call else f"{who}: {how}"
