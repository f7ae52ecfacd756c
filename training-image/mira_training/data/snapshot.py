"""Data that `hooks.ingest` brings from elsewhere: kept as Parquet in the registry, so that all attempts read the same.

The first attempt of a run calls the hook; where nobody pins a query's result, this file is what pins it.
"""

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mira.api.data import Format
from mira.api.reasons import Reason
from mira.registry.inputs import Inputs, Listed, Listing
from mira.registry.manifest import File, Source
from mira.registry.reader import Registry, Tampered
from mira_training.data.listing import agreed, known_inputs
from mira_training.data.tables import read_table
from mira_training.model.code import running
from mira_training.refusal import Refused, listed

if TYPE_CHECKING:
    from mira_training.assignment import Assignment
    from mira_training.model.plan import Call
    from mira_training.ports import Ports

log = logging.getLogger(__name__)


def snapshots(
    assignment: "Assignment",
    hook: "Call",
    uris: Mapping[str, str],
    inputs: Mapping[str, pd.DataFrame],
    ports: "Ports",
) -> dict[str, tuple[pd.DataFrame, Source]]:
    """The rows of each of `uris` by its name, as this run's first attempt got them, with where they are kept.

    Raises Refused: `CodeFailed` if the hook raises, `CodeInvalid` if it gives no table that can be kept, `DataInvalid`
    if a snapshot was changed; StoreUnavailable, StoreRefused.
    """
    run, name = assignment.order.run.uid, _reference(assignment)
    where = assignment.key.snapshots_of(run)
    known = known_inputs(ports.registry, where)
    if known is None:
        taken = []
        for table, uri in uris.items():
            with running(f"hooks.ingest {name}"):
                copies = {each: frame.copy(deep=False) for each, frame in inputs.items()}
                offered = {"inputs": copies, "uri": uri, "folder": ports.folder, "seed": assignment.spec.seed}
                found = hook(offered)
            path = _written(found, name, ports.folder / f"snapshot-{table}.parquet")
            taken.append(Listing(name=table, objects=[_kept(path, assignment, ports)]))
        known = agreed(ports.registry, where, Inputs(listings=taken))
    return {each.name: read_snapshot(each.name, each.objects[0], assignment, ports) for each in known.listings}


def _reference(assignment: "Assignment") -> str:
    hooks = assignment.spec.hooks
    return str(hooks.ingest) if hooks else ""


def _written(found: object, name: str, path: Path) -> Path:
    """The path, holding the hook's rows as Parquet. An index is left out: it is no column."""
    if not isinstance(found, pd.DataFrame):
        kind = "nothing" if found is None else f"a {type(found).__name__}"
        raise _wrong(name, f"returns {kind}; it must return a pandas DataFrame")
    names = [str(each) for each in found.columns]
    if twice := sorted({each for each in names if names.count(each) > 1}):
        raise _wrong(name, f"returns more than one column named {listed(twice)}; rename them")
    if found.empty:
        raise _wrong(name, f"returns a table of {len(found)} rows and {len(names)} columns; it must have some of both")
    try:
        found.set_axis(names, axis=1).to_parquet(path, index=False)
    except (TypeError, ValueError) as error:  # pyarrow raises its own kinds of both
        said = str(error).splitlines()[0][:200]
        raise _wrong(name, f"returns a table that Parquet cannot hold: {said}; give each column one type") from error
    return path


def _kept(path: Path, assignment: "Assignment", ports: "Ports") -> Listed:
    """The file in the registry."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    key = assignment.key.snapshot(assignment.order.run.uid, sha256)
    if ports.registry.head(key) is None:
        ports.registry.upload(key, path)
    size = path.stat().st_size
    path.unlink()
    log.info("what hooks.ingest returned is kept as %s, %d bytes", key, size)
    return Listed(uri=f"{assignment.order.registry.rstrip('/')}/{key}", size=size, etag=sha256, sha256=sha256)


def read_snapshot(name: str, kept: Listed, assignment: "Assignment", ports: "Ports") -> tuple[pd.DataFrame, Source]:
    """The rows, also for the attempt that wrote them: what Parquet makes of a type, it makes of it for all."""
    key = assignment.key.snapshot(assignment.order.run.uid, str(kept.sha256))
    file = File(path=key.removeprefix(assignment.key.prefix), size=kept.size, sha256=str(kept.sha256))
    path = ports.folder / f"{name}.parquet"
    try:
        Registry(ports.registry).download(assignment.key, file, path)
    except Tampered as error:
        raise Refused(Reason.DATA_INVALID, f"hooks.ingest: the snapshot {error}; create a new run") from error
    table = read_table(path, kept.uri, Format.PARQUET)
    path.unlink()
    log.info("read %d rows, %d bytes from %s", len(table), kept.size, kept.uri)
    return table, Source(name=name, uri=kept.uri, sha256=file.sha256, size=kept.size, rows=len(table))


def _wrong(name: str, said: str) -> Refused:
    return Refused(Reason.CODE_INVALID, f"hooks.ingest: {name} {said}")
