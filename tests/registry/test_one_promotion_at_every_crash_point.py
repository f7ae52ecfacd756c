"""Two operators decide one promotion; one of them meets a fault at each of its calls. The end is always the same."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, product
from typing import Any

import pytest

from mira.registry.deciding import Decided
from mira.registry.entry import EntryKind, render_pointer
from mira.registry.lineage import verify_chain
from mira.registry.pointing import pointing
from mira.registry.steps import Call, Create, Procedure, ReadLive, Replace
from mira.registry.store import Put, StoreUnavailable
from tests.support.world import KEY, World, asked, documents_read_once, promotion, publish


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    with documents_read_once():
        yield


class Crash(Exception):
    """The operator died here."""


@dataclass(frozen=True)
class Fault:
    """What happens at one call."""

    name: str
    happen: Callable[[World, Call], Any]


def crash_before(_: World, __: Call) -> Any:
    raise Crash


def crash_after(world: World, call: Call) -> Any:
    world.answer(call)
    raise Crash


def answer_lost(world: World, call: Call) -> Any:
    """The call took effect and its answer did not come: a write is unclear, a read has to be asked again."""
    world.answer(call)
    if isinstance(call, Create | Replace):
        return Put.UNCLEAR
    raise StoreUnavailable("the answer was lost")


def never_arrived(_: World, call: Call) -> Any:
    if isinstance(call, Create | Replace):
        return Put.UNCLEAR
    raise StoreUnavailable("the call was lost")


FAULTS = [
    Fault("crash before", crash_before),
    Fault("crash after", crash_after),
    Fault("answer lost", answer_lost),
    Fault("never arrived", never_arrived),
]


class Operator:
    """Drives one promotion to its end and the pointer after it, call by call, and starts anew after a crash."""

    def __init__(self, world: World, resource: Any, fault: Fault | None = None, at: int = -1) -> None:
        self.world, self.resource, self.fault, self.at = world, resource, fault, at
        self.calls = 0
        self.met_fault = False
        self.end: Decided[Any] | None = None
        self.done = False
        self._steps = self._run()

    def step(self) -> None:
        """One call, or a restart."""
        try:
            next(self._steps)
        except StopIteration:
            self.done = True
        except Crash:
            self._steps = self._run()

    def _run(self) -> Iterator[None]:
        deciding = self.world.procedure(self.resource)
        end = yield from self._drive(deciding)
        assert isinstance(end, Decided)
        self.end = end
        yield from self._drive(Procedure(pointing(KEY)))

    def _drive(self, procedure: Procedure[Any]) -> Iterator[None]:
        while True:
            try:
                return procedure.advance(self._stepwise())
            except (_Pause, StoreUnavailable):
                yield

    def _stepwise(self) -> Callable[[Call], Any]:
        taken = False

        def answer(call: Call) -> Any:
            nonlocal taken
            if taken:
                raise _Pause
            taken = True
            self.calls += 1
            if self.fault is not None and self.calls == self.at + 1:
                self.met_fault = True
                return self.fault.happen(self.world, call)
            return self.world.answer(call)

        return answer


class _Pause(Exception):
    """The other operator's turn; the call has not been made."""


def a_world() -> tuple[World, Any]:
    return BEGINNING.copy(), FIRST


BEGINNING = World()
FIRST = BEGINNING.put(promotion("first", "v1", approvals={"bob": publish(BEGINNING.store, "v1")}))


def calls_undisturbed() -> int:
    world, resource = a_world()
    operator = Operator(world, resource)
    while not operator.done:
        operator.step()
    return operator.calls


def check(world: World, operators: list[Operator], told: str) -> None:
    entries = world.entries()
    of_op = [
        entry for entry in entries if entry.op == asked(operators[0].resource).op and entry.kind is not EntryKind.VOID
    ]
    assert [entry.kind for entry in of_op] == [EntryKind.PROMOTE], told
    Procedure(verify_chain(KEY)).advance(world.answer)
    newest = world.store.objects[KEY.entry(len(entries))]
    assert world.store.objects[KEY.pointer] == render_pointer(newest), told
    for operator in operators:
        assert operator.end is not None, told
        assert operator.end.link.entry == of_op[0], told


CALLS = calls_undisturbed()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_one_operator_with_a_fault_at_each_of_its_calls_ends_as_if_undisturbed(fault: Fault) -> None:
    for at in range(CALLS):
        world, resource = a_world()
        operator = Operator(world, resource, fault, at)
        for _ in range(20 * CALLS):
            operator.step()
            if operator.done:
                break
        check(world, [operator], f"{fault.name} at call {at}")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_second_operator_takes_over_at_each_call_while_the_first_meets_a_fault_at_each_call(fault: Fault) -> None:
    # The first runs until `switch`, the second until `back`, then the first to its end, then the second.
    for switch, back in product(range(CALLS), (1, CALLS // 3, CALLS - 2)):
        for at in count():
            world, resource = a_world()
            first, second = Operator(world, resource, fault, at), Operator(world, resource)
            for operator, steps in ((first, switch), (second, back), (first, 30 * CALLS), (second, 30 * CALLS)):
                for _ in range(steps):
                    if operator.done:
                        break
                    operator.step()
            check(world, [first, second], f"{fault.name} at call {at}, switched at {switch} and back at {back}")
            if not first.met_fault:  # it ended before: later calls are not made either
                break


def test_the_walk_reaches_every_kind_of_call() -> None:
    world, resource = a_world()
    seen: set[type] = set()
    operator = Operator(world, resource)
    answer = world.answer
    world.answer = lambda call: (seen.add(type(call)), answer(call))[1]  # type: ignore[method-assign]
    while not operator.done:
        operator.step()
    assert {"Get", "Create", "ListKeys", "CheckFiles", "ReadLive"} <= {kind.__name__ for kind in seen}
    assert ReadLive in seen
