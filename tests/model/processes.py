"""What one procedure under way can do next, on a given store: its moves, and the state in which it waits for its turn.

Reductions, and why nothing is lost by them. All are of one sort: a call is answered at once, without letting others
move first, if its answer is the same whenever it is made, and if it changes nothing.

* A read of an object that exists under a create-only key (entries, decisions, quarantine), and a create of one: no one
  ever removes or changes it, so the answer is the same at any later time. A late create of one can do nothing any more.
* A read of what nobody changes: manifests, files, comparisons; what is live, once users have nothing left to do.
* A read that fails: Procedure asks the same again later, and the local state is the same (the automaton looks at each).
  So the history in which it did not fail has every continuation of the history in which it did.
* A read of a key that is free, by a deciding: it is made early, and from then on, on every store on which the process
  still waits, it is looked whether it would wait in the same place, had it read only now. So whatever it might have
  done by reading later it can do still. A read for which that is not so is made in its turn: the exploration begins
  again when it meets the first such one (TooEarly). What a broken protocol reads too early shows in the same way.
* A read whose answer makes no difference: every value that it may ever have is tried, and all lead to the same waiting
  state. So it is with the pointer for a deciding, which searches on from any hint; and with what is live, for one whose
  number was taken meanwhile: whatever it would write, it must begin again.
* A live read that will be repeated: if its answer of now leads to a further live read, and any other answer there leads
  to where it would have led here, then answering now loses nothing: the later answer can still come.
* Where decisions appear by themselves (see Bounds), what a process does to make one appear is one of those appearances.
* An attempt begins as soon as its resource is there: it has changed nothing before its first write.
"""

from typing import Any

from mira.registry.deciding import Decided, Waiting
from mira.registry.entry import Entry, EntryKind, render_pointer
from mira.registry.steps import Call, CheckFiles, Create, Get, ListKeys, ReadLive
from mira.registry.store import Stored
from tests.model import promises
from tests.model.automaton import NOTHING, UNCLEAR, Automaton, Site
from tests.model.bounds import Driver
from tests.model.ground import ABSENT, Promotion, Stores, etag
from tests.model.kinds import kinds
from tests.model.process import ENDLESS, IDLE, Process, TooEarly, View
from tests.support.world import KEY


