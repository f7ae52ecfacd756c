"""An estimator made by user code, put behind column preparation, fitted and asked for predictions."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from mira.api.data import ColumnType
from mira.api.reasons import Reason
from mira.api.trainingrun import Artifact, Task
from mira.registry.manifest import Column
from mira_training.model.code import running
from mira_training.model.missing import must_take_missing
from mira_training.model.plan import Plan
from mira_training.model.trained import Array, Scores
from mira_training.refusal import Refused

MOST_CATEGORIES = 60
SMALL_TABLE = 2_000_000
"""Cells up to which one thread is faster than several that wait for each other."""
FEWEST_ROWS = 20
"""Categories with fewer rows, or beyond the most frequent, are one category of their own."""


@dataclass(frozen=True)
class Fitted:
    """A fitted pipeline, and what it takes and gives; `classes` is empty for a regression."""

    pipeline: Pipeline
    task: Task
    columns: tuple[Column, ...]
    classes: tuple[Any, ...]

    def scores(self, inputs: pd.DataFrame) -> Scores:
        """Probabilities (rows x classes, in the order of `classes`) or predicted numbers (rows)."""
        predict = self.pipeline.predict_proba if self.classes else self.pipeline.predict
        with running("predicting with the estimator"), _threads_for(inputs):
            return np.asarray(predict(inputs), dtype=np.float64)


def fit(
    plan: Plan,
    task: Task,
    columns: Sequence[Column],
    *,
    inputs: pd.DataFrame,
    target: Array,
    weights: Array | None,
    seed: int,
    artifacts: Sequence[Artifact],
) -> Fitted:
    """The estimator fitted to the rows; `artifacts` are the forms in which it must be able to be written.

    Raises Refused: `CodeFailed` if it raises, `CodeInvalid` if it is no estimator, or none for missing values.
    """
    offered = {"task": task, "columns": list(columns), "seed": seed, "random_state": seed}
    with running(f"estimator {plan.estimator_name}"):
        made = plan.make(offered)
    _must_have(made, plan.estimator_name, task)
    must_take_missing(made, inputs, artifacts)
    pipeline = prepared(made, columns)
    with running(f"fitting {plan.estimator_name}"), _threads_for(inputs):
        pipeline.fit(inputs, target, **_weighted(pipeline, weights))
    classes = tuple(pipeline.classes_.tolist()) if task is Task.CLASSIFICATION else ()
    return Fitted(pipeline, task, tuple(columns), classes)


def prepared(estimator: Any, columns: Sequence[Column]) -> Pipeline:
    """The estimator behind Mira's preparation of columns: text as numbers of categories, rare ones together.

    A Pipeline stays as it is: it takes the columns by name and prepares them itself.
    """
    if isinstance(estimator, Pipeline):
        return estimator
    text = [column.name for column in columns if column.type == ColumnType.STRING]
    others = [column.name for column in columns if column.type != ColumnType.STRING]
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, min_frequency=FEWEST_ROWS, max_categories=MOST_CATEGORIES
    )
    parts = [("text", codes, text)] * bool(text) + [("numbers", "passthrough", others)] * bool(others)
    return Pipeline([("columns", ColumnTransformer(parts)), ("model", estimator)])


def _threads_for(inputs: pd.DataFrame) -> AbstractContextManager[Any]:
    """One thread for a small table: there, waiting for each other costs threads more than they share, on busy cores."""
    limits: AbstractContextManager[Any] = threadpool_limits(1) if inputs.size < SMALL_TABLE else nullcontext()
    return limits


def _must_have(made: Any, name: str, task: Task) -> None:
    wanted = ("fit", "predict", *(("predict_proba",) if task is Task.CLASSIFICATION else ()))
    missing = [method for method in wanted if not hasattr(made, method)]
    if missing:
        raise Refused(
            Reason.CODE_INVALID,
            f"estimator: {name} gives a {type(made).__name__} without {' and '.join(missing)}; "
            f"return a scikit-learn estimator for {task}",
        )


def _weighted(pipeline: Pipeline, weights: Array | None) -> dict[str, Array]:
    last = pipeline.steps[-1][0]
    return {} if weights is None else {f"{last}__sample_weight": weights}
