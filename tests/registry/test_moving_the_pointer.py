"""The pointer follows the lineage, whatever somebody did to it, and never goes back by us."""

from collections.abc import Callable
from itertools import product

import pytest

from mira.registry.document import REGISTRY_LIMIT, sha256
from mira.registry.entry import Pointer, render_pointer
from mira.registry.lineage import BrokenChain
from mira.registry.pointing import Pointed, pointing
from mira.registry.steps import Call, Create, Procedure, Replace
from mira.registry.store import Put
from tests.registry.lineages import a_world, entry_of, point
from tests.registry.stepping import Stepped
from tests.support.world import KEY, World, promotion, publish


def shown(world: World) -> int:
    return Pointer.parse(world.store.objects[KEY.pointer]).number


def is_right(world: World) -> bool:
    newest = world.entries()[-1].number
    return world.store.objects[KEY.pointer] == render_pointer(entry_of(world, newest).raw)


def kept(world: World) -> dict[str, bytes]:
    return {key: body for key, body in world.store.objects.items() if key.startswith("quarantine/")}


def moves_the_pointer(call: Call) -> bool:
    return isinstance(call, Create | Replace) and call.key == KEY.pointer


def decide_one_more(world: World, number: int) -> None:
    digest = publish(world.store, f"v{number}")
    resource = promotion(f"p{number}", f"v{number}", approvals={"bob": digest})
    world.decide(world.put(resource.model_copy(update={"metadata": world.promotions["p3"].metadata.model_copy(
        update={"name": f"p{number}", "uid": f"uid-{number}", "creation_timestamp": world.now}
    )})))  # fmt: skip


def run(world: World) -> Pointed:
    return Procedure(pointing(KEY)).advance(world.answer)


def test_nothing_decided_nothing_pointed() -> None:
    world = World()
    assert run(world).head.link is None
    assert world.store.objects == {}


def test_a_pointer_that_is_right_is_not_written() -> None:
    world = a_world()
    world.store.requests.clear()
    pointed = run(world)
    assert (pointed.moved, pointed.repaired, pointed.head.number) == (False, False, 3)
    assert {request.verb for request in world.store.requests} == {"get"}


@pytest.mark.parametrize("number", [1, 2])
def test_a_pointer_that_is_behind_is_moved_and_was_not_wrong(number: int) -> None:
    world = a_world()
    world.store.objects[KEY.pointer] = render_pointer(entry_of(world, number).raw)
    pointed = run(world)
    assert (pointed.moved, pointed.repaired) == (True, False)
    assert is_right(world)
    assert kept(world) == {}


def test_a_pointer_that_is_absent_is_made_again_from_the_newest_entry() -> None:
    world = a_world()
    del world.store.objects[KEY.pointer]
    assert run(world).moved
    assert is_right(world)


FOUND: dict[str, Callable[[World], bytes]] = {
    "garbage": lambda _: b"\xff\0garbage",
    "empty": lambda _: b"",
    "JSON of something else": lambda _: b'{"version": "v1"}',
    "another version, edited by hand": lambda w: w.store.objects[KEY.pointer].replace(b'"v3"', b'"v1"'),
    "formatted by an editor": lambda w: w.store.objects[KEY.pointer].replace(b",", b",\n  "),
    "a number that does not exist": lambda w: w.store.objects[KEY.pointer].replace(b'"number":3', b'"number":7'),
    "another stage's": lambda w: w.store.objects[KEY.pointer].replace(b'"production"', b'"staging"'),
    "almost too large": lambda _: b" " * REGISTRY_LIMIT,
}


@pytest.mark.parametrize("make", FOUND.values(), ids=FOUND.keys())
def test_a_pointer_is_kept_aside_and_repaired_that_is(make: Callable[[World], bytes]) -> None:
    world = a_world()
    body = world.store.objects[KEY.pointer] = make(world)
    pointed = run(world)
    assert (pointed.moved, pointed.repaired) == (True, True)
    assert is_right(world)
    assert kept(world) == {KEY.quarantine(sha256(body)): body}


def test_the_same_garbage_twice_is_kept_once() -> None:
    world = a_world()
    for _ in range(2):
        world.store.objects[KEY.pointer] = b"garbage"
        assert run(world).repaired
    assert len(kept(world)) == 1


def test_garbage_of_any_size_is_repaired() -> None:
    world = a_world()
    world.store.objects[KEY.pointer] = b"x" * (10 * REGISTRY_LIMIT)
    assert run(world).repaired
    assert is_right(world)


