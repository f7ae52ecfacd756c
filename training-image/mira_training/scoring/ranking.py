"""Metrics of how well scores rank rows, for many weightings of the same rows at once."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Measure = Callable[[Floats], Floats]
"""From weights (draws x rows) to one value per draw; NaN where the value is not defined."""


def roc_auc(positive: npt.NDArray[np.bool_], scores: Floats) -> Measure:
    """The area under the ROC curve: how often a positive row scores above a negative one, ties counting half."""
    order, starts = _ranked(scores)
    flags = positive[order]

    def measure(weights: Floats) -> Floats:
        sorted_weights = weights[:, order]
        up = np.add.reduceat(sorted_weights * flags, starts, axis=1)
        down = np.add.reduceat(sorted_weights * ~flags, starts, axis=1)
        above = np.cumsum(up, axis=1)
        # A negative row is passed by all positive rows of higher score and ties with those of its own.
        won = ((above - up / 2) * down).sum(axis=1)
        return _ratio(won, up.sum(axis=1) * down.sum(axis=1))

    return measure


def average_precision(positive: npt.NDArray[np.bool_], scores: Floats) -> Measure:
    """The precision at every threshold, weighted by the recall that it adds."""
    order, starts = _ranked(scores)
    flags = positive[order]

    def measure(weights: Floats) -> Floats:
        sorted_weights = weights[:, order]
        up = np.add.reduceat(sorted_weights * flags, starts, axis=1)
        chosen = np.cumsum(np.add.reduceat(sorted_weights, starts, axis=1), axis=1)
        precision = np.divide(np.cumsum(up, axis=1), chosen, out=np.zeros_like(chosen), where=chosen > 0)
        return _ratio((precision * up).sum(axis=1), up.sum(axis=1))

    return measure


def _ranked(scores: Floats) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The order of falling scores, and where in it each group of equal scores begins."""
    order = np.argsort(-scores, kind="stable")
    sorted_scores = scores[order]
    return order, np.flatnonzero(np.r_[True, sorted_scores[1:] != sorted_scores[:-1]])


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
