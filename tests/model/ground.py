"""What everybody acts on: the store's objects, and the promotions as Kubernetes holds them; both as small numbers."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from mira.api.modelpromotion import ModelPromotion
from mira.decide.promotion_case import Asked, Live
from mira.registry.document import DocumentInvalid, sha256
from mira.registry.entry import Entry, EntryKind, Pointer, render_pointer
from mira.registry.memory import MemoryStore
from mira.registry.steps import Call, Create, Get, ListKeys, Replace, answer_from
from mira.registry.store import Put
from tests.registry.simulation import beginning
from tests.support.world import KEY, NOON, World, later, promotion

ABSENT = 0
GARBAGE = b"{}"


class Stores:
    """Every store that was met, and what a write makes of each."""

    def __init__(self, first: MemoryStore) -> None:
        # Nobody changes versions, files and comparisons: they are answered from one store for all.
        self.constant = first
        changing = {key: body for key, body in first.objects.items() if not key.startswith("models/")}
        self.objects: list[dict[str, bytes]] = []
        self._known: dict[frozenset[tuple[str, bytes]], int] = {}
        self._written: dict[tuple[int, int], int] = {}
        self.calls: list[Create | Replace] = []
        self._numbers: dict[Create | Replace, int] = {}
        self.number(changing)

    def number(self, objects: dict[str, bytes]) -> int:
        """The number of the store with exactly these objects."""
        name = frozenset(objects.items())
        if name not in self._known:
            self._known[name] = len(self.objects)
            self.objects.append(objects)
        return self._known[name]

    def write_number(self, call: Create | Replace) -> int:
        """The number of a write."""
        if call not in self._numbers:
            self._numbers[call] = len(self.calls)
            self.calls.append(call)
        return self._numbers[call]

    def written(self, store: int, write: int) -> int:
        """The store after the write has arrived; the same if it does nothing."""
        after = self._written.get((store, write))
        if after is None:
            memory = MemoryStore(dict(self.objects[store]))
            done = answer_from(memory, self.calls[write]) is Put.WRITTEN
            after = self.number(memory.objects) if done else store
            self._written[store, write] = after
        return after

    def read(self, store: int, call: Call) -> Any:
        """The answer to a read."""
        changing = isinstance(call, ListKeys) or (isinstance(call, Get) and not call.key.startswith("models/"))
        return answer_from(MemoryStore(self.objects[store]) if changing else self.constant, call)

    def with_pointer(self, store: int, body: bytes | None) -> int:
        """The store after somebody wrote the pointer by hand, None: deleted it."""
        objects = {key: known for key, known in self.objects[store].items() if key != KEY.pointer}
        return self.number(objects if body is None else objects | {KEY.pointer: body})

    def entries(self, store: int) -> list[bytes]:
        """The bytes of every entry, in order."""
        objects = self.objects[store]
        return [objects[key] for key in sorted(objects) if key.startswith(KEY.lineage)]

    def moot(self, write: int, store: int, *, hands: bool) -> bool:
        """Whether a late write can do nothing any more.

        Of a pointer that no hand edits any more: one that is there stays, and one that renders entry n never shows a
        lower one or none again. Both are promises that are looked at for every write.
        """
        call, objects = self.calls[write], self.objects[store]
        if call.key != KEY.pointer:
            return call.key in objects
        pointer = objects.get(KEY.pointer)
        if hands or pointer is None:
            return False
        if isinstance(call, Create):
            return True
        entries = self.entries(store)
        number = genuine(pointer, entries)
        possible = [pointer, *map(render_pointer, entries[number or len(entries) :])]
        return number is not None and call.etag not in map(etag, possible)

    def forgeries(self, store: int) -> list[tuple[str, bytes | None]]:
        """What a hand makes of the pointer: nothing, garbage, a number that does not exist, the first entry again."""
        entries = self.entries(store)
        real = Pointer.parse(render_pointer(entries[-1]))
        ahead = real.model_copy(update={"number": len(entries) + 2}).render()
        return [
            ("deleted", None),
            ("filled with garbage", GARBAGE),
            ("given a number that does not exist", ahead),
            ("turned back to entry 1", render_pointer(entries[0])),
        ]


def genuine(body: bytes, entries: list[bytes]) -> int | None:
    """The number of the entry of which this is the rendering, None if it renders none."""
    try:
        number = Pointer.parse(body).number
    except DocumentInvalid:
        return None
    return number if number <= len(entries) and render_pointer(entries[number - 1]) == body else None


def etag(body: bytes) -> str:
    """The ETag of these bytes."""
    found = MemoryStore({"key": body}).get("key", limit=len(body))
    return found.etag if found else ""


@dataclass(frozen=True)
class Promotion:
    """One name, and every resource that may ever be under it; number 0 is none."""

    name: str
    versions: tuple[ModelPromotion | None, ...]
    asked: tuple[Asked | None, ...]
    live: tuple[Live, ...]

    def uid(self, version: int) -> str:
        """The uid of the resource, empty if there is none."""
        resource = self.versions[version]
        return resource.metadata.uid if resource else ""

    def approved(self, version: int) -> bool:
        """Whether the resource has all the approvals that it needs."""
        resource = self.versions[version]
        return resource is not None and (bool(resource.spec.approvals) or resource.spec.action.value == "RollBack")


def promotions(names: tuple[str, ...], ask: Any) -> tuple[Promotion, ...]:
    """The promotions of these names; `ask` gives what a resource asks."""
    return tuple(_promotion(name, ask) for name in names)


def _promotion(name: str, ask: Any) -> Promotion:
    world = beginning()
    first = world.promotions[name]
    versions: list[ModelPromotion | None] = [None, first]
    again = {"uid": f"uid-{name}-again", "creation_timestamp": NOON + timedelta(seconds=30)}
    versions.append(later(first, **again))
    if first.spec.approvals:
        bare = promotion(name, first.spec.version, created=first.metadata.creation_timestamp or NOON)
        versions += [bare, later(bare, **again)]
    return Promotion(
        name,
        tuple(versions),
        tuple(ask(each) if each else None for each in versions),
        tuple(_live(world, name, each, ask(first)) for each in versions),
    )


def _live(world: World, name: str, resource: ModelPromotion | None, question: Asked) -> Live:
    return replace(world, promotions={name: resource} if resource else {}).live(question)


@dataclass(frozen=True)
class Users:
    """What users left, and what they may still do."""

    versions: tuple[int, ...]
    acts: int
    recreations: int
    hands: int

    def changed(self, index: int, version: int, *, recreated: bool = False) -> "Users":
        """After one act on one promotion."""
        versions = (*self.versions[:index], version, *self.versions[index + 1 :])
        return replace(self, versions=versions, acts=self.acts - 1, recreations=self.recreations - recreated)


def acts(users: Users, known: tuple[Promotion, ...], touched: tuple[str, ...]) -> list[tuple[str, Users]]:
    """What users may do now: delete, create again with a new uid, withdraw an approval, give it again."""
    found: list[tuple[str, Users]] = []
    if not users.acts:
        return found
    for index, each in enumerate(known):
        version = users.versions[index]
        if each.name not in touched:
            continue
        if version != ABSENT:
            found.append((f"{each.name} is deleted", users.changed(index, ABSENT)))
        if users.recreations and version in (0, 1, 3):
            found.append((f"{each.name} is created again", users.changed(index, 2, recreated=True)))
        if len(each.versions) > 3 and version in (1, 2):
            found.append((f"{each.name}'s approval is withdrawn", users.changed(index, version + 2)))
        if version in (3, 4):
            found.append((f"{each.name} is approved again", users.changed(index, version - 2)))
    return found


def next_entries(head: Entry, raw: bytes) -> list[Entry]:
    """Two entries that may come next: one that decides an op of its own, and a Void."""
    number = head.number + 1
    asker = head.resource.model_copy(update={"name": f"asker-{number}"})
    same = {"resource": asker, "number": number, "prev_sha256": sha256(raw), "op": sha256(str(number).encode())}
    decides = {"kind": EntryKind.REFUSE, "reason": "Superseded", "previous": None}
    void = {"kind": EntryKind.VOID, "reason": "Void", "previous": None}
    return [head.model_copy(update=same | decides), head.model_copy(update=same | void)]
