"""One write, one end: what happens when somebody acts between two calls, or an answer does not come."""

from datetime import timedelta
from typing import Any

import pytest

from mira.api.modelpromotion import ModelPromotion
from mira.decide.modelpromotion import decided_status
from mira.registry.deciding import Decided, Waiting
from mira.registry.document import sha256
from mira.registry.entry import Entry, EntryKind
from mira.registry.lineage import verify_chain
from mira.registry.steps import Call, Create, Procedure, ReadLive, Unsettled
from mira.registry.store import Put, StoreRefused, StoreUnavailable
from tests.registry.candidates import (
    Change,
    a_candidate,
    create_again,
    create_with_another_spec,
    creates_an_entry,
    delete,
    delete_softly,
    freeze,
    kinds,
    reject,
    stage_gone,
    stopped_at_its_entry,
    unclear,
    version_gone,
    withdraw,
)
from tests.registry.lineages import a_world, entry_of, point
from tests.registry.stepping import Stepped
from tests.support.world import KEY, NOON, World, later, promotion, publish, stage

WITHDRAWN: dict[str, Change] = {
    "its approval is withdrawn": withdraw,
    "it is deleted": delete,
    "it is being deleted": delete_softly,
    "it is created again": create_again,
    "it is created again with another spec": create_with_another_spec,
    "its stage is deleted": stage_gone,
    "its version is deleted": version_gone,
    "a freeze window opens": freeze,
}


@pytest.mark.parametrize("happens", WITHDRAWN.values(), ids=WITHDRAWN.keys())
def test_a_void_closes_the_number_when_while_the_write_is_unclear(happens: Change) -> None:
    world = a_world()
    stepped = stopped_at_its_entry(world, a_candidate(world))
    sent = stepped.step(unclear)
    happens(world)
    assert isinstance(stepped.finish(), Waiting)
    void = world.entries()[-1]
    assert (void.number, void.kind, void.op) == (4, EntryKind.VOID, Entry.parse(sent.body).op)
    assert void.current == world.entries()[-2].current
    assert void.moved_by == world.entries()[-2].moved_by
    assert KEY.decision(void.op) not in world.store.objects
    assert world.answer(sent) is Put.UNCLEAR, "the late write finds its number taken"
    Procedure(verify_chain(KEY)).advance(world.answer)


@pytest.mark.parametrize("happens", WITHDRAWN.values(), ids=WITHDRAWN.keys())
def test_nothing_is_written_when_before_it_is_judged(happens: Change) -> None:
    """The decision rests on what is live at the end, not on what was there when the procedure began."""
    world = a_world()
    stepped = Stepped(world, world.procedure(a_candidate(world)))
    stepped.until(lambda call: isinstance(call, ReadLive))
    happens(world)
    assert isinstance(stepped.finish(), Waiting)
    assert len(world.entries()) == 3


@pytest.mark.parametrize("happens", WITHDRAWN.values(), ids=WITHDRAWN.keys())
def test_a_write_that_did_arrive_counts_when_before_that_is_known(happens: Change) -> None:
    world = a_world()
    stepped = stopped_at_its_entry(world, a_candidate(world))
    stepped.step(lambda call: (world.answer(call), Put.UNCLEAR)[1])
    happens(world)
    end = stepped.finish()
    assert isinstance(end, Decided)
    assert (end.link.entry.kind, end.link.entry.number) == (EntryKind.PROMOTE, 4)


def test_an_op_whose_attempt_ended_in_a_void_is_decided_later() -> None:
    world = a_world()
    mine = a_candidate(world)
    stepped = stopped_at_its_entry(world, mine)
    stepped.step(unclear)
    delete(world)
    stepped.finish()
    again = world.put(later(mine, uid="uid-again"))
    end = world.decide(again)
    assert isinstance(end, Decided)
    assert (end.link.entry.number, end.link.entry.resource.uid) == (5, "uid-again")
    assert kinds(world)[3:] == ["Void mine", "Promote mine"]


def test_a_late_write_may_land_instead_of_the_void_and_is_then_the_end() -> None:
    world = a_world()
    stepped = stopped_at_its_entry(world, a_candidate(world))
    late = stepped.step(unclear)
    withdraw(world)
    stepped.until(creates_an_entry)  # the Void
    assert world.answer(late) is Put.WRITTEN
    end = stepped.finish()
    assert isinstance(end, Decided)
    assert end.link.raw == late.body
    assert kinds(world)[3:] == ["Promote mine"]


def test_a_void_is_sent_until_the_number_is_taken() -> None:
    world = a_world()
    stepped = stopped_at_its_entry(world, a_candidate(world))
    stepped.step(unclear)
    withdraw(world)
    for _ in range(3):
        stepped.until(creates_an_entry)
        stepped.step(unclear)
    assert isinstance(stepped.finish(), Waiting)
    assert kinds(world)[3:] == ["Void mine"]


