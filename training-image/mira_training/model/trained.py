"""What a training has made, whatever its task: what it can be asked, what it measured itself, what it writes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from mira.api.trainingrun import Task
from mira.registry.manifest import Column, Metric

Array = npt.NDArray[Any]
Scores = npt.NDArray[np.float64]


class Scorer(Protocol):
    """A model that predicts; `classes` is empty if it predicts numbers."""

    @property
    def task(self) -> Task:
        """The task that it was trained for."""
        ...

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that it takes, in their order."""
        ...

    @property
    def classes(self) -> tuple[Any, ...]:
        """The classes that it tells apart, in the order of its probabilities."""
        ...

    def scores(self, inputs: pd.DataFrame) -> Scores:
        """Probabilities (rows x classes) or predicted numbers (rows)."""
        ...


@dataclass(frozen=True)
class Trained:
    """The result of the step `train`; the steps after it look at what there is, never at the task.

    `write` puts the version's files into a folder. `scorer` predicts; it comes with `answers`, the evaluation rows'
    true ones. Without it `unscored` says why, as the end of a sentence. `metrics` are what the training measured
    itself. `output` is what a transformation made of the evaluation rows, `outputs` its columns.
    """

    write: Callable[[Path], object]
    scorer: Scorer | None = None
    answers: Array | None = None
    unscored: str = ""
    metrics: tuple[Metric, ...] = ()
    output: pd.DataFrame | None = None
    outputs: tuple[Column, ...] | None = None
