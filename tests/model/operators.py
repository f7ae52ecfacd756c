"""What each operator has under way, what users left, late writes of nobody: the parts of a state, and what follows."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from mira.registry.entry import Entry, EntryKind
from mira.registry.steps import Create
from tests.model.automaton import Automaton, Site
from tests.model.bounds import Bounds, Driver
from tests.model.ground import Stores, Users, acts, next_entries, promotions
from tests.model.moves import Moves
from tests.model.process import CRASH, IDLE, View
from tests.model.processes import Processes
from tests.registry.simulation import beginning
from tests.support.world import KEY


class Step(NamedTuple):
    """One move of one operator."""

    label: tuple[int, int, str]
    cost: int
    store: int
    operator: int
    dropped: tuple[int, ...]


class Numbers:
    """Numbers for whatever is met, in the order in which it is met."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self._known: dict[Any, int] = {}

    def __call__(self, value: Any) -> int:
        number = self._known.get(value)
        if number is None:
            number = self._known[value] = len(self.all)
            self.all.append(value)
        return number


class Operators:
    """Every part of a state that was met, and what follows from each, found once."""

    def __init__(self, bounds: Bounds, driver: Driver, ask: Any, patient: frozenset[Site]) -> None:
        self.bounds = bounds
        self.known = promotions(bounds.names, ask)
        self.stores = Stores(beginning().copy().store)
        self.automaton = Automaton(starts_over=driver.starts_over, forgets=driver.forgets)
        self.processes = Processes(self.automaton, self.stores, self.known, driver, patient, helped=bounds.helped)
        self.moves = Moves(self.processes)
        self.slots = len(self.known) + bounds.pointers
        self.users, self.operators, self.loose, self.views = Numbers(), Numbers(), Numbers(), Numbers()
        self._view: list[int] = []
        self._steps: dict[tuple[int, int, int], list[Step]] = {}
        self._renewed: dict[tuple[int, int, int], int] = {}
        self._calm: dict[tuple[int, int, int], bool] = {}
        self._around: dict[tuple[int, int], list[tuple[str, int, int]]] = {}
        self._landing: dict[tuple[int, int, int], list[tuple[str, int, int]]] = {}

    def views_of(self, users: int) -> int:
        """The number of what each process sees of the users."""
        while len(self._view) <= users:
            each: Users = self.users.all[len(self._view)]
            hands = bool(each.hands)
            seen = [
                View(version, bool(each.acts) and name in self.bounds.touched, hands)
                for name, version in zip(self.bounds.names, each.versions, strict=True)
            ]
            self._view.append(self.views((*seen, View(0, changing=False, hands=hands))))
        return self._view[users]

    def renewed(self, operator: int, store: int, views: int) -> int:
        """An operator after the store or the users changed."""
        key = (operator, store, views)
        found = self._renewed.get(key)
        if found is None:
            seen = self.views.all[views]
            processes = self.operators.all[operator]
            found = self.operators(
                tuple(self.processes.settled(each, store, seen[slot]) for slot, each in enumerate(processes))
            )
            self._renewed[key] = found
        return found

    def steps(self, operator: int, store: int, views: int) -> list[Step]:
        """Everything that may happen to an operator."""
        key = (operator, store, views)
        found = self._steps.get(key)
        if found is None:
            found = self._steps[key] = [*self._all_steps(*key)]
        return found

    def _all_steps(self, operator: int, store: int, views: int) -> Iterator[Step]:
        processes, seen = self.operators.all[operator], self.views.all[views]
        for slot, each in enumerate(processes):
            for label, cost, after, process in self.moves.of(each, store, seen[slot]):
                mine = self.operators((*processes[:slot], process, *processes[slot + 1 :]))
                if after != store:
                    mine = self.renewed(mine, after, views)
                if (after, mine) != (store, operator):
                    yield Step(label, cost, after, mine, ())
        forgotten = self.fresh(store, views)
        if forgotten != operator:
            dropped = sorted(flight for each in processes for flight in self.processes.all[each].flights)
            yield Step((-1, IDLE, ""), CRASH, store, forgotten, tuple(dropped))

    def fresh(self, store: int, views: int) -> int:
        """An operator that has just started."""
        seen = self.views.all[views]
        return self.operators(tuple(self.processes.beginning(slot, store, seen[slot]) for slot in range(self.slots)))

    def floating(self, loose: int, store: int, users: int, dropped: tuple[int, ...] = ()) -> int:
        """The late writes that nobody remembers and that may still do something."""
        hands = bool(self.users.all[users].hands)
        left = (*self.loose.all[loose], *dropped)
        return self.loose(tuple(sorted(each for each in left if not self.stores.moot(each, store, hands=hands))))

    def landings(self, loose: int, store: int, users: int) -> list[tuple[str, int, int]]:
        """What happens if one of them arrives: the words, the store and the late writes that are left."""
        key = (loose, store, users)
        found = self._landing.get(key)
        if found is None:
            found = self._landing[key] = []
            for each in sorted(set(self.loose.all[loose])):
                left = list(self.loose.all[loose])
                left.remove(each)
                after = self.moves.arrived(store, each)
                found.append(
                    (
                        f"a late write of {self.stores.calls[each].key} of one that crashed arrives",
                        after,
                        self.floating(self.loose(tuple(left)), after, users),
                    )
                )
        return found

    def around(self, store: int, users: int) -> list[tuple[str, int, int]]:
        """What users do, and what happens by itself: the words, the store and the users afterwards."""
        key = (store, users)
        found = self._around.get(key)
        if found is None:
            found = self._around[key] = [*self._all_around(store, users)]
        return found

    def _all_around(self, store: int, users: int) -> Iterator[tuple[str, int, int]]:
        left: Users = self.users.all[users]
        for words, acted in acts(left, self.known, self.bounds.touched):
            yield words, store, self.users(acted)
        if left.hands and self.bounds.pointers:
            edited = self.users(replace(left, hands=left.hands - 1))
            for words, body in self.stores.forgeries(store):
                forged = self.stores.with_pointer(store, body)
                if forged != store:
                    yield f"the pointer is {words}", forged, edited
        if self.bounds.helped or self.bounds.growth:
            for raw in self.stores.entries(store):
                entry = Entry.parse(raw)
                key = KEY.decision(entry.op)
                if entry.kind is not EntryKind.VOID and key not in self.stores.objects[store]:
                    helped = self.moves.arrived(store, self.stores.write_number(Create(key, raw)))
                    yield f"the decision of entry {entry.number} appears", helped, users
        yield from self._growth(store, users)

    def _growth(self, store: int, users: int) -> Iterator[tuple[str, int, int]]:
        """Where nobody decides: any next entry, once the decision of the one before is found."""
        entries = self.stores.entries(store)
        head = Entry.parse(entries[-1])
        found = head.kind is EntryKind.VOID or KEY.decision(head.op) in self.stores.objects[store]
        if len(entries) <= self.bounds.growth and found:
            for entry in next_entries(head, entries[-1]):
                write = self.stores.write_number(Create(KEY.entry(entry.number), entry.render()))
                yield f"entry {entry.number} ({entry.kind}) appears", self.moves.arrived(store, write), users

    def by_others(self, store: int, users: int, loose: int) -> Iterator[tuple[str, int, int, int]]:
        """What is not an operator's doing: the words, the store, the users and the late writes of nobody afterwards."""
        for words, after, acted in self.around(store, users):
            yield words, after, acted, self.floating(loose, after, acted)
        if self.loose.all[loose]:
            for words, after, afloat in self.landings(loose, store, users):
                yield words, after, users, afloat

    def calm(self, operator: int, store: int, views: int) -> bool:
        """Whether nothing that an operator has under way changes anything any more, if nothing else does."""
        key = (operator, store, views)
        found = self._calm.get(key)
        if found is None:
            seen = self.views.all[views]
            # Each is looked at, for one that never ends.
            rests = [
                self.moves.rests(each, store, seen[slot]) for slot, each in enumerate(self.operators.all[operator])
            ]
            found = self._calm[key] = all(rests)
        return found