def test_an_approval_given_again_takes_the_void_back() -> None:
    world = a_world()
    mine = a_candidate(world)
    stepped = stopped_at_its_entry(world, mine)
    stepped.step(unclear)
    withdraw(world)
    stepped.until(creates_an_entry)
    stepped.step(unclear)  # the Void, which did not arrive
    world.put(mine)
    end = stepped.finish()
    assert isinstance(end, Decided)
    assert kinds(world)[3:] == ["Promote mine"]


def test_a_rejection_while_the_write_is_unclear_is_sent_to_the_same_number() -> None:
    world = a_world()
    stepped = stopped_at_its_entry(world, a_candidate(world))
    late = stepped.step(unclear)
    reject(world)
    end = stepped.finish()
    assert isinstance(end, Decided)
    assert (end.link.entry.number, end.link.entry.kind, end.link.entry.reason) == (4, EntryKind.REFUSE, "Rejected")
    assert [approval.decision for approval in end.link.entry.approvals] == ["Rejected"]
    assert world.answer(late) is Put.UNCLEAR


def test_the_same_decision_is_the_same_bytes_however_late_it_is_sent_again() -> None:
    world = a_world()
    stepped = stopped_at_its_entry(world, a_candidate(world))
    first = stepped.step(unclear)
    world.now += timedelta(minutes=5)
    stepped.until(creates_an_entry)
    assert stepped.step() == first


def test_a_crash_forgets_an_attempt_and_its_late_write_is_found_as_the_end() -> None:
    world = a_world()
    mine = a_candidate(world)
    late = stopped_at_its_entry(world, mine).step(unclear)
    withdraw(world)
    assert isinstance(world.decide(mine), Waiting)
    assert len(world.entries()) == 3, "whoever has no attempt on a number closes none"
    assert world.answer(late) is Put.WRITTEN
    end = world.decide(mine)
    assert isinstance(end, Decided)
    assert end.link.raw == late.body
    assert kinds(world)[3:] == ["Promote mine"]


def test_somebody_elses_entry_sends_back_to_the_head() -> None:
    world = a_world()
    mine, other = a_candidate(world), a_candidate(world, "other", "v8")
    stepped = stopped_at_its_entry(world, mine)
    world.decide(other)
    end = stepped.finish()
    assert isinstance(end, Decided)
    # Both were created in the same second: ties go by name, and "other" is the later one.
    assert (end.link.entry.number, end.link.entry.reason) == (5, "Superseded")


def test_the_other_operators_entry_of_the_own_op_is_the_own_end() -> None:
    world = a_world()
    mine = a_candidate(world)
    slow = stopped_at_its_entry(world, mine)
    world.now += timedelta(seconds=30)
    first = world.decide(mine)
    end = slow.finish()
    assert isinstance(first, Decided)
    assert isinstance(end, Decided)
    assert end.link == first.link
    assert kinds(world)[3:] == ["Promote mine"]


def test_what_is_said_is_what_the_entry_says_though_one_judged_otherwise() -> None:
    """One saw gates that fail and wrote nothing yet; the other saw the stage without gates and promoted."""
    world = a_world()
    mine = a_candidate(world)
    world.stage = stage(gates=[{"metric": "roc_auc", "minimum": "0.99"}])
    slow = stopped_at_its_entry(world, mine)
    world.stage = stage()
    world.decide(mine)
    end = slow.finish()
    assert isinstance(end, Decided)
    assert end.link.entry.kind is EntryKind.PROMOTE
    said = {c.type: (c.status, c.reason) for c in decided_status(mine, end, world.now).conditions}
    assert said["Promoted"] == ("True", "Promoted")
    assert said["GatesPassed"][0] == "True"
    assert said["Approved"][0] == "True"


def test_the_heads_decision_is_there_before_the_next_entry() -> None:
    world = a_world()
    head = entry_of(world, 3)
    del world.store.objects[KEY.decision(head.entry.op)]
    stepped = stopped_at_its_entry(world, a_candidate(world))
    assert world.store.objects[KEY.decision(head.entry.op)] == head.raw
    stepped.finish()


@pytest.mark.parametrize("arrives", [False, True], ids=["never", "all the same"])
def test_help_whose_answer_is_lost_is_seen_before_the_next_entry_and_it_arrived(arrives: bool) -> None:
    world = a_world()
    head = entry_of(world, 3)
    del world.store.objects[KEY.decision(head.entry.op)]
    stepped = Stepped(world, world.procedure(a_candidate(world)))
    stepped.until(lambda call: isinstance(call, Create))
    stepped.step(lambda call: (world.answer(call) if arrives else None, Put.UNCLEAR)[1])
    stepped.until(creates_an_entry)
    assert world.store.objects[KEY.decision(head.entry.op)] == head.raw


