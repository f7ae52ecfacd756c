"""Ingest: from the order's uris to tables, every object pinned, hashed and recorded."""

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from mira.api.data import ColumnType, Data, DataSource
from mira.api.reasons import Reason
from mira.registry.inputs import Listed
from mira.registry.manifest import Source
from mira_training.data.listing import INPUTS, pinned, sources_of
from mira_training.data.snapshot import snapshots
from mira_training.data.split import Division, divided
from mira_training.data.tables import format_of, joined, read_table
from mira_training.refusal import Refused

if TYPE_CHECKING:
    from mira_training.assignment import Assignment
    from mira_training.model.plan import Plan
    from mira_training.ports import Ports

AT_ONCE = 4
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ingested:
    """The rows as they were read, on their side of the split; `inputs` by name; what was read from where."""

    division: Division
    inputs: Mapping[str, pd.DataFrame]
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Rows:
    """Rows as they were read; `inputs` by name; what was read from where."""

    table: pd.DataFrame
    inputs: Mapping[str, pd.DataFrame]
    sources: tuple[Source, ...]


def ingest(assignment: "Assignment", plan: "Plan", ports: "Ports") -> Ingested:
    """The data of the run. Raises Refused if an object is missing, unreadable, denied or changed; StoreUnavailable.

    With `hooks.ingest` its snapshots take the place of data.training and data.holdout.
    """
    data = assignment.spec.data
    wanted = sources_of(data)
    by_mira = {name: one for name, one in wanted.items() if plan.ingest is None or name.startswith(INPUTS)}
    tables, sources = _read_all(by_mira, assignment.inputs_key, data, ports)
    inputs = extra_inputs(tables)
    if plan.ingest is not None:
        uris = {name: source.uri for name, (_, source) in wanted.items() if name not in by_mira}
        taken = snapshots(assignment, plan.ingest, uris, inputs, ports)
        tables |= {name: table for name, (table, _) in taken.items()}
        sources = [*(source for _, source in taken.values()), *sources]
    division = both_sides(tables, data, assignment.spec.seed)
    training, evaluation = len(division.training), len(division.evaluation)
    log.info("%d rows to train on and %d to evaluate on: %s", training, evaluation, division.said)
    return Ingested(division, inputs, tuple(sources))


def read_training(assignment: "Assignment", ports: "Ports") -> Rows:
    """All rows of `data.training`, on no side of a split. Raises what `ingest` raises."""
    data = assignment.spec.data.model_copy(update={"holdout": None})
    tables, sources = _read_all(sources_of(data), assignment.inputs_key, data, ports)
    return Rows(tables["training"], extra_inputs(tables), tuple(sources))


def _read_all(
    wanted: Mapping[str, tuple[str, DataSource]], key: str, data: Data, ports: "Ports"
) -> tuple[dict[str, pd.DataFrame], list[Source]]:
    """The table of each source by its name, as the first attempt listed it under the key."""
    return read_listed(wanted, pinned(ports.registry, key, wanted, ports.data), data, ports)


def read_listed(
    wanted: Mapping[str, tuple[str, DataSource]], objects: Mapping[str, list[Listed]], data: Data, ports: "Ports"
) -> tuple[dict[str, pd.DataFrame], list[Source]]:
    """The table of each source by its name, of exactly these objects, and a record of each object."""
    tables, sources = {}, []
    for name, (field, source) in wanted.items():
        tables[name], read = _read(name, source, objects[name], field=field, data=data, ports=ports)
        sources += read
    return tables, sources


def extra_inputs(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables of `data.inputs`, by the names that they have there."""
    return {name.removeprefix(INPUTS): table for name, table in tables.items() if name.startswith(INPUTS)}


def _read(
    name: str, source: DataSource, objects: list[Listed], *, field: str, data: Data, ports: "Ports"
) -> tuple[pd.DataFrame, list[Source]]:
    """All rows of one source, and a record of each object that they came from."""
    texts = _texts(data) if name in ("training", "holdout") else []

    def one(listed: Listed, number: int) -> tuple[pd.DataFrame, Source]:
        form = format_of(listed.uri, source.format)
        if form is None:
            raise Refused(
                Reason.DATA_INVALID,
                f"{field}.format: is required for {listed.uri}, whose suffix is not .csv, .csv.gz or .parquet; "
                "set it to CSV or Parquet",
            )
        file = ports.data.read(listed, ports.folder / f"{name}-{number}")
        if file is None:
            raise Refused(
                Reason.DATA_NOT_FOUND, f"{field}.uri: {listed.uri} was deleted after this run's first attempt listed it"
            )
        table = read_table(file.path, listed.uri, form, texts)
        file.path.unlink()
        log.info("read %d rows, %d bytes from %s", len(table), file.size, listed.uri)
        record = Source(
            name=name, uri=listed.uri, sha256=file.sha256, size=file.size, rows=len(table),
            version_id=file.version_id, etag=listed.etag,
        )  # fmt: skip
        return table, record

    with ThreadPoolExecutor(AT_ONCE) as pool:
        # Each in a copy of our context, so that its log records name the step.
        runs = [pool.submit(copy_context().run, one, listed, number) for number, listed in enumerate(objects)]
        read = [run.result() for run in runs]
    table = joined([(listed.uri, each) for listed, (each, _) in zip(objects, read, strict=True)])
    return table, [record for _, record in read]


def _texts(data: Data) -> list[str]:
    """Columns that are declared to be text: in a CSV file 007 is a number unless somebody says otherwise."""
    columns = data.checks.columns if data.checks else ()
    return [column.name for column in columns if column.type is ColumnType.STRING]


def both_sides(tables: Mapping[str, pd.DataFrame], data: Data, seed: int) -> Division:
    """The rows to train on and those to evaluate on."""
    if "holdout" in tables:
        return Division(tables["training"], tables["holdout"], "the rows of data.holdout")
    return divided(tables["training"], data, seed)
