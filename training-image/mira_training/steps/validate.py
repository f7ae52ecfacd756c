"""Validate: the data against the spec and against the version in place, everything that is wrong in one pass."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from mira.api.data import Checks, OnFinding
from mira.api.reasons import Reason
from mira.registry.outcome import FailedCheck
from mira_training.data.checks import extra_columns, failed_checks
from mira_training.data.drift import schema_drift
from mira_training.data.examples import Prepared, featured, prepare
from mira_training.refusal import Refused

if TYPE_CHECKING:
    from mira.registry.reader import Current
    from mira_training.assignment import Assignment
    from mira_training.model.plan import Plan
    from mira_training.steps.ingest import Ingested

MOST_FAILED = 100
REASONS = {"required": Reason.COLUMNS_MISSING, "minRows": Reason.NOT_ENOUGH_ROWS, "schemaDrift": Reason.SCHEMA_DRIFT}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Validated:
    """Data that may be trained on, and what was found that is worth a warning."""

    prepared: Prepared
    warnings: tuple[FailedCheck, ...]
    checked: int


def validate(assignment: "Assignment", ingested: "Ingested", plan: "Plan", current: "Current | None") -> Validated:
    """The examples to train and evaluate on.

    Raises Refused with every failed check: `ColumnsMissing`, `NotEnoughRows`, `ChecksFailed`, `SchemaDrift`; and with
    what `features` raises or `prepare` refuses.
    """
    spec = assignment.spec
    checks = spec.data.checks or Checks()
    division = ingested.division
    warnings = _raw(ingested, checks)
    sides = (division.training, division.evaluation)
    tables = [featured(side, ingested.inputs, plan, spec.features) for side in sides]
    slices = spec.evaluation.slices if spec.evaluation else ()
    prepared = prepare(tables[0], tables[1], spec.data, spec.task, slices, together=division.together)
    for name in prepared.left_out:
        log.warning("column %s is left out: the model takes numbers, text and booleans", name)
    if current is not None and checks.schema_drift is not OnFinding.IGNORE:
        drift = schema_drift(prepared.columns, current.manifest.model_schema.columns, current.version)
        warnings += _judged(drift, checks.schema_drift, "data")
    log.info("%d columns to learn from; %d checks of columns passed", len(prepared.columns), len(checks.columns))
    return Validated(prepared, tuple(warnings), len(checks.columns))


def _raw(ingested: "Ingested", checks: Checks) -> list[FailedCheck]:
    """What to warn of in the rows as they were read. Raises Refused if a check failed."""
    holdout = any(source.name == "holdout" for source in ingested.sources)
    division = ingested.division
    training = division.training if holdout else pd.concat([division.training, division.evaluation], ignore_index=True)
    _judged(failed_checks(training, checks), OnFinding.FAIL, "data.training")
    if holdout:
        _judged(failed_checks(division.evaluation, checks, count_rows=False), OnFinding.FAIL, "data.holdout")
    notable = [FailedCheck(check="split", message=division.few[:1024])] if division.few else []
    notable += extra_columns(training, checks) if checks.extra_columns is OnFinding.WARN else []
    return _judged(notable, OnFinding.WARN, "data.training")


def _judged(found: list[FailedCheck], on: OnFinding, where: str) -> list[FailedCheck]:
    """The findings, logged. Raises Refused if they are not to be lived with: the gravest gives the reason."""
    if found and on is OnFinding.FAIL:
        reasons = [REASONS.get(check.check, Reason.CHECKS_FAILED) for check in found]
        order = (Reason.COLUMNS_MISSING, Reason.NOT_ENOUGH_ROWS, Reason.CHECKS_FAILED, Reason.SCHEMA_DRIFT)
        reason = next(each for each in order if each in reasons)
        first = found[reasons.index(reason)]
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise Refused(reason, f"{where}: {first.message}{more}", found[:MOST_FAILED])
    for finding in found:
        log.warning("%s: %s", where, finding.message)
    return found
