"""Train: the user's estimator, or the default one, fitted to the training rows."""

import logging
import time
from typing import TYPE_CHECKING

from mira_training.model.fitted import Fitted, fit

if TYPE_CHECKING:
    from mira_training.assignment import Assignment
    from mira_training.model.plan import Plan
    from mira_training.steps.validate import Validated

log = logging.getLogger(__name__)


def train(assignment: "Assignment", validated: "Validated", plan: "Plan") -> Fitted:
    """The fitted model. Raises Refused: `CodeFailed` if user code raises, `CodeInvalid` if it gives no estimator."""
    prepared, spec = validated.prepared, assignment.spec
    examples = prepared.training
    began = time.monotonic()
    fitted = fit(
        plan,
        spec.task,
        prepared.columns,
        inputs=examples.inputs,
        target=examples.target,
        weights=examples.weights,
        seed=spec.seed,
    )
    took = time.monotonic() - began
    log.info("fitted %s to %d rows in %.1f s", plan.estimator_name, len(examples.target), took)
    return fitted