class Processes:
    """Every process state that was met. The slots are the promotions in their order; one more moves the pointer."""

    def __init__(
        self,
        automaton: Automaton,
        stores: Stores,
        known: tuple[Promotion, ...],
        driver: Driver,
        patient: frozenset[Site],
        *,
        helped: bool,
    ) -> None:
        self.automaton, self.stores, self.known, self.driver = automaton, stores, known, driver
        self.patient, self.helped = patient, helped
        self.pointing = len(known)
        self.all: list[Process] = []
        self._numbers: dict[Process, int] = {}
        self._settled: dict[tuple[int, int, View], int] = {}
        self._early: dict[tuple[int, int], dict[int, int]] = {}
        self._seen: dict[tuple[int, int], list[tuple[Process, int, View]]] = {}
        self._new: list[tuple[int, int, int]] = []
        self._own = [{KEY.decision(asked.op) for asked in each.asked if asked} for each in known]
        self._closing = False
        self._beginnings: set[int] = set()
        self._ran: dict[tuple[Process, int, View], Process] = {}
        self._kinds = kinds(automaton, known)
        self.live = [
            [automaton.answer(("live", each.name, version), live) for version, live in enumerate(each.live)]
            for each in known
        ]

    def number(self, process: Process) -> int:
        """The number of a process state."""
        if process not in self._numbers:
            self._numbers[process] = len(self.all)
            self.all.append(process)
        return self._numbers[process]

    def settled(self, process: int, store: int, view: View) -> int:
        """The process once it has made every call that need not wait for its turn."""
        key = (process, store, view)
        found = self._settled.get(key)
        if found is None:
            found = self._settled[key] = self.number(self._settle(self.all[process], store, view))
            self._look_again()
            self._settled[found, store, view] = found
        return found

    def beginning(self, slot: int, store: int, view: View) -> int:
        """A process that has just begun, or that has nothing to do."""
        return self.settled(self.number(Process(slot, IDLE, 0, ())), store, view)

    # How a process comes to wait for its turn

    def _settle(self, process: Process, store: int, view: View) -> Process:
        flights = tuple(each for each in process.flights if not self.stores.moot(each, store, hands=view.hands))
        before = process._replace(flights=flights)
        self._seen.setdefault((process.slot, process.local), []).append((before, store, view))
        after = self._run(before, store, view)
        early = self._early.get((process.slot, process.local), {})
        # The latest of its early reads first: an earlier one leads to it.
        for local in sorted(early, key=early.__getitem__, reverse=True):
            self._not_too_early(local, before, store, view)
        return after

    def _look_again(self) -> None:
        """An early read that was found only now is looked at on every store on which its outcome was met before."""
        while self._new:
            slot, reached, local = self._new.pop()
            for before, store, view in list(self._seen.get((slot, reached), ())):
                self._not_too_early(local, before, store, view)

    def _not_too_early(self, local: int, waiting: Process, store: int, view: View) -> None:
        """Raises TooEarly if the process would be elsewhere now, had it read only now what it read early."""
        after = self._run(waiting, store, view)
        try:
            other = self._run(waiting._replace(local=local), store, view)
        except promises.Violation as error:
            raise TooEarly(self.site(local)) from error
        if not self._alike(other, after):
            raise TooEarly(self.site(local))

    def _alike(self, one: Process, other: Process) -> bool:
        """Whether two waiting states are one; what was read live matters to one that is about to write an entry."""
        call = self.automaton.call(one.local) if one.local > IDLE else None
        writes = isinstance(call, Create) and call.key.startswith(KEY.lineage)
        return one == other if writes else one == other._replace(read=one.read)

    def _run(self, process: Process, store: int, view: View) -> Process:
        key = (process, store, view)
        if key not in self._ran:
            self._ran[key] = self._runs(process, store, view)
        return self._ran[key]

    def _runs(self, process: Process, store: int, view: View) -> Process:
        early: list[int] = []
        live: set[int] = set()
        for _ in range(ENDLESS):
            if process.local > IDLE and isinstance(self.automaton.call(process.local), ReadLive):
                if process.local in live:
                    return self._stops(process, early)  # it waits, and looks again and again
                live.add(process.local)
            following = self._at_once(process, store, view)
            if following is None:
                return self._stops(process, early)
            call = self.automaton.call(process.local) if process.local > IDLE else None
            if isinstance(call, Get | ListKeys) and self._fixed(call, store) is None:
                early.append(process.local)
            process = following
            if process.local <= IDLE:
                early.clear()  # another procedure begins
        raise promises.Violation("every procedure comes to its end", f"{self.words(process)} goes on for ever")

    def _stops(self, process: Process, early: list[int]) -> Process:
        # An end is the same whenever it is found: the op has no other.
        if early and process.local > IDLE:
            known = self._early.setdefault((process.slot, process.local), {})
            for place, local in enumerate(early):
                if local not in known:
                    self._new.append((process.slot, process.local, local))
                known[local] = max(place, known.get(local, 0))
        return process

    def _at_once(self, process: Process, store: int, view: View) -> Process | None:
        """The process after a call that need not wait for its turn, None if it has to."""
        slot, local, read, flights = process
        if local <= IDLE:
            return self._begun(process, view)
        call = self.automaton.call(local)
        if call is None:
            return self._ended(process, store, view)
        answer = self._fixed(call, store)
        if answer is not None:
            return Process(slot, self.automaton.step(local, answer), read, flights)
        hurried = slot != self.pointing and not self.driver.stale_reads
        return self._deciding_at_once(process, call, store, view) if hurried else None

    def _deciding_at_once(self, process: Process, call: Call, store: int, view: View) -> Process | None:
        if self.helped and isinstance(call, Get) and call.key.startswith("decisions/"):
            known = self._appearing(process, call.key, store)
            if known is not process:
                return known
        hint = isinstance(call, Get) and call.key == KEY.pointer
        if self.site(process.local) in self.patient and not (hint and self.helped):
            return None
        match call:
            case ReadLive():
                return self._live_at_once(process, store, view)
            case Get(key) if key == KEY.pointer:
                return self._whatever_the_pointer(process, store)
            case Get() | ListKeys():
                return self.read(process, store)  # early: see TooEarly
            case _:
                return None

    def _appearing(self, process: Process, key: str, store: int) -> Process | None:
        """Where decisions appear by themselves: None while it waits for that of the head; itself if that is not why.

        A process whose own op is decided already can only wait for its decision to appear, and then ends with it.
        """
        if self.of_another(process.slot, key):
            return None
        entry = self._decides(key, store)
        if entry is None:
            return process
        found = self._answer(Get(key), Stored(entry, etag(entry)))
        return process._replace(local=self.automaton.step(process.local, found))

    def waits_for(self, slot: int, key: str) -> bool:
        """Whether the process can only wait for the decision of the head to appear."""
        return self.helped and slot != self.pointing and self.of_another(slot, key)

    def of_another(self, slot: int, key: str) -> bool:
        """Whether this is the decision of an op that is not this promotion's."""
        return key.startswith("decisions/") and key not in self._own[slot]

    def _decides(self, key: str, store: int) -> bytes | None:
        """The entry whose copy belongs under this key."""
        for raw in self.stores.entries(store):
            entry = Entry.parse(raw)
            if entry.kind is not EntryKind.VOID and KEY.decision(entry.op) == key:
                return raw
        return None

    def site(self, local: int) -> Site:
        """Where in the code a local state stands."""
        return self.automaton.site(local)

    def _begun(self, process: Process, view: View) -> Process | None:
        slot, local, _, flights = process
        group = self._group(slot, view.version)
        if slot != self.pointing and group == 0:
            return None if local == IDLE else Process(slot, IDLE, 0, flights)
        if group and local == IDLE - group:
            return None
        begun = self.automaton.begin(self._kinds[slot, group])
        self._beginnings.add(begun)
        return Process(slot, begun, 0, flights)

    def _group(self, slot: int, version: int) -> int:
        """1 for the first resource of a name, 2 for the one that was created again, 0 for none."""
        return 0 if slot == self.pointing or version == ABSENT else 2 - version % 2

    def _ended(self, process: Process, store: int, view: View) -> Process:
        slot, local, _, flights = process
        end = self.automaton.end(local)
        promotion = None if slot == self.pointing else self.known[slot]
        objects = self.stores.objects[store]
        keys = [self.stores.calls[each].key for each in flights]
        promises.ended(self.stores, store, promotion, end, [key for key in keys if key not in objects])
        if promotion is not None and isinstance(end, Decided):
            kind = self.automaton.kinds[self.automaton.locals[local].kind].name
            if promotion.uid(view.version) and kind.endswith(f" of {promotion.uid(view.version)}"):
                return Process(slot, IDLE - self._group(slot, view.version), 0, flights)
        return Process(slot, IDLE, 0, flights)

    def _fixed(self, call: Call, store: int) -> int | None:
        """The answer that this call has now and at any later time, None if it may change."""
        objects = self.stores.objects[store]
        match call:
            case CheckFiles():
                return self._answer(call, self.stores.read(store, call))
            case Get(key) if key.startswith("models/"):
                return self._answer(call, self.stores.read(store, call))
            case Get(key) if key != KEY.pointer and key in objects:
                return self._answer(call, self.stores.read(store, call))
            case Create(key) if key != KEY.pointer and key in objects:
                return UNCLEAR
        return None

    def _answer(self, call: Call, value: Any) -> int:
        return NOTHING if value is None else self.automaton.answer((type(call), value), value)

    def read(self, process: Process, store: int) -> Process:
        """The process after the read that it is at."""
        slot, local, read, flights = process
        call = self.automaton.call(local)
        if isinstance(call, Get) and call.key == KEY.pointer:
            read = ABSENT  # a new search for the head: what was read before counts no more
        answer = self._answer(call, self.stores.read(store, call))  # type: ignore[arg-type]
        return Process(slot, self.automaton.step(local, answer), read, flights)

    def _whatever_the_pointer(self, process: Process, store: int) -> Process | None:
        bodies = [render_pointer(each) for each in self.stores.entries(store)]
        forged = [body for _, body in self.stores.forgeries(store)]
        found = {
            self._searched(self.read(process, self.stores.with_pointer(store, body)), store)
            for body in (*bodies, *forged)
        }
        if len(found) > 1 and self.helped:
            # Nobody moves the pointer there; so it must not matter.
            raise promises.Violation("the pointer is only a hint", f"{self.words(process)} depends on it")
        return found.pop() if len(found) == 1 else None

    def _searched(self, process: Process, store: int) -> Process:
        """The process after the part of its search that follows from the pointer."""
        while (call := self.automaton.call(process.local)) is not None:
            answer = self._fixed(call, store)
            if answer is not None:
                process = process._replace(local=self.automaton.step(process.local, answer))
            elif isinstance(call, ListKeys) or (isinstance(call, Get) and self._promised_too_much(call.key, store)):
                process = self.read(process, store)
            else:
                break
        return process

    def _promised_too_much(self, key: str, store: int) -> bool:
        """Whether this entry is looked for only because a forged pointer names it.

        Such a pointer renders no entry, so the lineage is listed next, whether the number is taken by then or not.
        """
        return key.startswith(KEY.lineage) and key > KEY.entry(len(self.stores.entries(store)) + 1)

    def _live_at_once(self, process: Process, store: int, view: View) -> Process | None:
        slot, local, _, flights = process
        step, live = self.automaton.step, self.live[slot]
        here = Process(slot, step(local, live[view.version]), view.version, flights)
        if not view.changing:
            return here
        others = [each for each in live if each != live[view.version]]
        again = self._to_live_read(here.local, store)
        if isinstance(self.automaton.call(again), ReadLive):
            there = [self._to_live_read(step(again, each), store) for each in others]
            wanted = [self._to_live_read(step(local, each), store) for each in others]
            if there == wanted:
                return here
        return None if flights else self._whatever_is_live(process, store, view)

    def _whatever_is_live(self, process: Process, store: int, view: View) -> Process | None:
        """What it comes to, if it is the same whatever it reads now and at every further live read."""
        slot = process.slot
        found: set[Process] = set()
        reading, read = [process], {process.local}
        while reading:
            local = reading.pop().local
            for version, answer in enumerate(self.live[slot]):
                after = Process(slot, self._to_live_read(self.automaton.step(local, answer), store), version, ())
                if not isinstance(self.automaton.call(after.local), ReadLive):
                    if self.automaton.call(after.local) is None and not self._only_waits(after.local):
                        return None
                    found.add(self._to_beginning(after, store, view))
                elif after.local not in read:
                    read.add(after.local)
                    reading.append(after)
        if len(found) > 1 and not self._closing:
            self._closing = True
            found = {self._runs(each, store, view)._replace(read=ABSENT) for each in found}
            self._closing = False
        return found.pop() if len(found) == 1 else None

    def _to_beginning(self, process: Process, store: int, view: View) -> Process:
        """The process once it has begun again, or has to wait for its turn before that."""
        for _ in range(ENDLESS):
            if process.local in self._beginnings:
                return process._replace(read=ABSENT)
            following = self._at_once(process, store, view)
            if following is None:
                return process
            process = following
        raise promises.Violation("every procedure comes to its end", f"{self.words(process)} goes on for ever")

    def _only_waits(self, local: int) -> bool:
        return isinstance(self.automaton.end(local), Waiting)

    def _to_live_read(self, local: int, store: int) -> int:
        """The local state after all that is read of S3 and fixed."""
        while (call := self.automaton.call(local)) is not None and (answer := self._fixed(call, store)) is not None:
            local = self.automaton.step(local, answer)
        return local

    def words(self, process: Process) -> str:
        """Who this is and where it stands."""
        who = "the pointer" if process.slot == self.pointing else self.known[process.slot].name
        call = self.automaton.call(process.local) if process.local > IDLE else None
        return f"{who}, at {type(call).__name__}"
