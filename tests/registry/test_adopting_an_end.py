"""One intention gets one end, however often its resource is created."""

from datetime import timedelta

import pytest

from mira.decide.modelpromotion import decided_status
from mira.registry.deciding import Decided, Waiting
from mira.registry.entry import EntryKind
from mira.registry.lineage import BrokenChain
from tests.registry.candidates import (
    Change,
    a_candidate,
    create_again,
    stage_gone,
    version_gone,
    withdraw,
)
from tests.registry.lineages import a_world, entry_of, point
from tests.support.world import KEY, NOON, asked, promotion, publish, stage

RECREATED: dict[str, Change] = {
    "and nothing else": lambda _: None,
    "without an approval": withdraw,
    "and its stage is gone": stage_gone,
    "and its version is gone": version_gone,
    "and the policies are gone": lambda world: setattr(world, "proof", type(world.proof)(problem="gone")),
    "under gates that it would fail": lambda world: setattr(
        world, "stage", stage(gates=[{"metric": "x", "minimum": "1"}])
    ),
}


@pytest.mark.parametrize("happens", RECREATED.values(), ids=RECREATED.keys())
def test_a_resource_adopts_its_end_and_moves_nothing_when_it_is_created_again(happens: Change) -> None:
    world = a_world()
    mine = a_candidate(world)
    first = world.decide(mine)
    newer = a_candidate(world, "newer", "v10")
    world.decide(newer)
    point(world)
    create_again(world)
    happens(world)
    before = dict(world.store.objects)
    end = world.decide(world.promotions["mine"])
    assert isinstance(first, Decided)
    assert isinstance(end, Decided)
    assert end.link == first.link
    assert world.store.objects == before
    ready = decided_status(world.promotions["mine"], end, world.now).conditions[0]
    assert ready.message == "decided on 2026-11-25T12:05:00Z as entry 4: Promoted; for a new decision use another name"


def test_a_refusal_is_adopted_too() -> None:
    world = a_world()
    world.stage = stage(gates=[{"metric": "roc_auc", "minimum": "0.99"}])
    first = world.decide(a_candidate(world))
    world.stage = stage()
    create_again(world)
    end = world.decide(world.promotions["mine"])
    assert isinstance(first, Decided)
    assert isinstance(end, Decided)
    assert (end.link, end.link.entry.reason) == (first.link, "GatesFailed")


def test_another_spec_under_the_same_name_is_another_intention() -> None:
    world = a_world()
    mine = a_candidate(world)
    world.decide(mine)
    digest = publish(world.store, "v10")
    other = world.put(
        promotion("mine", "v10", uid="uid-2", created=NOON + timedelta(hours=1), approvals={"bob": digest})
    )
    end = world.decide(other)
    assert isinstance(end, Decided)
    assert (end.link.entry.number, end.link.entry.kind) == (5, EntryKind.PROMOTE)


def test_who_asks_and_who_approves_make_no_other_intention() -> None:
    world = a_world()
    mine = a_candidate(world)
    assert asked(mine).op == asked(promotion("mine", "v9", requestedBy="carol")).op
    assert asked(mine).op != asked(promotion("mine", "v9", justification="x")).op
    assert asked(mine).op != asked(promotion("other", "v9")).op


def test_what_waits_writes_nothing_but_help() -> None:
    world = a_world()
    mine = a_candidate(world)
    withdraw(world)
    before = dict(world.store.objects)
    assert isinstance(world.decide(mine), Waiting)
    head = entry_of(world, 3)
    assert world.store.objects == before | {KEY.decision(head.entry.op): head.raw}


def test_a_broken_chain_decides_nothing() -> None:
    world = a_world()
    world.store.objects[KEY.entry(3)] = b"x"
    with pytest.raises(BrokenChain, match="entry 3"):
        world.decide(a_candidate(world))
