"""What the model card tells of the drift: the columns by how far they moved, in shares and distances."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mira.registry.drift import ColumnDrift, ColumnVerdict, Drift
from mira.registry.manifest import DriftVerdict

MOST_ROWS = 20
SMALL_SHARE = 0.001
SAID = {
    ColumnVerdict.STABLE: ("no", "stable"),
    ColumnVerdict.DRIFTED: ("worse", "drifted"),
    ColumnVerdict.MISSING: ("worse", "missing"),
    ColumnVerdict.RETYPED: ("worse", "another type"),
    ColumnVerdict.EXTRA: ("no", "new"),
}


@dataclass(frozen=True)
class MovedRow:
    """One column: missing shares then and now, both distances, the bar's length in shares of the longest."""

    name: str
    type: str
    missing: tuple[str, str]
    ks: str
    psi: str
    threshold: str
    bar: float | None
    css: str
    verdict: str


def moved(drift: Drift | None) -> Mapping[str, Any] | None:
    """The section's content, None without a version to compare with."""
    if drift is None:
        return None
    longest = max((float(one.psi) for one in drift.columns if one.psi is not None), default=0) or 1
    columns = sorted(drift.columns, key=_order)
    return {
        "version": drift.reference.version,
        "measured": drift.verdict is not DriftVerdict.NOT_MEASURED,
        "reason": drift.reason,
        "drifted": len(drift.drifted),
        "compared": sum(one.verdict is not ColumnVerdict.EXTRA for one in drift.columns),
        "above": drift.verdict is DriftVerdict.DRIFTED,
        "limit": float(drift.limit),
        "before": drift.rows.reference,
        "rows": [_row(one, longest) for one in columns[:MOST_ROWS]],
        "more": max(len(columns) - MOST_ROWS, 0),
        "page": Path(drift.evidently.files[0].path).name if drift.evidently and drift.evidently.files else "",
        "no_page": drift.evidently.reason if drift.evidently else "",
    }


def _order(column: ColumnDrift) -> tuple[bool, bool, float]:
    """What cannot be compared any more first, then by distance, what is new last."""
    return column.verdict is ColumnVerdict.EXTRA, column.psi is not None, -float(column.psi or 0)


def _row(column: ColumnDrift, longest: float) -> MovedRow:
    css, verdict = SAID[column.verdict]
    nulls = column.null_share
    return MovedRow(
        name=column.name,
        type=f"{column.type} → {column.current_type}" if column.current_type else column.type,
        missing=(_share(nulls.reference), _share(nulls.current)) if nulls else ("", ""),
        ks="" if column.ks is None else f"{float(column.ks):.3f}",
        psi="" if column.psi is None else f"{float(column.psi):.3f}",
        threshold="" if column.threshold is None else f"{float(column.threshold):.3f}",
        bar=None if column.psi is None else float(column.psi) / longest,
        css=css,
        verdict=verdict,
    )


def _share(text: str) -> str:
    share = float(text)
    return "0" if share == 0 else f"{share:.1%}" if share >= SMALL_SHARE else "<0.1%"
