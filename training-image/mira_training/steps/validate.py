"""Validate: the data against the spec and against the version in place, everything that is wrong in one pass."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from mira.api.data import Checks, OnFinding
from mira.api.reasons import Reason
from mira.registry.manifest import CheckedSuite
from mira.registry.outcome import FailedCheck
from mira_training.data.checks import extra_columns, failed_checks
from mira_training.data.drift import schema_drift
from mira_training.data.examples import Prepared, featured, prepare
from mira_training.expectations.suite import EXPECTATION
from mira_training.refusal import Refused

if TYPE_CHECKING:
    from mira.registry.reader import Current
    from mira_training.assignment import Assignment
    from mira_training.expectations.judging import Judge
    from mira_training.model.plan import Plan
    from mira_training.steps.ingest import Ingested

MOST_FAILED = 100
REASONS = {"required": Reason.COLUMNS_MISSING, "minRows": Reason.NOT_ENOUGH_ROWS, "schemaDrift": Reason.SCHEMA_DRIFT}
GRAVEST_FIRST = (
    Reason.COLUMNS_MISSING,
    Reason.NOT_ENOUGH_ROWS,
    Reason.CHECKS_FAILED,
    Reason.EXPECTATIONS_FAILED,
    Reason.SCHEMA_DRIFT,
)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Validated:
    """Data that may be trained on, and what was found that is worth a warning."""

    prepared: Prepared
    warnings: tuple[FailedCheck, ...]
    checked: int
    suite: CheckedSuite | None


def validate(
    assignment: "Assignment",
    ingested: "Ingested",
    plan: "Plan",
    current: "Current | None",
    judge: "Judge | None" = None,
) -> Validated:
    """The examples to train and evaluate on.

    Raises Refused with every failed check: `ColumnsMissing`, `NotEnoughRows`, `ChecksFailed`, `ExpectationsFailed`,
    `SchemaDrift`; and with what `features` raises or `prepare` refuses.
    """
    spec = assignment.spec
    checks = spec.data.checks or Checks()
    division = ingested.division
    warnings, suite = _raw(ingested, checks, judge)
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
    return Validated(prepared, tuple(warnings), len(checks.columns), suite)


def _raw(ingested: "Ingested", checks: Checks, judge: "Judge | None") -> tuple[list[FailedCheck], CheckedSuite | None]:
    """What to warn of in the rows as they were read, and the suite that they passed. Raises Refused for what failed."""
    holdout = any(source.name == "holdout" for source in ingested.sources)
    division = ingested.division
    training = division.training if holdout else pd.concat([division.training, division.evaluation], ignore_index=True)
    failed, lived_with, suite = _by_suite(training, judge)
    _judged(failed_checks(training, checks) + failed, OnFinding.FAIL, "data.training")
    if holdout:
        _judged(failed_checks(division.evaluation, checks, count_rows=False), OnFinding.FAIL, "data.holdout")
    notable = [FailedCheck(check="split", message=division.few[:1024])] if division.few else []
    notable += extra_columns(training, checks) if checks.extra_columns is OnFinding.WARN else []
    return _judged(notable + lived_with, OnFinding.WARN, "data.training"), suite


def _by_suite(
    training: pd.DataFrame, judge: "Judge | None"
) -> tuple[list[FailedCheck], list[FailedCheck], CheckedSuite | None]:
    """What of the suite failed, what of it is only warned of, and how many of its expectations passed."""
    if judge is None:
        return [], [], None
    failed, lived_with = judge.judged(training)
    suite = judge.suite
    passed = len(suite.expectations) - len(failed) - len(lived_with)
    return failed, lived_with, CheckedSuite(place=suite.place, sha256=suite.sha256, passed=passed)


def _judged(found: list[FailedCheck], on: OnFinding, where: str) -> list[FailedCheck]:
    """The findings, logged. Raises Refused if they are not to be lived with: the gravest gives the reason."""
    if found and on is OnFinding.FAIL:
        reasons = [_reason(check) for check in found]
        reason = next(each for each in GRAVEST_FIRST if each in reasons)
        first = found[reasons.index(reason)]
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise Refused(reason, f"{where}: {first.message}{more}", found[:MOST_FAILED])
    for finding in found:
        log.warning("%s: %s", where, finding.message)
    return found


def _reason(found: FailedCheck) -> Reason:
    suites = found.check.startswith(EXPECTATION)
    return Reason.EXPECTATIONS_FAILED if suites else REASONS.get(found.check, Reason.CHECKS_FAILED)
