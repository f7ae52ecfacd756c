"""One client's watch of one kind, and all that can go wrong with it: the simulator says what happens next."""

from dataclasses import dataclass, field
from random import Random
from typing import Literal, NamedTuple

from mira.adapters.cluster import Object
from tests.simulation.apiserver import ApiServer
from tests.simulation.history import Change, EventType, matches, shared


class Told(NamedTuple):
    """What the client hears: LISTED for each object of a list, then what changes."""

    type: Literal["LISTED"] | EventType
    body: Object


@dataclass
class Watch:
    """As kopf watches: a list, then what follows it; after every end of the stream a new list, which tells no end."""

    server: ApiServer
    kind: str
    random: Random
    labels: str = ""
    connected: bool = False
    silent: bool = False
    _position: int = 0
    _queue: list[Told] = field(default_factory=list)

    def connect(self) -> None:
        """Lists as of now, and watches from there."""
        self._queue = [
            Told("LISTED", body) for body in self.server.list_at(self.server.revision, self.kind, labels=self.labels)
        ]
        self._position = self.server.revision
        self.connected, self.silent = True, False

    def disconnect(self) -> None:
        """Ends the stream; what was not delivered is lost until `connect` lists again."""
        self.connected = False
        self._queue = []

    def expire(self) -> None:
        """410 Gone: the stream ends as it does when it is disconnected, and a client has to list anew."""
        self.disconnect()

    def go_silent(self) -> None:
        """Half-open: nothing comes any more, and the client does not know."""
        self.silent = True
        self._queue = []

    def pending(self) -> int:
        """How many events could be delivered now."""
        return len(self._waiting())

    def deliver(self) -> Told | None:
        """The next event, None if there is none."""
        waiting = self._waiting()
        return waiting.pop(0) if waiting else None

    def drop(self) -> bool:
        """Loses the next event; whether there was one."""
        return self.deliver() is not None

    def duplicate(self) -> bool:
        """Makes the next event come twice; whether there was one."""
        waiting = self._waiting()
        waiting[:0] = waiting[:1]
        return bool(waiting)

    def reorder(self) -> bool:
        """Brings some object's next event before those of others; whether anything changed places."""
        waiting = self._waiting()
        firsts: dict[tuple[str, str], int] = {}
        for place, told in enumerate(waiting):
            firsts.setdefault(_object_of(told), place)
        return self._bring_forward([place for place in firsts.values() if place > 0])

    def reorder_within_object(self) -> bool:
        """Brings any event to the front, even before older ones of its own object: no API server does that."""
        return self._bring_forward(list(range(1, len(self._waiting()))))

    def _bring_forward(self, places: list[int]) -> bool:
        if places:
            self._queue.insert(0, self._queue.pop(self.random.choice(places)))
        return bool(places)

    def _waiting(self) -> list[Told]:
        """The queue, with what has happened since somebody looked last."""
        if not self.connected or self.silent:
            return []
        for change in self.server.history.since(self._position):
            told = self._told(change) if change.name.kind == self.kind else None
            if told is not None:
                self._queue.append(told)
        self._position = self.server.revision
        return self._queue

    def _told(self, change: Change) -> Told | None:
        """The change as this watch sees it: an object that loses the labels is deleted for it, and a new one later."""
        now = change.type != "DELETED" and matches(shared(change.text), self.labels)
        before = bool(change.before) and matches(shared(change.before), self.labels)
        if now:
            return Told("MODIFIED" if before else "ADDED", change.body)
        return Told("DELETED", change.body if change.type == "DELETED" else change.last_seen) if before else None


def _object_of(told: Told) -> tuple[str, str]:
    metadata = told.body["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
