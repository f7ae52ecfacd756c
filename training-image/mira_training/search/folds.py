"""On which rows the trials of a search are held against each other: the training side alone, three times divided."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mira.api.data import Data, SplitMethod
from mira.api.reasons import Reason
from mira_training.data.examples import Examples
from mira_training.data.rowhash import row_hashes
from mira_training.refusal import Refused

FOLDS = 3
Rows = npt.NDArray[np.intp]
Fold = tuple[Rows, Rows]


def folds(examples: Examples, data: Data, *, stratified: bool) -> list[Fold]:
    """The rows to learn from and the rows to score, three times; they keep what the run's own split keeps.

    Equal rows, or the rows of one group, are never on both sides; with a split by time every fold scores rows that are
    later than all that it learns from. `stratified` deals the rows of each class out evenly. Raises Refused if the
    split's column is gone, or the rows cannot be divided in three.
    """
    split = data.split
    if split is not None and split.method is SplitMethod.TIME and split.column:
        made = _by_time(pd.to_datetime(_column(examples.table, split.column), utc=True, format="ISO8601"))
    elif split is not None and split.method is SplitMethod.GROUP and split.column:
        made = _dealt(row_hashes(_column(examples.table, split.column).to_frame()), None)
    else:
        made = _dealt(row_hashes(examples.inputs), examples.target if stratified else None)
    if any(not len(side) for fold in made for side in fold):
        raise Refused(
            Reason.NOT_ENOUGH_ROWS,
            f"search: the {len(examples.inputs)} rows for training cannot be divided in {FOLDS}: too few of them, or "
            "of their groups or times, are different; bring more data, or leave search out",
        )
    return made


def part_of(rows: Rows, target: npt.NDArray[Any] | None, share: float, seed: int) -> Rows:
    """A share of these rows, of each class alike, at least one of each; a larger share holds all of a smaller one."""
    if share >= 1:
        return rows
    order = np.random.default_rng(seed).permutation(len(rows))
    shuffled = rows[order]
    kinds = _kinds(None if target is None else target[shuffled], len(rows))
    wanted = np.zeros(len(rows), dtype=bool)
    for kind in np.unique(kinds):
        (at,) = np.nonzero(kinds == kind)
        wanted[at[: max(1, round(share * len(at)))]] = True
    return np.sort(shuffled[wanted])


def _column(table: pd.DataFrame, name: str) -> "pd.Series[Any]":
    if name not in table:
        raise Refused(
            Reason.COLUMNS_MISSING,
            f"search: column {name!r} of data.split is not among what features returns, and the trials are compared on "
            "rows that are divided by it; keep it there, and list it in data.drop",
        )
    return table[name]


def _dealt(hashes: npt.NDArray[np.uint64], target: npt.NDArray[Any] | None) -> list[Fold]:
    """Different hashes are dealt out in turn, within each class if there are any."""
    kinds = _kinds(target, len(hashes))
    order = np.lexsort((hashes, kinds))
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (np.diff(kinds[order]) != 0) | (hashes[order][1:] != hashes[order][:-1])
    turns = np.empty(len(order), dtype=np.intp)
    turns[order] = (np.cumsum(is_new) - 1) % FOLDS
    everything = np.arange(len(hashes))
    return [(everything[turns != turn], everything[turns == turn]) for turn in range(FOLDS)]


def _kinds(target: npt.NDArray[Any] | None, rows: int) -> Rows:
    """The number of each row's class; all the same without classes."""
    return np.zeros(rows, dtype=np.intp) if target is None else np.unique(target, return_inverse=True)[1]


def _by_time(moments: "pd.Series[Any]") -> list[Fold]:
    """Four periods of about as many rows; each but the first is scored after what came before it was learned."""
    ranks = moments.rank(method="min").to_numpy() - 1
    period = np.minimum(ranks * (FOLDS + 1) // max(1, len(ranks)), FOLDS).astype(np.intp)
    everything = np.arange(len(ranks))
    return [(everything[period < after], everything[period == after]) for after in range(1, FOLDS + 1)]


def smallest(made: Sequence[Fold]) -> int:
    """How many rows the smallest of the folds learns from."""
    return min(len(learned) for learned, _ in made)
