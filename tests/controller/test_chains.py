"""Chains: nothing is decided on a lineage that was not read from its first entry, and a broken one is read anew."""

import pytest

from mira.controller.chains import Chains
from mira.registry.keys import StageKey
from mira.registry.lineage import BrokenChain
from mira.registry.memory import MemoryStore, Request
from mira.registry.store import StoreUnavailable
from tests.registry.lineages import a_world
from tests.support.world import KEY

OTHER = StageKey("team-b", "churn", "production")


def reads(store: MemoryStore) -> list[str]:
    return [request.key for request in store.requests if request.verb == "get"]


def found_broken(chains: Chains, stage: StageKey = KEY) -> bool:
    """Checks as a pass does: whoever finds a chain broken doubts it."""
    try:
        chains.check(stage)
    except BrokenChain:
        chains.doubt(stage)
        return True
    return False


def a_store(moves: int = 3) -> MemoryStore:
    return MemoryStore(dict(a_world(moves).store.objects))


def test_a_chain_is_read_from_its_first_entry_to_its_last() -> None:
    store = a_store()
    Chains(store).check(KEY)
    assert reads(store) == [KEY.entry(number) for number in (1, 2, 3)]


def test_a_whole_chain_is_read_once() -> None:
    store = a_store()
    chains = Chains(store)
    chains.check(KEY)
    store.requests.clear()
    chains.check(KEY)
    assert (store.requests, chains.broken()) == ([], 0)


def test_a_stage_without_entries_is_whole() -> None:
    chains = Chains(MemoryStore())
    chains.check(KEY)
    assert chains.broken() == 0


def test_a_stage_that_was_doubted_is_read_again_from_its_first_entry() -> None:
    store = a_store()
    chains = Chains(store)
    chains.check(KEY)
    chains.doubt(KEY)
    store.requests.clear()
    chains.check(KEY)
    assert reads(store) == [KEY.entry(number) for number in (1, 2, 3)]


def test_one_stage_that_was_verified_says_nothing_about_another() -> None:
    store = a_store()
    chains = Chains(store)
    chains.check(OTHER)
    store.requests.clear()
    chains.check(KEY)
    assert len(reads(store)) == 3


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("damage", ["gone", "changed", "unreadable"])
def test_a_broken_chain_is_refused_each_time_until_it_is_whole(damage: str, number: int) -> None:
    store = a_store()
    whole = dict(store.objects)
    entry = KEY.entry(number)
    match damage:
        case "gone":
            del store.objects[entry]
        case "changed":
            store.objects[entry] = whole[entry].replace(b"alice", b"mallo")
            assert store.objects[entry] != whole[entry]
        case _:
            store.objects[entry] = b"{"
    chains = Chains(store)
    assert [found_broken(chains) for _ in range(3)] == [True] * 3
    assert chains.broken() == 1
    store.objects |= whole
    assert not found_broken(chains)
    assert chains.broken() == 0


def test_what_breaks_after_it_was_verified_is_found_once_it_is_doubted() -> None:
    store = a_store()
    chains = Chains(store)
    chains.check(KEY)
    del store.objects[KEY.entry(2)]
    chains.doubt(KEY)
    assert found_broken(chains)


def test_broken_counts_stages_and_not_how_often_they_were_found_broken() -> None:
    chains = Chains(MemoryStore())
    for stage in (KEY, KEY, OTHER):
        chains.doubt(stage)
    assert chains.broken() == 2
    chains.check(OTHER)
    assert chains.broken() == 1


def test_a_store_that_is_away_makes_no_chain_whole_and_none_broken() -> None:
    store = a_store()

    def away(request: Request) -> None:
        if request.key == KEY.entry(2):
            raise StoreUnavailable("away")

    chains = Chains(store)
    chains.doubt(KEY)
    store.before = away
    with pytest.raises(StoreUnavailable):
        chains.check(KEY)
    assert chains.broken() == 1
    store.before = lambda _: None
    store.requests.clear()
    chains.check(KEY)
    assert (len(reads(store)), chains.broken()) == (3, 0)


def test_a_doubt_that_comes_while_a_chain_is_being_read_is_not_forgotten() -> None:
    """What was read before the doubt proves nothing against it."""
    store = a_store()
    chains = Chains(store)

    def doubts(request: Request) -> None:
        if request.key == KEY.entry(3):
            store.before = lambda _: None
            chains.doubt(KEY)

    store.before = doubts
    chains.check(KEY)
    assert reads(store) == [KEY.entry(number) for number in (1, 2, 3, 1, 2, 3)]
    assert chains.broken() == 0


def test_a_doubt_about_one_stage_has_no_other_read_again() -> None:
    store = a_store()
    chains = Chains(store)
    store.before = lambda _: chains.doubt(OTHER)
    chains.check(KEY)
    assert len(reads(store)) == 3
    assert chains.broken() == 1
