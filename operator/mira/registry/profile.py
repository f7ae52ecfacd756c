"""The profile of a version's training data: bounded counts, from which later data is compared without the old data."""

import math
from itertools import pairwise
from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from mira.registry.document import Document, Part
from mira.registry.manifest import Name

PROFILE_FILE = "profile.json"
MOST_COLUMNS = 2000
MOST_EDGES = 64
MOST_CATEGORIES = 64
# A double as Python prints it, which reads back as exactly this double: an edge that is rounded moves rows.
Edge = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,20}(\.[0-9]{1,20})?(e[+-][0-9]{1,3})?$", max_length=32)]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
Count = Annotated[int, Field(ge=0, lt=2**53)]


class ProfiledColumn(Part):
    """How the rows of one column are distributed: `counts` of its bins, and the rows without a value beside them.

    Numbers have one bin up to and including each of the ascending `edges`, and one above the last. Text has one bin
    for each of its frequent `categories`, told by fingerprint and not by value, and one for every other text.
    Whatever has neither has one bin: the rows with a value.
    """

    name: Name
    type: Name
    missing: Count
    edges: list[Edge] = Field(default_factory=list, max_length=MOST_EDGES)
    categories: list[Fingerprint] = Field(default_factory=list, max_length=MOST_CATEGORIES)
    counts: list[Count] = Field(min_length=1, max_length=MOST_EDGES + 1)

    @model_validator(mode="after")
    def bins_are_bins(self) -> Self:
        """Refuses bins that overlap, that are not finite, or that have more or fewer counts than there are bins."""
        edges = [float(edge) for edge in self.edges]
        if self.edges and self.categories:
            raise ValueError("a column has edges or categories, not both")
        if not all(math.isfinite(edge) for edge in edges):
            raise ValueError("edges: must be finite")
        if any(low >= high for low, high in pairwise(edges)):
            raise ValueError("edges: must ascend")
        if len(set(self.categories)) != len(self.categories):
            raise ValueError("categories: the same twice")
        bins = len(self.edges) + len(self.categories) + 1
        if len(self.counts) != bins:
            raise ValueError(f"counts: {len(self.counts)} for {bins} bins")
        return self


class Profile(Document):
    """What a version was trained on, in counts. `left_out` columns beyond the most that are profiled are not in it."""

    SCHEMA: ClassVar[str] = "mira.profile/v1"
    LIMIT: ClassVar[int] = 8 * 1024 * 1024

    rows: Count
    columns: list[ProfiledColumn] = Field(max_length=MOST_COLUMNS)
    left_out: Count = 0

    @model_validator(mode="after")
    def every_row_is_counted_once(self) -> Self:
        """Refuses a column that is listed twice, and one whose counts do not add up to the rows."""
        if len({column.name for column in self.columns}) != len(self.columns):
            raise ValueError("columns: the same column twice")
        if odd := next((one for one in self.columns if sum(one.counts) + one.missing != self.rows), None):
            raise ValueError(f"columns: the counts of {odd.name!r} do not add up to {self.rows} rows")
        return self
