"""Task Custom: the user's own training, which writes its files itself; here it is called and its results checked."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mira.api.reasons import Reason
from mira.api.trainingrun import Task
from mira.registry.manifest import Column
from mira_training.data.examples import Array, Prepared, answers_of, check_classes
from mira_training.model.code import running
from mira_training.model.trained import Scores, Trained
from mira_training.model.written import must_be_whole
from mira_training.refusal import Refused
from mira_training.scoring.hook import directed_metrics

if TYPE_CHECKING:
    from mira_training.assignment import Assignment
    from mira_training.model.plan import Plan

RETURN = 'return {"name": (number, "Higher" | "Lower")}, or that and a scorer'
SECONDS_BETWEEN_LOGS = 5.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OwnScorer:
    """The function that hooks.train returned beside its metrics, held to what it promises."""

    function: Callable[[pd.DataFrame], Any]
    name: str
    task: Task
    columns: tuple[Column, ...]
    classes: tuple[Any, ...]

    def scores(self, inputs: pd.DataFrame) -> Scores:
        """Probabilities (rows x classes) or predicted numbers (rows). Raises Refused for anything else."""
        found = asked(self.function, self.name, inputs)
        wanted = (len(inputs), len(self.classes)) if self.classes else (len(inputs),)
        if found.shape != wanted:
            raise _bad_scores(self.name, f"an array of {_shape(found)}", f"{' x '.join(map(str, wanted))}")
        return found


def trained_by_hook(assignment: "Assignment", prepared: Prepared, plan: "Plan", folder: Path) -> Trained:
    """What `hooks.train` has made; it has written its files into the folder.

    Raises Refused: `CodeFailed` if it raises, `CodeInvalid` if it returns or writes something else than it should.
    """
    spec, name = assignment.spec, plan.estimator_name
    folder.mkdir(parents=True, exist_ok=True)
    offered = {
        "training": prepared.training,
        "evaluation": prepared.evaluation,
        "columns": prepared.columns,
        "folder": folder,
        "seed": spec.seed,
        "progress": Progress(),
    }
    with running(f"hooks.train {name}"):
        returned = plan.make(offered)
    found, function = returned if isinstance(returned, tuple) and len(returned) == 2 else (returned, None)
    if not isinstance(found, Mapping) or not (function is None or callable(function)):
        raise Refused(Reason.CODE_INVALID, f"hooks.train: {name} returns {_kind(returned)}; {RETURN}")
    metrics = directed_metrics(found, f"hooks.train: {name}")
    if not metrics and function is None:
        raise Refused(Reason.CODE_INVALID, f"hooks.train: {name} returns neither a metric nor a scorer; {RETURN}")
    scorer, answers = (None, None) if function is None else _scorer(function, name, prepared, spec.data.target)
    must_be_whole(folder, assignment.artifacts, name, prepared, scorer)
    return Trained(
        write=lambda _: None,
        scorer=scorer,
        answers=answers,
        unscored=f"hooks.train {name} returns no scorer, so nothing can be asked about these rows",
        metrics=tuple(metrics),
    )


def asked(function: Callable[[pd.DataFrame], Any], name: str, inputs: pd.DataFrame) -> Scores:
    """What a scorer says of the rows, as an array. Raises Refused if it raises, or says anything but finite numbers."""
    with running(f"the scorer of {name}"):
        returned = function(inputs.copy(deep=False))
    try:
        found = np.asarray(returned, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise _bad_scores(name, _kind(returned), "numbers") from error
    if not np.isfinite(found).all():
        raise _bad_scores(name, f"{int((~np.isfinite(found)).sum())} numbers that are not finite", "finite numbers")
    return found


def _scorer(function: Callable[..., Any], name: str, prepared: Prepared, target: str | None) -> tuple[OwnScorer, Array]:
    """The scorer, its kind found from what it says of the evaluation rows, with their answers."""
    if target is None:
        raise Refused(
            Reason.CODE_INVALID,
            f"hooks.train: {name} returns a scorer, but there is nothing to hold it against; set data.target, or "
            "return the metrics alone",
        )
    found = asked(function, name, prepared.evaluation.inputs)
    task = Task.CLASSIFICATION if found.ndim == 2 else Task.REGRESSION
    sides = (prepared.training.table, prepared.evaluation.table)
    training, evaluation = (answers_of(table[target], target, task) for table in sides)
    classes: tuple[Any, ...] = ()
    if task is Task.CLASSIFICATION:
        check_classes(training, evaluation, target)
        classes = tuple(np.unique(training).tolist())
    elif len(np.unique(training)) == 2:
        # The positive class's probability alone looks like a regression, and would be measured as one.
        raise _bad_scores(
            name, "one number per row", f"{len(found)} x 2 probabilities, because {target!r} has 2 classes"
        )
    scorer = OwnScorer(function, name, Task.CUSTOM, prepared.columns, classes)
    scorer.scores(prepared.evaluation.inputs.head(len(found)))
    return scorer, evaluation


class Progress:
    """`progress(share, said)`, by which a long training tells how far it is; logged at most every 5 seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = -SECONDS_BETWEEN_LOGS

    def __call__(self, share: float, said: str = "") -> None:
        """`share` of the work is done, from 0 to 1."""
        now = self._clock()
        if share >= 1 or now - self._last >= SECONDS_BETWEEN_LOGS:
            self._last = now
            log.info("%.0f%% trained%s", share * 100, f": {said}" if said else "")


def _bad_scores(name: str, found: str, wanted: str) -> Refused:
    return Refused(Reason.CODE_INVALID, f"hooks.train: the scorer of {name} gives {found}; it must give {wanted}")


def _shape(found: Scores) -> str:
    return " x ".join(map(str, found.shape)) or "one number"


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
