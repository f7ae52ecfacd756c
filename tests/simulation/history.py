"""Everything that ever happened to the objects of the model: what watches tell, and what stale lists answer from."""

import functools
import json
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pydantic_core import from_json

from mira.adapters.cluster import Object

EventType = Literal["ADDED", "MODIFIED", "DELETED"]


class Name(NamedTuple):
    """Which object; the namespace is empty for objects that have none."""

    kind: str
    namespace: str
    name: str

    @property
    def place(self) -> tuple[str, str]:
        """Where it comes in a list: as in the store's keys, where "a/x" comes after "a-b/x"."""
        return self.kind, f"{self.namespace}/{self.name}"


class Change(NamedTuple):
    """One write: the object's text before and after, empty where it was not there."""

    revision: int
    type: EventType
    name: Name
    text: str
    before: str

    @property
    def body(self) -> Object:
        """The object as this write left it; of a deletion its last state, at the deletion's own revision."""
        body: Object = from_json(self.text)
        return body

    @property
    def last_seen(self) -> Object:
        """The object as this write found it, at this write's revision: what a watch tells that sees it no longer."""
        body: Object = from_json(self.before)
        body["metadata"]["resourceVersion"] = str(self.revision)
        return body


@dataclass
class History:
    """All changes in order; the newest has the store's revision."""

    changes: list[Change] = field(default_factory=list)

    def since(self, revision: int) -> list[Change]:
        """The changes after this revision, oldest first."""
        newest_first = []
        for change in reversed(self.changes):
            if change.revision <= revision:
                break
            newest_first.append(change)
        return newest_first[::-1]

    def undone(self, texts: dict[Name, str], revision: int) -> dict[Name, str]:
        """The texts as they were at this revision, from those of now."""
        then = dict(texts)
        for change in reversed(self.since(revision)):
            if change.before:
                then[change.name] = change.before
            else:
                then.pop(change.name, None)
        return then


def matches(body: Object, labels: str) -> bool:
    """Whether the object has these labels: `a=b,c=d`, nothing else is understood."""
    has = body["metadata"].get("labels") or {}
    return all(has.get(key) == value for key, _, value in (each.partition("=") for each in labels.split(",") if each))


@functools.lru_cache(maxsize=10_000)
def shared(text: str) -> Object:
    """The body of this text: one for all who ask, so it must not be changed."""
    body: Object = from_json(text)
    return body


def text_of(body: Any) -> str:
    """The one text of a body: equal texts are equal JSON, and no True is taken for a 1."""
    return json.dumps(body, sort_keys=True)
