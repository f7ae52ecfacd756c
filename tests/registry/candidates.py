"""A promotion that is being decided, and what may happen to it meanwhile."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from mira.api.modelpromotion import ModelPromotion
from mira.registry.steps import Call, Create
from mira.registry.store import Put
from tests.registry.stepping import Stepped
from tests.support.world import KEY, NOON, World, asked, later, promotion, publish, stage

Change = Callable[[World], Any]


def a_candidate(world: World, name: str = "mine", version: str = "v9") -> ModelPromotion:
    """An approved promotion of a new version, created after everything in the lineage."""
    digest = publish(world.store, version)
    created = NOON + timedelta(minutes=1)
    return world.put(promotion(name, version, created=created, approvals={"bob": digest}))


def creates_an_entry(call: Call) -> bool:
    return isinstance(call, Create) and call.key.startswith(KEY.lineage)


def unclear(_: Call) -> Put:
    return Put.UNCLEAR


def kinds(world: World) -> list[str]:
    return [f"{entry.kind} {entry.resource.name}" for entry in world.entries()]


def stopped_at_its_entry(world: World, mine: ModelPromotion) -> Stepped:
    stepped = Stepped(world, world.procedure(mine))
    stepped.until(creates_an_entry)
    return stepped


def withdraw(world: World) -> None:
    mine = world.promotions["mine"]
    world.put(mine.model_copy(update={"spec": mine.spec.model_copy(update={"approvals": ()})}))


def reject(world: World) -> None:
    mine = world.promotions["mine"]
    [entry], [seen] = mine.spec.approvals, mine.status.approvals
    word = {"decision": "Rejected", "comment": "no"}
    spec = mine.spec.model_copy(update={"approvals": (type(entry).model_validate(entry.wire() | word),)})
    status = mine.status.model_copy(update={"approvals": (type(seen).model_validate(seen.wire() | word),)})
    world.put(mine.model_copy(update={"spec": spec, "status": status}))


def delete(world: World) -> None:
    del world.promotions["mine"]


def delete_softly(world: World) -> None:
    world.put(later(world.promotions["mine"], deletion_timestamp=world.now))


def create_again(world: World) -> None:
    world.put(later(world.promotions["mine"], uid="uid-again", creation_timestamp=world.now))


def create_with_another_spec(world: World) -> None:
    mine = world.promotions["mine"]
    spec = mine.spec.model_copy(update={"justification": "another"})
    world.put(later(mine.model_copy(update={"spec": spec}), uid="uid-again"))


def stage_gone(world: World) -> None:
    world.stage = None


def version_gone(world: World) -> None:
    del world.store.objects[asked(world.promotions["mine"]).version.manifest]


def freeze(world: World) -> None:
    world.stage = stage(freezeWindows=[{"schedule": "* * * * *", "durationSeconds": 60}])
