"""Reading a stage's lineage: its head, the chain, and the decision of one op."""

from dataclasses import dataclass

from mira.registry.document import DocumentInvalid, sha256
from mira.registry.entry import GENESIS, Entry, EntryKind, Pointer, render_pointer
from mira.registry.keys import InvalidKey, StageKey, entry_number
from mira.registry.steps import Steps, create, get, list_keys
from mira.registry.store import Put, Stored


class BrokenChain(Exception):
    """The lineage is not what Mira wrote: a gap, a changed entry, one that cannot be read. A person must look at it."""

    def __init__(self, stage: StageKey, message: str) -> None:
        super().__init__(message)
        self.stage = stage


@dataclass(frozen=True)
class Link:
    """One entry of the lineage with the exact bytes that the next entry chains to."""

    entry: Entry
    raw: bytes


@dataclass(frozen=True)
class Head:
    """The newest entry of a stage (None: nothing was decided yet), and the pointer with whose read the search began."""

    link: Link | None
    pointer: Stored | None

    @property
    def number(self) -> int:
        """The newest entry's number, 0 before the first; the next decision takes the number after it."""
        return self.link.entry.number if self.link else 0

    @property
    def sha256(self) -> str:
        """What the next entry chains to: the sha256 of the newest entry's exact bytes, zeros before the first."""
        return sha256(self.link.raw) if self.link else GENESIS


def find_head(stage: StageKey) -> Steps[Head]:
    """The newest entry. The pointer is a hint only: it counts if it is exactly the rendering of an existing entry."""
    pointer = yield from get(stage.pointer)
    link = yield from _hinted(stage, pointer)
    if link is None:
        link = yield from _listed(stage)
    while True:
        following = yield from read_entry(stage, (link.entry.number if link else 0) + 1)
        if following is None:
            return Head(link, pointer)
        check_link(link, following)
        link = following


def read_entry(stage: StageKey, number: int) -> Steps[Link | None]:
    """The entry of this number, None if it is free. Raises BrokenChain if its bytes are no entry of this stage."""
    stored = yield from get(stage.entry(number), limit=Entry.LIMIT)
    if stored is None:
        return None
    try:
        entry = Entry.parse(stored.body)
    except DocumentInvalid as error:
        raise BrokenChain(stage, f"entry {number} of {stage.path} cannot be read: {error}") from error
    if (entry.number, entry.stage_key) != (number, stage):
        raise BrokenChain(
            stage, f"entry {number} of {stage.path} says that it is entry {entry.number} of {entry.stage_key.path}"
        )
    return Link(entry, stored.body)


def check_link(before: Link | None, link: Link) -> None:
    """Raises BrokenChain unless the entry chains to the exact bytes of the one before it."""
    expected = sha256(before.raw) if before else GENESIS
    if link.entry.prev_sha256 != expected:
        number = link.entry.number
        raise BrokenChain(
            link.entry.stage_key,
            f"entry {number} of {link.entry.stage_key.path} does not chain to entry {number - 1}: "
            "one of them was changed",
        )


def verify_chain(stage: StageKey, *, after: Link | None = None) -> Steps[Link | None]:
    """The head, every entry after the given one verified. Raises BrokenChain at the first gap or changed entry."""
    numbers = yield from _numbers(stage)
    link = after
    for number in numbers:
        if after is not None and number <= after.entry.number:
            continue
        following = yield from read_entry(stage, number)
        if following is None:
            raise BrokenChain(stage, f"entry {number} of {stage.path} was listed and is gone")
        check_link(link, following)
        link = following
    return link


def read_decision(stage: StageKey, op: str) -> Steps[Link | None]:
    """The entry that decided this op, None if it is not decided."""
    stored = yield from get(stage.decision(op), limit=Entry.LIMIT)
    if stored is None:
        return None
    try:
        entry = Entry.parse(stored.body)
    except DocumentInvalid as error:
        raise BrokenChain(stage, f"the decision of op {op} of {stage.path} cannot be read: {error}") from error
    if (entry.op, entry.stage_key) != (op, stage) or entry.kind is EntryKind.VOID:
        raise BrokenChain(
            stage, f"the decision of op {op} of {stage.path} holds another entry ({entry.kind} of op {entry.op})"
        )
    return Link(entry, stored.body)


def ensure_decision(stage: StageKey, link: Link | None) -> Steps[None]:
    """Makes the newest entry findable by its op; afterwards, and not before, the next number may be taken.

    An unclear answer is repeated until the key is seen. A Void decides nothing and has no decision. Raises BrokenChain
    if the copy under the op is another one: nothing chains to the newest entry yet, so nothing else shows its change.
    """
    if link is None or link.entry.kind is EntryKind.VOID:
        return
    while (found := (yield from read_decision(stage, link.entry.op))) is None:
        if (yield from create(stage.decision(link.entry.op), link.raw)) is Put.WRITTEN:
            return
    if found.raw != link.raw:
        raise BrokenChain(
            stage,
            f"entry {link.entry.number} of {stage.path} differs from the decision of its op: one of them was changed",
        )


def last_made_current(stage: StageKey, link: Link | None, version: str) -> Steps[Link | None]:
    """The newest entry that made this version current, None if none did. Visits only entries that moved the stage."""
    while link is not None and link.entry.moved_by is not None:
        mover = yield from read_entry(stage, link.entry.moved_by.number)
        if mover is None:
            raise BrokenChain(
                stage, f"entry {link.entry.moved_by.number} of {stage.path} is named as the last move and is gone"
            )
        if mover.entry.current is not None and mover.entry.current.version == version:
            return mover
        if mover.entry.number == 1:
            return None
        link = yield from read_entry(stage, mover.entry.number - 1)
        if link is None:
            raise BrokenChain(stage, f"entry {mover.entry.number - 1} of {stage.path} is gone")
    return None


def genuine_pointer(stored: Stored, link: Link) -> bool:
    """Whether the pointer is exactly the rendering of this entry."""
    return stored.body == render_pointer(link.raw)


def _hinted(stage: StageKey, pointer: Stored | None) -> Steps[Link | None]:
    if pointer is None:
        return None
    try:
        number = Pointer.parse(pointer.body).number
    except DocumentInvalid:
        return None
    link = yield from read_entry(stage, number)
    return link if link is not None and genuine_pointer(pointer, link) else None


def _listed(stage: StageKey) -> Steps[Link | None]:
    numbers = yield from _numbers(stage)
    if not numbers:
        return None
    link = yield from read_entry(stage, numbers[-1])
    if link is None:
        raise BrokenChain(stage, f"entry {numbers[-1]} of {stage.path} was listed and is gone")
    return link


def _numbers(stage: StageKey) -> Steps[list[int]]:
    """The numbers in use. Raises BrokenChain for a gap or a foreign key among them."""
    keys = yield from list_keys(stage.lineage)
    numbers: list[int] = []
    for key in keys:
        try:
            number = entry_number(key, stage)
        except InvalidKey:
            number = None
        if number is None or number != len(numbers) + 1:
            raise BrokenChain(stage, f"lineage of {stage.path}: expected entry {len(numbers) + 1}, found {key[-80:]!r}")
        numbers.append(number)
    return numbers
