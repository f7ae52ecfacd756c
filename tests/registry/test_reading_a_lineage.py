"""The head is found whatever the pointer says, and a lineage that is not whole stops everybody."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from mira.registry.document import REGISTRY_LIMIT
from mira.registry.entry import ENTRY_LIMIT, Pointer, render_pointer
from mira.registry.keys import StageKey
from mira.registry.lineage import (
    BrokenChain,
    ensure_decision,
    find_head,
    last_made_current,
    read_decision,
    verify_chain,
)
from mira.registry.steps import Procedure, Steps
from tests.registry.lineages import a_world, entry_of
from tests.support.world import KEY, MODEL, NAMESPACE, World

OTHER = StageKey(NAMESPACE, MODEL, "productio")
Change = Callable[[World], None]


def asked(world: World, steps: Steps[Any]) -> Any:
    return Procedure(steps).advance(world.answer)


def pointer(change: Callable[[World], bytes | None]) -> Change:
    """The change that puts these bytes under the pointer's key, or nothing."""

    def changing(world: World) -> None:
        body = change(world)
        world.store.objects.pop(KEY.pointer)
        if body is not None:
            world.store.objects[KEY.pointer] = body

    return changing


def shown(world: World, number: int, /, **changed: Any) -> bytes:
    """The pointer that shows this entry, changed."""
    rendered = Pointer.parse(render_pointer(entry_of(world, number).raw))
    return rendered.model_copy(update=changed).render()


def entry(number: int, /, **changed: Any) -> Change:
    """The change of some fields of an entry."""

    def changing(world: World) -> None:
        content = json.loads(world.store.objects[KEY.entry(number)])
        world.store.objects[KEY.entry(number)] = json.dumps(content | changed).encode()

    return changing


def gone(*keys: str) -> Change:
    def changing(world: World) -> None:
        for key in keys:
            del world.store.objects[key]

    return changing


def holds(key: str, body: bytes) -> Change:
    return lambda world: world.store.objects.update({key: body})


def both(*changes: Change) -> Change:
    def changing(world: World) -> None:
        for change in changes:
            change(world)

    return changing


POINTERS = {
    "as it should be": lambda _: None,
    "absent": pointer(lambda _: None),
    "behind": pointer(lambda world: shown(world, 1)),
    "ahead of every entry": pointer(lambda world: shown(world, 3, number=9)),
    "of the largest number": pointer(lambda world: shown(world, 3, number=10**12 - 1)),
    "of a number beyond": pointer(lambda world: shown(world, 3).replace(b'"number":3', b'"number":1000000000000')),
    "of number 0": pointer(lambda world: shown(world, 3).replace(b'"number":3', b'"number":0')),
    "of a negative number": pointer(lambda world: shown(world, 3).replace(b'"number":3', b'"number":-1')),
    "of entry 1 with the content of 3": pointer(lambda world: shown(world, 3, number=1)),
    "with another version": pointer(lambda world: shown(world, 3, current=entry_of(world, 1).entry.current)),
    "with another hash": pointer(lambda world: shown(world, 3, entry_sha256="0" * 64)),
    "of another stage": pointer(lambda world: shown(world, 3, stage="staging")),
    "of an impossible stage": pointer(lambda world: shown(world, 3).replace(b'"production"', b'"../../x"')),
    "with blanks": pointer(lambda world: shown(world, 3) + b"\n"),
    "the entry itself": pointer(lambda world: entry_of(world, 3).raw),
    "garbage": pointer(lambda _: b"\xff\0"),
    "empty": pointer(lambda _: b""),
    "a list": pointer(lambda _: b"[]"),
    "too large": pointer(lambda world: shown(world, 3) + b" " * REGISTRY_LIMIT),
    "deeply nested": pointer(lambda _: b"[" * 5000),
}


@pytest.mark.parametrize("change", POINTERS.values(), ids=POINTERS.keys())
def test_the_head_is_entry_3_with_a_pointer_that_is(change: Change) -> None:
    world = a_world()
    change(world)
    head = asked(world, find_head(KEY))
    assert head.number == 3
    assert head.link.raw == world.store.objects[KEY.entry(3)]
    stored = world.store.objects.get(KEY.pointer)
    assert (head.pointer.body[:1000] if head.pointer else None) == (stored[:1000] if stored is not None else None)


def test_a_stage_without_lineage_has_no_head() -> None:
    head = asked(World(), find_head(KEY))
    assert (head.link, head.pointer, head.number, head.sha256) == (None, None, 0, "0" * 64)


def test_a_pointer_without_lineage_is_no_head() -> None:
    world = a_world()
    gone(*(KEY.entry(number) for number in (1, 2, 3)))(world)
    assert asked(world, find_head(KEY)).link is None


