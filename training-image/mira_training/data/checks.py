"""The checks of `data.checks`: every violation in one pass, in counts and names, never a cell's value."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from mira.api.data import Checks, ColumnCheck, ColumnType, OnFinding
from mira.registry.outcome import FailedCheck
from mira_training.data.columns import NUMBERS, Values, texts, type_of
from mira_training.refusal import listed

Wrong = npt.NDArray[np.bool_]


def failed_checks(frame: pd.DataFrame, checks: Checks, *, count_rows: bool = True) -> list[FailedCheck]:
    """What the table fails, the whole table first, then column by column in the order of the spec."""
    found = list(_table(frame, checks, count_rows=count_rows))
    for check in checks.columns:
        if check.name in frame.columns:
            found += _column(frame[check.name], check)
        elif check.required:
            found.append(missing_column(check.name, frame))
    if checks.extra_columns is OnFinding.FAIL:
        found += extra_columns(frame, checks)
    return found


def missing_column(name: str, frame: pd.DataFrame) -> FailedCheck:
    """The violation of a column that is not there, with those that are."""
    have = listed([str(column) for column in frame.columns], most=20)
    return FailedCheck(check="required", column=name[:253], message=f"column {name!r} is missing (have: {have})"[:1024])


def extra_columns(frame: pd.DataFrame, checks: Checks) -> list[FailedCheck]:
    """One finding if the table has columns that the checks do not list."""
    known = {check.name for check in checks.columns}
    extra = [str(name) for name in frame.columns if name not in known]
    message = f"{len(extra)} columns are not listed in data.checks.columns: {listed(extra)}"
    return [FailedCheck(check="extraColumns", message=message[:1024])] if extra else []


def _table(frame: pd.DataFrame, checks: Checks, *, count_rows: bool) -> Iterator[FailedCheck]:
    if count_rows and checks.min_rows is not None and len(frame) < checks.min_rows:
        yield FailedCheck(check="minRows", message=f"{len(frame)} rows, at least {checks.min_rows} are required")


def _column(values: Values, check: ColumnCheck) -> Iterator[FailedCheck]:
    present = values.dropna()
    share = 1 - len(present) / len(values) if len(values) else 0.0
    if check.max_null_share is not None and share > float(check.max_null_share):
        gone = len(values) - len(present)
        yield _failed(check, "maxNullShare", f"{gone} of {len(values)} values are missing ({share:.2%}), at most "
                      f"{float(check.max_null_share):.2%} are allowed")  # fmt: skip
    if check.type is not None and (said := _wrong_type(present, check.type)):
        yield _failed(check, "type", said)
        return
    for name, limit, wrong in _rules(check):
        count = int(wrong(present).sum())
        if count:
            yield _failed(check, name, f"{count} of {len(values)} values {limit}")
    if check.unique and (again := int(present.duplicated().sum())):
        yield _failed(check, "unique", f"{again} of {len(values)} values occur before; every value must be unique")


def _rules(check: ColumnCheck) -> Iterator[tuple[str, str, Callable[[Values], Wrong]]]:
    if (low := check.minimum) is not None:
        yield "minimum", f"are below the minimum {low}", lambda values: _numbers(values) < float(low)
    if (high := check.maximum) is not None:
        yield "maximum", f"are above the maximum {high}", lambda values: _numbers(values) > float(high)
    if check.allowed:
        yield (
            "allowed",
            f"are none of the allowed: {listed(check.allowed)}",
            lambda values: ~texts(values).isin(check.allowed).to_numpy(),
        )
    if (pattern := check.pattern) is not None:
        yield (
            "pattern",
            f"do not match {pattern}",
            lambda values: ~values.astype("str").str.fullmatch(pattern).to_numpy(dtype=bool),
        )


def _failed(check: ColumnCheck, name: str, said: str) -> FailedCheck:
    return FailedCheck(check=name, column=check.name[:253], message=f"column {check.name!r}: {said}"[:1024])


def _wrong_type(values: Values, wanted: ColumnType) -> str:
    """Empty if the values have the wanted type, else what they are."""
    kind = type_of(values)
    if not len(values) or kind is wanted or (wanted is ColumnType.NUMBER and kind is ColumnType.INTEGER):
        return ""
    if wanted is ColumnType.INTEGER and kind is ColumnType.NUMBER:
        return _counted(np.mod(_numbers(values), 1) != 0, "are not whole")
    if wanted is ColumnType.TIMESTAMP and kind is ColumnType.STRING:
        moments = pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601")
        return _counted(moments.isna().to_numpy(), "are no date or time such as 2026-10-01T12:00:00Z")
    if wanted in NUMBERS and kind is ColumnType.STRING and wanted is not ColumnType.BOOLEAN:
        numbers = pd.to_numeric(values, errors="coerce")
        return _counted(numbers.isna().to_numpy(), f"are no {wanted}") or f"has numbers as text, must be {wanted}"
    return f"is {kind or 'neither numbers nor text'}, must be {wanted}"


def _counted(wrong: Wrong, what: str) -> str:
    return f"{int(wrong.sum())} of {len(wrong)} values {what}" if wrong.any() else ""


def _numbers(values: Values) -> npt.NDArray[np.float64]:
    return values.to_numpy(dtype=np.float64)
