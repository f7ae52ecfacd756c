"""Which step has begun, told in S3: the operator reads it there, since a pod has no rights on the API server."""

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from mira.registry.progress import Progress, Step
from mira.registry.store import ObjectStore, StoreRefused, StoreUnavailable

if TYPE_CHECKING:
    from mira_training.assignment import Assignment

log = logging.getLogger(__name__)


def tell_progress(
    store: ObjectStore, assignment: "Assignment", number: int, step: Step, news: str, *, now: datetime
) -> None:
    """Writes the attempt's news of this number, create-only: a step has begun, or is as far as `news` says.

    That nobody learns of it is no reason for a training to fail.
    """
    progress = Progress(attempt=assignment.attempt, number=number, step=step, message=news, begun_at=now)
    try:
        store.create(assignment.key.progress(assignment.attempt, number), progress.render())
    except (StoreUnavailable, StoreRefused) as error:
        log.warning("the step %s could not be told: %s", step, error)
