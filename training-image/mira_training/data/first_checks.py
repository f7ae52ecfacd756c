"""A first `data.checks` from data: what holds for it now, with a margin for what comes, and why each bound is there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import numpy as np
import pandas as pd

from mira.api.data import ColumnType
from mira.api.scalars import DECIMAL, PRINTABLE
from mira_training.data.columns import Values, texts, type_of

MOST_COLUMNS = 256
LONGEST_NAME = 256
LONGEST_TEXT = 256
MOST_VALUES = 30
"""Different texts up to which they are taken for a closed set."""
ROWS_PER_VALUE = 10
FEWEST_UNIQUE = 20
"""Rows up to which different values may be different by chance."""
LONGEST_DECIMAL = 32
EXACT = 2**53
"""Whole numbers below it are shown digit by digit."""
DATE = re.compile(r"\d{4}-\d{2}-\d{2}.*")


@dataclass(frozen=True)
class Rule:
    """One field of a column check, as JSON, with the reason."""

    field: str
    value: Any
    why: str = ""


@dataclass(frozen=True)
class FirstCheck:
    """The rules of one column, and what is to be said of the column itself."""

    name: str
    rules: tuple[Rule, ...]
    why: str = ""


def first_checks(frame: pd.DataFrame, *, texts_in_disguise: set[str], target: str | None = None) -> list[FirstCheck]:
    """One check per column that a check can name, in the order of the data: the data passes all of them.

    `texts_in_disguise` are columns whose numbers are no numbers, such as 007: they have been read as text.
    """
    return [
        FirstCheck(name, tuple(_rules(frame[name])), _about(name, target, texts_in_disguise))
        for name in map(str, frame.columns)
        if can_be_named(name)
    ][:MOST_COLUMNS]


def can_be_named(name: str) -> bool:
    """Whether the API takes the name for a column."""
    return 0 < len(name) <= LONGEST_NAME and re.fullmatch(PRINTABLE[1:-1], name) is not None


def first_min_rows(rows: int) -> int:
    """Half of today's rows, rounded down to one digit; at least 1."""
    half = max(rows // 2, 1)
    unit: int = 10 ** (len(str(half)) - 1)
    return half // unit * unit


def _about(name: str, target: str | None, texts_in_disguise: set[str]) -> str:
    if name == target:
        return "the target"
    return "numbers with zeros in front: text, such as a postal code" if name in texts_in_disguise else ""


def _rules(values: Values) -> Iterator[Rule]:
    present = values.dropna()
    kind = _kind(values, present)
    if kind is None:
        yield Rule(
            "required", value=True, why="neither numbers nor text: no type names it, and the model does not take it"
        )
    else:
        yield Rule("type", str(kind))
        yield Rule("required", value=True)
    yield _null_share(values, present)
    if not len(present):
        return
    unique = _is_unique(values, present, kind)
    if unique:
        yield Rule("unique", value=True, why=f"all {len(values)} values are different; remove it if that is chance")
    if kind in (ColumnType.INTEGER, ColumnType.NUMBER):
        yield from _bounds(present, kind, is_id=unique)
    if kind is ColumnType.STRING and not unique:
        yield from _allowed(present)


def _kind(values: Values, present: Values) -> ColumnType | None:
    kind = type_of(values)
    if kind is ColumnType.STRING and len(present) and _are_dates(present):
        return ColumnType.TIMESTAMP
    if kind is ColumnType.NUMBER and 0 < len(present) < len(values):
        # Whole numbers are read as others where some are missing; the check looks at the values.
        numbers = present.to_numpy(dtype=np.float64)
        whole = bool(np.isfinite(numbers).all() and (np.mod(numbers, 1) == 0).all())
        return ColumnType.INTEGER if whole else kind
    return kind


def _are_dates(present: Values) -> bool:
    written = present.astype("str")
    if not written.str.fullmatch(DATE.pattern).all():
        return False
    return bool(pd.to_datetime(written, errors="coerce", utc=True, format="ISO8601").notna().all())


def _null_share(values: Values, present: Values) -> Rule:
    gone, rows = len(values) - len(present), len(values)
    # The same division as in the check, so that what is found here passes there.
    share = 1 - len(present) / rows if rows else 0.0
    rounded = _hundredths(share)
    why = f"{gone} of {rows} are missing" if gone else "none is missing"
    return Rule("maxNullShare", rounded, why)


def _hundredths(share: float) -> str:
    """The share rounded up to hundredths, and up again where the nearest float lies below it."""
    rounded = Decimal(share).quantize(Decimal("0.01"), ROUND_CEILING)
    while float(rounded) < share:
        rounded += Decimal("0.01")
    return f"{min(rounded, Decimal(1)).normalize():f}"


def _is_unique(values: Values, present: Values, kind: ColumnType | None) -> bool:
    """Whether every row has a value of its own: asked of what identifiers are made of, not of measurements."""
    if kind not in (ColumnType.INTEGER, ColumnType.STRING) or len(present) < max(len(values), FEWEST_UNIQUE):
        return False
    return not present.duplicated().any()


def _bounds(present: Values, kind: ColumnType, *, is_id: bool) -> Iterator[Rule]:
    numbers = present.to_numpy(dtype=np.float64)
    if not np.isfinite(numbers).all() or numbers.min() == numbers.max():
        # One value says nothing of a range.
        return
    # Decimals: the double beyond the largest one is infinite.
    low, high = Decimal(float(numbers.min())), Decimal(float(numbers.max()))
    margin = (high - low) / 2
    whole = kind is ColumnType.INTEGER
    found = f"found {_short(low)} to {_short(high)}"
    minimum = Decimal(0) if low >= 0 else _round(low - margin, ROUND_FLOOR, whole=whole)
    if text := _decimal(minimum):
        yield Rule("minimum", text, f"{found}; {'never negative so far' if low >= 0 else 'half of that range below'}")
    if is_id:
        # Identifiers grow: a maximum would refuse the next month's rows.
        return
    if text := _decimal(_round(high + margin, ROUND_CEILING, whole=whole)):
        yield Rule("maximum", text, f"{found}; half of that range above")


def _round(exact: Decimal, rounding: str, *, whole: bool) -> Decimal:
    """The value with two digits, rounded outward; whole for whole numbers."""
    if not exact:
        return exact
    digits = Decimal(1).scaleb(exact.adjusted() - 1)
    unit = max(digits, Decimal(1)) if whole else digits
    return (exact / unit).to_integral_value(rounding) * unit


def _decimal(value: Decimal) -> str | None:
    """The value as the API takes it, None if it is too long for it."""
    text = f"{value.normalize():f}" if value else "0"
    return text if len(text) <= LONGEST_DECIMAL and re.fullmatch(DECIMAL[1:-1], text) else None


def _short(number: Decimal) -> str:
    return str(int(number)) if abs(number) < EXACT and number == int(number) else f"{float(number):.4g}"


def _allowed(present: Values) -> Iterator[Rule]:
    different = sorted(set(texts(present)))
    if len(different) > min(MOST_VALUES, len(present) // ROWS_PER_VALUE):
        return
    if any(len(value) > LONGEST_TEXT for value in different):
        return
    yield Rule("allowed", different, f"all values of today's rows: {len(different)}; add what may come")
