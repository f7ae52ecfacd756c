"""A hash of rows that stays the same for ever: it decides on which side of a split a row lies.

Fixed by this file and by SipHash-2-4 of UTF-8 text; a golden test holds both to it. A row's hash does not depend on the
order of columns, on missing values, on whether a number was stored as integer or float, nor on other rows.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mira.api.data import ColumnType
from mira_training.data.columns import NUMBERS, Values, type_of

Hashes = npt.NDArray[np.uint64]
KEY = "mira.row.hash.v1"
_ADD, _FIRST, _SECOND = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def row_hashes(frame: pd.DataFrame) -> Hashes:
    """One number of 64 bits per row: the sum over columns of the mixed hash of name and value, mixed once more."""
    total = np.zeros(len(frame), dtype=np.uint64)
    for name in frame.columns:
        values = frame[name]
        salted = _mixed(_value_hashes(values) ^ _text_hashes(np.array([str(name)], dtype=object))[0])
        # A missing value adds nothing: a column that comes later and is still empty moves no row.
        total += np.where(values.notna().to_numpy(), salted, np.uint64(0))
    return _mixed(total)


def _value_hashes(values: Values) -> Hashes:
    kind = type_of(values)
    if kind in NUMBERS:
        # + 0.0 makes -0.0 and 0.0 the same bits.
        return _mixed((values.to_numpy(dtype=np.float64) + 0.0).view(np.uint64))
    if kind is ColumnType.TIMESTAMP:
        moments = pd.to_datetime(values, utc=True).dt.tz_localize(None).to_numpy().astype("datetime64[us]")
        return _mixed(moments.view(np.uint64))
    codes, uniques = pd.factorize(values)
    hashes = _text_hashes(np.array([str(value) for value in uniques], dtype=object))
    return np.append(hashes, np.uint64(0))[codes]


def _text_hashes(texts: npt.NDArray[Any]) -> Hashes:
    return pd.util.hash_array(texts, encoding="utf8", hash_key=KEY, categorize=False)


def _mixed(numbers: Hashes) -> Hashes:
    """SplitMix64's finaliser: every bit of the input moves every bit of the output."""
    with np.errstate(over="ignore"):
        mixed = numbers + _ADD
        mixed ^= mixed >> np.uint64(30)
        mixed *= _FIRST
        mixed ^= mixed >> np.uint64(27)
        mixed *= _SECOND
        mixed ^= mixed >> np.uint64(31)
    return mixed
