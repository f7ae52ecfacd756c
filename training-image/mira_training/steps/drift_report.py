"""Evidently's report beside the drift: both sides' rows, of which those of the version in place are made again."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mira.registry.document import DocumentInvalid
from mira.registry.drift import Drift, EvidentlyReport
from mira.registry.manifest import DriftVerdict, File, Manifest
from mira.registry.order import ORDER_FILE, Order
from mira.registry.reader import Registry, Tampered
from mira.registry.verified import sha256_of
from mira_training.assignment import assign
from mira_training.data.again import NotTheSame, read_again
from mira_training.data.examples import featured
from mira_training.drift.asked import asks_for_report
from mira_training.drift.evidently import NotDrawn, drawn
from mira_training.laptop.spec import LaptopSpec
from mira_training.model.plan import plan
from mira_training.publication import upload_one
from mira_training.refusal import Refused
from mira_training.steps.ingest import both_sides, extra_inputs

if TYPE_CHECKING:
    from mira_training.assignment import Assignment
    from mira_training.ports import Ports

PAGE, DATA = "evidently.html.gz", "evidently.json.gz"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pair:
    """The version in place, by its manifest, and the new rows as a model sees them."""

    manifest: Manifest
    rows: pd.DataFrame


def with_report(document: Drift, pair: Pair, assignment: "Assignment", ports: "Ports") -> Drift:
    """The document with what it says of the report, whose files lie below `ports.version_folder`.

    That there can be no report is said and stops nothing: the verdict does not depend on it. Raises StoreUnavailable.
    """
    if document.verdict is DriftVerdict.NOT_MEASURED or not asks_for_report(assignment.spec):
        return document
    try:
        reference = _training_rows(pair.manifest, assignment, ports)
        made = drawn(reference, pair.rows, document)
    except (NotTheSame, NotDrawn, Refused, DocumentInvalid, Tampered) as error:
        reason = f"there is no report by Evidently: {error}"
        log.warning("%s", reason)
        return document.model_copy(update={"evidently": EvidentlyReport(reason=reason[:4096])})
    folder = ports.version_folder / "report"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PAGE).write_bytes(made.page)
    (folder / DATA).write_bytes(made.data)
    files = [_file(path, assignment.attempt, ports.version_folder) for path in _paths(ports)]
    return document.model_copy(update={"evidently": EvidentlyReport(files=files)})


def upload_report(document: Drift, prefix: str, attempt: str, ports: "Ports") -> None:
    """The report's files, if there are any, in the registry below the prefix. Raises StoreUnavailable."""
    if document.evidently is not None and document.evidently.files:
        for path in _paths(ports):
            upload_one(ports.registry, prefix, attempt, path, ports.version_folder)


def _paths(ports: "Ports") -> list[Path]:
    return [ports.version_folder / "report" / name for name in (PAGE, DATA)]


def _file(path: Path, attempt: str, folder: Path) -> File:
    name = f"attempts/{attempt}/{path.relative_to(folder).as_posix()}"
    return File(path=name, size=path.stat().st_size, sha256=sha256_of(path))


def _training_rows(manifest: Manifest, assignment: "Assignment", ports: "Ports") -> pd.DataFrame:
    """What the version was trained on, as its features hook left it.

    Raises NotTheSame; Refused for the version's code and for data that may not be read; StoreUnavailable.
    """
    order = Registry(ports.registry).document(manifest, ORDER_FILE, Order)
    if order is None:
        raise NotTheSame(f"version {manifest.version} was published without its {ORDER_FILE}")
    own = assign(order, manifest.attempt, on_laptop=True)
    spec = own.spec
    on_laptop = isinstance(assignment.spec, LaptopSpec)
    tables = read_again(own, manifest, ports, on_laptop=on_laptop)
    rows = both_sides(tables, spec.data, spec.seed).training
    if spec.features:
        rows = featured(rows, extra_inputs(tables), plan(spec), spec.features)
    if len(rows) != manifest.rows.training:
        raise NotTheSame(f"its training rows are {len(rows)} now, and were {manifest.rows.training}")
    return rows
