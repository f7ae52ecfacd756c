"""A stage with a history, made by the production code, for tests that then do something to it."""

from datetime import timedelta
from functools import cache

from mira.registry.keys import StageKey
from mira.registry.lineage import Link, read_entry
from mira.registry.pointing import pointing
from mira.registry.steps import Procedure
from tests.support.world import KEY, NOON, World, promotion, publish


def a_world(moves: int = 3) -> World:
    """A stage that v1, v2 ... were promoted to, each approved by bob; the pointer shows the last one."""
    return _made(moves).copy()


@cache
def _made(moves: int) -> World:
    world = World()
    for number in range(1, moves + 1):
        digest = publish(world.store, f"v{number}")
        created = NOON + timedelta(seconds=number)
        world.decide(world.put(promotion(f"p{number}", f"v{number}", created=created, approvals={"bob": digest})))
        point(world)
    return world


def point(world: World) -> None:
    Procedure(pointing(KEY)).advance(world.answer)


def entry_of(world: World, number: int, stage: StageKey = KEY) -> Link:
    link = Procedure(read_entry(stage, number)).advance(world.answer)
    assert link is not None
    return link
