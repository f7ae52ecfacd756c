"""The data of a published version, read once more: the same bytes as in its training, or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mira.api.reasons import Reason
from mira.registry.inputs import Listed
from mira.registry.manifest import Manifest, Source
from mira_training.data.files import SCHEME
from mira_training.data.listing import INPUTS, sources_of
from mira_training.data.objects import DataObjects, Read
from mira_training.data.snapshot import read_snapshot
from mira_training.refusal import Refused, listed

if TYPE_CHECKING:
    from mira_training.assignment import Assignment
    from mira_training.ports import Ports


class NotTheSame(Exception):
    """What a version was trained or evaluated on is not there any more as it was; nothing brings it back."""


@dataclass(frozen=True)
class SameObjects:
    """Data in which an object is the one that is asked for only if it has the sha256 that was recorded."""

    objects: DataObjects

    def find(self, uri: str, version_id: str | None = None) -> Listed | None:
        """The object at the uri as it is now, or its given version; None if there is none."""
        return self.objects.find(uri, version_id)

    def under(self, prefix: str) -> list[Listed]:
        """Every object under the prefix that holds data, in the order of keys."""
        return self.objects.under(prefix)

    def read(self, listed: Listed, path: Path) -> Read:
        """The object with the recorded bytes, wherever they are found. Raises NotTheSame."""
        # Without a version to name, or once that is gone, the bytes may still be there: written again, or touched.
        pinned = self.objects.find(listed.uri, listed.version_id) if listed.version_id else None
        there = pinned or self.objects.find(listed.uri)
        found = None if there is None else self.objects.read(there, path)
        if found is None:
            raise NotTheSame(f"{listed.uri} is gone")
        if found.sha256 != listed.sha256:
            raise NotTheSame(f"{listed.uri} has other content than when the version was trained on it")
        return found


def read_again(
    assignment: "Assignment", manifest: Manifest, ports: "Ports", *, on_laptop: bool
) -> dict[str, pd.DataFrame]:
    """The table of each source by its name. Raises NotTheSame; Refused if it may not be read, StoreUnavailable."""
    from mira_training.steps.ingest import read_listed  # noqa: PLC0415 - a step is above its data

    data = assignment.spec.data
    recorded: dict[str, list[Source]] = {}
    for source in manifest.sources:
        recorded.setdefault(source.name, []).append(source)
    wanted = sources_of(data)
    if missing := [name for name in wanted if name not in recorded]:
        raise NotTheSame(f"the manifest does not record where {listed(missing)} came from")
    by_hook = assignment.spec.hooks is not None and assignment.spec.hooks.ingest is not None
    objects = {name: recorded[name] for name in wanted if not by_hook or name.startswith(INPUTS)}
    if not on_laptop:
        _no_files(objects)
    exact = replace(ports, data=SameObjects(ports.data))
    tables, _ = read_listed(
        {name: wanted[name] for name in objects},
        {name: [_listed(each) for each in sources] for name, sources in objects.items()},
        data,
        exact,
    )
    kept = {name: recorded[name][0] for name in wanted if name not in objects}
    return tables | {name: _snapshot(name, source, assignment, ports) for name, source in kept.items()}


def _listed(source: Source) -> Listed:
    return Listed(
        uri=source.uri,
        size=source.size,
        etag=source.etag or "",
        version_id=source.version_id,
        sha256=source.sha256,
    )


def _no_files(objects: Mapping[str, list[Source]]) -> None:
    """Only a person's own order may name files."""
    uris = [source.uri for sources in objects.values() for source in sources if source.uri.startswith(SCHEME)]
    if uris:
        raise NotTheSame(f"{uris[0]} lies on the machine of whoever trained it, where nobody else can read it")


def _snapshot(name: str, source: Source, assignment: "Assignment", ports: "Ports") -> pd.DataFrame:
    try:
        table, _ = read_snapshot(name, _listed(source), assignment, ports)
    except Refused as error:
        if error.reason is not Reason.DATA_INVALID:
            raise
        raise NotTheSame(f"what hooks.ingest returned is not kept any more as it was: {error.message}") from error
    return table
