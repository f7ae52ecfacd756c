"""Groups of evaluation rows that are also looked at by themselves."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mira_training.data.columns import texts

FEWEST_ROWS = 30
MOST_VALUES = 30
LONGEST = 253


@dataclass(frozen=True)
class Slice:
    """The rows in which a column has one value; `name` is `column=value`, as gates write it."""

    column: str
    value: str
    rows: npt.NDArray[np.intp]

    @property
    def name(self) -> str:
        """The name by which gates and manifest call it."""
        return f"{self.column}={self.value}"


def slices(table: pd.DataFrame, columns: tuple[str, ...]) -> Iterator[Slice]:
    """The most frequent values of each column, at most 30 each and none with fewer than 30 rows."""
    for column in columns:
        values = texts(table[column])
        for value in values.value_counts().head(MOST_VALUES).index.astype(str):
            found = Slice(column, value, np.flatnonzero((values == value).to_numpy()))
            if len(found.rows) >= FEWEST_ROWS and value and len(found.name) <= LONGEST:
                yield found