def test_a_genuine_pointer_saves_the_list() -> None:
    world = a_world(moves=9)
    world.store.requests.clear()
    asked(world, find_head(KEY))
    assert [(request.verb, request.key) for request in world.store.requests] == [
        ("get", KEY.pointer),
        ("get", KEY.entry(9)),
        ("get", KEY.entry(10)),
    ]


def test_a_stage_whose_name_begins_the_same_is_another_stage() -> None:
    world = a_world()
    assert asked(world, find_head(OTHER)).link is None
    assert asked(world, verify_chain(OTHER)) is None


def as_json(world: World, number: int) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(world.store.objects[KEY.entry(number)])
    return content


BROKEN: dict[str, tuple[Change, str]] = {
    "the first entry gone": (gone(KEY.entry(1)), "expected entry 1, found .*000000000002"),
    "an entry in the middle gone": (gone(KEY.entry(2)), "expected entry 2, found .*000000000003"),
    "an entry's reason changed": (entry(2, reason="Other"), "entry 3 .* does not chain to entry 2"),
    "blanks added to an entry": (entry(2), "entry 3 .* does not chain to entry 2"),
    "the first entry changed": (entry(1, requestedBy="mallory"), "entry 2 .* does not chain to entry 1"),
    "the first entry chained to something": (entry(1, prevSha256="1" * 64), "entry 1 .* does not chain to entry 0"),
    "an entry chained to another": (entry(3, prevSha256="1" * 64), "entry 3 .* does not chain to entry 2"),
    "an entry unreadable": (holds(KEY.entry(2), b"{"), "entry 2 of .* cannot be read: not JSON"),
    "an entry empty": (holds(KEY.entry(2), b""), "entry 2 of .* cannot be read"),
    "an entry too large": (holds(KEY.entry(2), b" " * (ENTRY_LIMIT + 1)), "entry 2 of .* cannot be read: .* bytes"),
    "an entry of another schema": (entry(2, schema="mira.pointer/v1"), "entry 2 of .* cannot be read: schema"),
    "an entry of another number": (entry(2, number=3, kind="Refuse"), "entry 2 of .* entry 3 of"),
    "an entry of another stage": (entry(2, stage="staging"), "entry 2 of .* entry 2 of team-a/churn/staging"),
    "an entry of another model": (entry(2, model="other"), "entry 2 of .* entry 2 of team-a/other/production"),
    "an entry of a namespace that is none": (entry(2, namespace="../x"), "entry 2 of .* cannot be read: namespace"),
    "an entry that makes no version current": (
        entry(2, current={"version": "../x", "digest": "sha256:" + "1" * 64}),
        "entry 2 of .* cannot be read: current.version",
    ),
    "an entry moved by a later one": (
        entry(2, kind="Refuse", movedBy={"number": 9, "name": "x", "creationTimestamp": "2026-11-25T12:00:00Z"}),
        "entry 2 of .* cannot be read",
    ),
    "a move that names no mover": (entry(2, movedBy=None), "entry 2 of .* cannot be read"),
    "a number twice, padded otherwise": (holds(f"{KEY.lineage}0000000000003.json", b"{}"), "expected entry 1, found"),
    "a foreign key behind": (holds(f"{KEY.lineage}notes.txt", b"x"), "expected entry 4, found .*notes.txt"),
    "a foreign key in front": (holds(f"{KEY.lineage}.keep", b""), "expected entry 1, found .*keep"),
    "a folder in it": (holds(f"{KEY.lineage}000000000004.json/x", b""), "expected entry 4, found"),
    "a backup of an entry": (holds(f"{KEY.entry(2)}.bak", b""), "expected entry 3, found .*bak"),
}


@pytest.mark.parametrize(("change", "why"), BROKEN.values(), ids=BROKEN.keys())
def test_a_chain_is_broken_and_says_where_with(change: Change, why: str) -> None:
    world = a_world()
    change(world)
    with pytest.raises(BrokenChain, match=why):
        asked(world, verify_chain(KEY))


NEWEST: dict[str, tuple[Change, str]] = {
    "unreadable": (holds(KEY.entry(3), b"{"), "entry 3 of .* cannot be read"),
    "of another stage": (entry(3, stage="staging"), "entry 3 of"),
    "of an impossible stage": (entry(3, stage=".."), "entry 3 of .* cannot be read: stage"),
    "of an impossible version": (
        entry(3, current={"version": "a/b", "digest": "sha256:" + "1" * 64}),
        "entry 3 of .* cannot be read: current.version",
    ),
    "followed by one that does not chain": (
        lambda world: holds(KEY.entry(4), json.dumps(as_json(world, 3) | {"number": 4, "kind": "Refuse"}).encode())(
            world
        ),
        "entry 4 .* does not chain to entry 3",
    ),
    "followed by garbage": (holds(KEY.entry(4), b"garbage"), "entry 4 of .* cannot be read"),
    "listed behind a gap, without a pointer": (both(gone(KEY.pointer, KEY.entry(2))), "expected entry 2"),
}


