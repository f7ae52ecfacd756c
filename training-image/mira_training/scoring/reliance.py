"""What a model relies on: how much worse it gets when one column is shuffled."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mira_training.model.trained import Scorer
from mira_training.scoring.metrics import METRICS, Kind, Truth, value

MOST_ROWS = 2000
MOST_COLUMNS = 60
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
    found = []
    for column in scorer.columns[:MOST_COLUMNS]:
        shuffled = inputs.assign(**{column.name: inputs[column.name].to_numpy()[generator.permutation(len(inputs))]})
        found.append(Reliance(column.name, value(metric, truth, scorer.scores(shuffled)) - before))
    return sorted(found, key=lambda each: -each.growth)
