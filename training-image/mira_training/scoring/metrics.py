"""The metrics of each task, with the direction in which they are better; every one also for many weightings at once."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from mira.registry.manifest import Direction
from mira_training.scoring.ranking import Floats, Measure, average_precision, roc_auc

SMALLEST = 1e-15
HALF = 0.5


class Kind(StrEnum):
    """What is predicted, as far as metrics differ by it."""

    BINARY = "a classification with two classes"
    MULTICLASS = "a classification with more than two classes"
    REGRESSION = "a regression"


@dataclass(frozen=True)
class Truth:
    """The answers: the index of each row's class, or the number to predict."""

    kind: Kind
    answers: npt.NDArray[np.float64]

    def at(self, rows: npt.NDArray[np.intp]) -> "Truth":
        """The answers of these rows."""
        return Truth(self.kind, self.answers[rows])


@dataclass(frozen=True)
class Metric:
    """A name that gates use, its direction, and how it is prepared for one set of scores."""

    name: str
    direction: Direction
    prepared: Callable[[Truth, Floats], Measure]
    meaning: str


def kind_of(classes: int) -> Kind:
    """The kind of a task with so many classes; none means a regression."""
    return Kind.REGRESSION if not classes else Kind.BINARY if classes == 2 else Kind.MULTICLASS


def one_weight(rows: int) -> Floats:
    """The weighting in which every row counts once, as a single draw."""
    return np.ones((1, rows))


def value(metric: Metric, truth: Truth, scores: Floats, weights: Floats | None = None) -> float:
    """The metric on all rows; NaN where it is not defined, such as the AUC of rows of one class."""
    drawn = one_weight(len(truth.answers)) if weights is None else weights[np.newaxis]
    return float(metric.prepared(truth, scores)(drawn)[0])


def _mean_of(
    loss: Callable[[Truth, Floats], Floats], then: Callable[[Floats], Floats] = lambda x: x
) -> Callable[[Truth, Floats], Measure]:
    """A metric that is a function of the mean of one number per row."""

    def prepared(truth: Truth, scores: Floats) -> Measure:
        losses = loss(truth, scores)
        return lambda weights: then(weights @ losses / weights.sum(axis=1))

    return prepared


def _log_loss(truth: Truth, scores: Floats) -> Floats:
    chosen = scores[np.arange(len(scores)), truth.answers.astype(np.intp)]
    surprise: Floats = -np.log(np.clip(chosen / scores.sum(axis=1), SMALLEST, 1))
    return surprise


def _brier(truth: Truth, scores: Floats) -> Floats:
    missed: Floats = np.square(scores[:, 1] - truth.answers)
    return missed


def _hits(truth: Truth, scores: Floats) -> Floats:
    right: Floats = (_chosen(scores) == truth.answers).astype(np.float64)
    return right


def _chosen(scores: Floats) -> npt.NDArray[np.intp]:
    chosen: npt.NDArray[np.intp] = scores.argmax(axis=1)
    return chosen


def _binary(rank: Callable[[npt.NDArray[np.bool_], Floats], Measure]) -> Callable[[Truth, Floats], Measure]:
    return lambda truth, scores: rank(truth.answers == 1, scores[:, 1])


def _f1_of(of: int, truth: Truth, scores: Floats) -> Measure:
    right, chosen = truth.answers == of, _chosen(scores) == of
    both, either = (right & chosen).astype(np.float64), right.astype(np.float64) + chosen
    return lambda weights: np.nan_to_num(_safe(2 * (weights @ both), weights @ either))


def _safe(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _over_classes(one: Callable[[int, Truth, Floats], Measure]) -> Callable[[Truth, Floats], Measure]:
    """The plain mean over the classes that the rows hold, of a metric of one class against all others."""

    def prepared(truth: Truth, scores: Floats) -> Measure:
        measures = [one(of, truth, scores) for of in range(scores.shape[1]) if (truth.answers == of).any()]
        return lambda weights: np.mean([measure(weights) for measure in measures], axis=0)

    return prepared


def _auc_of(of: int, truth: Truth, scores: Floats) -> Measure:
    return roc_auc(truth.answers == of, scores[:, of])


def _r2(truth: Truth, scores: Floats) -> Measure:
    values = truth.answers
    missed = np.square(values - scores)

    def measure(weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        mean = weights @ values / total
        spread = weights @ np.square(values) - total * np.square(mean)
        return 1 - _safe(weights @ missed, spread)

    return measure


_UP, _DOWN = Direction.HIGHER, Direction.LOWER
_LOG_LOSS = Metric("log_loss", _DOWN, _mean_of(_log_loss), "how surprised the model is by what happens")
_ACCURACY = Metric("accuracy", _UP, _mean_of(_hits), "how often the likeliest class is right")

METRICS: dict[Kind, tuple[Metric, ...]] = {
    Kind.BINARY: (
        Metric("roc_auc", _UP, _binary(roc_auc), "how often a positive scores above a negative"),
        Metric("average_precision", _UP, _binary(average_precision), "precision, averaged over every recall"),
        _LOG_LOSS,
        Metric("brier", _DOWN, _mean_of(_brier), "the mean squared error of the probability"),
        _ACCURACY,
        Metric("f1", _UP, lambda t, s: _f1_of(1, t, s), "precision and recall of the positives in one"),
    ),
    Kind.MULTICLASS: (
        Metric("roc_auc_ovr", _UP, _over_classes(_auc_of), "roc_auc of each class against the others, averaged"),
        _LOG_LOSS,
        _ACCURACY,
        Metric("f1_macro", _UP, _over_classes(_f1_of), "f1 of each class, averaged"),
    ),
    Kind.REGRESSION: (
        Metric(
            "rmse",
            _DOWN,
            _mean_of(lambda t, s: np.square(t.answers - s), np.sqrt),
            "the root of the mean squared error",
        ),
        Metric("mae", _DOWN, _mean_of(lambda t, s: np.abs(t.answers - s)), "the mean absolute error"),
        Metric("r2", _UP, _r2, "the share of the target's spread that the model explains"),
    ),
}
