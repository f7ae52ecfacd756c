"""The charts of the model card: both models on the same axes, on the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from mira_training.report.svg import Plane, Series, axes, chart, cloud, columns, line
from mira_training.scoring.measuring import Judged
from mira_training.scoring.metrics import Kind
from mira_training.scoring.ranking import Floats

SHARES = (0.0, 1.0)
POINTS = 160
BINS = 10
DOTS = 500
RESIDUAL_BINS = 40
CANDIDATE, CURRENT, GUIDE = "candidate", "current", "guide"


@dataclass(frozen=True)
class Chart:
    """A picture with its title and what to look for in it."""

    title: str
    picture: Markup
    reading: str


def charts(judged: Judged, current: Floats | None) -> list[Chart]:
    """The charts of the kind of task; `current` are the current version's scores of the same rows, if there are any."""
    both = [(CANDIDATE, judged.scores)] + ([] if current is None else [(CURRENT, current)])
    match judged.truth.kind:
        case Kind.BINARY:
            ranked = [(role, scores[:, 1]) for role, scores in both]
            positive = judged.truth.answers == 1
            return [_roc(positive, ranked), _precision_recall(positive, ranked), _calibration(positive, ranked)]
        case Kind.MULTICLASS:
            sure = [(role, scores.max(axis=1), scores.argmax(axis=1) == judged.truth.answers) for role, scores in both]
            return [_confidence(sure)]
        case Kind.REGRESSION:
            return [_predictions(judged.truth.answers, both), _residuals(judged.truth.answers, both)]


def _shares(says: str, x_label: str, y_label: str, series: Sequence[Series]) -> Markup:
    plane = Plane(SHARES, SHARES)
    return chart(plane, [axes(plane, x_label, y_label), *(line(plane, one) for one in series)], says=says)


def _roc(positive: npt.NDArray[np.bool_], ranked: Sequence[tuple[str, Floats]]) -> Chart:
    series = [Series(GUIDE, SHARES, SHARES)]
    for role, scores in reversed(ranked):
        up, down = _passed(positive, scores)
        series.append(_thinned(role, down / max(down[-1], 1), up / max(up[-1], 1)))
    picture = _shares("ROC curve", "false alarms among negatives", "found among positives", series)
    return Chart(
        "Finding positives", picture, "The nearer to the upper left corner, the better; the diagonal is chance."
    )


def _precision_recall(positive: npt.NDArray[np.bool_], ranked: Sequence[tuple[str, Floats]]) -> Chart:
    share = float(positive.mean())
    series = [Series(GUIDE, SHARES, (share, share))]
    for role, scores in reversed(ranked):
        up, down = _passed(positive, scores)
        up, down = up[1:], down[1:]
        series.append(_thinned(role, up / max(up[-1], 1), up / (up + down)))
    picture = _shares("Precision and recall", "recall: found among positives", "precision: right among alarms", series)
    return Chart("Being right about them", picture, "The higher, the better; the dotted line is what guessing gives.")


def _calibration(positive: npt.NDArray[np.bool_], ranked: Sequence[tuple[str, Floats]]) -> Chart:
    series = [Series(GUIDE, SHARES, SHARES)]
    series += [_binned(role, scores, positive) for role, scores in reversed(ranked)]
    picture = _shares("Calibration", "probability that the model states", "how often it was so", series)
    return Chart("Meaning what it says", picture, "On the diagonal a stated 30% comes true three times in ten.")


def _confidence(sure: Sequence[tuple[str, Floats, npt.NDArray[np.bool_]]]) -> Chart:
    series = [Series(GUIDE, SHARES, SHARES)]
    series += [_binned(role, scores, right) for role, scores, right in reversed(sure)]
    picture = _shares("Confidence and accuracy", "probability of the likeliest class", "how often it was right", series)
    return Chart("Meaning what it says", picture, "On the diagonal a class stated at 70% is right seven times in ten.")


def _binned(role: str, scores: Floats, happened: npt.NDArray[np.bool_]) -> Series:
    """Ten groups of equally many rows by their score: the mean score of each, and how often it happened."""
    groups = [group for group in np.array_split(np.argsort(scores, kind="stable"), BINS) if len(group)]
    return Series(
        role,
        [float(scores[group].mean()) for group in groups],
        [float(happened[group].mean()) for group in groups],
        dots=True,
    )


def _passed(positive: npt.NDArray[np.bool_], scores: Floats) -> tuple[Floats, Floats]:
    """How many positives and negatives score at least as high as each threshold, from none to all."""
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.r_[scores[order][1:] != scores[order][:-1], True])
    up, down = np.cumsum(positive[order])[last], np.cumsum(~positive[order])[last]
    return np.r_[0.0, up], np.r_[0.0, down]


def _thinned(role: str, xs: Floats, ys: Floats) -> Series:
    chosen = np.unique(np.linspace(0, len(xs) - 1, POINTS).astype(int))
    return Series(role, xs[chosen].tolist(), ys[chosen].tolist())


def _predictions(values: Floats, both: Sequence[tuple[str, Floats]]) -> Chart:
    low, high = (float(np.quantile(np.concatenate([values, *(s for _, s in both)]), q)) for q in (0.005, 0.995))
    plane = Plane((low, high), (low, high))
    chosen = np.unique(np.linspace(0, len(values) - 1, DOTS).astype(int))
    parts = [axes(plane, "predicted", "true"), line(plane, Series(GUIDE, (low, high), (low, high)))]
    for role, scores in reversed(both):
        inside = chosen[
            (scores[chosen] >= low) & (scores[chosen] <= high) & (values[chosen] >= low) & (values[chosen] <= high)
        ]
        parts.append(cloud(plane, Series(role, scores[inside].tolist(), values[inside].tolist()), radius=2))
    picture = chart(plane, parts, says="Predicted against true values")
    return Chart(
        "Hitting the value", picture, "The nearer to the diagonal, the better; a sample of the evaluation rows."
    )


def _residuals(values: Floats, both: Sequence[tuple[str, Floats]]) -> Chart:
    missed = [(role, scores - values) for role, scores in both]
    reach = float(max(np.quantile(np.abs(errors), 0.99) for _, errors in missed)) or 1.0
    edges = np.linspace(-reach, reach, RESIDUAL_BINS + 1)
    found = [(role, np.histogram(errors, edges)[0] / len(errors)) for role, errors in missed]
    plane = Plane((-reach, reach), (0, float(max(heights.max() for _, heights in found)) * 1.05))
    parts = [axes(plane, "predicted minus true", "share of rows")]
    parts += [columns(plane, role, edges.tolist(), heights.tolist()) for role, heights in reversed(found)]
    picture = chart(plane, parts, says="How far predictions are off")
    return Chart("How far it is off", picture, "The narrower and the more centred on zero, the better.")
