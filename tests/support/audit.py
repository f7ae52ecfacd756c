"""What the operator asked of the API server, counted from its audit log."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OPERATOR = "system:serviceaccount:mira-system:mira-operator"
WRITES = ("create", "update", "patch", "delete", "deletecollection")


@dataclass
class Audit:
    """The log from the moment at which this was made."""

    log: Path
    _from: int = field(init=False)

    def __post_init__(self) -> None:
        self._from = self.log.stat().st_size

    def made(self, namespace: str) -> Counter[str]:
        """How many objects of each resource the operator created in this namespace; dry runs make nothing."""
        created = (e for e in self._events(namespace) if e["verb"] == "create" and e["responseStatus"]["code"] == 201)
        return Counter(event["objectRef"]["resource"] for event in created)

    def writes(self, namespace: str) -> Counter[tuple[str, str]]:
        """How often the operator tried each (verb, resource[/subresource]) that writes, Events apart."""
        counted: Counter[tuple[str, str]] = Counter()
        for event in self._events(namespace):
            about = event["objectRef"]
            if event["verb"] in WRITES and about["resource"] != "events":
                counted[event["verb"], "/".join(filter(None, (about["resource"], about.get("subresource"))))] += 1
        return counted

    def _events(self, namespace: str) -> Iterator[dict[str, Any]]:
        with self.log.open() as lines:
            lines.seek(self._from)
            for line in lines:
                event = json.loads(line) if line.endswith("\n") else {}
                real = event.get("stage") == "ResponseComplete" and "dryRun=All" not in event["requestURI"]
                if (
                    real
                    and event["user"]["username"] == OPERATOR
                    and event.get("objectRef", {}).get("namespace") == namespace
                ):
                    yield event
