"""Operators, users and a store at random: crashes, lost and late writes, re-created resources, pointers edited by hand.

Every call of every procedure is one step of the history; what holds after each step and at the end is checked here. The
same history follows from the same seed.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from mira.decide.modelpromotion import Judgement, void
from mira.registry import deciding as protocol
from mira.registry import pointing as pointers
from mira.registry.deciding import Decided, Waiting
from mira.registry.document import DocumentInvalid
from mira.registry.entry import Entry, EntryKind, Pointer, render_pointer
from mira.registry.lineage import BrokenChain, verify_chain
from mira.registry.steps import Call, Create, Procedure, Replace
from mira.registry.store import Put, StoreUnavailable
from tests.support import world as support
from tests.support.world import KEY, NOON, World, later, promotion, publish

POINTER = "the pointer"
STEPS = 70
ENDING = 4000


class Violation(AssertionError):
    """What the registry promises does not hold."""


@dataclass(frozen=True)
class Odds:
    """How often, in a hundred calls, something goes wrong, and in a hundred steps, somebody does something."""

    crash: int = 1
    never_arrived: int = 3
    answer_lost: int = 4
    late: int = 8
    user: int = 12


@dataclass
class Task:
    """One procedure under way, and the writes that it sent and that have not arrived."""

    name: str
    procedure: Procedure[Any]
    in_flight: list[Create | Replace] = field(default_factory=list)


@dataclass
class Operator:
    """One operator's memory: it is gone with a crash."""

    tasks: dict[str, Task] = field(default_factory=dict)
    reported: set[tuple[str, str]] = field(default_factory=set)


class _Pause(Exception):
    """Somebody else's turn."""


class _Crashed(Exception):
    """The operator died; its memory is gone."""


@cache
def beginning() -> World:
    """A stage that serves v0, and three promotions, of which the third goes back to v0."""
    world = World()
    zero, one, two = (publish(world.store, version) for version in ("v0", "v1", "v2"))
    first = world.put(promotion("zero", "v0", created=NOON - timedelta(days=1), approvals={"bob": zero}))
    world.decide(first)
    Procedure(pointers.pointing(KEY)).advance(world.answer)
    del world.promotions["zero"]
    world.put(promotion("one", "v1", approvals={"bob": one}))
    world.put(promotion("two", "v2", created=NOON + timedelta(seconds=10), approvals={"bob": two}))
    world.put(promotion("three", "v0", created=NOON + timedelta(seconds=20), action="RollBack"))
    return world


