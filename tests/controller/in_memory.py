"""As much of an API server as single passes need, in memory."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mira.adapters.cluster import AlreadyExists, Object


@dataclass
class InMemory:
    """Objects by kind and name, of one namespace; labels and dry runs are not looked at."""

    objects: dict[tuple[str, str], Object] = field(default_factory=dict)
    version: int = 100

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        return self.objects.get((kind, name))

    def list(self, kind: str, *, namespace: str | None = None, labels: str = "") -> list[Object]:
        return [body for (of, _), body in self.objects.items() if of == kind]

    def create(self, kind: str, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        name = body["metadata"]["name"]
        if (kind, name) in self.objects:
            raise AlreadyExists(409, "AlreadyExists", name)
        self.version += 1
        made = {"uid": f"uid-{self.version}", "resourceVersion": str(self.version)}
        self.objects[kind, name] = {**body, "metadata": body["metadata"] | made}
        return self.objects[kind, name]

    def patch(self, kind: str, namespace: str, name: str, body: Mapping[str, Any]) -> Object:
        raise NotImplementedError

    def patch_status(self, kind: str, namespace: str, name: str, body: Mapping[str, Any]) -> Object:
        changed = copy.deepcopy(self.objects[kind, name])
        self.version += 1
        changed["metadata"]["resourceVersion"] = str(self.version)
        status = changed.get("status", {}) | body["status"]
        changed["status"] = {name: value for name, value in status.items() if value is not None}
        self.objects[kind, name] = changed
        return changed
