"""The automaton of one procedure's local states, found by running the production code and remembered.

A generator cannot be copied. But what it does next depends on nothing but its frames: where each stands, and the values
of the variables that are still read. That is a local state's name here. A transition is found once, by replaying the
answers that lead to the local state, and looked up ever after.

That the name leaves nothing out (the evaluation stack of a frame cannot be seen, a pointer that was read is left out
on purpose) is not believed: a local state that is reached in a second way keeps both, every transition is made from
both, and they must come to the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from types import CodeType, FunctionType, GeneratorType
from typing import Any

from mira.decide.modelpromotion import Seen
from mira.registry.document import Document
from mira.registry.lineage import BrokenChain, Head, Link
from mira.registry.steps import Call, Create, Procedure, Replace, Steps
from mira.registry.store import Put, StoreUnavailable
from tests.model.liveness import live_locals

Name = Any
Site = tuple[str, ...]
# The answers that everything else names as well; every other one is numbered when it is first given.
WRITTEN, UNCLEAR, NOTHING = 0, 1, 2


class NotAlike(AssertionError):
    """Two histories with one local state act differently: its name leaves something out."""


@dataclass(frozen=True)
class Raised:
    """A procedure that ended with an exception of its own."""

    kind: str
    message: str


@dataclass(frozen=True)
class Kind:
    """One kind of procedure: how it begins, and whether what it read of the pointer is a part of its local state.

    For deciding the pointer is a hint, used up by the search for the head: nothing reads it afterwards.
    """

    name: str
    begin: Callable[[], Steps[Any]]
    keeps_pointer: bool


class _Paused(Exception):
    """The next call has no answer yet."""


@dataclass
class _Local:
    """One local state: the call that it makes, or its end; and up to two ways that lead to it."""

    kind: int
    call: Call | None
    end: Any
    ways: list[tuple[int, int] | None]
    site: Site = ()
    parked: Procedure[Any] | None = None


class Automaton:
    """Local states as small numbers. `unclear` is what a driver does when a write of an entry is unclear."""

    def __init__(self, *, starts_over: bool = False, forgets: bool = False) -> None:
        self.kinds: list[Kind] = []
        self.locals: list[_Local] = []
        self.replayed = self.twins = 0
        self._known: dict[Name, int] = {}
        self._begun: dict[str, int] = {}
        self._next: dict[tuple[int, int], int] = {}
        self._from: dict[int, list[int]] = {}
        self._values: list[Any] = [Put.WRITTEN, Put.UNCLEAR, None]
        self._numbers: dict[Name, int] = {}
        self._constants: dict[int, tuple[Any, str]] = {}
        self._starts_over, self._forgets = starts_over, forgets

    def constant(self, value: Any, name: str) -> Any:
        """The value, which from now on counts by its name instead of by what is in it."""
        self._constants[id(value)] = (value, name)
        return value

    def answer(self, name: Name, value: Any) -> int:
        """The number of an answer; the name is what it is told apart by."""
        if name not in self._numbers:
            self._numbers[name] = len(self._values)
            self._values.append(value)
        return self._numbers[name]

    def begin(self, kind: Kind) -> int:
        """The local state in which a procedure of this kind begins."""
        if kind.name not in self._begun:
            self.kinds.append(kind)
            procedure = Procedure(kind.begin())
            self._begun[kind.name] = self._arrived(len(self.kinds) - 1, procedure, _pause(procedure), None)
        return self._begun[kind.name]

    def call(self, local: int) -> Call | None:
        """The next call, None at an end."""
        return self.locals[local].call

    def site(self, local: int) -> Site:
        """Where in the code the procedure stands."""
        return self.locals[local].site

    def end(self, local: int) -> Any:
        """What the procedure ended with."""
        return self.locals[local].end

    def step(self, local: int, answer: int) -> int:
        """The local state after this answer."""
        known = self._next.get((local, answer))
        if known is not None:
            return known
        here = self.locals[local]
        if self._starts_over and answer == UNCLEAR and isinstance(here.call, Create) and "lineage/" in here.call.key:
            found = self._begun[self.kinds[here.kind].name]
        else:
            found = self._walk(local, here.ways[0], answer)
            for way in here.ways[1:]:
                self._alike(local, way, answer, found)
        self._next[local, answer] = found
        self._from.setdefault(local, []).append(answer)
        return found

    def failed(self, local: int) -> int:
        """The local state after a read that raised: production asks again, so nothing has changed."""
        return self._begun[self.kinds[self.locals[local].kind].name] if self._forgets else local

    def _alike(self, local: int, way: tuple[int, int] | None, answer: int, expected: int) -> None:
        self.twins += 1
        if self._walk(local, way, answer, park=False) != expected:
            raise NotAlike(f"{self.locals[local].call} answered {self._values[answer]!r} acts differently")

    def _walk(self, local: int, way: tuple[int, int] | None, answer: int, *, park: bool = True) -> int:
        here = self.locals[local]
        procedure = here.parked if park else None
        here.parked = None if park else here.parked
        if procedure is None:
            procedure = self._replay(here.kind, way)
        if not isinstance(here.call, Create | Replace):
            # A failed read must change nothing; that is why the exploration need not lose the answers of reads.
            before = procedure._call
            self._raise(procedure)
            if procedure._call is not before:
                raise NotAlike(f"a read that fails is not asked again as it was: {here.call}")
        # The second representative gets no answer where the first is told that it is unclear.
        fails = answer == UNCLEAR and not park
        end = self._raise(procedure) if fails else _answer(procedure, self._values[answer])
        return self._arrived(here.kind, procedure, end, (local, answer))

    def _raise(self, procedure: Procedure[Any]) -> "_Ended | None":
        def unavailable(_: Call) -> Any:
            raise StoreUnavailable("no answer")

        try:
            return _Ended(procedure.advance(unavailable))
        except StoreUnavailable:
            return None
        except BrokenChain as error:
            return _Ended(Raised("BrokenChain", str(error)))

    def _replay(self, kind: int, way: tuple[int, int] | None) -> Procedure[Any]:
        self.replayed += 1
        procedure = Procedure(self.kinds[kind].begin())
        _pause(procedure)
        for answer in self._answers(way):
            _answer(procedure, self._values[answer])
        return procedure

    def _answers(self, way: tuple[int, int] | None) -> Iterator[int]:
        """The answers that lead to the local state in this way, in order."""
        found: list[int] = []
        while way is not None:
            before, answer = way
            found.append(answer)
            way = self.locals[before].ways[0]
        return reversed(found)

    def _arrived(self, kind: int, procedure: Procedure[Any], end: "_Ended | None", way: tuple[int, int] | None) -> int:
        name = self._name(kind, procedure, end)
        local = self._known.get(name)
        if local is None:
            local = self._known[name] = len(self.locals)
            call = None if end else procedure._call
            site = () if end else tuple(f"{frame.co_name}:{last}" for frame, last in _frames(procedure))
            self.locals.append(_Local(kind, call, end.result if end else None, [way], site, None if end else procedure))
            return local
        here = self.locals[local]
        if len(here.ways) == 1 and way != here.ways[0] and here.call is not None and way is not None:
            here.ways.append(way)
            for answer in list(self._from.get(local, ())):
                if not (self._starts_over and answer == UNCLEAR):
                    self._alike(local, way, answer, self._next[local, answer])
        return local

    def _name(self, kind: int, procedure: Procedure[Any], end: "_Ended | None") -> Name:
        keeps = self.kinds[kind].keeps_pointer
        if end is not None:
            return (self.kinds[kind].name, "end", self._canonical(end.result, keeps))
        frames: list[Any] = []
        steps: Any = procedure._steps
        while isinstance(steps, GeneratorType):
            frame = steps.gi_frame
            if frame is None:
                break
            live = live_locals(frame.f_code, frame.f_lasti)
            values = tuple(
                (name, self._canonical(value, keeps))
                for name, value in sorted(frame.f_locals.items())
                if name in live and (keeps or (frame.f_code.co_name, name) != ("find_head", "pointer"))
            )
            frames.append((id(frame.f_code), frame.f_lasti, values))
            steps = steps.gi_yieldfrom
        return (keeps, self._canonical(procedure._call, keeps), tuple(frames))

    def _canonical(self, value: Any, keeps_pointer: bool) -> Any:
        """A value by what is in it, hashable."""
        known = self._constants.get(id(value))
        if known is not None:
            return known[1]
        parts: tuple[Any, ...] = ()
        match value:
            case Link(raw=raw):
                found: Any = ("link", raw)
            case Head(link, pointer):
                found, parts = "head", (link, pointer if keeps_pointer else None)
            case Seen(case, ruling):
                # What was seen is handed on and never looked at; it is told apart by the promotion and the ruling.
                found = ("seen", case and (case.promotion.metadata.uid, case.promotion.spec.approvals), ruling)
            case Document():
                found = (type(value), value.render())
            case FunctionType():
                found, parts = id(value.__code__), tuple(cell.cell_contents for cell in value.__closure__ or ())
            case tuple() | list():
                found, parts = type(value), tuple(value)
            case _ if is_dataclass(value):
                found, parts = type(value), tuple(getattr(value, each.name) for each in fields(value))
            case _:
                found = value
        hash(found)
        return (found, *(self._canonical(part, keeps_pointer) for part in parts))


def _frames(procedure: Procedure[Any]) -> Iterator[tuple[CodeType, int]]:
    """Where the procedure stands in each function that it is in."""
    steps: Any = procedure._steps
    while isinstance(steps, GeneratorType) and steps.gi_frame is not None:
        yield steps.gi_frame.f_code, steps.gi_frame.f_lasti
        steps = steps.gi_yieldfrom


@dataclass(frozen=True)
class _Ended:
    result: Any


def _pause(procedure: Procedure[Any]) -> _Ended | None:
    """Runs the procedure up to its next call."""

    def pause(_: Call) -> Any:
        raise _Paused

    return _advanced(procedure, pause)


def _answer(procedure: Procedure[Any], answer: Any) -> _Ended | None:
    """Answers one call, as Procedure's driver would, and stops at the next."""
    left = [answer]

    def once(_: Call) -> Any:
        if not left:
            raise _Paused
        return left.pop()

    return _advanced(procedure, once)


def _advanced(procedure: Procedure[Any], answer: Callable[[Call], Any]) -> _Ended | None:
    try:
        return _Ended(procedure.advance(answer))
    except _Paused:
        return None
    except BrokenChain as error:
        return _Ended(Raised("BrokenChain", str(error)))
