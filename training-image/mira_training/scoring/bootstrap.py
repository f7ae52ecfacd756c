"""How sure a difference is: the paired bootstrap of two models' metrics on the same rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mira.registry.manifest import Direction
from mira_training.scoring.metrics import Metric, Truth
from mira_training.scoring.ranking import Floats

DRAWS = 200
MOST_ROWS = 20_000
LEVEL = (2.5, 97.5)
AT_ONCE = 25
"""Draws computed in one go: 25 x 20,000 weights are 4 MB, which stays in the processor's cache."""


@dataclass(frozen=True)
class Interval:
    """The bounds of 95% of the resampled differences, turned so that above 0 the candidate is better."""

    lower: float
    upper: float


def intervals(
    metrics: Sequence[Metric], truth: Truth, candidate: Floats, current: Floats, *, weights: Floats | None, seed: int
) -> dict[str, Interval]:
    """For each metric, by its name, the interval of candidate against current; none where it is not defined.

    Rows are drawn with replacement, the same rows for both models; at most 20,000 of them take part.
    """
    generator = np.random.default_rng(seed)
    rows = _sample(len(truth.answers), generator)
    truth, candidate, current = truth.at(rows), candidate[rows], current[rows]
    base = np.ones(len(rows)) if weights is None else weights[rows]
    pairs = [(metric, metric.prepared(truth, candidate), metric.prepared(truth, current)) for metric in metrics]
    differences: dict[str, list[Floats]] = {metric.name: [] for metric in metrics}
    for drawn in _draws(base, generator):
        for metric, of_candidate, of_current in pairs:
            sign = 1 if metric.direction is Direction.HIGHER else -1
            differences[metric.name].append(sign * (of_candidate(drawn) - of_current(drawn)))
    return {name: found for name, values in differences.items() if (found := _interval(np.concatenate(values)))}


def _sample(rows: int, generator: np.random.Generator) -> "np.typing.NDArray[np.intp]":
    if rows <= MOST_ROWS:
        return np.arange(rows)
    return np.sort(generator.choice(rows, MOST_ROWS, replace=False))


def _draws(base: Floats, generator: np.random.Generator) -> Iterator[Floats]:
    """Weights of rows (draws x rows): how often each row was drawn, times its own weight."""
    rows = len(base)
    for _ in range(DRAWS // AT_ONCE):
        drawn = generator.integers(0, rows, (AT_ONCE, rows)) + np.arange(AT_ONCE)[:, np.newaxis] * rows
        yield np.bincount(drawn.ravel(), minlength=AT_ONCE * rows).reshape(AT_ONCE, rows) * base


def _interval(values: Floats) -> Interval | None:
    defined = values[np.isfinite(values)]
    # A few draws of a small slice may hold one class only; if it is more than a few, nothing can be said.
    if len(defined) < DRAWS * 0.9:
        return None
    lower, upper = np.percentile(defined, LEVEL)
    return Interval(float(lower), float(upper))
