"""The drift of data from what a version was trained on: names, shares and distances, never a cell's value."""

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import Field, model_validator

from mira.api.scalars import ModelName, Share, VersionId
from mira.registry.document import DecimalText, Digest, Document, Part, Time
from mira.registry.manifest import MOST_FILES, DriftSummary, DriftVerdict, File, Name, Source, Text
from mira.registry.profile import MOST_COLUMNS

DRIFT_FILE = "drift.json"
MOST_NAMED = 10
SUMMARY = "Summary"


class ColumnVerdict(StrEnum):
    """What became of one column; all but Stable and Extra count as drifted."""

    STABLE = "Stable"
    DRIFTED = "Drifted"
    MISSING = "Missing"
    RETYPED = "Retyped"
    EXTRA = "Extra"


COUNTED = (ColumnVerdict.DRIFTED, ColumnVerdict.MISSING, ColumnVerdict.RETYPED)


class Reference(Part):
    """The version whose training data is compared with."""

    version: VersionId
    digest: Digest


class RowCounts(Part):
    """How many rows each side has."""

    reference: int = Field(ge=0)
    current: int = Field(ge=0)


class NullShares(Part):
    """The share of rows without a value on each side."""

    reference: DecimalText
    current: DecimalText


class ColumnDrift(Part):
    """One column on both sides. `type` is the reference's, for an extra column its own.

    `psi` is the population stability index over the reference's bins, missing values being one of them; the column
    has drifted from `threshold` on. `ks` is the Kolmogorov-Smirnov statistic of numbers, at the edges of these bins.
    """

    name: Name
    type: Name
    current_type: Name | None = None
    verdict: ColumnVerdict
    psi: DecimalText | None = None
    threshold: DecimalText | None = None
    ks: DecimalText | None = None
    null_share: NullShares | None = None

    @model_validator(mode="after")
    def verdict_follows_from_the_measure(self) -> Self:
        """Refuses a verdict that the numbers beside it contradict: readers could act on one or the other."""
        if self.verdict in (ColumnVerdict.STABLE, ColumnVerdict.DRIFTED):
            if self.psi is None or self.threshold is None:
                raise ValueError(f"{self.verdict} needs psi and threshold")
            if (Decimal(self.psi) >= Decimal(self.threshold)) != (self.verdict is ColumnVerdict.DRIFTED):
                raise ValueError(f"{self.verdict} is not what psi {self.psi} and threshold {self.threshold} say")
        return self


class EvidentlyReport(Part):
    """Evidently's page and JSON, where a run asked for them; or why there is none.

    The files' paths are relative to the version's folder, or to that of the drift check.
    """

    files: list[File] = Field(default_factory=list, max_length=2)
    reason: Text = ""


class Drift(Document):
    """Data compared with what a version was trained on; or, as NotMeasured, why it could not be.

    `drifted_share` is of the columns of the reference; above `limit` the verdict is Drifted.
    """

    SCHEMA: ClassVar[str] = "mira.drift/v1"
    LIMIT: ClassVar[int] = 4 * 1024 * 1024

    namespace: ModelName
    model: ModelName
    reference: Reference
    method: Name = SUMMARY
    verdict: DriftVerdict
    reason: Text = ""
    rows: RowCounts
    limit: Share
    drifted_share: DecimalText | None = None
    columns: list[ColumnDrift] = Field(default_factory=list, max_length=2 * MOST_COLUMNS)
    sources: list[Source] = Field(default_factory=list, max_length=MOST_FILES)
    evidently: EvidentlyReport | None = None
    created_at: Time

    @model_validator(mode="after")
    def columns_have_one_verdict(self) -> Self:
        """Refuses a column that is listed twice."""
        if len({column.name for column in self.columns}) != len(self.columns):
            raise ValueError("columns: the same column twice")
        return self

    @model_validator(mode="after")
    def verdict_follows_from_the_share(self) -> Self:
        """Refuses a verdict that the share of drifted columns contradicts."""
        expected = DriftVerdict.NOT_MEASURED
        if self.drifted_share is not None:
            above = Decimal(self.drifted_share) > Decimal(self.limit)
            expected = DriftVerdict.DRIFTED if above else DriftVerdict.STABLE
        if self.verdict is not expected:
            raise ValueError(f"verdict: is {self.verdict}, driftedShare and limit say {expected}")
        return self

    @property
    def drifted(self) -> list[ColumnDrift]:
        """The columns that count as drifted: first those that cannot be compared any more, then by distance."""
        found = [column for column in self.columns if column.verdict in COUNTED]
        return sorted(found, key=_distance, reverse=True)

    @property
    def summary(self) -> DriftSummary:
        """What a manifest, an outcome and a status say of it."""
        return DriftSummary(
            version=self.reference.version,
            digest=self.reference.digest,
            verdict=self.verdict,
            reason=self.reason,
            drifted_share=self.drifted_share,
            columns=[column.name for column in self.drifted[:MOST_NAMED]],
        )


def _distance(column: ColumnDrift) -> Decimal:
    return Decimal("Infinity") if column.psi is None else Decimal(column.psi)
