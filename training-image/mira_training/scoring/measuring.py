"""From scores to the manifest's metrics and the comparison's differences, over all rows and slice by slice."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mira.registry.comparison import Difference
from mira.registry.document import decimal_text
from mira.registry.manifest import Metric as Measured
from mira_training.scoring.bootstrap import intervals
from mira_training.scoring.metrics import Metric, Truth, value
from mira_training.scoring.ranking import Floats
from mira_training.scoring.slices import Slice


@dataclass(frozen=True)
class Judged:
    """Rows with their answers, their weights and what the candidate says of them."""

    truth: Truth
    scores: Floats
    weights: Floats | None

    def at(self, rows: npt.NDArray[np.intp]) -> "Judged":
        """The same of these rows."""
        return Judged(self.truth.at(rows), self.scores[rows], None if self.weights is None else self.weights[rows])


def measured(metrics: Sequence[Metric], judged: Judged, of: str = "") -> list[Measured]:
    """Each metric that is defined on these rows."""
    values = ((metric, value(metric, judged.truth, judged.scores, judged.weights)) for metric in metrics)
    return [
        Measured(name=metric.name, value=decimal_text(found), direction=metric.direction, slice=of)
        for metric, found in values
        if math.isfinite(found)
    ]


def measured_slices(metrics: Sequence[Metric], judged: Judged, found: Sequence[Slice]) -> list[Measured]:
    """Each metric of each slice."""
    return [one for part in found for one in measured(metrics, judged.at(part.rows), part.name)]


def differences(
    metrics: Sequence[Metric], judged: Judged, current: Floats, seed: int, of: str = ""
) -> list[Difference]:
    """Each metric of both models on the same rows, with the interval of their difference."""
    found = intervals(metrics, judged.truth, judged.scores, current, weights=judged.weights, seed=seed)
    made = []
    for metric in metrics:
        ours = value(metric, judged.truth, judged.scores, judged.weights)
        theirs = value(metric, judged.truth, current, judged.weights)
        interval = found.get(metric.name)
        if interval is not None and math.isfinite(ours) and math.isfinite(theirs):
            made.append(
                Difference(
                    metric=metric.name,
                    slice=of,
                    direction=metric.direction,
                    candidate=decimal_text(ours),
                    current=decimal_text(theirs),
                    lower=decimal_text(interval.lower),
                    upper=decimal_text(interval.upper),
                )
            )
    return made


def differences_of_slices(
    metrics: Sequence[Metric], judged: Judged, current: Floats, seed: int, found: Sequence[Slice]
) -> list[Difference]:
    """Each metric of each slice, of both models."""
    parts = ((part, judged.at(part.rows)) for part in found)
    return [one for part, rows in parts for one in differences(metrics, rows, current[part.rows], seed, part.name)]