def test_a_pointer_without_any_lineage_is_left_for_a_person_to_look_at() -> None:
    world = World()
    world.store.objects[KEY.pointer] = b"{}"
    with pytest.raises(BrokenChain, match=r"current.json exists, but the stage has no lineage"):
        run(world)
    assert world.store.objects == {KEY.pointer: b"{}"}


def test_a_broken_chain_moves_nothing() -> None:
    world = a_world()
    del world.store.objects[KEY.entry(2)]
    world.store.objects[KEY.pointer] = b"garbage"
    with pytest.raises(BrokenChain, match="entry 2"):
        run(world)
    assert world.store.objects[KEY.pointer] == b"garbage"


def test_the_newest_entry_is_findable_by_its_op_before_the_pointer_shows_it() -> None:
    world = a_world()
    decide_one_more(world, 4)
    stepped = Stepped(world, Procedure(pointing(KEY)))
    stepped.until(moves_the_pointer)
    assert KEY.decision(entry_of(world, 4).entry.op) in world.store.objects


def test_a_slow_mover_does_not_move_back_what_another_moved_on() -> None:
    world = a_world()
    world.store.objects[KEY.pointer] = render_pointer(entry_of(world, 1).raw)
    slow = Stepped(world, Procedure(pointing(KEY)))
    slow.until(moves_the_pointer)  # to entry 3
    decide_one_more(world, 4)
    point(world)
    assert shown(world) == 4
    slow.step()
    assert shown(world) == 4
    assert slow.finish().head.number == 4


def test_a_slow_maker_does_not_replace_what_another_made() -> None:
    world = a_world()
    del world.store.objects[KEY.pointer]
    slow = Stepped(world, Procedure(pointing(KEY)))
    slow.until(moves_the_pointer)
    decide_one_more(world, 4)
    point(world)
    slow.step()
    assert shown(world) == 4
    assert slow.finish().head.number == 4


def test_a_write_that_lands_late_is_put_right_by_the_next_pass() -> None:
    world = a_world()
    world.store.objects[KEY.pointer] = before = render_pointer(entry_of(world, 1).raw)
    slow = Stepped(world, Procedure(pointing(KEY)))
    late = slow.until(moves_the_pointer)
    decide_one_more(world, 4)
    point(world)
    # Somebody restores the very bytes that the late write waits for: the one way in which it can still land.
    world.store.objects[KEY.pointer] = before
    assert world.answer(late) is Put.WRITTEN
    assert shown(world) == 3
    point(world)
    assert is_right(world)


def never_arrived(_: World, __: Call) -> Put:
    return Put.UNCLEAR


def answer_lost(world: World, call: Call) -> Put:
    world.answer(call)
    return Put.UNCLEAR


@pytest.mark.parametrize("fault", [never_arrived, answer_lost])
@pytest.mark.parametrize("start", ["absent", "behind", "garbage"])
def test_an_unclear_move_is_read_again(start: str, fault: Callable[[World, Call], Put]) -> None:
    world = a_world()
    del world.store.objects[KEY.pointer]
    if start != "absent":
        world.store.objects[KEY.pointer] = b"x" if start == "garbage" else render_pointer(entry_of(world, 1).raw)
    stepped = Stepped(world, Procedure(pointing(KEY)))
    stepped.until(moves_the_pointer)
    stepped.step(lambda call: fault(world, call))
    assert stepped.finish().head.number == 3
    assert is_right(world)


@pytest.mark.parametrize("body", [None, b"garbage", b"older"], ids=["deleted", "garbage", "behind"])
def test_two_repairers_agree_in_every_interleaving(body: bytes | None) -> None:
    for switch, back in product(range(12), range(12)):
        world = a_world()
        del world.store.objects[KEY.pointer]
        if body is not None:
            world.store.objects[KEY.pointer] = render_pointer(entry_of(world, 1).raw) if body == b"older" else body
        one, other = (Stepped(world, Procedure(pointing(KEY))) for _ in range(2))
        for stepped, steps in ((one, switch), (other, back), (one, 99), (other, 99)):
            for _ in range(steps):
                if not stepped.ended:
                    stepped.step()
        assert is_right(world)
        assert len(kept(world)) == (1 if body == b"garbage" else 0)


def test_a_crash_at_any_call_loses_nothing() -> None:
    calls = 0
    while True:
        world = a_world()
        decide_one_more(world, 4)
        world.store.objects[KEY.pointer] = b"garbage"
        stepped = Stepped(world, Procedure(pointing(KEY)))
        for _ in range(calls):
            if not stepped.ended:
                stepped.step()
        point(world)
        assert is_right(world)
        assert list(kept(world).values()) == [b"garbage"]
        if stepped.ended:
            return
        calls += 1
