"""Drift: how far the new training rows are from those that the version in place was trained on."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from mira.api.reasons import Reason
from mira.registry.document import DocumentInvalid
from mira.registry.drift import DRIFT_FILE, ColumnDrift, ColumnVerdict, Drift, Reference, RowCounts
from mira.registry.manifest import DriftVerdict, Manifest, Source
from mira.registry.outcome import FailedCheck
from mira.registry.profile import PROFILE_FILE, Profile
from mira.registry.reader import Registry, Tampered
from mira_training.drift.comparing import DEFAULT_LIMIT, Measured, measure, not_measured
from mira_training.drift.profiling import profile
from mira_training.publication import create_only
from mira_training.refusal import Refused, listed
from mira_training.steps.drift_report import Pair, upload_report, with_report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mira.api.data import Data
    from mira.registry.reader import Current
    from mira_training.assignment import Assignment
    from mira_training.ports import Ports
    from mira_training.steps.ingest import Ingested
    from mira_training.steps.validate import Validated

MOST_FAILED = 100
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compared:
    """The profile of the new training rows, and their drift from the current version's, if there is one."""

    profile: Profile
    drift: Drift | None


@dataclass(frozen=True)
class Occasion:
    """Which version, by its manifest and that manifest's digest, was compared with which objects, and when."""

    manifest: Manifest
    digest: str
    sources: "Sequence[Source]"
    now: "datetime"

    def document(self, rows: int, measured: Measured, limit: str | None) -> Drift:
        """The document of what was measured on this many rows."""
        return Drift(
            namespace=self.manifest.namespace,
            model=self.manifest.model,
            reference=Reference(version=self.manifest.version, digest=self.digest),
            verdict=measured.verdict,
            reason=measured.reason,
            rows=RowCounts(reference=self.manifest.rows.training, current=rows),
            limit=limit or DEFAULT_LIMIT,
            drifted_share=measured.share,
            columns=list(measured.columns),
            sources=list(self.sources),
            created_at=self.now,
        )


def drift(
    assignment: "Assignment",
    ingested: "Ingested",
    validated: "Validated",
    *,
    current: "Current | None",
    ports: "Ports",
) -> Compared:
    """The profile to publish, and the drift, both of the training rows as the features hook left them.

    What a model sees is compared, not what lies in S3: weather that a hook joins drifts, a key that it drops does not.
    Raises Refused (`DataDrift`) if more columns drifted than `drift.maxDriftedShare` allows; StoreUnavailable.
    """
    rows, spec = validated.prepared.training.table, assignment.spec
    made = profile(rows, without=not_compared(spec.data))
    if current is None:
        return Compared(made, None)
    limit = spec.drift.max_drifted_share if spec.drift else None
    measured = against(Registry(ports.registry), current.manifest, rows, spec.data, limit)
    sources = [source for source in ingested.sources if source.name != "holdout"]
    document = Occasion(current.manifest, current.digest, sources, ports.now()).document(len(rows), measured, limit)
    document = with_report(document, Pair(current.manifest, rows), assignment, ports)
    unmeasured = document.verdict is DriftVerdict.NOT_MEASURED
    log.log(logging.WARNING if unmeasured else logging.INFO, "%s", said(document))
    if limit is not None and document.verdict is DriftVerdict.DRIFTED:
        key = f"{assignment.key.attempt(assignment.attempt)}report/{DRIFT_FILE}"
        create_only(ports.registry, key, document.render(), limit=Drift.LIMIT)
        upload_report(document, assignment.key.prefix, assignment.attempt, ports)
        message = f"drift.maxDriftedShare: {said(document)}"
        raise Refused(Reason.DATA_DRIFT, message, failed_checks(document), document.summary)
    return Compared(made, document)


def not_compared(data: "Data") -> set[str]:
    """The columns that say nothing about the data that a model sees."""
    return {*data.drop} | ({data.weight} if data.weight else set())


def against(registry: Registry, manifest: Manifest, rows: pd.DataFrame, data: "Data", limit: str | None) -> Measured:
    """The rows against what the version was trained on; NotMeasured if it does not tell. Raises StoreUnavailable."""
    try:
        reference = registry.report(manifest, PROFILE_FILE, Profile)
    except (DocumentInvalid, Tampered) as error:
        return not_measured(f"the profile of version {manifest.version} is not used: {error}")
    if reference is None:
        return not_measured(f"version {manifest.version} was published without a profile of its training data")
    target = manifest.model_schema.target
    may_lack = {target} if target else set()
    return measure(rows, reference, limit=limit or DEFAULT_LIMIT, without=not_compared(data), may_lack=may_lack)


def said(document: Drift) -> str:
    """The drift in a sentence."""
    version = document.reference.version
    if document.verdict is DriftVerdict.NOT_MEASURED:
        return f"the drift from version {version} is not measured: {document.reason}"
    drifted = document.drifted
    compared = sum(column.verdict is not ColumnVerdict.EXTRA for column in document.columns)
    names = f": {listed([column.name for column in drifted], most=5)}" if drifted else ""
    return (
        f"{len(drifted)} of {compared} columns drifted from the training data of version {version}, a share of "
        f"{float(document.drifted_share or 0):.3g} where {document.limit} is the limit{names}"
    )


def failed_checks(document: Drift) -> list[FailedCheck]:
    """One finding for each drifted column, the farthest first."""
    return [
        FailedCheck(check="drift", column=column.name, message=f"column {column.name!r}: {_moved(column)}"[:1024])
        for column in document.drifted[:MOST_FAILED]
    ]


def _moved(column: ColumnDrift) -> str:
    match column.verdict:
        case ColumnVerdict.MISSING:
            return "is missing"
        case ColumnVerdict.RETYPED:
            return f"was {column.type}, is {column.current_type}"
        case _:
            return f"PSI {column.psi}, drifted from {column.threshold} on"
