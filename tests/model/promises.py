"""What the registry promises, each as a check of one moment: a write, an end, a state that has come to rest."""

from mira.registry.deciding import Decided, Waiting
from mira.registry.document import sha256
from mira.registry.entry import GENESIS, Entry, EntryKind, render_pointer
from mira.registry.steps import Create, Replace
from tests.model.automaton import Raised
from tests.model.ground import ABSENT, Promotion, Stores, genuine
from tests.support.world import KEY


class Violation(AssertionError):
    """A promise that does not hold; `promise` is its short name, `history` what led to it."""

    def __init__(self, promise: str, message: str) -> None:
        super().__init__(f"{promise}: {message}")
        self.promise = promise
        self.history: list[str] = []


def arrived(stores: Stores, before: int, after: int, call: Create | Replace) -> None:
    """What a write that has taken effect may have done."""
    if call.key.startswith(KEY.lineage):
        _entry_arrived(stores, before, Entry.parse(call.body))
    elif call.key == KEY.pointer:
        _pointer_arrived(stores, before, call.body)
    elif call.key.startswith("decisions/") and call.body not in stores.entries(after):
        raise Violation("a decision is a copy of its entry", f"{call.key} copies no entry")


def found_before(stores: Stores, before: int, call: Create | Replace) -> None:
    """The head is found by its op before the next number is taken: what the model of the pointer alone rests on."""
    entries = stores.entries(before)
    if not call.key.startswith(KEY.lineage) or not entries:
        return
    head = Entry.parse(entries[-1])
    if head.kind is not EntryKind.VOID and KEY.decision(head.op) not in stores.objects[before]:
        raise Violation("the head is found before the next number is taken", f"entry {head.number} is not")


def _entry_arrived(stores: Stores, before: int, entry: Entry) -> None:
    entries = stores.entries(before)
    if entry.number != len(entries) + 1 or entry.prev_sha256 != (sha256(entries[-1]) if entries else GENESIS):
        raise Violation("the lineage is gapless and chained", f"entry {entry.number} does not follow {len(entries)}")
    if entry.kind is not EntryKind.VOID:
        same = [each for each in map(Entry.parse, entries) if each.kind is not EntryKind.VOID]
        # By the name of the resource: an op that is made anew for each uid must not hide a second decision.
        again = [each for each in same if each.op == entry.op or each.resource.name == entry.resource.name]
        if again:
            raise Violation(
                "an op is decided at most once",
                f"{entry.resource.name} is decided by entries {again[0].number} and {entry.number}",
            )
    current = Entry.parse(entries[-1]).current if entries else None
    moves = entry.kind in (EntryKind.PROMOTE, EntryKind.ROLL_BACK)
    if not moves and entry.current != current:
        raise Violation("only a move changes what is current", f"entry {entry.number} ({entry.kind}) does")


def _pointer_arrived(stores: Stores, before: int, body: bytes) -> None:
    entries = stores.entries(before)
    number = genuine(body, entries)
    if number is None:
        raise Violation("a pointer renders an entry", "a pointer was written that renders none")
    old = stores.objects[before].get(KEY.pointer)
    known = genuine(old, entries) if old is not None else None
    if known is not None and number < known:
        raise Violation("the pointer never goes back", f"it went from entry {known} to {number}")


def sent(entry: Entry, promotion: Promotion, read: int) -> None:
    """An entry that is sent rests on what was live at the sender's last live read since it found the head."""
    if entry.kind is EntryKind.VOID:
        return
    if read == ABSENT or promotion.uid(read) != entry.resource.uid:
        raise Violation("nothing is decided that is not asked", f"{entry.reason} of a promotion that was gone")
    moves = entry.kind in (EntryKind.PROMOTE, EntryKind.ROLL_BACK)
    if moves and not promotion.approved(read):
        raise Violation("nothing moves without approvals", f"{entry.resource.name} was not approved at its last read")


def ended(stores: Stores, store: int, promotion: Promotion | None, end: object, flights: list[str]) -> None:
    """What a procedure that ends says is so, and no write of its own can change it any more."""
    if isinstance(end, Raised):
        raise Violation("nobody finds a broken chain", end.message)
    if promotion is None:
        return
    if flights:
        what = "a wait" if isinstance(end, Waiting) else "an end"
        raise Violation("no end while a write is under way", f"{what} of {promotion.name}, and {flights[0]} may land")
    if isinstance(end, Decided):
        entry = end.link.entry
        if entry.kind is EntryKind.VOID:
            raise Violation("what is reported is what the entry says", f"a Void is reported for {promotion.name}")
        if stores.objects[store].get(KEY.entry(entry.number)) != end.link.raw:
            raise Violation("what is reported is what the entry says", f"entry {entry.number} says something else")
        if entry.resource.name != promotion.name:
            raise Violation("what is reported is what the entry says", f"entry {entry.number} decides another op")


def at_rest(
    stores: Stores, store: int, known: tuple[Promotion, ...], versions: tuple[int, ...], *, pointed: bool
) -> None:
    """Nothing more will happen: whatever can be decided is, every decision is found, the pointer shows the head."""
    objects, entries = stores.objects[store], stores.entries(store)
    parsed = [each for each in map(Entry.parse, entries) if each.kind is not EntryKind.VOID]
    for each, version in zip(known, versions, strict=True):
        if each.approved(version) and not any(entry.resource.name == each.name for entry in parsed):
            raise Violation("what stays approved is decided", f"{each.name} is not, and nobody goes on")
    if not pointed:
        return
    if entries and objects.get(KEY.pointer) != render_pointer(entries[-1]):
        raise Violation("the pointer shows the newest entry", f"it does not show entry {len(entries)}")
    for entry in parsed:
        if objects.get(KEY.decision(entry.op)) != objects[KEY.entry(entry.number)]:
            raise Violation("every decision is found by its op", f"entry {entry.number} is not")
