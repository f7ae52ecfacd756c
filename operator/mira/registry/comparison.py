"""The comparison of two versions on the same rows, create-only, keyed by both digests."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from mira.api.scalars import MetricName, VersionId
from mira.registry.document import DecimalText, Digest, Document, Part, Time
from mira.registry.manifest import MANIFEST_LIMIT, Direction, SliceName, Text
from mira.registry.manifest import Verdict as Verdict  # noqa: PLC0414 - part of a comparison, too


class Difference(Part):
    """One metric of both versions and the paired bootstrap interval of candidate - current, in the metric's own unit.

    lower and upper bound 95% of the resampled differences, turned so that a positive number means that the candidate
    is better: for a metric whose direction is Lower they are of (current - candidate).
    """

    metric: MetricName
    slice: SliceName = ""
    direction: Direction
    candidate: DecimalText
    current: DecimalText
    lower: DecimalText
    upper: DecimalText


class Comparison(Document):
    """Both versions scored as predictions on the same rows."""

    SCHEMA: ClassVar[str] = "mira.comparison/v1"
    LIMIT: ClassVar[int] = MANIFEST_LIMIT

    candidate: Digest
    current: Digest
    current_version: VersionId
    verdict: Verdict
    reason: Text = ""
    rows: int = Field(ge=0)
    differences: list[Difference] = Field(default_factory=list, max_length=1000)
    created_at: Time

    @model_validator(mode="after")
    def metrics_have_one_difference(self) -> Self:
        """Refuses a metric that is listed twice: two readers could judge two intervals."""
        if len({(one.metric, one.slice) for one in self.differences}) != len(self.differences):
            raise ValueError("differences: the same metric twice")
        return self

    def difference(self, metric: str, slice_: str = "") -> Difference | None:
        """The difference of this metric over all rows, or over one slice of them; None if it was not compared."""
        return next((one for one in self.differences if (one.metric, one.slice) == (metric, slice_)), None)
