"""Search: which parameters of `spec.search.space` the model is trained with, found on the training rows alone."""

import json
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mira.api.reasons import Reason
from mira.api.trainingrun import Task
from mira.registry.document import decimal_text
from mira.registry.search import SearchReport, SearchTrial
from mira_training.model.fitted import Fitted, fit
from mira_training.model.parameters import filled
from mira_training.refusal import Refused, listed
from mira_training.scoring.metrics import METRICS, Metric, Truth, kind_of, value
from mira_training.search.folds import folds
from mira_training.search.halving import Rows, Search, Tried
from mira_training.search.space import Trial

if TYPE_CHECKING:
    from mira_training.assignment import Assignment
    from mira_training.data.examples import Prepared
    from mira_training.model.plan import Plan

SHARE_OF_DEADLINE = 0.6
"""How much of the deadline a search may take; the rest is for training, evaluating and publishing what it finds."""
LONGEST_FAILURE = 1000
log = logging.getLogger(__name__)
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Searched:
    """The plan with the best parameters, the values of the space among them, and the report of every trial."""

    plan: "Plan"
    values: dict[str, Any]
    report: SearchReport


def search(
    assignment: "Assignment", prepared: "Prepared", plan: "Plan", began: float, tell: Tell = lambda *_: None
) -> Searched:
    """The best of the plan's trials. `began` is when the attempt did, by the monotonic clock.

    `tell` is given a sentence after each trial, how many are done and how many there are. Raises Refused:
    `InvalidParameters` if the metric is none of this task's, `CodeFailed` if every trial fails, `DataInvalid`.
    """
    wanted, examples, task = assignment.spec.search, prepared.training, assignment.spec.task
    if wanted is None or examples.target is None:
        raise AssertionError("there is nothing to search, or nothing to search by")
    classes = np.unique(examples.target) if task is Task.CLASSIFICATION else np.array([])
    metric = _metric(wanted.metric, len(classes))

    def train(trial: Trial, rows: Rows) -> Fitted:
        return fit(
            with_parameters(plan, trial),
            task,
            prepared.columns,
            inputs=examples.inputs.iloc[rows],
            target=examples.target[rows],  # type: ignore[index]
            weights=None if examples.weights is None else examples.weights[rows],
            seed=assignment.spec.seed,
            artifacts=assignment.artifacts,
        )

    def score(model: Fitted, rows: Rows) -> float:
        truth = _truth(classes, examples.target[rows])  # type: ignore[index]
        weights = None if examples.weights is None else examples.weights[rows]
        return value(metric, truth, _all_classes(model, classes, examples.inputs.iloc[rows]), weights)

    def told(done: int, of: int, tried: Tried, best: Tried) -> None:
        said = f"trial {tried.trial.number} of {of}: {_in_words(metric, tried)}; best so far {_in_words(metric, best)}"
        log.info("%s", said, extra={"live": said})
        tell(said, done, of)

    deadline = assignment.order.deadline_seconds
    found = Search(
        plan.trials,
        metric,
        folds(examples, assignment.spec.data, stratified=task is Task.CLASSIFICATION),
        examples.target if task is Task.CLASSIFICATION else None,
        train,
        score,
        assignment.spec.seed,
        ends_at=began + SHARE_OF_DEADLINE * deadline if deadline else math.inf,
        told=told,
    ).run()
    best = _best(found)
    log.info("trial %d is the best: %s", best.trial.number, json.dumps(dict(best.trial.values), sort_keys=True))
    report = _report(found, best, assignment.spec.seed)
    return Searched(with_parameters(plan, best.trial), dict(best.trial.values), report)


def with_parameters(plan: "Plan", trial: Trial) -> "Plan":
    """The plan that makes the estimator of this trial."""
    return replace(plan, make=replace(plan.make, parameters=filled(plan.make.takes, trial.parameters)))


def _metric(name: str, classes: int) -> Metric:
    kind = kind_of(classes)
    found = next((metric for metric in METRICS[kind] if metric.name == name), None)
    if found is None:
        known = listed([metric.name for metric in METRICS[kind]])
        raise Refused(Reason.INVALID_PARAMETERS, f"search.metric: {name} is not known for {kind}; allowed: {known}")
    return found


def _truth(classes: Any, answers: Any) -> Truth:
    kind = kind_of(len(classes))
    return Truth(kind, (np.searchsorted(classes, answers) if len(classes) else answers).astype(np.float64))


def _all_classes(model: Fitted, classes: Any, inputs: Any) -> Any:
    """The scores with a column for each class, also for those that this fold did not learn."""
    scores = model.scores(inputs)
    if not len(classes) or len(model.classes) == len(classes):
        return scores
    whole = np.zeros((len(scores), len(classes)))
    whole[:, np.searchsorted(classes, np.array(model.classes, dtype=classes.dtype))] = scores
    return whole


def _best(found: Search) -> Tried:
    """The best trial; the first one where the time was over before any came to its end."""
    best = found.best()
    if best is not None:
        return best
    if found.stopped:
        return found.last(found.trials[0])
    failed = next((tried.failed for tried in found.tried.values() if tried.failed), "")
    if failed:
        raise Refused(Reason.CODE_FAILED, f"search: every trial fails; the first: {failed}")
    raise Refused(
        Reason.DATA_INVALID,
        f"search.metric: {found.metric.name} is not defined on the rows for training, as if all answers were the same",
    )


def _report(found: Search, best: Tried, seed: int) -> SearchReport:
    return SearchReport(
        metric=found.metric.name,
        direction=found.metric.direction,
        seed=seed,
        chosen=best.trial.number,
        rows=found.rows,
        stopped=found.stopped,
        trials=[_told(found.last(trial)) for trial in found.trials],
    )


def _told(tried: Tried) -> SearchTrial:
    return SearchTrial(
        number=tried.trial.number,
        parameters=dict(tried.trial.values),
        share=decimal_text(tried.share),
        score=None if math.isnan(tried.mean) else decimal_text(tried.mean),
        folds=[decimal_text(each) for each in tried.scores if not math.isnan(each)] if not tried.failed else [],
        seconds=decimal_text(tried.seconds),
        failed=tried.failed[:LONGEST_FAILURE],
    )


def _in_words(metric: Metric, tried: Tried) -> str:
    if tried.failed:
        return f"failed: {tried.failed}"
    mean = f"{tried.mean:.6g}" if not math.isnan(tried.mean) else "not defined"
    return f"{metric.name} {mean} on {tried.share:.0%} of the rows"
