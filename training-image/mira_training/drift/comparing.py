"""From a table and the profile of another to a verdict on each column and on all."""

from collections.abc import Container
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

from mira.registry.document import decimal_text
from mira.registry.drift import COUNTED, ColumnDrift, ColumnVerdict, NullShares
from mira.registry.manifest import DriftVerdict
from mira.registry.profile import MOST_COLUMNS, Profile, ProfiledColumn
from mira_training.data.columns import Values, type_of
from mira_training.data.drift import family
from mira_training.drift.distance import ks, psi, psi_threshold
from mira_training.drift.profiling import OTHER, counted, profiled

DEFAULT_LIMIT = "0.3"


@dataclass(frozen=True)
class Measured:
    """What a comparison found; `share` of the compared columns has drifted, None with the reason if none could be."""

    columns: tuple[ColumnDrift, ...]
    share: str | None
    verdict: DriftVerdict
    reason: str = ""


def measure(
    table: pd.DataFrame, reference: Profile, *, limit: str, without: Container[str] = (), may_lack: Container[str] = ()
) -> Measured:
    """The table against the profile, but for the columns in `without`.

    A column that is gone counts as drifted, unless it is in `may_lack`: answers often come later than the data.
    Columns that are new are told and not counted.
    """
    if not reference.rows or not len(table):
        side = "the data has" if reference.rows else "the training data had"
        return not_measured(f"{side} no rows")
    columns = [
        _missing(bins) if bins.name not in table.columns else _column(table[bins.name], bins, reference.rows)
        for bins in reference.columns
        if bins.name not in without and (bins.name in table.columns or bins.name not in may_lack)
    ]
    if not columns:
        return not_measured("no column is left to compare")
    share = decimal_text(sum(one.verdict in COUNTED for one in columns) / len(columns))
    verdict = DriftVerdict.DRIFTED if Decimal(share) > Decimal(limit) else DriftVerdict.STABLE
    return Measured((*columns, *_extra(table, reference, without)), share, verdict)


def not_measured(reason: str) -> Measured:
    """No verdict, and why there is none."""
    return Measured((), None, DriftVerdict.NOT_MEASURED, reason)


def _column(values: Values, bins: ProfiledColumn, rows: int) -> ColumnDrift:
    kind = type_of(values) or OTHER
    # A column without a single value has no type that could have changed.
    if sum(bins.counts) and values.notna().any() and family(kind) != family(bins.type):
        return _retyped(values, bins, kind, rows)
    try:
        counts, missing = counted(values, bins)
    except ValueError:
        return _retyped(values, bins, OTHER, rows)
    before, now = np.array(bins.counts, dtype=np.int64), counts
    sides = np.append(before, bins.missing), np.append(now, missing)
    distance, threshold = decimal_text(psi(*sides)), decimal_text(psi_threshold(*sides))
    ordered = bool(bins.edges) and before.sum() > 0 and now.sum() > 0
    return ColumnDrift(
        name=bins.name,
        type=bins.type,
        verdict=ColumnVerdict.DRIFTED if Decimal(distance) >= Decimal(threshold) else ColumnVerdict.STABLE,
        psi=distance,
        threshold=threshold,
        ks=decimal_text(ks(before, now)) if ordered else None,
        null_share=_null_shares(bins.missing / rows, missing / len(values)),
    )


def _retyped(values: Values, bins: ProfiledColumn, kind: str, rows: int) -> ColumnDrift:
    shares = _null_shares(bins.missing / rows, float(values.isna().mean()))
    return ColumnDrift(
        name=bins.name, type=bins.type, current_type=kind, verdict=ColumnVerdict.RETYPED, null_share=shares
    )


def _missing(bins: ProfiledColumn) -> ColumnDrift:
    return ColumnDrift(name=bins.name, type=bins.type, verdict=ColumnVerdict.MISSING)


def _extra(table: pd.DataFrame, reference: Profile, without: Container[str]) -> list[ColumnDrift]:
    if reference.left_out:
        # Which columns the reference had beyond those that it tells of, nobody knows.
        return []
    known = {bins.name for bins in reference.columns}
    new = [name for name in profiled(table, without) if name not in known][:MOST_COLUMNS]
    return [ColumnDrift(name=name, type=type_of(table[name]) or OTHER, verdict=ColumnVerdict.EXTRA) for name in new]


def _null_shares(reference: float, current: float) -> NullShares:
    return NullShares(reference=decimal_text(reference), current=decimal_text(current))