def test_a_void_at_the_head_needs_no_help_and_is_chained_to() -> None:
    world = a_world()
    mine = a_candidate(world)
    stepped = stopped_at_its_entry(world, mine)
    stepped.step(unclear)
    withdraw(world)
    stepped.finish()
    world.put(mine)
    decisions = {key for key in world.store.objects if key.startswith("decisions/")}
    end = world.decide(mine)
    assert isinstance(end, Decided)
    assert end.link.entry.prev_sha256 == sha256(world.store.objects[KEY.entry(4)])
    point(world)
    assert {key for key in world.store.objects if key.startswith("decisions/")} == decisions | {
        KEY.decision(end.link.entry.op)
    }


def test_a_read_that_fails_is_asked_again_and_nothing_before_it_is_forgotten() -> None:
    world = a_world()
    stepped = stopped_at_its_entry(world, a_candidate(world))
    stepped.step(unclear)
    withdraw(world)

    def away(_: Call) -> Any:
        raise StoreUnavailable("S3 is away")

    for _ in range(50):
        with pytest.raises(StoreUnavailable):
            stepped.procedure.advance(away)
    assert isinstance(stepped.finish(), Waiting)
    assert kinds(world)[3:] == ["Void mine"], "the attempt was remembered"


@pytest.mark.parametrize("error", [StoreRefused, StoreUnavailable])
def test_a_write_that_raises_is_judged_anew_before_it_is_sent_again(error: type[Exception]) -> None:
    """An hour may lie between the two; and an approval that was withdrawn in that hour counts."""
    world = a_world()
    stepped = stopped_at_its_entry(world, a_candidate(world))

    def failing(_: Call) -> Any:
        raise error("403 or no answer")

    with pytest.raises(error):
        stepped.procedure.advance(failing)
    withdraw(world)
    assert isinstance(stepped.finish(), Waiting)
    assert kinds(world)[3:] == ["Void mine"]


def test_a_refused_write_that_is_allowed_later_is_carried_out() -> None:
    world = a_world()
    procedure = world.procedure(a_candidate(world))

    def refusing(call: Call) -> Any:
        if isinstance(call, Create):
            raise StoreRefused("403")
        return world.answer(call)

    for _ in range(3):
        with pytest.raises(StoreRefused):
            procedure.advance(refusing)
    assert isinstance(procedure.advance(world.answer), Decided)
    assert kinds(world)[3:] == ["Promote mine"]


def test_a_procedure_over_its_budget_goes_on_where_it_was() -> None:
    world = a_world()
    del world.store.objects[KEY.pointer]
    mine = a_candidate(world)
    procedure: Procedure[Any] = Procedure(world.procedure(mine)._steps, budget=2)
    unsettled = 0
    while True:
        try:
            end = procedure.advance(world.answer)
        except Unsettled:
            unsettled += 1
        else:
            break
    assert unsettled > 3
    assert isinstance(end, Decided)
    assert kinds(world)[3:] == ["Promote mine"]


WIDE = "\U0001f600"
MANY = {f"m{n}": "0.5" for n in range(32)}


def of_many_words(world: World) -> ModelPromotion:
    """A promotion with 32 approvals, each with the longest name and comment that the API takes."""
    digest = publish(world.store, "v9", MANY)
    people = {f"{n:02d}{WIDE * 510}": digest for n in range(32)}
    mine = promotion("mine", "v9", created=NOON + timedelta(minutes=1), approvals=people, justification=WIDE * 1024)
    words = {"comment": WIDE * 1024}
    spec = {"approvals": tuple(each.model_copy(update=words) for each in mine.spec.approvals)}
    status = {"approvals": tuple(each.model_copy(update=words) for each in mine.status.approvals)}
    changed = {"spec": mine.spec.model_copy(update=spec), "status": mine.status.model_copy(update=status)}
    return world.put(mine.model_copy(update=changed))


@pytest.mark.parametrize(
    ("gates", "end"),
    [
        ([{"metric": f"m{n}", "minimum": "0." + "1" * 30, "maximum": "0." + "9" * 30} for n in range(32)], "Promoted"),
        (
            [{"metric": f"m{n}", "slice": f"{WIDE * 120}={WIDE * 130}", "minimum": "0.1"} for n in range(32)],
            "GatesFailed",
        ),
    ],
)
def test_the_longest_words_that_the_api_takes_make_an_entry_that_can_be_read(gates: list[Any], end: str) -> None:
    """An entry that nobody can read would stop the stage for ever."""
    world = a_world()
    mine = of_many_words(world)
    world.stage = stage(gates=gates)
    decided = world.decide(mine)
    assert isinstance(decided, Decided)
    assert decided.link.entry.reason == end
    assert len(decided.link.entry.approvals) == 32
    assert len(decided.link.raw) > 100_000
    assert entry_of(world, 4) == decided.link
    assert Procedure(verify_chain(KEY)).advance(world.answer) == decided.link
    assert len(str(decided_status(mine, decided, world.now).wire())) > 1000
