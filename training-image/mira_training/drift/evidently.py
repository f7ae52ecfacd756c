# ruff: noqa: PLC0415 - Evidently takes seconds to import, and the slim image is without it
"""Evidently's page and JSON of two tables, drawn by the measure and the thresholds that the drift document has."""

import gzip
import json
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mira.api.data import ColumnType
from mira.registry.drift import ColumnVerdict, Drift
from mira_training.data.columns import NUMBERS, Values, type_of
from mira_training.drift.profiling import FEWEST_ROWS, MOST_CATEGORIES, SMALLEST_SHARE, present_of

if TYPE_CHECKING:
    from evidently.core.report import Snapshot

# Its time grows with the rows and what one sees does not: 1,000,000 rows take it more than half a minute.
MOST_ROWS = 50_000
MEASURE = "psi"
SMALLEST_WIDTH = 1e-9  # of the range, relative to the numbers: below it float64 has no room for bins
DEFAULT_THRESHOLD = 0.2
MISSING, OTHER = "(missing)", "(other)"
COMPARED = (ColumnVerdict.STABLE, ColumnVerdict.DRIFTED)


class NotDrawn(Exception):
    """There is no report; says why."""


@dataclass(frozen=True)
class Drawn:
    """The page for people and the JSON for programs, both compressed by gzip."""

    page: bytes
    data: bytes


def drawn(reference: pd.DataFrame, rows: pd.DataFrame, document: Drift) -> Drawn:
    """The report on the columns that the document compares. Raises NotDrawn.

    Texts that are rare in the reference become `(other)`, as in the document: a key or a name is on no page.
    """
    os.environ.setdefault("DO_NOT_TRACK", "1")
    numbers, texts, sides = _comparable(reference, rows, document)
    if not numbers and not texts:
        raise NotDrawn("no column has values on both sides that Evidently could compare")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            snapshot = _snapshot(numbers, texts, sides, document)
            return Drawn(_compressed(_page(snapshot)), _compressed(json.dumps(json.loads(snapshot.json())).encode()))
    except Exception as error:
        # Of which kind and no more: its words may hold values of cells.
        raise NotDrawn(f"Evidently failed with {type(error).__name__}") from error


def _comparable(
    reference: pd.DataFrame, rows: pd.DataFrame, document: Drift
) -> tuple[list[str], list[str], tuple[pd.DataFrame, pd.DataFrame]]:
    """The names of the columns with numbers and of those with texts; both tables with just these columns."""
    sides = tuple(_sampled(table) for table in (reference, rows))
    numbers, texts = [], []
    made: tuple[dict[str, Values], dict[str, Values]] = ({}, {})
    for column in document.columns:
        if column.verdict not in COMPARED or any(column.name not in side for side in sides):
            continue
        before, now = (side[column.name] for side in sides)
        kind = type_of(before)
        if kind in NUMBERS:
            pair = _numbers(before), _numbers(now)
            if not _can_be_drawn(*pair):
                continue
            numbers.append(column.name)
        elif kind in (ColumnType.STRING, ColumnType.BOOLEAN):
            labels = _frequent(before)
            pair = _labels(before, labels), _labels(now, labels)
            texts.append(column.name)
        else:
            continue
        made[0][column.name], made[1][column.name] = pair
    return numbers, texts, (pd.DataFrame(made[0]), pd.DataFrame(made[1]))


def _sampled(table: pd.DataFrame) -> pd.DataFrame:
    return (table.sample(MOST_ROWS, random_state=0) if len(table) > MOST_ROWS else table).reset_index(drop=True)


def _numbers(values: Values) -> Values:
    """As float64: of pandas' nullable integers Evidently makes errors, of infinities no bins."""
    return values.astype("float64").replace([np.inf, -np.inf], np.nan)


def _can_be_drawn(before: Values, now: Values) -> bool:
    """Whether both have numbers, and so far apart, or all alike, that bins can lie between them."""
    if before.isna().all() or now.isna().all():
        return False
    low, high = min(float(before.min()), float(now.min())), max(float(before.max()), float(now.max()))
    with np.errstate(over="ignore"):
        width = high - low
    return bool(np.isfinite(width)) and (width == 0 or width > SMALLEST_WIDTH * max(abs(low), abs(high)))


def _frequent(values: Values) -> list[str]:
    present = present_of(values)
    counts = present.astype("str").value_counts().head(MOST_CATEGORIES)
    fewest = max(FEWEST_ROWS, SMALLEST_SHARE * len(present))
    return [str(label) for label, count in counts.items() if count >= fewest]


def _labels(values: Values, frequent: list[str]) -> Values:
    present = present_of(values).astype("str")
    named = present.where(present.isin(frequent), OTHER).astype("object")
    return named.reindex(values.index, fill_value=MISSING)


def _snapshot(
    numbers: list[str], texts: list[str], sides: tuple[pd.DataFrame, pd.DataFrame], document: Drift
) -> "Snapshot":
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    definition = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
    reference, rows = (Dataset.from_pandas(side, data_definition=definition) for side in sides)
    shown = {*numbers, *texts}
    # Set explicitly: its own choice of measure changes with the number of rows, and the direction with the measure.
    preset = DataDriftPreset(
        drift_share=float(document.limit),
        num_method=MEASURE,
        cat_method=MEASURE,
        num_threshold=DEFAULT_THRESHOLD,
        cat_threshold=DEFAULT_THRESHOLD,
        per_column_threshold={
            one.name: float(one.threshold) for one in document.columns if one.threshold and one.name in shown
        },
    )
    return Report([preset], include_tests=True).run(rows, reference)


def _page(snapshot: "Snapshot") -> bytes:
    with TemporaryDirectory(prefix="mira-evidently-") as folder:
        path = Path(folder) / "page.html"
        snapshot.save_html(str(path))  # it takes a Path too, and writes nothing
        return path.read_bytes()


def _compressed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
