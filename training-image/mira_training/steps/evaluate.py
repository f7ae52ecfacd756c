"""Evaluate: how good the model is on rows it has not seen, and how much better than the current version on the same."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mira.api.reasons import Reason
from mira.registry.comparison import Difference, Verdict
from mira.registry.manifest import Metric as Measured
from mira.registry.reader import Current, Registry
from mira_training.refusal import Refused
from mira_training.scoring.current import CurrentScores, current_scores
from mira_training.scoring.hook import must_differ, own_metrics
from mira_training.scoring.measuring import Judged, differences, differences_of_slices, measured, measured_slices
from mira_training.scoring.metrics import METRICS, Kind, Metric, Truth, kind_of
from mira_training.scoring.reliance import Reliance, reliances
from mira_training.scoring.slices import Slice, slices
from mira_training.scoring.wanted import in_wanted_order, must_report, wanted_metrics

if TYPE_CHECKING:
    from mira_training.assignment import Assignment
    from mira_training.data.examples import Examples
    from mira_training.model.plan import Plan
    from mira_training.model.trained import Scorer, Trained
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

    `judged` is None for what predicts nothing. `slices` has the number of rows of each slice, by its name.
    """

    judged: Judged | None
    metrics: tuple[Measured, ...]
    compared: Compared | None
    reliances: tuple[Reliance, ...]
    slices: Mapping[str, int]


def evaluate(
    assignment: "Assignment",
    validated: "Validated",
    trained: "Trained",
    plan: "Plan",
    *,
    current: Current | None,
    ports: "Ports",
) -> Evaluated:
    """The evaluation. Raises Refused if a metric that was asked for is unknown or not defined; StoreUnavailable."""
    spec, examples = assignment.spec, validated.prepared.evaluation
    wanted, judged = wanted_metrics(spec), _judged(trained, examples)
    known = METRICS[judged.truth.kind] if judged else ()
    chosen = chosen_metrics(judged, wanted) if judged else []
    own = [*_by_hook(assignment, trained, plan, examples, judged), *trained.metrics]
    must_differ(own, [metric.name for metric in known])
    overall = [*(measured(chosen, judged) if judged else ()), *own]
    must_report(wanted, overall, judged.truth.kind if judged else None, hook=plan.metrics is not None)
    log.info("%s", ", ".join(f"{one.name} {one.value}" for one in overall))
    parts = _parts(assignment, plan, examples, judged)
    said = None if current is None else _said(current, assignment, trained, examples, ports)
    return Evaluated(
        judged=judged,
        metrics=(*in_wanted_order(overall, wanted), *(measured_slices(chosen, judged, parts) if judged else ())),
        compared=None if said is None else compared(said, chosen, judged, parts, spec.seed),
        reliances=_reliances(trained.scorer, examples, judged, spec.seed),
        slices={part.name: len(part.rows) for part in parts},
    )


def truth_of(scorer: "Scorer", target: Any) -> Truth:
    """The answers as indices of classes, or as numbers."""
    kind = kind_of(len(scorer.classes))
    if kind is Kind.REGRESSION:
        return Truth(kind, target.astype(np.float64))
    return Truth(kind, np.searchsorted(np.array(scorer.classes, dtype=target.dtype), target).astype(np.float64))


def _judged(trained: "Trained", examples: "Examples") -> Judged | None:
    if trained.scorer is None:
        return None
    truth, scores = truth_of(trained.scorer, trained.answers), trained.scorer.scores(examples.inputs)
    return Judged(truth, scores, examples.weights)


def _by_hook(
    assignment: "Assignment", trained: "Trained", plan: "Plan", examples: "Examples", judged: Judged | None
) -> list[Measured]:
    """What `hooks.metrics` makes of the answers and of the scores, or of the output."""
    hooks = assignment.spec.hooks
    if plan.metrics is None or hooks is None:
        return []
    if judged is None and trained.output is None:
        raise Refused(
            Reason.CODE_INVALID,
            f"hooks.metrics: needs a scorer, and {trained.unscored}; return one, or measure in hooks.train",
        )
    answers, found = (trained.answers, judged.scores) if judged else (examples.target, trained.output)
    return own_metrics(plan.metrics, str(hooks.metrics), answers, found, directed=not assignment.predicts)


def _parts(assignment: "Assignment", plan: "Plan", examples: "Examples", judged: Judged | None) -> Sequence[Slice]:
    wanted = assignment.spec.evaluation.slices if assignment.spec.evaluation else ()
    if wanted and judged is None:
        raise Refused(
            Reason.CODE_INVALID,
            f"evaluation.slices: need a scorer, and hooks.train {plan.estimator_name} returns none; return one, or "
            "remove slices",
        )
    parts = list(slices(examples.table, wanted))
    for column in wanted:
        sizes = [len(part.rows) for part in parts if part.column == column]
        log.info("slices of %s: %d, with %d of %d rows", column, len(sizes), sum(sizes), len(examples.table))
    return parts


def _reliances(scorer: "Scorer | None", examples: "Examples", judged: Judged | None, seed: int) -> tuple[Reliance, ...]:
    return () if scorer is None or judged is None else tuple(reliances(scorer, examples.inputs, judged.truth, seed))


def _said(
    current: Current, assignment: "Assignment", trained: "Trained", examples: "Examples", ports: "Ports"
) -> CurrentScores:
    """What the current version says of these rows, or why that cannot be known or would not help."""
    if trained.scorer is None:
        reason = f"this version cannot be compared with the current version {current.version}: {trained.unscored}"
        return CurrentScores(current.version, current.digest, None, reason)
    return current_scores(
        current,
        Registry(ports.registry),
        examples.table,
        trained.scorer,
        target=str(assignment.spec.data.target),
        folder=ports.folder,
    )


def chosen_metrics(judged: Judged, wanted: Sequence[str]) -> list[Metric]:
    """The metrics that are measured of these rows: those that are wanted, or all that the kind has."""
    return [metric for metric in METRICS[judged.truth.kind] if not wanted or metric.name in wanted]


def compared(
    said: CurrentScores, metrics: Sequence[Metric], judged: Judged | None, parts: Sequence[Slice], seed: int
) -> Compared:
    """Both versions on these rows and slices of them, or NotComparable with the reason."""
    if said.scores is None or judged is None:
        log.warning("%s", said.reason)
        return Compared(said, Verdict.NOT_COMPARABLE)
    found = differences(metrics, judged, said.scores, seed)
    found += differences_of_slices(metrics, judged, said.scores, seed, parts)
    for one in found[: len(metrics)]:
        log.info("%s %s against %s of %s", one.metric, one.candidate, one.current, said.version)
    return Compared(said, Verdict.COMPARED, tuple(found))
