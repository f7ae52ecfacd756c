"""Every history within small bounds, of the production code's own steps: what the registry promises holds in all."""

from collections.abc import Iterator
from functools import cache

import pytest

from tests.model.bounds import EVERY_READ_WAITS, SMALL, Bounds
from tests.model.exploration import Exploration, Found, explored
from tests.model.variants import BROKEN, Variant
from tests.support.world import documents_read_once

LONGEST = 120
ENDS = {"Promoted", "RolledBack", "Superseded", "AlreadyCurrent", "Void"}


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    with documents_read_once():
        yield


@cache
def exploration_of(name: str) -> tuple[Found, Exploration]:
    return explored(SMALL[name], seconds=LONGEST)


@pytest.mark.parametrize("name", SMALL)
def test_every_promise_holds_in_every_history(name: str) -> None:
    found, _ = exploration_of(name)
    print(f"{found.states} states, {found.transitions} transitions, depth {found.depth}, {found.seconds:.1f} s")  # noqa: T201
    assert found.violation is None, "\n".join([str(found.violation), *found.violation.history])
    assert found.complete


def test_the_histories_meet_every_kind_of_end() -> None:
    meetings = [exploration_of(name)[1].met() for name in ("three promotions, deciding", "two promotions, with users")]
    assert set[str]().union(*meetings) >= ENDS


@pytest.mark.parametrize("names", [("one",), ("one", "two")], ids=len)
def test_what_is_read_early_loses_no_store_that_is_reached_without(names: tuple[str, ...]) -> None:
    bounds = Bounds(names=names, pointers=False, crashes=1, unclear=1, late=1, acts=2 - len(names), hands=0)
    _, early = explored(bounds, seconds=LONGEST)
    patient = Exploration(bounds, patient=EVERY_READ_WAITS)
    assert patient.run(seconds=LONGEST).complete
    assert early.stores_reached() == patient.stores_reached()


@pytest.mark.parametrize(
    "bounds",
    [
        Bounds(names=("one", "two"), pointers=False, crashes=1, unclear=1, late=1, acts=0, hands=0),
        Bounds(names=("one",), pointers=False, crashes=2, unclear=1, late=1, acts=1, hands=0),
        Bounds(names=(), growth=1, crashes=1, unclear=1, late=1, acts=0, hands=1),
    ],
    ids=["two promotions", "users", "the pointer"],
)
def test_what_is_covered_loses_no_store_that_is_reached_without(bounds: Bounds) -> None:
    covered, some = explored(bounds, seconds=LONGEST)
    found, every = explored(bounds, seconds=LONGEST, covering=False)
    assert covered.complete
    assert found.complete
    assert covered.states < found.states
    assert some.stores_reached() == every.stores_reached()


@pytest.mark.parametrize("variant", BROKEN.values(), ids=BROKEN.keys())
def test_the_exploration_finds_it_if(variant: Variant) -> None:
    found = variant.explored(seconds=LONGEST)
    assert found.violation is not None, f"{found.states} states show nothing"
    print(found.violation, *found.violation.history, sep="\n")  # noqa: T201
