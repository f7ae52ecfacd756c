"""Hashing files takes minutes and an outage hours: what is decided rests on what is live at the end of it."""

from datetime import timedelta

import pytest

from mira.registry.deciding import Decided, Waiting
from mira.registry.entry import EntryKind
from mira.registry.steps import Call, CheckFiles, Get, ReadLive
from mira.registry.store import StoreUnavailable
from tests.registry.candidates import Change, a_candidate, delete, freeze, reject, withdraw
from tests.registry.lineages import a_world
from tests.support.world import World

MEANWHILE: dict[str, Change] = {
    "it is deleted": delete,
    "its approval is withdrawn": withdraw,
    "a freeze window opens": freeze,
}


class Meanwhile:
    """Answers as the world does; at the first call of a kind after the first live read, something happens."""

    def __init__(self, world: World, kind: type, happens: Change, *, away: bool = False) -> None:
        self.world, self.kind, self.happens, self.away = world, kind, happens, away
        self.read = self.done = False

    def __call__(self, call: Call) -> object:
        if self.read and not self.done and isinstance(call, self.kind):
            self.done = True
            self.happens(self.world)
            if self.away:
                raise StoreUnavailable("for hours")
        self.read = self.read or isinstance(call, ReadLive)
        return self.world.answer(call)


@pytest.mark.parametrize("happens", MEANWHILE.values(), ids=MEANWHILE.keys())
@pytest.mark.parametrize("kind", [CheckFiles, Get], ids=["while files are hashed", "before a read"])
def test_what_happens_while_evidence_is_gathered_counts(happens: Change, kind: type) -> None:
    world = a_world()
    resource, entries = a_candidate(world), len(world.entries())
    end = world.procedure(resource).advance(Meanwhile(world, kind, happens))
    assert isinstance(end, Waiting)
    assert len(world.entries()) == entries


@pytest.mark.parametrize("happens", MEANWHILE.values(), ids=MEANWHILE.keys())
def test_what_happens_while_s3_is_away_counts_when_it_is_back(happens: Change) -> None:
    world = a_world()
    resource, entries = a_candidate(world), len(world.entries())
    procedure = world.procedure(resource)
    answer = Meanwhile(world, Get, happens, away=True)
    with pytest.raises(StoreUnavailable):
        procedure.advance(answer)
    world.now += timedelta(hours=3)
    assert isinstance(procedure.advance(answer), Waiting)
    assert len(world.entries()) == entries


def test_a_rejection_while_files_are_hashed_is_the_end() -> None:
    world = a_world()
    end = world.procedure(a_candidate(world)).advance(Meanwhile(world, CheckFiles, reject))
    assert isinstance(end, Decided)
    assert (end.link.entry.kind, end.link.entry.reason) == (EntryKind.REFUSE, "Rejected")


def test_a_decision_after_an_outage_is_dated_when_it_is_made() -> None:
    world = a_world()
    procedure = world.procedure(a_candidate(world))
    answer = Meanwhile(world, Get, lambda _: None, away=True)
    with pytest.raises(StoreUnavailable):
        procedure.advance(answer)
    world.now += timedelta(hours=3)
    end = procedure.advance(answer)
    assert isinstance(end, Decided)
    assert end.link.entry.decided_at == world.now
