"""Task Transform: an estimator whose output is published as data, each row beside its identifiers."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mira.api.data import ColumnType
from mira.api.reasons import Reason
from mira.api.trainingrun import Artifact
from mira.registry.document import decimal_text
from mira.registry.manifest import Column, Direction, Metric
from mira_training.data.columns import type_of
from mira_training.data.examples import Examples, Prepared
from mira_training.model.artifacts import FILES, joblib_file, loadable_skops_file
from mira_training.model.code import running
from mira_training.model.trained import Trained
from mira_training.refusal import Refused, listed

if TYPE_CHECKING:
    from mira_training.assignment import Assignment
    from mira_training.model.plan import Plan

FOLDER = "output"
MOST_COLUMNS = 10_000
LONGEST_NAME = 253
NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Output:
    """What one side became; `identifiers` are its columns of `data.drop`, which find a row again."""

    table: pd.DataFrame
    identifiers: pd.DataFrame

    def write(self, path: Path) -> None:
        """One Parquet file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.concat([self.identifiers, self.table], axis=1).to_parquet(path, index=False)


def transformed(assignment: "Assignment", prepared: Prepared, plan: "Plan", _: Path) -> Trained:
    """The estimator fitted to the training rows, and what it makes of the rows of both sides.

    Raises Refused: `CodeFailed` if it raises, `CodeInvalid` if it has no transform or gives no table of these rows.
    """
    spec, name = assignment.spec, plan.estimator_name
    with running(f"estimator {name}"):
        made = plan.make({"task": spec.task, "columns": list(prepared.columns), "seed": spec.seed})
    if not callable(getattr(made, "transform", None)):
        raise _wrong(name, f"gives a {type(made).__name__} without transform; return an object with transform(inputs)")
    _fit(made, name, prepared.training)
    sides = [
        Output(_table(made, name, side), side.table[list(spec.data.drop)])
        for side in (prepared.training, prepared.evaluation)
    ]
    outputs = _checked(sides, name)
    tables = [side.table for side in sides]
    log.info("%d columns come out: %s", len(outputs), listed([column.name for column in outputs]))

    def write(folder: Path) -> None:
        _write(made, name, sides, assignment.artifacts, folder)

    return Trained(
        write=write,
        unscored=f"task {spec.task} predicts nothing that could be held against the answers",
        metrics=tuple(_quality(made, tables)),
        output=tables[1],
        outputs=outputs,
    )


def _fit(made: Any, name: str, examples: Examples) -> None:
    if not callable(getattr(made, "fit", None)):
        return
    target = () if examples.target is None else (examples.target,)
    weights = {} if examples.weights is None else {"sample_weight": examples.weights}
    with running(f"fitting {name}"):
        made.fit(examples.inputs, *target, **weights)


def _table(made: Any, name: str, examples: Examples) -> pd.DataFrame:
    """What the estimator makes of the rows: its table, or its array with the estimator's own names of columns."""
    with running(f"transforming with {name}"):
        found = made.transform(examples.inputs.copy(deep=False))
        found = found.toarray() if hasattr(found, "toarray") else found
    rows = len(examples.inputs)
    if isinstance(found, np.ndarray) and found.ndim == 2:
        found = pd.DataFrame(found, columns=_names(made, found.shape[1]))
    if not isinstance(found, pd.DataFrame):
        what = f"an array of {found.ndim} dimensions" if isinstance(found, np.ndarray) else f"a {type(found).__name__}"
        raise _wrong(name, f"transforms the rows into {what}; return a pandas DataFrame or an array of rows x columns")
    if len(found) != rows:
        raise _wrong(name, f"makes {len(found)} rows of {rows}; return one row for each, in their order")
    return found.set_axis([str(each) for each in found.columns], axis=1).reset_index(drop=True)


def _names(made: Any, count: int) -> list[str]:
    try:
        names = [str(each) for each in made.get_feature_names_out()]
    except Exception:  # noqa: BLE001 - not every estimator knows them
        names = []
    return names if len(names) == count else [f"output_{index}" for index in range(count)]


