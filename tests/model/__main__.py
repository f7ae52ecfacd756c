"""`python -m tests.model`: explores as much as its time allows, and writes what it found as a page."""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.model.bounds import BEYOND, LARGE, SMALL, Bounds
from tests.model.exploration import Found, explored, memory
from tests.model.variants import BROKEN
from tests.support.world import documents_read_once

PAGE = Path("docs/reliability/protocol-model.md")
FLAGS = ("operators", "growth", "crashes", "unclear", "late", "acts", "recreations", "hands")
ABOUT = """# The protocol, explored

A model of [the protocol](../design/protocol.md), made of the production code's own steps; it is `tests/model/`, and why
its reductions lose nothing stands in `tests/model/processes.py` and `tests/model/exploration.py`. This page was written
by `python -m tests.model --complete`, which explores until every state is seen, a promise is broken, or its time is up.

Crashes forget all that an operator remembers. An unclear answer is one to a write that arrived, or to one that never
did; a late write arrives at any later moment or never. A read that fails is asked again: that it leaves the procedure
as it is was looked at in every local state, so it needs no bound. Users act on the promotion `one`: they delete it,
create it again with a new uid, withdraw its approval, give it again. A hand deletes the pointer, fills it with garbage,
gives it a number that does not exist, or turns it back to entry 1. `three` is a roll back. `now` stands still.

Where the operators do not move the pointer, what a pointing can do to a deciding (make a decision appear) happens at
any time; that a deciding does the same whatever the pointer holds is looked at on every store. Where nobody decides,
entries of both sorts appear once the decision of the one before is found, which is looked at where promotions decide.
So the first and the last of the complete rows are, apart, all that may go wrong; the others explore some of it as one.
One state stands for all in which everybody waits in the same way, so there are far fewer than of interleaved calls.
Nor is a state looked at that differs from one that was only in that less may still go wrong: no fault has to happen.

"""


def main() -> int:
    """0 if no promise is broken and every variant is found."""
    arguments = _arguments()
    bounds = LARGE if arguments.complete else SMALL
    if arguments.names is not None:
        bounds = {"as told": _told(arguments)}
    with documents_read_once():
        explorations = {name: _explored(name, each, arguments.seconds) for name, each in bounds.items()}
        if arguments.complete:
            explorations |= {name: _explored(name, each, arguments.beyond) for name, each in BEYOND.items()}
        broken = {name: variant.explored(seconds=arguments.seconds) for name, variant in BROKEN.items()}
    page = "\n".join([ABOUT, *_explorations(explorations), "", *_variants(broken), ""])
    arguments.page.parent.mkdir(parents=True, exist_ok=True)
    arguments.page.write_text(page)
    print(page)  # noqa: T201
    fine = all(found.violation is None for found in explorations.values())
    return 0 if fine and all(found.violation for found in broken.values()) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--complete", action="store_true", help="the large bounds instead of those of the tests")
    parser.add_argument("--seconds", type=float, default=3600, help="at most so long for each exploration")
    parser.add_argument("--beyond", type=float, default=40, help="so long for each of those that cannot be complete")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the page is written")
    parser.add_argument("--names", nargs="*", help="explore these promotions, within the bounds that follow")
    parser.add_argument("--without-pointers", action="store_true", help="nobody moves the pointer")
    for flag in FLAGS:
        parser.add_argument(f"--{flag}", type=int, default=getattr(Bounds(), flag))
    return parser.parse_args()


def _told(arguments: argparse.Namespace) -> Bounds:
    bounds = Bounds(names=tuple(arguments.names), pointers=not arguments.without_pointers)
    return replace(bounds, **{flag: getattr(arguments, flag) for flag in FLAGS})


def _explored(name: str, bounds: Bounds, seconds: float) -> Found:
    def tell(found: Found) -> None:
        line = f"{name}: depth {found.depth}, {found.states} states, {found.speed:.0f} a second, {memory():.1f} GB"
        print(line, file=sys.stderr)  # noqa: T201

    found, _ = explored(bounds, seconds=seconds, tell=tell)
    return found


def _explorations(explorations: dict[str, Found]) -> Iterator[str]:
    yield "| explored | bounds | states | transitions | depth | seconds | |"
    yield "|---|---|---|---|---|---|---|"
    for name, found in explorations.items():
        end = "complete" if found.complete else "not complete: out of time"
        if found.violation is not None:
            end = f"**{found.violation}**"
        numbers = f"{found.states:,} | {found.transitions:,} | {found.depth} | {found.seconds:.0f}"
        yield f"| {name} | {found.bounds.words()} | {numbers} | {end} |"
    for name, found in explorations.items():
        if found.violation is not None:
            yield from ["", f"{name}:", "", "```", *found.violation.history, "```"]


def _variants(broken: dict[str, Found]) -> Iterator[str]:
    yield "| broken so | which promise shows it | steps before | states |"
    yield "|---|---|---|---|"
    for name, found in broken.items():
        promise = found.violation.promise if found.violation else "**not found**"
        steps = len(found.violation.history) if found.violation else 0
        yield f"| {name} | {promise} | {steps} | {found.states:,} |"


sys.exit(main())
