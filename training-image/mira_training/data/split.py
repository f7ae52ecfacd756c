"""Which rows a model is evaluated on and does not see in training."""

from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mira.api.data import DEFAULT_FRACTION, Split, SplitMethod
from mira.api.reasons import Reason
from mira_training.data.rowhash import row_hashes
from mira_training.refusal import Refused, listed

Side = npt.NDArray[np.bool_]


def evaluation_rows(frame: pd.DataFrame, split: Split, seed: int) -> Side:
    """True for each row that is evaluated on. Raises Refused if the split's column is missing or no time can be read.

    With Hash and Group a row stays on its side for ever: no model has ever trained on a row that a later one is
    evaluated on.
    """
    if split.column is not None and split.column not in frame.columns:
        raise Refused(
            Reason.COLUMNS_MISSING,
            f"data.split.column: column {split.column!r} is missing (have: {listed([str(c) for c in frame.columns])})",
        )
    fraction = Decimal(split.fraction or DEFAULT_FRACTION)
    match split.method:
        case SplitMethod.HASH | SplitMethod.GROUP:
            chosen = frame if split.column is None else frame[[split.column]]
            return row_hashes(chosen) < np.uint64(int(fraction * 2**64))
        case SplitMethod.TIME:
            return _from_moment(frame, split)
        case SplitMethod.RANDOM:
            order = np.random.default_rng(seed).permutation(len(frame))
            return order < round(fraction * len(frame))


def described(split: Split) -> str:
    """The split in words, for the model card."""
    share = f"{Decimal(split.fraction or DEFAULT_FRACTION) * 100:f}".rstrip("0").rstrip(".")
    match split.method:
        case SplitMethod.HASH:
            return f"{share}% of the rows, chosen by a hash of {split.column or 'the whole row'}"
        case SplitMethod.GROUP:
            return f"the rows of {share}% of the groups in {split.column}"
        case SplitMethod.TIME:
            return f"the rows whose {split.column} is {split.evaluation_from} or later"
        case SplitMethod.RANDOM:
            return f"{share}% of the rows, chosen at random by the seed"


def _from_moment(frame: pd.DataFrame, split: Split) -> Side:
    if split.column is None or split.evaluation_from is None:
        raise Refused(Reason.DATA_INVALID, "data.split: method Time needs column and evaluationFrom; set both")
    moments = pd.to_datetime(frame[split.column], errors="coerce", utc=True, format="ISO8601")
    unreadable = int(moments.isna().sum())
    if unreadable:
        raise Refused(
            Reason.DATA_INVALID,
            f"data.split.column: {unreadable} of {len(frame)} values of {split.column!r} are no date or time; "
            "they must look like 2026-10-01 or 2026-10-01T12:00:00Z",
        )
    start = pd.to_datetime(split.evaluation_from, utc=True)
    return (moments >= start).to_numpy()
