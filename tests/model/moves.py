"""What may happen to a process that waits for its turn: its call arrives, or not, or late; a late write arrives."""

from collections.abc import Iterator

from mira.registry.entry import Entry
from mira.registry.steps import Create, Get, ReadLive, Replace
from tests.model import promises
from tests.model.automaton import UNCLEAR, WRITTEN
from tests.model.process import ENDLESS, FREE, IDLE, LATE, LOST, Move, Process, View
from tests.model.processes import Processes
from tests.support.world import KEY


class Moves:
    """Every move that was met, found once for each process, store and view."""

    def __init__(self, processes: Processes) -> None:
        self.processes = processes
        self.automaton, self.stores = processes.automaton, processes.stores
        self._moves: dict[tuple[int, int, View], list[Move]] = {}
        self._rests: dict[tuple[int, int, View], bool] = {}
        self._looked: set[tuple[int, int]] = set()

    def of(self, process: int, store: int, view: View) -> list[Move]:
        """Everything that may happen to a process that waits for its turn."""
        key = (process, store, view)
        found = self._moves.get(key)
        if found is None:
            found = self._moves[key] = [*self._all_moves(self.processes.all[process], store, view)]
        return found

    def _all_moves(self, process: Process, store: int, view: View) -> Iterator[Move]:
        slot, local, read, flights = process
        call = self.automaton.call(local) if local > IDLE else None
        match call:
            case None:
                pass
            case Get(key) if self.processes.waits_for(slot, key):
                pass
            case Create() | Replace():
                yield from self._writes(process, call, store, view)
            case ReadLive():
                for version in self._may_be_read(view):
                    answered = self.automaton.step(local, self.processes.live[slot][version])
                    after = Process(slot, answered, view.version, flights)
                    yield self._move(process, "", FREE, (store, view), after)
            case _:
                yield self._move(process, "", FREE, (store, view), self.processes.read(process, store))
        if call is not None and self.automaton.failed(local) != local and not isinstance(call, Create | Replace):
            after = Process(slot, self.automaton.failed(local), read, flights)
            yield self._move(process, "fails", LOST, (store, view), after)
        for each in sorted(set(flights)):
            left = list(flights)
            left.remove(each)
            after = Process(slot, local, read, tuple(left))
            yield self._move(process, "its late write arrives", FREE, (self.arrived(store, each), view), after)

    def _may_be_read(self, view: View) -> tuple[int, ...]:
        stale = self.processes.driver.stale_reads and view.version != 1
        return (view.version, 1) if stale else (view.version,)

    def _writes(self, process: Process, call: Create | Replace, store: int, view: View) -> Iterator[Move]:
        slot, local, read, flights = process
        if call.key.startswith(KEY.lineage):
            promises.sent(Entry.parse(call.body), self.processes.known[slot], read)
        number = self.stores.write_number(call)
        after = self.arrived(store, number)
        unclear = Process(slot, self.automaton.step(local, UNCLEAR), read, flights)
        if after == store:
            yield self._move(process, "refused", FREE, (store, view), unclear)
        else:
            written = Process(slot, self.automaton.step(local, WRITTEN), read, flights)
            yield self._move(process, "written", FREE, (after, view), written)
            yield self._move(process, "written, the answer is lost", LOST, (after, view), unclear)
            yield self._move(process, "never arrives", LOST, (store, view), unclear)
        late = unclear._replace(flights=tuple(sorted((*flights, number))))
        if not self.stores.moot(number, store, hands=view.hands):
            yield self._move(process, "is late", LATE, (store, view), late)

    def _move(self, process: Process, how: str, cost: int, there: tuple[int, View], after: Process) -> Move:
        store, view = there
        found = self.processes.settled(self.processes.number(after), store, view)
        return Move((process.slot, process.local, how), cost, store, found)

    def arrived(self, store: int, write: int) -> int:
        """The store after a write has arrived, once every promise about writes was looked at."""
        after = self.stores.written(store, write)
        if after != store and (store, write) not in self._looked:
            promises.arrived(self.stores, store, after, self.stores.calls[write])
            if self.processes.helped:
                promises.found_before(self.stores, store, self.stores.calls[write])
            self._looked.add((store, write))
        return after

    def rests(self, process: int, store: int, view: View) -> bool:
        """Whether a process has nothing more to do, alone and without faults; raises Violation if it never ends."""
        key = (process, store, view)
        if key not in self._rests:
            self._rests[key] = self._comes_to_rest(process, store, view)
        return self._rests[key]

    def _comes_to_rest(self, process: int, store: int, view: View) -> bool:
        first = self.processes.all[process]
        start = self.processes.all[self.processes.beginning(first.slot, store, view)].local
        if first.local <= IDLE:
            return True
        for _ in range(ENDLESS):
            moves = self.of(process, store, view)
            if not moves:
                return False  # it waits for the decision of the head to appear
            move = moves[0]
            process = move.process
            local = self.processes.all[process].local
            if move.store != store or local <= IDLE:
                return False
            if local == start:
                return first.local == start
        raise promises.Violation("every procedure comes to its end", f"{self.processes.words(first)} does not")
