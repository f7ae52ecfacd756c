"""Evaluate: how good the model is on rows it has not seen, and how much better than the current version on the same."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mira.registry.comparison import Difference, Verdict
from mira.registry.manifest import Metric as Measured
from mira.registry.reader import Current, Registry
from mira_training.scoring.current import CurrentScores, current_scores
from mira_training.scoring.hook import own_metrics
from mira_training.scoring.measuring import Judged, differences, differences_of_slices, measured, measured_slices
from mira_training.scoring.metrics import METRICS, Kind, Metric, Truth, kind_of
from mira_training.scoring.reliance import Reliance, reliances
from mira_training.scoring.slices import slices
from mira_training.scoring.wanted import in_wanted_order, must_report, wanted_metrics

if TYPE_CHECKING:
    from mira_training.assignment import Assignment
    from mira_training.model.fitted import Fitted
    from mira_training.model.plan import Plan
    from mira_training.ports import Ports
    from mira_training.steps.validate import Validated

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compared:
    """The candidate against the current version on the evaluation rows."""

    current: CurrentScores
    verdict: Verdict
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class Evaluated:
    """Every measured value, what they were measured on, and the comparison, if there is a current version.

    `slices` has the number of rows of each slice, by its name.
    """

    judged: Judged
    metrics: tuple[Measured, ...]
    compared: Compared | None
    reliances: tuple[Reliance, ...]
    slices: Mapping[str, int]


def evaluate(
    assignment: "Assignment",
    validated: "Validated",
    fitted: "Fitted",
    plan: "Plan",
    *,
    current: Current | None,
    ports: "Ports",
) -> Evaluated:
    """The evaluation. Raises Refused if a metric that was asked for is unknown or not defined; StoreUnavailable."""
    spec, examples = assignment.spec, validated.prepared.evaluation
    judged = Judged(truth_of(fitted, examples.target), fitted.scores(examples.inputs), examples.weights)
    metrics = METRICS[judged.truth.kind]
    wanted = wanted_metrics(spec)
    chosen = [metric for metric in metrics if not wanted or metric.name in wanted]
    parts = list(slices(examples.table, spec.evaluation.slices if spec.evaluation else ()))
    overall = measured(chosen, judged)
    if plan.metrics is not None and spec.hooks is not None:
        overall += own_metrics(plan.metrics, str(spec.hooks.metrics), examples.target, judged.scores)
    must_report(wanted, overall, judged.truth.kind, hook=plan.metrics is not None)
    log.info("%s", ", ".join(f"{one.name} {one.value}" for one in overall))
    compared = None
    if current is not None:
        said = current_scores(
            current,
            Registry(ports.registry),
            examples.table,
            fitted,
            target=str(spec.data.target),
            folder=ports.folder,
        )
        compared = _compared(said, chosen, judged, parts, spec.seed)
    return Evaluated(
        judged=judged,
        metrics=(*in_wanted_order(overall, wanted), *measured_slices(chosen, judged, parts)),
        compared=compared,
        reliances=tuple(reliances(fitted, examples.inputs, judged.truth, spec.seed)),
        slices={part.name: len(part.rows) for part in parts},
    )


def truth_of(fitted: "Fitted", target: Any) -> Truth:
    """The answers as indices of classes, or as numbers."""
    kind = kind_of(len(fitted.classes))
    if kind is Kind.REGRESSION:
        return Truth(kind, target.astype(np.float64))
    return Truth(kind, np.searchsorted(np.array(fitted.classes, dtype=target.dtype), target).astype(np.float64))


def _compared(said: CurrentScores, metrics: list[Metric], judged: Judged, parts: list[Any], seed: int) -> Compared:
    if said.scores is None:
        log.warning("%s", said.reason)
        return Compared(said, Verdict.NOT_COMPARABLE)
    found = differences(metrics, judged, said.scores, seed)
    found += differences_of_slices(metrics, judged, said.scores, seed, parts)
    for one in found[: len(metrics)]:
        log.info("%s %s against %s of %s", one.metric, one.candidate, one.current, said.version)
    return Compared(said, Verdict.COMPARED, tuple(found))