@pytest.mark.parametrize(("change", "why"), NEWEST.values(), ids=NEWEST.keys())
def test_no_head_is_found_when_the_newest_entry_is(change: Change, why: str) -> None:
    world = a_world()
    change(world)
    with pytest.raises(BrokenChain, match=why):
        asked(world, find_head(KEY))


def test_a_chain_is_verified_from_an_entry_on() -> None:
    world = a_world()
    second = entry_of(world, 2)
    entry(1, reason="Other")(world)
    assert asked(world, verify_chain(KEY, after=second)).entry.number == 3
    entry(2, reason="Other")(world)
    assert asked(world, verify_chain(KEY, after=second)).entry.number == 3
    entry(3, prevSha256="1" * 64)(world)
    with pytest.raises(BrokenChain, match="entry 3"):
        asked(world, verify_chain(KEY, after=second))


def test_an_entry_that_vanishes_between_list_and_read_is_a_broken_chain() -> None:
    world = a_world()
    answer = world.answer

    def vanishing(call: Any) -> Any:
        found = answer(call)
        if isinstance(found, tuple):
            world.store.objects.pop(KEY.entry(2), None)
        return found

    with pytest.raises(BrokenChain, match=r"entry 2 .* was listed and is gone"):
        Procedure(verify_chain(KEY)).advance(vanishing)


def test_an_op_is_found_by_its_decision() -> None:
    world = a_world()
    second = entry_of(world, 2)
    found = asked(world, read_decision(KEY, second.entry.op))
    assert found == second
    assert asked(world, read_decision(KEY, "f" * 64)) is None


DECISIONS: dict[str, Callable[[World], bytes]] = {
    "garbage": lambda _: b"x",
    "another op's entry": lambda world: entry_of(world, 1).raw,
    "a Void": lambda world: json.dumps(as_json(world, 2) | {"kind": "Void"}).encode(),
    "another stage's": lambda world: json.dumps(as_json(world, 2) | {"stage": "staging"}).encode(),
}


@pytest.mark.parametrize("make", DECISIONS.values(), ids=DECISIONS.keys())
def test_a_decision_stops_the_stage_that_holds(make: Callable[[World], bytes]) -> None:
    world = a_world()
    op = entry_of(world, 2).entry.op
    world.store.objects[KEY.decision(op)] = make(world)
    with pytest.raises(BrokenChain, match=f"decision of op {op}"):
        asked(world, read_decision(KEY, op))


def test_a_newest_entry_that_differs_from_its_decision_was_changed() -> None:
    """The chain cannot show it, because nothing follows; the copy under its op can."""
    world = a_world()
    asked(world, ensure_decision(KEY, entry_of(world, 3)))
    entry(3, candidate="v1", current={"version": "v1", "digest": "sha256:" + "1" * 64})(world)
    with pytest.raises(BrokenChain, match="entry 3"):
        asked(world, ensure_decision(KEY, entry_of(world, 3)))


def test_help_makes_the_newest_entry_findable_and_nothing_else() -> None:
    world = a_world()
    third = entry_of(world, 3)
    world.store.objects.pop(KEY.decision(third.entry.op), None)
    before = dict(world.store.objects)
    asked(world, ensure_decision(KEY, third))
    assert world.store.objects == before | {KEY.decision(third.entry.op): third.raw}
    asked(world, ensure_decision(KEY, third))
    assert world.store.objects == before | {KEY.decision(third.entry.op): third.raw}


def test_the_last_entry_that_made_a_version_current_is_found_by_visiting_moves_alone() -> None:
    world = a_world(moves=5)
    head = entry_of(world, 5)
    for version in range(1, 6):
        assert asked(world, last_made_current(KEY, head, f"v{version}")).entry.number == version
    assert asked(world, last_made_current(KEY, head, "v9")) is None
    assert asked(world, last_made_current(KEY, None, "v1")) is None


def test_a_move_that_is_named_and_gone_breaks_the_chain() -> None:
    world = a_world()
    head = entry_of(world, 3)
    gone(KEY.entry(2))(world)
    with pytest.raises(BrokenChain, match="entry 2"):
        asked(world, last_made_current(KEY, head, "v1"))
