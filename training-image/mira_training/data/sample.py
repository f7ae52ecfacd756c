"""A row like those that a model learned from, and none of them: what a server warms up on and a person sends first."""

import numpy as np
import numpy.typing as npt

from mira.api.data import Checks, ColumnType
from mira_training.data.examples import Prepared

HALF = 0.5
DIGITS = 3
"""Of a median: enough to be of the right size, too few to tell the number of a customer or an account."""


def sample_of(prepared: Prepared, checks: Checks | None, *, raw: bool) -> dict[str, bool | int | float | str]:
    """One value for each column of the model's input.

    A number is the median of the training rows, rounded; a boolean is the more frequent one. A text is never one of the
    data: it is the first that `data.checks` allows, which a person wrote for all to read, else empty. `raw`: the model
    takes the columns as they were read, so that the checks speak of the same ones.
    """
    allowed = {check.name: check.allowed[0] for check in checks.columns if check.allowed} if checks and raw else {}
    inputs = prepared.training.inputs
    values: dict[str, bool | int | float | str] = {}
    for column in prepared.columns:
        if column.type == ColumnType.STRING:
            values[column.name] = allowed.get(column.name, "")
        else:
            values[column.name] = _typical(inputs[column.name].to_numpy(dtype=np.float64), column.type)
    return values


def _typical(values: npt.NDArray[np.float64], kind: str) -> bool | int | float:
    present = values[np.isfinite(values)]
    median = float(np.median(present)) if len(present) else 0.0
    if kind == ColumnType.BOOLEAN:
        return bool(median > HALF)
    rounded = float(f"{median:.{DIGITS}g}")
    return int(rounded) if kind == ColumnType.INTEGER and abs(rounded) < 2**53 else rounded
