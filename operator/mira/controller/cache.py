"""The operator's own cache of what it watches. Absence in it proves nothing; it says when to look, not what is true."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Object = dict[str, Any]
Name = tuple[str, str]


@dataclass
class _Seen:
    """One object and when, in the cache's own count of changes, it was last touched."""

    body: Object
    touched: int


class _Gone(NamedTuple):
    """The newest version of an object that is known to be gone, and when that became known."""

    version: int
    touched: int


@dataclass
class Cache:
    """The newest known body of each object, by kind, namespace and name. Safe to share between threads.

    Bodies come from watch events, from the operator's own writes and from periodic lists; an older resourceVersion
    never replaces a newer one. Bodies are shared and never changed by whoever reads them. A list drops an object only
    if nothing touched it since that list began: the list may be older than the watch event that brought the object.
    What is gone stays gone until something newer comes: a deletion is remembered until a list that began after it.
    """

    _objects: dict[str, dict[Name, _Seen]] = field(default_factory=dict)
    _gone: dict[str, dict[Name, _Gone]] = field(default_factory=dict)
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, kind: str, body: Object) -> bool:
        """Whether the body was news: absent before, or newer than what was known."""
        with self._lock:
            return self._put(kind, body)

    def remove(self, kind: str, body: Object) -> bool:
        """Takes in that this object was deleted; False if that is no news, or a newer one of the name is known."""
        with self._lock:
            seen = self._objects.get(kind, {}).get(_name(body))
            if seen is not None and _version(seen.body) > _version(body):
                return False
            self._drop(kind, _name(body), _version(body))
            return seen is not None

    def begin_list(self) -> int:
        """A mark to hand to `finish_list`; to be taken before the list is requested."""
        with self._lock:
            return self._count

    def finish_list(self, kind: str, mark: int, bodies: Iterable[Object]) -> set[Name]:
        """The names whose object is new, newer or gone, after a list that was requested at the mark."""
        with self._lock:
            # Such a list knows of every deletion that was known when it began.
            known = self._gone.get(kind, {})
            self._gone[kind] = {name: gone for name, gone in known.items() if gone.touched > mark}
            listed: set[Name] = set()
            changed: set[Name] = set()
            for body in bodies:
                listed.add(_name(body))
                if self._put(kind, body):
                    changed.add(_name(body))
            objects = self._objects.get(kind, {})
            dropped = {name for name, seen in objects.items() if name not in listed and seen.touched <= mark}
            for name in dropped:
                self._drop(kind, name, _version(objects[name].body))
            return changed | dropped

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """The newest known body; None says that none is known, not that there is none."""
        with self._lock:
            seen = self._objects.get(kind, {}).get((namespace, name))
            return seen.body if seen else None

    def all(self, kind: str) -> Iterator[Object]:
        """A snapshot of every object of a kind."""
        with self._lock:
            return iter([seen.body for seen in self._objects.get(kind, {}).values()])

    def count(self, kind: str) -> int:
        """How many objects of a kind are known."""
        with self._lock:
            return len(self._objects.get(kind, {}))

    def _drop(self, kind: str, name: Name, version: int) -> None:
        self._objects.get(kind, {}).pop(name, None)
        self._count += 1
        gone = self._gone.setdefault(kind, {})
        gone[name] = _Gone(max(version, gone[name].version if name in gone else 0), self._count)

    def _put(self, kind: str, body: Object) -> bool:
        gone = self._gone.get(kind, {}).get(_name(body))
        if gone is not None and gone.version >= _version(body):
            return False
        objects = self._objects.setdefault(kind, {})
        seen = objects.get(_name(body))
        self._count += 1
        if seen is not None and _version(seen.body) >= _version(body):
            seen.touched = self._count
            return False
        objects[_name(body)] = _Seen(_without_ballast(body), self._count)
        return True


def _without_ballast(body: Object) -> Object:
    """The body without what no pass reads and ten thousand objects would keep in memory: field owners, Jobs' orders."""
    slim = body | {"metadata": {key: value for key, value in body["metadata"].items() if key != "managedFields"}}
    template = (body.get("spec") or {}).get("template")
    if isinstance(template, dict):
        bare = {key: value for key, value in template.items() if key != "metadata"}
        slim["spec"] = body["spec"] | {"template": bare}
    return slim


def _name(body: Object) -> Name:
    metadata = body["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _version(body: Object) -> int:
    # Comparable since Kubernetes 1.35; before that every storage in use counts up just the same.
    return int(body["metadata"].get("resourceVersion", "0"))
