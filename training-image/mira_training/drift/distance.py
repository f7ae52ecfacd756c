"""How far two distributions over the same bins are apart."""

import math

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
SHIFT = 0.2
"""From here on a PSI is customarily called a significant shift."""
SMALLEST = 1e-4
ONCE_IN_1000 = 3.09
"""How many standard deviations a normal variable exceeds once in a thousand times."""


def psi(reference: Counts, current: Counts) -> float:
    """The population stability index: the sum of (q - p) ln(q / p) over the bins; 0 for equal shares, at most 19.

    A bin that is empty on one side counts as half a row, or as 0.0001 of the rows if that is more: else one row in a
    new bin would be infinitely far. Both sides need a row.
    """
    used = (reference + current) > 0
    p, q = _shares(reference)[used], _shares(current)[used]
    return float(np.sum((q - p) * np.log(q / p)))


def psi_threshold(reference: Counts, current: Counts) -> float:
    """The PSI from which a column has drifted: 0.2, and what chance alone exceeds once in a thousand times.

    Of two samples of one distribution the PSI is about chi-square distributed, with one degree of freedom less than
    there are bins, times 1/n + 1/m (Yurdakul, "Statistical properties of the population stability index", 2018).
    For 10,000 rows that is nothing to speak of, for 10 it is everything.
    """
    freedom = max(int(((reference + current) > 0).sum()) - 1, 0)
    rows = 1 / int(reference.sum()) + 1 / int(current.sum())
    return SHIFT + _chi_square(freedom) * rows


def ks(reference: Counts, current: Counts) -> float:
    """The greatest difference of the cumulated shares at the bins' edges. Both sides need a row."""
    cumulated = np.cumsum(reference) / reference.sum() - np.cumsum(current) / current.sum()
    return float(np.abs(cumulated).max())


def _chi_square(freedom: int) -> float:
    """The 99.9% quantile, by the approximation of Wilson and Hilferty."""
    if freedom == 0:
        return 0.0
    spread = 2 / (9 * freedom)
    return freedom * (1 - spread + ONCE_IN_1000 * math.sqrt(spread)) ** 3


def _shares(counts: Counts) -> npt.NDArray[np.float64]:
    rows = int(counts.sum())
    shares: npt.NDArray[np.float64] = np.maximum(counts / rows, max(0.5 / rows, SMALLEST))
    return shares