def _checked(sides: Sequence[Output], name: str) -> tuple[Column, ...]:
    """The output's columns. Raises Refused (`CodeInvalid`) naming what cannot be published as data."""
    training, evaluation = (side.table for side in sides)
    names = list(training.columns)
    if not 1 <= len(names) <= MOST_COLUMNS:
        raise _wrong(name, f"gives {len(names)} columns; it must give 1 to {MOST_COLUMNS}")
    every = [*sides[0].identifiers.columns, *names]
    if twice := sorted({each for each in every if every.count(each) > 1}) if len(set(every)) < len(every) else []:
        raise _wrong(name, f"gives columns whose names are taken, by each other or by data.drop: {listed(twice)}")
    if odd := [each for each in names if not 1 <= len(each) <= LONGEST_NAME]:
        raise _wrong(name, f"gives a column whose name has {len(odd[0])} characters; 1 to {LONGEST_NAME} are allowed")
    if list(evaluation.columns) != names:
        differ = sorted(set(names) ^ set(evaluation.columns)) or names
        raise _wrong(name, f"gives other columns for evaluation than for training: {listed(differ)}")
    kinds = {each: type_of(training[each]) for each in names}
    if odd := [each for each, kind in kinds.items() if kind is None]:
        raise _wrong(name, f"gives columns that hold neither numbers nor text: {listed(odd)}; give a column per number")
    _must_say_something(sides, kinds, name)
    return tuple(Column(name=each, type=str(kind)) for each, kind in kinds.items())


def _must_say_something(sides: Sequence[Output], kinds: dict[str, Any], name: str) -> None:
    for side, where in zip(sides, ("training", "evaluation"), strict=True):
        if empty := [each for each in kinds if side.table[each].isna().all()]:
            raise _wrong(name, f"gives columns without any value in the rows for {where}: {listed(empty)}")
        numbers = [each for each, kind in kinds.items() if kind in NUMBERS]
        if infinite := [each for each in numbers if np.isinf(side.table[each].to_numpy(np.float64)).any()]:
            raise _wrong(name, f"gives infinite values in the rows for {where}: {listed(infinite)}")


def _quality(made: Any, tables: Sequence[pd.DataFrame]) -> list[Metric]:
    evaluation = tables[1]
    constant = sum(evaluation[each].duplicated().sum() == len(evaluation) - 1 for each in evaluation.columns)
    found = [
        ("null_share", float(evaluation.isna().to_numpy().mean()), Direction.LOWER),
        ("constant_columns", float(constant), Direction.LOWER),
        ("rows", float(sum(map(len, tables))), Direction.HIGHER),
    ]
    # Of a Pipeline, what its last step tells.
    last = made.steps[-1][1] if hasattr(made, "steps") else made
    kept = getattr(last, "explained_variance_ratio_", None)
    if kept is not None and np.isfinite(np.sum(kept)):
        found.insert(0, ("variance_kept", float(np.sum(kept)), Direction.HIGHER))
    return [Metric(name=each, value=decimal_text(value), direction=better) for each, value, better in found]


def _write(made: Any, name: str, sides: Sequence[Output], artifacts: Sequence[Artifact], folder: Path) -> None:
    """The output as Parquet, a file per side; the estimator as skops if that can be, and as what else is listed."""
    folder.mkdir(parents=True, exist_ok=True)
    for side, where in zip(sides, ("training", "evaluation"), strict=True):
        try:
            side.write(folder / FOLDER / f"{where}.parquet")
        except (TypeError, ValueError) as error:  # pyarrow raises its own kinds of both
            said = str(error).splitlines()[0][:200]
            raise _wrong(name, f"gives output that Parquet cannot hold: {said}") from error
    if Artifact.JOBLIB in artifacts:
        joblib_file(made, folder)
    try:
        path = loadable_skops_file(made, folder)
    except Refused as refusal:
        if Artifact.SKOPS in artifacts:
            raise
        (folder / FILES[Artifact.SKOPS]).unlink(missing_ok=True)
        log.warning("the estimator is not published, its output alone: %s", refusal.message)
    else:
        log.info("new rows can be transformed by %s", path.name)


def _wrong(name: str, said: str) -> Refused:
    return Refused(Reason.CODE_INVALID, f"estimator: {name} {said}")
