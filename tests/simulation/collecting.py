"""What the garbage collector and the namespace controller do, one thing at a time, when the simulator says so."""

from collections.abc import Iterator
from random import Random

from mira.adapters.cluster import Object
from tests.simulation.apiserver import ApiServer
from tests.simulation.history import Name


class Collector:
    """Deletes what lost its owner or lies in a namespace that is being deleted."""

    def __init__(self, server: ApiServer, random: Random) -> None:
        self._server = server
        self._random = random

    def collectable(self) -> list[Name]:
        """What may be deleted now, in a fixed order; a namespace only once it is empty."""
        return list(self._found())

    def collect(self) -> str | None:
        """What was deleted, one of what may be; None if there is nothing."""
        found = self.collectable()
        if not found:
            return None
        where = self._random.choice(found)
        if where.kind == "Namespace":
            self._server.remove(where.kind, None, where.name)
        else:
            self._server.delete(where.kind, where.namespace, where.name)
        return f"collected {where.kind} {where.namespace}/{where.name}"

    def _found(self) -> Iterator[Name]:
        names = self._server.names()
        bodies = {name: self._server.at(name) for name in names}
        uids = {body["metadata"]["uid"] for body in bodies.values()}
        ending = {name.name for name in names if name.kind == "Namespace" and _is_ending(bodies[name])}
        full = {name.namespace for name in names}
        for name in names:
            metadata = bodies[name]["metadata"]
            if name.kind == "Namespace":
                if name.name in ending and name.name not in full:
                    yield name
            elif not _is_ending(bodies[name]):
                owners = metadata.get("ownerReferences") or []
                orphaned = bool(owners) and not any(owner["uid"] in uids for owner in owners)
                if orphaned or name.namespace in ending:
                    yield name


def _is_ending(body: Object) -> bool:
    return bool(body["metadata"].get("deletionTimestamp"))
