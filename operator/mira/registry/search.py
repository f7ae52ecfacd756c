"""The report of a search: every set of parameters that was tried, with its score; a file of the version."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from mira.registry.document import DecimalText, Document, Part
from mira.registry.manifest import Direction, Name, Text

SEARCH_FILE = "search.json"
MOST_TRIALS = 1000


class SearchTrial(Part):
    """One set of parameters: those of the space alone, its score on the largest share of rows that it was tried on.

    `score` is the mean over the folds in the metric's own unit, `folds` holds each of them; both are missing where the
    metric is not defined or the trial `failed`, in words. `share` is of the training rows. A trial that was never begun
    has the share 0.
    """

    number: int = Field(ge=1, le=MOST_TRIALS)
    parameters: dict[str, Any]
    share: DecimalText
    score: DecimalText | None = None
    folds: list[DecimalText] = Field(default_factory=list, max_length=10)
    seconds: DecimalText
    failed: Text = ""


class SearchReport(Document):
    """All trials in the order in which they were drawn; `chosen` is the number of the one that was trained.

    `stopped` says why not every trial came to its end.
    """

    SCHEMA: ClassVar[str] = "mira.search/v1"
    LIMIT: ClassVar[int] = 8 * 1024 * 1024

    metric: Name
    direction: Direction
    seed: int
    chosen: int = Field(ge=1)
    rows: int = Field(ge=0)
    stopped: Text = ""
    trials: Annotated[list[SearchTrial], Field(min_length=1, max_length=MOST_TRIALS)]

    @model_validator(mode="after")
    def chosen_is_a_trial(self) -> Self:
        """Refuses a number that is listed twice, and a chosen one that is none of them."""
        numbers = [trial.number for trial in self.trials]
        if len(set(numbers)) != len(numbers):
            raise ValueError("trials: the same number twice")
        if self.chosen not in numbers:
            raise ValueError(f"chosen: there is no trial {self.chosen}")
        return self

    @property
    def best(self) -> SearchTrial:
        """The trial whose parameters were trained."""
        return next(trial for trial in self.trials if trial.number == self.chosen)
