"""Train: the user's estimator, or the default one, fitted to the training rows; or what the task has instead."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mira.api.trainingrun import Task
from mira_training.model.artifacts import write
from mira_training.model.custom import trained_by_hook
from mira_training.model.fitted import fit
from mira_training.model.trained import Trained
from mira_training.model.transform import transformed

if TYPE_CHECKING:
    from mira_training.assignment import Assignment
    from mira_training.data.examples import Prepared
    from mira_training.model.plan import Plan
    from mira_training.ports import Ports
    from mira_training.steps.validate import Validated

log = logging.getLogger(__name__)


def train(assignment: "Assignment", validated: "Validated", plan: "Plan", ports: "Ports") -> Trained:
    """What was trained, by the plan's parameters.

    Raises Refused: `CodeFailed` if user code raises, `CodeInvalid` if it gives something else.
    """
    prepared = validated.prepared
    began = time.monotonic()
    trained = _BY_TASK[assignment.spec.task](assignment, prepared, plan, ports.model_folder)
    took = time.monotonic() - began
    log.info("fitted %s to %d rows in %.1f s", plan.estimator_name, len(prepared.training.table), took)
    return trained


def _fitted(assignment: "Assignment", prepared: "Prepared", plan: "Plan", _: Path) -> Trained:
    examples, rows = prepared.training, prepared.evaluation.inputs
    if examples.target is None:
        raise AssertionError("a task that predicts has answers; the order's rules refuse one without")
    fitted = fit(
        plan,
        assignment.spec.task,
        prepared.columns,
        inputs=examples.inputs,
        target=examples.target,
        weights=examples.weights,
        seed=assignment.spec.seed,
        artifacts=assignment.artifacts,
    )
    return Trained(
        write=lambda folder: write(fitted, assignment.artifacts, folder, rows),
        scorer=fitted,
        answers=prepared.evaluation.target,
    )


_BY_TASK: dict[Task, Callable[["Assignment", "Prepared", "Plan", Path], Trained]] = {
    Task.CLASSIFICATION: _fitted,
    Task.REGRESSION: _fitted,
    Task.TRANSFORM: transformed,
    Task.CUSTOM: trained_by_hook,
}
