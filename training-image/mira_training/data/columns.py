"""What kind of values a column holds, in the words of the API, and what a model is given of it."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from mira.api.data import ColumnType
from mira.registry.manifest import Column

Values: TypeAlias = "pd.Series[Any]"
NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.BOOLEAN)
MISSING_TEXT = ""
"""What a model sees for missing text: an ONNX string tensor has no other way to say it."""


def type_of(values: Values) -> ColumnType | None:
    """The type of the column's values, None if they are something that no type names, such as lists."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return type_of(values.cat.categories.to_series())
    if pd.api.types.is_object_dtype(dtype):
        return _type_of_objects(values)
    return next((kind for kind, holds in _KINDS if holds(dtype)), None)


# In this order: to pandas a boolean is numeric too.
_KINDS: tuple[tuple[ColumnType, Callable[[Any], bool]], ...] = (
    (ColumnType.BOOLEAN, pd.api.types.is_bool_dtype),
    (ColumnType.INTEGER, pd.api.types.is_integer_dtype),
    (ColumnType.NUMBER, pd.api.types.is_numeric_dtype),
    (ColumnType.TIMESTAMP, pd.api.types.is_datetime64_any_dtype),
    (ColumnType.STRING, pd.api.types.is_string_dtype),
)


def _type_of_objects(values: Values) -> ColumnType | None:
    kinds = {type(value) for value in values.dropna().unique()} if _hashable(values) else {list}
    if kinds <= {bool, np.bool_}:
        return ColumnType.BOOLEAN if kinds else ColumnType.NUMBER
    if kinds <= {int, float, Decimal, np.int64, np.float64}:
        return ColumnType.NUMBER
    if kinds <= {dt.date, dt.datetime, pd.Timestamp}:
        return ColumnType.TIMESTAMP
    # Text among numbers is what a spoiled CSV column looks like: it is text, and the checks say so.
    return ColumnType.STRING if str in kinds and kinds <= {str, int, float, bool} else None


def _hashable(values: Values) -> bool:
    return not any(isinstance(value, list | dict | set | np.ndarray) for value in values.dropna().head(1000))


def columns_of(frame: pd.DataFrame, *, without: set[str]) -> tuple[list[Column], list[str]]:
    """The columns that a model can take, in the frame's order, and what is left out, each with the reason in words."""
    taken, left_out = [], []
    for name in frame.columns:
        if name in without:
            continue
        kind = type_of(frame[name])
        if kind in (*NUMBERS, ColumnType.STRING):
            taken.append(Column(name=name, type=kind))
        else:
            left_out.append(f"{name} ({kind or 'neither numbers nor text'})")
    return taken, left_out


def model_input(frame: pd.DataFrame, columns: list[Column]) -> pd.DataFrame:
    """The columns as a model takes them, in this order: numbers and booleans as float32, text with missing as "".

    float32, because that is what ONNX models take: estimator and ONNX file then see the same numbers.
    Raises KeyError for a column that is not there, ValueError for one that holds something else.
    """
    return pd.DataFrame({column.name: _as_input(frame[column.name], column) for column in columns}, index=frame.index)


def _as_input(values: Values, column: Column) -> Values:
    if column.type == ColumnType.STRING:
        return texts(values).astype(object)
    try:
        # What is too large becomes infinite; whoever may not have that looks for it.
        with np.errstate(over="ignore"):
            return values.astype("float64").astype("float32")
    except (TypeError, ValueError) as error:
        raise ValueError(f"column {column.name!r} must hold numbers") from error


def texts(values: Values) -> Values:
    """The values as text: missing is "", a whole number has no decimal point, however it was stored."""
    if type_of(values) in NUMBERS:
        values = values.astype("float64").map(_number_text, na_action="ignore")
    return values.astype("str").where(values.notna(), MISSING_TEXT)


def _number_text(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
