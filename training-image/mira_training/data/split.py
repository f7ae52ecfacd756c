"""Which rows a model is evaluated on and does not see in training."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mira.api.data import DEFAULT_FRACTION, Data, Split, SplitMethod
from mira.api.reasons import Reason
from mira_training.data.rowhash import row_hashes
from mira_training.refusal import Refused, listed

Side = npt.NDArray[np.bool_]
FEW = 100


@dataclass(frozen=True)
class Division:
    """Both sides of a table. `said` is the split in words, for the model card.

    `together` says which rows cannot be on different sides, for where a side turns out too small; `few` warns of an
    evaluation that rests on few different rows. Both are empty where there is nothing to say.
    """

    training: pd.DataFrame
    evaluation: pd.DataFrame
    said: str
    together: str = ""
    few: str = ""


def divided(frame: pd.DataFrame, data: Data, seed: int) -> Division:
    """The rows to train on and those to evaluate on. Raises Refused if the split's column is missing, or no time.

    With Hash and Group a row stays on its side for ever: no model has ever trained on a row that a later one is
    evaluated on. Hash looks at everything but target and weight: rows with equal features go to one side, whatever
    their answers are (docs/design/0006).
    """
    split = data.split or Split()
    if split.column is not None and split.column not in frame.columns:
        raise Refused(
            Reason.COLUMNS_MISSING,
            f"data.split.column: column {split.column!r} is missing (have: {listed([str(c) for c in frame.columns])})",
        )
    match split.method:
        case SplitMethod.HASH | SplitMethod.GROUP:
            return _by_hash(
                frame, split, [name for name in (data.target, data.weight) if name and name in frame.columns]
            )
        case SplitMethod.TIME:
            moment = f"the rows whose {split.column} is {split.evaluation_from} or later"
            return Division(*_sides(frame, _from_moment(frame, split)), moment)
        case SplitMethod.RANDOM:
            order = np.random.default_rng(seed).permutation(len(frame))
            chosen = order < round(_fraction(split) * len(frame))
            return Division(*_sides(frame, chosen), f"{_share(split)} of the rows, chosen at random by the seed")


def _by_hash(frame: pd.DataFrame, split: Split, answers: Sequence[str]) -> Division:
    """Rows with equal hashes go together. `answers` are the columns that a hash of the row leaves out."""
    hashes = row_hashes(frame.drop(columns=list(answers)) if split.column is None else frame[[split.column]])
    evaluation = hashes < np.uint64(int(_fraction(split) * 2**64))
    different, evaluated = len(pd.unique(hashes)), len(pd.unique(hashes[evaluation]))
    but = f" but {' and '.join(answers)}" if answers else ""
    looked_at = split.column or f"all columns{but}"
    together = (
        f"rows with the same values in {looked_at} go to the same side, and the {len(frame)} rows have {different} "
        "different ones"
    )
    few = f"only {evaluated} of the {evaluation.sum()} rows to evaluate on are different: {together}"
    chosen_by_group = split.method is SplitMethod.GROUP
    return Division(
        *_sides(frame, evaluation),
        f"the rows of {_share(split)} of the groups in {split.column}"
        if chosen_by_group
        else f"{_share(split)} of the rows, chosen by a hash of {looked_at}",
        together=together if different <= len(frame) / 2 else "",
        few=few if split.column is None and evaluated < min(FEW, evaluation.sum() / 2) else "",
    )


def _sides(frame: pd.DataFrame, evaluation: Side) -> tuple[pd.DataFrame, pd.DataFrame]:
    return frame[~evaluation].reset_index(drop=True), frame[evaluation].reset_index(drop=True)


def _fraction(split: Split) -> Decimal:
    return Decimal(split.fraction or DEFAULT_FRACTION)


def _share(split: Split) -> str:
    return f"{_fraction(split) * 100:f}".rstrip("0").rstrip(".") + "%"


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
