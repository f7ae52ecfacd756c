"""Halving: every set of parameters is tried on few rows, the better third of them on three times as many, and so on.

scikit-learn decides who goes on (`HalvingGridSearchCV`); what a trial is, which rows it gets, how it is scored and what
is remembered of it, is ours.
"""

import logging
import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - it is experimental, and has to be asked for
from sklearn.model_selection import HalvingGridSearchCV

from mira.registry.manifest import Direction
from mira_training.refusal import Refused
from mira_training.scoring.metrics import Metric
from mira_training.search.folds import Fold, part_of, smallest
from mira_training.search.space import Trial

THIRD = 3
FEWEST = 2000
"""Rows below which a score is too much luck to drop a trial for: on fewer, all trials get all rows."""
TIE = 1e-12
log = logging.getLogger(__name__)

Rows = npt.NDArray[np.intp]
Train = Callable[[Trial, Rows], Any]
Score = Callable[[Any, Rows], float]


class OutOfTime(Exception):
    """No further trial may begin: what is left of the deadline is for the training itself."""


@dataclass
class Tried:
    """What is known of one trial on one share of the rows: a score for each fold that came to its end."""

    trial: Trial
    share: float
    scores: list[float] = field(default_factory=list)
    seconds: float = 0.0
    failed: str = ""

    @property
    def mean(self) -> float:
        """The mean over the folds on which the metric is defined; NaN if there is none."""
        known = [score for score in self.scores if not math.isnan(score)]
        return float(np.mean(known)) if known and not self.failed else math.nan


@dataclass
class Search:
    """One search: who trains and who scores, on which rows, and what came of it so far.

    `told` is called after each trial with how many are done and how many there are in all.
    """

    trials: Sequence[Trial]
    metric: Metric
    made: Sequence[Fold]
    target: npt.NDArray[Any] | None
    train: Train
    score: Score
    seed: int
    ends_at: float = math.inf
    clock: Callable[[], float] = time.monotonic
    told: Callable[[int, int, Tried, Tried], None] = lambda *_: None
    tried: dict[tuple[int, int], Tried] = field(default_factory=dict)
    stopped: str = ""

    def run(self) -> "Search":
        """Itself, once every trial has had its turn or the time was over. Raises what `train` raises but Refused."""
        halving = HalvingGridSearchCV(
            _Candidate(search=self),
            {"number": [trial.number for trial in self.trials]},
            factor=THIRD,
            resource="part",
            min_resources=1,
            max_resources=self.parts,
            cv=list(self.made),
            scoring=_scored,
            refit=False,
            error_score="raise",
            return_train_score=False,
            random_state=self.seed,
        )
        try:
            with warnings.catch_warnings():
                # A trial that has no score is told in the report, in words.
                warnings.filterwarnings("ignore", message="One or more of the test scores are non-finite")
                halving.fit(np.arange(self.rows).reshape(-1, 1), np.zeros(self.rows))
        except OutOfTime as error:
            self.stopped = str(error)
            log.warning("%s", self.stopped)
        return self

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return 1 + max(int(side.max()) for fold in self.made for side in fold)

    @property
    def parts(self) -> int:
        """A power of three: the first trials get one of so many parts of the rows, the last get all."""
        by_rows = math.log(max(1.0, smallest(self.made) / FEWEST), THIRD)
        by_trials = math.log(len(self.trials), THIRD)
        return int(THIRD ** int(min(by_rows, by_trials) + 1e-9))

    def last(self, trial: Trial) -> Tried:
        """What is known of the trial on the largest share of rows that it came to."""
        own = [tried for (number, _), tried in self.tried.items() if number == trial.number]
        return max(own, key=lambda tried: tried.share, default=Tried(trial, 0.0))

    def best(self) -> Tried | None:
        """The best of those that had the largest share of rows on every fold; None if none has a score."""
        whole = [
            tried for tried in self.tried.values() if len(tried.scores) == len(self.made) and not math.isnan(tried.mean)
        ]
        most = max((tried.share for tried in whole), default=0.0)
        sign = 1 if self.metric.direction is Direction.HIGHER else -1
        # Of equals the first: it is what would be trained without a search.
        return max(
            (tried for tried in whole if tried.share == most),
            key=lambda tried: (sign * tried.mean, -tried.trial.number),
            default=None,
        )

    def begin(self, number: int, part: int, learned: Rows) -> tuple[Tried, Any]:
        """One fold of one trial: the trained model, None if the user's code failed. Raises OutOfTime."""
        trial = next(trial for trial in self.trials if trial.number == number)
        if self.clock() > self.ends_at:
            done = len({of for of, _ in self.tried})
            raise OutOfTime(
                f"the search ended after {done} of {len(self.trials)} trials: the rest of job.activeDeadlineSeconds is "
                "for training the best of them"
            )
        tried = self.tried.setdefault((number, part), Tried(trial, part / self.parts))
        if tried.failed:
            return tried, None
        rows = part_of(learned, self.target, part / self.parts, self.seed)
        began = self.clock()
        try:
            model = self.train(trial, rows)
        except Refused as error:
            tried.failed, model = error.message, None
        tried.seconds += self.clock() - began
        return tried, model

    def end(self, tried: Tried, model: Any, rows: Rows) -> float:
        """The score of the fold, higher is better; NaN if there is none."""
        began = self.clock()
        try:
            value = math.nan if model is None else self.score(model, rows)
        except Refused as error:
            tried.failed, value = error.message, math.nan
        tried.scores.append(value)
        tried.seconds += self.clock() - began
        if len(tried.scores) == len(self.made):
            self.told(len({of for of, _ in self.tried}), len(self.trials), tried, self.best() or tried)
        # Of equals the first goes on: it is what would be trained without a search.
        return (value if self.metric.direction is Direction.HIGHER else -value) - tried.trial.number * TIE


class _Candidate(BaseEstimator):  # type: ignore[misc]
    """A trial as scikit-learn knows one: `number` says which, `part` how many of the rows."""

    def __init__(self, search: Search, number: int = 0, part: int = 1) -> None:
        self.search, self.number, self.part = search, number, part

    def __sklearn_clone__(self) -> "_Candidate":
        # Not a deep copy: all of them tell one and the same search.
        return _Candidate(self.search, self.number, self.part)

    def fit(self, rows: Rows, _: Any) -> "_Candidate":
        """Itself, trained on its part of these rows."""
        self.tried_, self.model_ = self.search.begin(self.number, self.part, rows[:, 0])
        return self


def _scored(candidate: _Candidate, rows: Rows, _: Any) -> float:
    return candidate.search.end(candidate.tried_, candidate.model_, rows[:, 0])
