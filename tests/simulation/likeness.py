"""Plays calls on an API server, the model or the real one, and compares what two of them say."""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mira.adapters.cluster import Answer, Cluster, Object
from tests.simulation.histories import LABELS, Call
from tests.simulation.history import text_of

Json = dict[str, Any]
Delete = Callable[[str, str, str, str | None], None]
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
NOWHERE = "no-such-namespace"


class Said(NamedTuple):
    """An API server's answer: the exception's name and code or nothing, its message, and the objects."""

    refusal: str
    message: str
    objects: list[Object]

    def in_short(self) -> tuple[str, str, list[str]]:
        """All of it but the objects themselves."""
        return self.refusal, self.message, [body["metadata"]["name"] for body in self.objects]


@dataclass
class Player:
    """Plays calls on one API server, in one namespace; `delete` is (kind, namespace, name, uid or None)."""

    cluster: Cluster
    delete: Delete
    namespace: str
    _versions: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def play(self, call: Call) -> Said:
        """What the API server answers."""
        try:
            objects = self._objects(call)
        except Answer as answer:
            # What is invalid is said at length, and not modelled; a deletion's refusal has uids in it.
            message = "" if answer.status == 422 or call.verb == "delete" else answer.message
            return Said(f"{type(answer).__name__} {answer.status} {answer.reason}", message, [])
        if call.verb != "dry_run":
            self._remember(call.kind, objects)
        return Said("", "", objects)

    def _objects(self, call: Call) -> list[Object]:
        verb, kind, name, _, version = call
        match verb:
            case "list":
                return self.cluster.list(kind, namespace=self.namespace, labels=LABELS if name == "a" else "")
            case "delete":
                self.delete(kind, self.namespace, name, "another" if version == "old" else None)
                return []
            case _:
                found = self._object(call)
                return [found] if found is not None else []

    def _object(self, call: Call) -> Object | None:
        verb, kind, name, body, version = call
        if verb == "get":
            return self.cluster.get(kind, self.namespace, name)
        if verb == "patch":
            return self.cluster.patch(kind, self.namespace, name, self._versioned(call))
        if verb == "patch_status":
            return self.cluster.patch_status(kind, self.namespace, name, self._versioned(call))
        namespace = NOWHERE if version == "nowhere" else self.namespace
        # An Event is about an object of its own namespace.
        about = {"involvedObject": body["involvedObject"] | {"namespace": namespace}} if kind == "Event" else {}
        return self.cluster.create(kind, namespace, body | about, dry_run=verb == "dry_run")

    def _versioned(self, call: Call) -> Json:
        """The body of a patch, with the resourceVersion that it goes with."""
        versions = self._versions.get((call.kind, call.name), ["1"])
        if call.version == "none":
            return call.body
        version = versions[-1] if call.version == "latest" else versions[0]
        return call.body | {"metadata": call.body.get("metadata", {}) | {"resourceVersion": version}}

    def _remember(self, kind: str, objects: list[Object]) -> None:
        for body in objects:
            versions = self._versions.setdefault((kind, body["metadata"]["name"]), [])
            version = body["metadata"]["resourceVersion"]
            if not versions or versions[-1] != version:
                versions.append(version)


@dataclass
class Likeness:
    """Two servers' objects, compared but for what chance and clocks give: uids and versions must tell one story."""

    _uids: dict[str, str] = field(default_factory=dict)
    _versions: set[tuple[int, int]] = field(default_factory=set)

    def of(self, one: Object, other: Object) -> tuple[str, str]:
        """The two texts that must be equal."""
        uids = one["metadata"]["uid"], other["metadata"]["uid"]
        name = f"uid {len(self._uids)}"
        for uid in uids:
            self._uids.setdefault(uid, name)
        versions = [int(body["metadata"].get("resourceVersion", 0)) for body in (one, other)]
        self._versions.add((versions[0], versions[1]))
        return self._text(one), self._text(other)

    def versions_agree(self) -> bool:
        """Whether each version of the one server is one version of the other, and they come in the same order."""
        pairs = itertools.pairwise(sorted(self._versions))
        return all(one < next_one and other < next_other for (one, other), (next_one, next_other) in pairs)

    def _text(self, body: Object) -> str:
        apart = ("managedFields", "resourceVersion")
        metadata = {key: value for key, value in body["metadata"].items() if key not in apart}
        for key in ("creationTimestamp", "deletionTimestamp"):
            if key in metadata:
                metadata[key] = "then"
        uid = body["metadata"]["uid"]
        return text_of(body | {"metadata": metadata}).replace(uid, self._uids[uid])


def likened(body: Object, names: dict[str, str]) -> str:
    """The text of a body without moments, and with these names instead of what chance gave."""
    text = MOMENT.sub("then", text_of(body))
    for name, instead in names.items():
        text = text.replace(name, instead)
    return text
