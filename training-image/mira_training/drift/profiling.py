"""From a table to its profile, and from another table to counts over the bins of that profile."""

import hashlib
from collections.abc import Container

import numpy as np
import numpy.typing as npt
import pandas as pd

from mira.api.data import ColumnType
from mira.registry.profile import MOST_COLUMNS, Profile, ProfiledColumn
from mira_training.data.columns import NUMBERS, Values, type_of
from mira_training.drift.distance import Counts

BINS = 10
MOST_CATEGORIES = 50
# What is rarer says more about single rows than about the distribution, and a name or a key should not be kept.
FEWEST_ROWS, SMALLEST_SHARE = 5, 0.005
MOST_LABELS = 1000
LONGEST_NAME = 253
OTHER = "Other"
Numbers = npt.NDArray[np.float64]


def profile(table: pd.DataFrame, *, without: Container[str] = ()) -> Profile:
    """The profile of the table's columns but those in `without`. The same table gives the same profile."""
    names = profiled(table, without)
    columns = [_column(name, table[name]) for name in names[:MOST_COLUMNS]]
    return Profile(rows=len(table), columns=columns, left_out=max(len(names) - MOST_COLUMNS, 0))


def profiled(table: pd.DataFrame, without: Container[str] = ()) -> list[str]:
    """The columns that a profile would tell of, those with a name that a document holds."""
    return [name for name in table.columns if name not in without and 0 < len(name) <= LONGEST_NAME]


def counted(values: Values, bins: ProfiledColumn) -> tuple[Counts, int]:
    """How many rows lie in each of the bins, and how many have no value.

    Raises ValueError for a column with something else than numbers where the bins are of numbers.
    """
    if bins.edges:
        numbers = numbers_of(values)
        found = np.searchsorted(np.array([float(edge) for edge in bins.edges]), numbers, side="left")
        return np.bincount(found, minlength=len(bins.counts)).astype(np.int64), len(values) - len(numbers)
    present = present_of(values)
    counts: Counts = np.zeros(len(bins.counts), dtype=np.int64)
    if bins.categories:
        # Whatever is rarer than the thousand most frequent texts is no frequent category.
        labels = present.astype("str").value_counts().head(MOST_LABELS)
        by_mark = {mark(bins.name, str(label)): int(count) for label, count in labels.items()}
        counts[:-1] = [by_mark.get(category, 0) for category in bins.categories]
    counts[-1] = len(present) - counts.sum()
    return counts, len(values) - len(present)


def present_of(values: Values) -> Values:
    """The rows with a value; an empty text is none, as in a CSV file and as for a model."""
    present = values.dropna()
    return present[present.astype("str") != ""] if type_of(values) is ColumnType.STRING else present


def numbers_of(values: Values) -> Numbers:
    """The numbers without the missing ones. Raises ValueError if they are none."""
    try:
        numbers = np.asarray(values.dropna().astype("float64"), dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError("must hold numbers") from error
    present: Numbers = numbers[~np.isnan(numbers)]
    return present


def mark(column: str, label: str) -> str:
    """The fingerprint by which a category is found again, without being kept."""
    return hashlib.sha256(f"{column}\0{label}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _column(name: str, values: Values) -> ProfiledColumn:
    kind = type_of(values)
    edges: list[str] = []
    categories: list[str] = []
    if kind in NUMBERS:
        try:
            edges = [repr(float(edge)) for edge in _edges(numbers_of(values))]
        except ValueError:
            kind = None
    elif kind is ColumnType.STRING:
        categories = _categories(name, values)
    bins = ProfiledColumn(
        name=name,
        type=kind or OTHER,
        missing=0,
        edges=edges,
        categories=categories,
        counts=[0] * (len(edges) + len(categories) + 1),
    )
    counts, missing = counted(values, bins)
    return bins.model_copy(update={"counts": counts.tolist(), "missing": missing})


def _edges(numbers: Numbers) -> Numbers:
    """Ascending edges between bins of equally many rows; a value that fills a bin alone has one of its own.

    Without that, a column with one value, or one that is mostly zero, could fall and nobody would see it.
    """
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return finite
    # Values that occur, not means of two: nothing to round, and nothing that overflows.
    quantiles = np.quantile(finite, np.arange(1, BINS) / BINS, method="inverted_cdf")
    values, times = np.unique(quantiles, return_counts=True)
    alone = [value for value in values[times > 1] if np.count_nonzero(finite == value) > 1]
    with np.errstate(over="ignore"):
        below = np.nextafter(np.array(alone, dtype=np.float64), -np.inf)
    edges: Numbers = np.unique(np.concatenate([values, below[np.isfinite(below)]]))
    return edges


def _categories(name: str, values: Values) -> list[str]:
    present = present_of(values)
    labels = present.astype("str").value_counts().head(MOST_CATEGORIES)
    fewest = max(FEWEST_ROWS, SMALLEST_SHARE * len(present))
    return sorted(mark(name, str(label)) for label, count in labels.items() if count >= fewest)
