"""What the model card tells in numbers and words, taken from what the steps have made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup

from mira.api.data import ColumnType
from mira.registry.comparison import Difference
from mira.registry.manifest import Column, Direction, Metric
from mira_training.data.columns import model_input
from mira_training.report.svg import interval, measure, number, sparkline
from mira_training.scoring.measuring import Judged
from mira_training.scoring.metrics import METRICS, Kind
from mira_training.scoring.wanted import QUALITIES

MINUS = "\N{MINUS SIGN}"
BARS = 16
SMALL_SHARE = 0.001
MOST_CLASSES = 12
MOST_OUTPUTS = 40
# How many metrics of a slice fit on the page, each with an interval beside it or alone.
WITH_INTERVALS, ALONE = 2, 4


@dataclass(frozen=True)
class MetricRow:
    """One metric as the card shows it, alone or against the current version."""

    name: str
    meaning: str
    arrow: str
    value: str
    current: str = ""
    interval: Markup = field(default_factory=Markup)
    verdict: str = ""
    says: str = ""


@dataclass(frozen=True)
class SliceRow:
    """One slice with its number of rows and its metrics."""

    name: str
    rows: int
    metrics: tuple[MetricRow, ...]


@dataclass(frozen=True)
class ColumnRow:
    """One column of the model's input, in shares and shapes: no value of it."""

    name: str
    type: str
    missing: str
    shape: Markup
    reliance: float | None
    growth: str


@dataclass(frozen=True)
class Confusion:
    """How often each class was taken for each other, in shares of the true class."""

    classes: tuple[str, ...]
    shares: tuple[tuple[float, ...], ...]


def metric_rows(metrics: Sequence[Metric], differences: Sequence[Difference], kind: Kind | None) -> list[MetricRow]:
    """The metrics of all rows, beside the differences from the current version."""
    beside = {one.metric: one for one in differences if not one.slice}
    return [_row(metric, kind, beside.get(metric.name)) for metric in metrics if not metric.slice]


def slice_rows(
    metrics: Sequence[Metric], differences: Sequence[Difference], kind: Kind | None, sizes: Mapping[str, int]
) -> dict[str, list[SliceRow]]:
    """The slices by their column, in the order in which they were measured; as many metrics as the page is wide.

    The intervals of a metric are drawn to one scale within a column, so that slices can be compared.
    """
    beside = {(one.metric, one.slice): one for one in differences if one.slice}
    reaches: dict[tuple[str, str], float] = {}
    for one in beside.values():
        of = one.slice.partition("=")[0], one.metric
        reaches[of] = max(reaches.get(of, 0.0), abs(float(one.lower)), abs(float(one.upper)))
    shown = WITH_INTERVALS if beside else ALONE
    found: dict[str, list[SliceRow]] = {}
    for name, size in sizes.items():
        column, _, value = name.partition("=")
        rows = [
            _row(metric, kind, beside.get((metric.name, name)), reaches.get((column, metric.name)))
            for metric in metrics
            if metric.slice == name
        ]
        found.setdefault(column, []).append(SliceRow(value, size, tuple(rows[:shown])))
    return found


def _row(metric: Metric, kind: Kind | None, beside: Difference | None, reach: float | None = None) -> MetricRow:
    known = QUALITIES if kind is None else {each.name: each.meaning for each in METRICS[kind]}
    meaning = known.get(metric.name, "a metric of the user's own")
    arrow = {Direction.HIGHER: "↑", Direction.LOWER: "↓", None: ""}[metric.direction]
    value = measure(float(metric.value))
    if beside is None:
        return MetricRow(metric.name, meaning, arrow, value)
    lower, upper = float(beside.lower), float(beside.upper)
    sign = 1 if beside.direction is Direction.HIGHER else -1
    middle = sign * (float(beside.candidate) - float(beside.current))
    says = f"{'+' if middle >= 0 else MINUS}{measure(abs(middle))}"
    drawn = interval(lower, upper, middle, reach)
    return MetricRow(
        metric.name, meaning, arrow, value, measure(float(beside.current)), drawn, verdict_of(beside), says
    )


def verdict_of(difference: Difference) -> str:
    """Whether the candidate is better, worse, or neither for sure."""
    return (
        "better" if float(difference.lower) > 0 else "worse" if float(difference.upper) < 0 else "no clear difference"
    )


def column_rows(columns: Sequence[Column], inputs: pd.DataFrame, growths: dict[str, float]) -> list[ColumnRow]:
    """The columns, those first on which the model relies most."""
    most = max([*growths.values(), 1e-12])
    rows = []
    for column in columns:
        growth = growths.get(column.name)
        missing, shares = _shape(inputs[column.name], column)
        rows.append(
            ColumnRow(
                column.name,
                column.type,
                "" if missing == 0 else f"{missing:.1%}" if missing >= SMALL_SHARE else "<0.1%",
                sparkline(shares),
                None if growth is None else max(growth, 0) / most,
                "" if growth is None else f"{growth:.4f}".replace("-", MINUS),
            )
        )
    return sorted(rows, key=lambda row: -(row.reliance or 0))


def output_rows(columns: Sequence[Column], output: pd.DataFrame | None) -> list[ColumnRow]:
    """The first columns that a transformation gives, in their order."""
    if output is None:
        return []
    shown = list(columns[:MOST_OUTPUTS])
    pictured = [column for column in shown if column.type != ColumnType.TIMESTAMP]
    drawn = {row.name: row for row in column_rows(pictured, model_input(output, pictured), {})}
    return [drawn.get(one.name) or ColumnRow(one.name, one.type, "", Markup(), None, "") for one in shown]


def _shape(values: Any, column: Column) -> tuple[float, list[float]]:
    """The share of missing values, and the shares of ranges of numbers or of the most frequent texts."""
    if column.type == ColumnType.STRING:
        missing = float((values == "").mean())
        counts = values[values != ""].value_counts().head(BARS)
        return missing, counts.tolist()
    numbers: npt.NDArray[np.float64] = values.to_numpy(dtype=np.float64)
    present = numbers[np.isfinite(numbers)]
    if not len(present):
        return 1.0, []
    low, high = np.quantile(present, [0.01, 0.99])
    counts, _ = np.histogram(np.clip(present, low, high), bins=BARS if high > low else 1)
    return 1 - len(present) / len(numbers), counts.tolist()


def balance(judged: Judged, classes: Sequence[Any]) -> list[tuple[str, float]]:
    """Each class with its share of the evaluation rows."""
    shares = np.bincount(judged.truth.answers.astype(int), minlength=len(classes)) / len(judged.truth.answers)
    return [(str(name), float(share)) for name, share in zip(classes, shares, strict=True)]


def confusion(judged: Judged, classes: Sequence[Any]) -> Confusion | None:
    """How often each class was taken for which; None for a regression or more classes than a table can show."""
    if not classes or len(classes) > MOST_CLASSES:
        return None
    counts = np.zeros((len(classes), len(classes)))
    np.add.at(counts, (judged.truth.answers.astype(int), judged.scores.argmax(axis=1)), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return Confusion(tuple(str(name) for name in classes), tuple(tuple(row) for row in shares.tolist()))


def bytes_text(size: int) -> str:
    """The size as people say it: 12 kB, 3.4 MB."""
    for unit in ("B", "kB", "MB"):
        if size < 1000 or unit == "MB":
            break
        size /= 1000  # type: ignore[assignment]  # from here on it is a fraction
    return f"{number(size)} {unit}"