class Simulation:
    """One history. `run` raises Violation where a promise is broken."""

    odds = Odds()
    entry_odds = Odds(crash=10, never_arrived=15, answer_lost=15, late=30)

    def __init__(self, seed: int, asked: Callable[[Any], Any] = support.asked) -> None:
        self.random = random.Random(seed)  # noqa: S311 - the same history from the same seed
        self.asked = asked
        self.world = beginning().copy()
        self.names = sorted(self.world.promotions)
        self.all = dict(self.world.promotions)
        self.operators = [Operator(), Operator()]
        self.late: list[tuple[Task, Create | Replace]] = []
        self.recreated = self.forged = 0
        self.met: Counter[str] = Counter()

    def run(self) -> "Simulation":
        for _ in range(STEPS):
            if self._chance(self.odds.user):
                self._user()
            elif self.late and self._chance(15):
                self._arrives(*self.late.pop(self.random.randrange(len(self.late))))
            else:
                turn = self.random.choice(self.operators), self.random.choice([*self.names, POINTER])
                for _ in range(self.random.choice((1, 2, 4, 8))):
                    self._work(*turn)
        self._end()
        return self

    def _chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    # What operators do

    def _work(self, operator: Operator, name: str, *, faults: bool = True) -> None:
        task = operator.tasks.get(name) or self._begin(operator, name)
        if task is None:
            return
        operator.tasks[name] = task
        try:
            ended = task.procedure.advance(self._one_call(task, faults=faults))
        except (_Pause, StoreUnavailable):
            return
        except BrokenChain:
            # A pointer without any lineage: a person must look. Anything else is a broken promise.
            if name != POINTER or self.world.entries():
                raise
            del operator.tasks[name]
            return
        except _Crashed:
            operator.tasks.clear()
            operator.reported.clear()
            return
        del operator.tasks[name]
        self._ended(operator, name, task, ended)

    def _begin(self, operator: Operator, name: str) -> Task | None:
        if name == POINTER:
            return Task(name, Procedure(pointers.pointing(KEY)))
        resource = self.world.promotions.get(name)
        if resource is None or (name, resource.metadata.uid) in operator.reported:
            return None
        asked = self.asked(resource)
        judge = Judgement(asked, "test").judge()
        close = lambda head: void(asked, resource, "test", self.world.now, head)  # noqa: E731
        return Task(name, Procedure(protocol.deciding(KEY, asked.op, judge, close)))

    def _one_call(self, task: Task, *, faults: bool) -> Callable[[Call], Any]:
        taken = False

        def answer(call: Call) -> Any:
            nonlocal taken
            if taken:
                raise _Pause
            taken = True
            return self._faulty(task, call) if faults else self._carried_out(call)

        return answer

    def _faulty(self, task: Task, call: Call) -> Any:
        write = isinstance(call, Create | Replace)
        entry = isinstance(call, Create) and call.key.startswith(KEY.lineage)
        odds, die = self.entry_odds if entry else self.odds, self.random.randrange(100)
        if die < odds.crash:
            self.met["crash"] += 1
            self._last_words(task, call)
            raise _Crashed
        die -= odds.crash
        if die < odds.never_arrived:
            self.met["never arrived"] += 1
            self._provoke(task, call)
            return self._no_answer(write)
        die -= odds.never_arrived
        if die < odds.answer_lost:
            self.met["answer lost"] += 1
            self._carried_out(call)
            return self._no_answer(write)
        die -= odds.answer_lost
        if write and die < odds.late:
            self.met["late write"] += 1
            self._send_late(task, call)
            return Put.UNCLEAR
        return self._carried_out(call)

    def _last_words(self, task: Task, call: Call) -> None:
        """A crash before, while or after the call takes effect."""
        match self.random.randrange(3):
            case 0 if isinstance(call, Create | Replace):
                self._send_late(task, call)
            case 1:
                self._carried_out(call)

    def _send_late(self, task: Task, call: Create | Replace) -> None:
        task.in_flight.append(call)
        self.late.append((task, call))
        self._provoke(task, call)

    def _provoke(self, task: Task, call: Call) -> None:
        """While an entry is under way, its reason goes away: the moment that is hard to get right."""
        if isinstance(call, Create) and call.key.startswith(KEY.lineage) and self._chance(60):
            resource = self.world.promotions.pop(task.name, None)
            if resource is not None and resource.spec.approvals and self._chance(60):
                self.world.put(_with_approvals(resource, ()))

    def _no_answer(self, write: bool) -> Put:
        if write:
            return Put.UNCLEAR
        raise StoreUnavailable("no answer")

    def _arrives(self, task: Task, call: Create | Replace) -> None:
        task.in_flight.remove(call)
        self._carried_out(call)

    def _carried_out(self, call: Call) -> Any:
        before = self.world.store.objects.get(KEY.pointer)
        answer = self.world.answer(call)
        after = self.world.store.objects.get(KEY.pointer)
        if isinstance(call, Create | Replace) and before is not None and before != after:
            self._never_lower(before, after or b"")
        if isinstance(call, Create) and call.key.startswith(KEY.lineage) and answer is Put.WRITTEN:
            self._once(Entry.parse(call.body))
        return answer

    # What users do

    def _user(self) -> None:
        name = self.random.choice(self.names)
        resource = self.world.promotions.get(name)
        match self.random.randrange(5):
            case 0 if self.recreated < 2:
                self.recreated += 1
                self.met["created again"] += 1
                created = NOON + timedelta(seconds=30 + self.recreated)
                again = later(self.all[name], uid=f"uid-{name}-{self.recreated}", creation_timestamp=created)
                self.world.put(again)
            case 1 if resource is not None:
                self.met["deleted"] += 1
                del self.world.promotions[name]
            case 2 if resource is not None and resource.spec.approvals:
                self.met["withdrawn"] += 1
                self.world.put(_with_approvals(resource, ()))
            case 3 if resource is not None and not resource.spec.approvals:
                self.world.put(_with_approvals(resource, self.all[name].spec.approvals))
            case 4 if self.forged < 2:
                self.forged += 1
                self._forge()

    def _forge(self) -> None:
        """Somebody edits the pointer: deletes it, fills it with garbage, lets it promise too much."""
        objects = self.world.store.objects
        entries = self.world.entries()
        self.met["pointer edited"] += 1
        match self.random.randrange(3):
            case 0:
                objects.pop(KEY.pointer, None)
            case 1:
                objects[KEY.pointer] = b"{}"
            case 2 if entries:
                # What a broken tool would write: a number that does not exist, as if it were the rendering of one.
                ahead = entries[-1].number + 2
                real = Pointer.parse(render_pointer(objects[KEY.entry(entries[-1].number)]))
                objects[KEY.pointer] = real.model_copy(update={"number": ahead}).render()

    # What is promised

    def _once(self, entry: Entry) -> None:
        """Called after each new entry: what it decides has no other end, whatever uid asked."""
        if entry.kind is EntryKind.VOID:
            self.met["Void"] += 1
            return
        name = entry.resource.name
        ends = [e for e in self.world.entries() if e.resource.name == name and e.kind is not EntryKind.VOID]
        if len(ends) > 1:
            raise Violation(f"{name} is decided by entries {[each.number for each in ends]}")

    def _never_lower(self, before: bytes, after: bytes) -> None:
        try:
            old, new = Pointer.parse(before), Pointer.parse(after)
        except DocumentInvalid:
            return
        raw = self.world.store.objects.get(KEY.entry(old.number))
        if raw is not None and render_pointer(raw) == before and new.number < old.number:
            raise Violation(f"the pointer went from entry {old.number} to {new.number}")

    def _ended(self, operator: Operator, name: str, task: Task, ended: Any) -> None:
        """What a procedure says when it ends is so, and nothing that it sent can change it any more."""
        open_writes = [call.key for call in task.in_flight if call.key not in self.world.store.objects]
        if name != POINTER and open_writes:
            raise Violation(f"{name} ended while its write of {open_writes[0]} may still land")
        if isinstance(ended, Waiting):
            self.met["waiting"] += 1
        elif isinstance(ended, Decided):
            entry = ended.link.entry
            if entry.kind is EntryKind.VOID:
                raise Violation(f"{name} reports a Void as its end")
            if self.world.store.objects.get(KEY.entry(entry.number)) != ended.link.raw:
                raise Violation(f"{name} reports what entry {entry.number} does not say")
            self.met[str(entry.reason)] += 1
            resource = self.world.promotions.get(name)
            if resource is not None and self.asked(resource).op == entry.op:
                operator.reported.add((name, resource.metadata.uid))

    def _end(self) -> None:
        """Late writes land or do not; then nothing fails any more, and everything comes to its end."""
        for task, call in self.random.sample(self.late, len(self.late)):
            if self._chance(50):
                self._arrives(task, call)
        self.late.clear()
        for name, resource in self.all.items():
            self.world.promotions.setdefault(name, resource)
            self.world.put(_with_approvals(self.world.promotions[name], resource.spec.approvals))
        everything = [(operator, name) for operator in self.operators for name in self.names]
        for _ in range(ENDING):
            going = [(operator, name) for operator, name in everything if not self._reported(operator, name)]
            if not going:
                break
            self._work(*self.random.choice(going), faults=False)
        else:
            raise Violation("a promotion does not come to its end")
        self._settled()

    def _reported(self, operator: Operator, name: str) -> bool:
        return (name, self.world.promotions[name].metadata.uid) in operator.reported

    def _settled(self) -> None:
        objects, answer = self.world.store.objects, self.world.answer
        head = Procedure(verify_chain(KEY)).advance(answer)
        for operator in self.operators:
            if (task := operator.tasks.pop(POINTER, None)) is not None:
                task.procedure.advance(answer)
        Procedure(pointers.pointing(KEY)).advance(answer)
        if head is None or objects[KEY.pointer] != render_pointer(head.raw):
            raise Violation("the pointer does not show the newest entry")
        for entry in self.world.entries()[:-1]:
            decided = objects.get(KEY.decision(entry.op))
            if entry.kind is not EntryKind.VOID and decided != objects[KEY.entry(entry.number)]:
                raise Violation(f"entry {entry.number} is not found by its op")
        served = None
        for entry in self.world.entries():
            moves = entry.kind in (EntryKind.PROMOTE, EntryKind.ROLL_BACK)
            if not moves and entry.current != served:
                raise Violation(f"entry {entry.number} ({entry.kind}) changes what is current")
            served = entry.current


def _with_approvals(resource: Any, approvals: tuple[Any, ...]) -> Any:
    """The promotion with these approvals, seen long ago."""
    seen = support.promotion("x", "v1", approvals={a.approver: a.digest for a in approvals}).status.approvals
    return resource.model_copy(
        update={
            "spec": resource.spec.model_copy(update={"approvals": approvals}),
            "status": resource.status.model_copy(update={"approvals": seen}),
        }
    )
