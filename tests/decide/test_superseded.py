"""Which of two promotions is the later one: by the second of creation, within a second by what it says."""

from datetime import timedelta
from typing import Any

import pytest

from mira.registry.deciding import Decided
from mira.registry.document import digest as digest_of
from mira.registry.keys import VersionKey
from tests.decide.test_promotion_rules import MANIFEST, SITUATIONS, world_of
from tests.registry.lineages import a_world
from tests.support.world import MODEL, NAMESPACE, NOON, promotion, publish, stage

TIES: list[tuple[int, str, dict[str, Any], str]] = [
    # created after p3, which made v3 current, by so many seconds; name; what else it says; what becomes of it
    (-1, "z", {}, "Superseded"),
    (-1, "z", {"expectedCurrent": "v3"}, "Superseded"),
    (-1, "z", {"version": "v1", "action": "RollBack"}, "Superseded"),
    (0, "a", {}, "Superseded"),
    (0, "a", {"expectedCurrent": "v2"}, "Superseded"),
    (0, "a", {"expectedCurrent": "v3"}, "Promoted"),
    (0, "a", {"version": "v1", "action": "RollBack", "justification": "INC-1"}, "RolledBack"),
    (0, "p3", {}, "Promoted"),
    (0, "z", {}, "Promoted"),
    (1, "a", {}, "Promoted"),
]


@pytest.mark.parametrize(("seconds", "name", "says", "reason"), TIES)
def test_of_two_created_in_one_second_the_later_one_is_told_by_what_it_says_else_by_its_name(
    seconds: int, name: str, says: dict[str, Any], reason: str
) -> None:
    world = a_world()
    publish(world.store, "v9")
    version = says.get("version", "v9")
    digest = digest_of(world.store.objects[VersionKey(NAMESPACE, MODEL, version).manifest])
    created = NOON + timedelta(seconds=3 + seconds)
    end = world.decide(
        world.put(promotion(name, **{"version": "v9", **says}, created=created, approvals={"bob": digest}))
    )
    assert isinstance(end, Decided)
    assert end.link.entry.reason == reason


def test_a_refusal_moves_nothing_and_supersedes_nobody() -> None:
    world, mine, _ = world_of(SITUATIONS["gates_failed"])
    before = world.entries()[-1]
    world.decide(mine)
    refusal = world.entries()[-1]
    assert (refusal.kind, refusal.current, refusal.moved_by) == ("Refuse", before.current, before.moved_by)
    world.stage = stage()
    older = promotion(
        "older", "v9", created=NOON + timedelta(seconds=30), approvals={"bob": digest_of(world.store.objects[MANIFEST])}
    )
    end = world.decide(world.put(older))
    assert isinstance(end, Decided)
    assert end.link.entry.reason == "Promoted"
