"""From raw rows to what a model learns from: features made, target, weights and slices set apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mira.api.data import ColumnType, Data
from mira.api.reasons import Reason
from mira.api.trainingrun import Task
from mira.registry.manifest import Column
from mira_training.data.columns import NUMBERS, Values, columns_of, model_input, type_of
from mira_training.model.code import running
from mira_training.model.plan import Plan
from mira_training.refusal import Refused, listed

Array = npt.NDArray[Any]
FEWEST_ROWS = 10
MOST_CLASSES = 100
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Examples:
    """The rows of one side: `table` as the features hook left it, `inputs` as the model takes it, and the answers.

    `inputs` holds numbers and booleans as float32 and text with missing as "". `target` is None without data.target;
    for tasks that predict nothing by themselves it holds the column as it is.
    """

    table: pd.DataFrame
    inputs: pd.DataFrame
    target: Array | None
    weights: npt.NDArray[np.float64] | None


@dataclass(frozen=True)
class Prepared:
    """Both sides of the split, the columns of the model's input, and the columns it does not take."""

    training: Examples
    evaluation: Examples
    columns: tuple[Column, ...]
    left_out: tuple[str, ...]


def featured(
    frame: pd.DataFrame, inputs: Mapping[str, pd.DataFrame], plan: Plan, reference: str | None
) -> pd.DataFrame:
    """The rows with their features. The hook gets copies of one side at a time: it cannot mix the sides."""
    if plan.features is None:
        return frame
    with running(f"features {reference}"):
        copies = {name: table.copy(deep=False) for name, table in inputs.items()}
        made = plan.features(frame.copy(deep=False), copies, plan.feature_parameters)
    if not isinstance(made, pd.DataFrame):
        raise Refused(
            Reason.CODE_INVALID,
            f"features: {reference} returns a {type(made).__name__}; it must return a pandas DataFrame",
        )
    names = [str(name) for name in made.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Refused(
            Reason.CODE_INVALID,
            f"features: {reference} returns more than one column named {listed(twice)}; rename them",
        )
    return made.set_axis(names, axis=1).reset_index(drop=True)


def prepare(
    training: pd.DataFrame,
    evaluation: pd.DataFrame,
    data: Data,
    task: Task,
    slices: tuple[str, ...],
    *,
    together: str = "",
) -> Prepared:
    """Both sides as examples. `together` says which rows the split keeps on one side, for where one is too small.

    Raises Refused for missing columns, an unusable target or weight, infinite values, or too few rows.
    """
    hint = f"; {together}" if together else ""
    for table, side in ((training, "training"), (evaluation, "evaluation")):
        _must_have(table, data, slices, side)
    without = {*data.drop} | {name for name in (data.target, data.weight) if name}
    columns, left_out = columns_of(training, without=without)
    if not columns:
        beside = f" beside {listed(sorted(without))}" if without else ""
        raise Refused(Reason.DATA_INVALID, f"data: no column is left to learn from{beside}")
    for table, side in ((training, "training"), (evaluation, "evaluation")):
        if len(table) < FEWEST_ROWS:
            raise Refused(
                Reason.NOT_ENOUGH_ROWS,
                f"data: {len(table)} rows are left for {side}, at least {FEWEST_ROWS} are needed{hint}; bring more "
                "data or change data.split",
            )
    answers = _answers((training, evaluation), data.target, task, hint)
    sides = [
        Examples(table, _input(table, columns, side), answer, weights_of(table, data.weight))
        for table, answer, side in zip((training, evaluation), answers, ("training", "evaluation"), strict=True)
    ]
    _must_be_finite([side.inputs for side in sides], columns)
    return Prepared(sides[0], sides[1], tuple(columns), tuple(left_out))


def _answers(tables: Sequence[pd.DataFrame], target: str | None, task: Task, hint: str) -> list[Array | None]:
    if target is None:
        return [None for _ in tables]
    if task not in (Task.CLASSIFICATION, Task.REGRESSION):
        return [table[target].to_numpy() for table in tables]
    training, evaluation = (answers_of(table[target], target, task) for table in tables)
    if task is Task.CLASSIFICATION:
        check_classes(training, evaluation, target, hint)
    return [training, evaluation]


def _must_be_finite(inputs: Sequence[pd.DataFrame], columns: Sequence[Column]) -> None:
    """Raises Refused naming every column with infinite values: estimators refuse them or learn nonsense from them.

    Looked for in what the model is given, so that a number too large for 32 bits is found as well.
    """
    numbers = [column.name for column in columns if column.type != ColumnType.STRING]
    counts = {name: sum(int(np.isinf(side[name].to_numpy()).sum()) for side in inputs) for name in numbers}
    infinite = [f"{name} ({count} of {sum(map(len, inputs))})" for name, count in counts.items() if count]
    if infinite:
        raise Refused(
            Reason.DATA_INVALID,
            f"data: columns with infinite values, or values beyond {LARGEST:.1e}: {listed(infinite)}; leave these "
            "cells empty, e.g. in features, or list the columns in data.drop",
        )


def _must_have(table: pd.DataFrame, data: Data, slices: tuple[str, ...], side: str) -> None:
    wanted = {"target": [data.target], "weight": [data.weight], "drop": data.drop}
    fields = {f"data.{field}": [name for name in names if name] for field, names in wanted.items()}
    for field, names in (fields | {"evaluation.slices": list(slices)}).items():
        missing = [name for name in names if name not in table.columns]
        if missing:
            where = f" (in the rows for {side})" if side == "evaluation" else ""
            have = listed([str(name) for name in table.columns], most=20)
            raise Refused(Reason.COLUMNS_MISSING, f"{field}: column {missing[0]!r} is missing{where} (have: {have})")


def _input(table: pd.DataFrame, columns: list[Column], side: str) -> pd.DataFrame:
    try:
        return model_input(table, columns)
    except KeyError as error:
        raise Refused(
            Reason.COLUMNS_MISSING, f"data: column {error.args[0]!r} is missing in the rows for {side}"
        ) from error
    except ValueError as error:
        raise Refused(Reason.DATA_INVALID, f"data: {error}, as in the rows for training") from error


def answers_of(values: Values, target: str, task: Task) -> Array:
    """The target's values: whole numbers or text for a classification, float64 for a regression."""
    missing = int(values.isna().sum())
    if missing:
        raise Refused(
            Reason.DATA_INVALID,
            f"data.target: {missing} of {len(values)} values of {target!r} are missing; "
            "leave those rows out, e.g. in features",
        )
    kind = type_of(values)
    if task is Task.REGRESSION:
        if kind not in NUMBERS:
            raise Refused(
                Reason.DATA_INVALID, f"data.target: {target!r} is {kind}, must be a number for task Regression"
            )
        return _finite(values.to_numpy(dtype=np.float64), target)
    if kind is ColumnType.STRING:
        return values.astype("str").to_numpy(dtype=object)
    if kind in NUMBERS:
        numbers = values.to_numpy(dtype=np.float64)
        if not (np.mod(_finite(numbers, target), 1) == 0).all():
            raise Refused(
                Reason.DATA_INVALID,
                f"data.target: {target!r} holds fractions; with task Classification it must hold whole numbers, "
                "text or booleans (or use task Regression)",
            )
        return numbers.astype(np.int64)
    raise Refused(
        Reason.DATA_INVALID, f"data.target: {target!r} is {kind}; it must hold whole numbers, text or booleans"
    )


def _finite(numbers: npt.NDArray[np.float64], target: str) -> npt.NDArray[np.float64]:
    if not np.isfinite(numbers).all():
        raise Refused(Reason.DATA_INVALID, f"data.target: {target!r} holds infinite values; leave those rows out")
    return numbers


def check_classes(training: Array, evaluation: Array, target: str, hint: str = "") -> None:
    """Raises Refused, `hint` in its sentence, if a classification cannot be learned or judged on these answers."""
    known, asked = np.unique(training), np.unique(evaluation)
    if len(known) > MOST_CLASSES:
        raise Refused(
            Reason.DATA_INVALID,
            f"data.target: {target!r} has {len(known)} classes, at most {MOST_CLASSES} are allowed; "
            "use task Regression or merge classes in features",
        )
    unseen = len(np.setdiff1d(asked, known))
    if unseen:
        raise Refused(
            Reason.NOT_ENOUGH_ROWS,
            f"data.target: {unseen} classes of {target!r} have rows for evaluation and none for "
            f"training{hint}; bring more data or merge rare classes in features",
        )
    for classes, side in ((known, "training"), (asked, "evaluation")):
        if len(classes) < 2:
            raise Refused(
                Reason.DATA_INVALID,
                f"data.target: all rows for {side} have the same {target!r}; two classes are needed{hint}",
            )


def weights_of(table: pd.DataFrame, column: str | None) -> npt.NDArray[np.float64] | None:
    """The rows' weights, None without a column of them. Raises Refused if they cannot be used."""
    if column is None:
        return None
    if type_of(table[column]) not in NUMBERS:
        raise Refused(Reason.DATA_INVALID, f"data.weight: {column!r} must hold numbers")
    weights = table[column].to_numpy(dtype=np.float64)
    wrong = int((~np.isfinite(weights) | (weights < 0)).sum())
    if wrong or not weights.sum() > 0:
        raise Refused(
            Reason.DATA_INVALID,
            f"data.weight: {wrong} of {len(weights)} values of {column!r} are negative or missing; "
            "weights must be 0 or more and their sum above 0",
        )
    return weights
