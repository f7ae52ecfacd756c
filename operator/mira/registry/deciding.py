"""Deciding a promotion: the five steps by which one intention gets exactly one end (design section 5).

The decision is linearized by the creation of entry h+1 alone. The order of the steps is the proof; each has a reason:

1. find the head h;
2. make entry h findable by its op, because nobody may create h+1 before that: else a re-created resource whose op was
   decided at h would not find its end and be decided twice;
3. look for the own op - always after the head was found, and again after every return to 1;
4. judge, on h and on what is live;
5. create h+1. Anything but a clear 200 is answered by reading h+1, never by a conclusion.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from mira.registry.entry import Entry, EntryKind
from mira.registry.keys import StageKey
from mira.registry.lineage import Head, Link, ensure_decision, find_head, read_decision, read_entry
from mira.registry.steps import Steps, create
from mira.registry.store import Put

W = TypeVar("W")


@dataclass(frozen=True)
class Draft(Generic[W]):
    """A decision ready to be written as entry h+1, and what was seen on the way to it."""

    entry: Entry
    seen: W


@dataclass(frozen=True)
class Waiting(Generic[W]):
    """No decision now: the op stays open. `gone` if the resource that asked is not there any more as it was."""

    seen: W
    gone: bool = False


@dataclass(frozen=True)
class Decided(Generic[W]):
    """The op's one end: what its entry says, whoever wrote it. `seen` if it was judged in this very procedure."""

    link: Link
    seen: W | None


Judge: TypeAlias = Callable[[Head], Steps[Draft[W] | Waiting[W]]]


def deciding(
    stage: StageKey, op: str, judge: Judge[W], void: Callable[[Head], Entry]
) -> Steps[Decided[W] | Waiting[W]]:
    """The end of this op, or that it waits. `judge` reads live and decides on a head; `void` closes its next number."""
    while True:
        head = yield from find_head(stage)
        yield from ensure_decision(stage, head.link)
        mine = yield from read_decision(stage, op)
        if mine is not None:
            return Decided(mine, None)
        judged = yield from judge(head)
        if isinstance(judged, Waiting):
            return judged
        decided = yield from _committing(stage, head, judged, judge, void)
        if decided is not None:
            return decided


def _committing(
    stage: StageKey, head: Head, judged: Draft[W], judge: Judge[W], void: Callable[[Head], Entry]
) -> Steps[Decided[W] | None]:
    """The end if entry h+1 decides this op, None once anything else has taken that number.

    Goes on until the number is taken: a write whose answer was lost may still land, and an end that was reported
    while it is under way could turn out wrong.
    """
    number, op, entry, seen = head.number + 1, judged.entry.op, judged.entry, judged.seen
    while True:
        raw = _readable(entry)
        answer = yield from create(stage.entry(number), raw)
        if answer is Put.WRITTEN:
            return None if entry.kind is EntryKind.VOID else Decided(Link(entry, raw), seen)
        found = yield from read_entry(stage, number)
        if found is not None:
            if found.entry.op != op or found.entry.kind is EntryKind.VOID:
                return None
            # What was seen here goes with the entry only if the entry says the same.
            return Decided(found, seen if same_decision(entry, found.entry) else None)
        again = yield from judge(head)
        if isinstance(again, Waiting):
            entry = void(head)
        elif not same_decision(entry, again.entry):
            entry, seen = again.entry, again.seen


def _readable(entry: Entry) -> bytes:
    """The entry's bytes. Raises DocumentInvalid rather than write what nobody can read: it would stop the stage."""
    raw = entry.render()
    Entry.parse(raw)
    return raw


def same_decision(one: Entry, other: Entry) -> bool:
    """Whether two drafts say the same but for the time at which they were made: then the first one's bytes are kept."""
    return one == other.model_copy(update={"decided_at": one.decided_at})
