"""What a model relies on: how much worse it gets when one column is shuffled."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mira_training.model.trained import Scorer
from mira_training.scoring.metrics import METRICS, Kind, Truth, value

MOST_ROWS = 2000
MOST_COLUMNS = 60
AT_ONCE = 10
"""Columns shuffled before the model is asked."""
BY = {Kind.BINARY: "log_loss", Kind.MULTICLASS: "log_loss", Kind.REGRESSION: "mae"}


@dataclass(frozen=True)
class Reliance:
    """By how much a loss grows without what a column says."""

    column: str
    growth: float


def reliances(scorer: Scorer, inputs: pd.DataFrame, truth: Truth, seed: int) -> list[Reliance]:
    """Each column with the growth of log_loss or mae, largest first; of at most 2,000 rows and 60 columns."""
    generator = np.random.default_rng(seed)
    rows = generator.permutation(len(inputs))[:MOST_ROWS]
    inputs, truth = inputs.iloc[rows].reset_index(drop=True), truth.at(rows)
    metric = next(each for each in METRICS[truth.kind] if each.name == BY[truth.kind])
    before = value(metric, truth, scorer.scores(inputs))
    names = [column.name for column in scorer.columns[:MOST_COLUMNS]]
    found = []
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        # One table of all shuffled ones: an estimator's call costs more than its rows.
        shuffled = pd.concat([_shuffled(inputs, name, generator) for name in some], ignore_index=True)
        for name, scores in zip(some, np.split(scorer.scores(shuffled), len(some)), strict=True):
            found.append(Reliance(name, value(metric, truth, scores) - before))
    return sorted(found, key=lambda each: -each.growth)


def _shuffled(inputs: pd.DataFrame, name: str, generator: np.random.Generator) -> pd.DataFrame:
    return inputs.assign(**{name: inputs[name].to_numpy()[generator.permutation(len(inputs))]})
