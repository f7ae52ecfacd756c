"""Moving a stage's pointer to its newest entry, and repairing it: the only code that writes a pointer."""

from dataclasses import dataclass

from mira.registry.document import DocumentInvalid, sha256
from mira.registry.entry import Pointer, render_pointer
from mira.registry.keys import StageKey
from mira.registry.lineage import BrokenChain, Head, ensure_decision, find_head, read_entry
from mira.registry.steps import Steps, create, get, replace
from mira.registry.store import Put, Stored


@dataclass(frozen=True)
class Pointed:
    """The pointer is the rendering of this head; what was done to get there."""

    head: Head
    moved: bool = False
    repaired: bool = False


def pointing(stage: StageKey) -> Steps[Pointed]:
    """Makes the pointer the rendering of the newest entry. Raises BrokenChain if there is no entry to render it from.

    The write is conditional on the ETag of the read that began the head search, so a pointer that somebody else moved
    meanwhile is read again. A genuine pointer names an existing entry, and the head is searched from there upwards, so
    it is never moved to a lower number.
    """
    moved = repaired = False
    while True:
        head = yield from find_head(stage)
        yield from ensure_decision(stage, head.link)
        if head.link is None:
            if head.pointer is not None:
                raise BrokenChain(stage, f"{stage.pointer} exists, but the stage has no lineage")
            return Pointed(head)
        wanted = render_pointer(head.link.raw)
        if head.pointer is not None and head.pointer.body == wanted:
            return Pointed(head, moved, repaired)
        if head.pointer is None:
            yield from create(stage.pointer, wanted)
        else:
            if not (yield from _is_genuine(stage, head.pointer)):
                repaired = True
                yield from _quarantine(stage, head.pointer)
            yield from replace(stage.pointer, wanted, head.pointer.etag)
        # Whatever came back: read again, and say only what was read.
        moved = True


def _is_genuine(stage: StageKey, pointer: Stored) -> Steps[bool]:
    """Whether the pointer renders an entry that exists."""
    try:
        number = Pointer.parse(pointer.body).number
    except DocumentInvalid:
        return False
    link = yield from read_entry(stage, number)
    return link is not None and pointer.body == render_pointer(link.raw)


def _quarantine(stage: StageKey, pointer: Stored) -> Steps[None]:
    """Keeps a copy of what was found, before it is replaced; named by its content, so a repetition is harmless."""
    key = stage.quarantine(sha256(pointer.body))
    while (yield from get(key)) is None:
        if (yield from create(key, pointer.body)) is Put.WRITTEN:
            return
