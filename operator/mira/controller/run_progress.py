"""How far the pod of a running Job says to be: read from S3, since the pod itself has no rights on the API server."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from mira.adapters.cluster import Object
from mira.api.trainingrun import TrainingRun
from mira.registry.document import DocumentInvalid
from mira.registry.keys import LARGEST_STEP, VersionKey
from mira.registry.progress import Progress
from mira.registry.store import ObjectStore, StoreRefused, StoreUnavailable

SOONEST, LATEST = 5.0, 60.0
SHARE_OF_AGE = 0.05


def look_again_in(job: Object | None, now: datetime) -> float:
    """The seconds until progress is looked for again: often at the beginning, when steps are short, then rarely.

    Without a pod that runs there is none to look for.
    """
    status = (job or {}).get("status") or {}
    if not status.get("ready"):
        return float("inf")
    started = status.get("startTime")
    age = (now - datetime.fromisoformat(started)).total_seconds() if started else 0.0
    return min(LATEST, max(SOONEST, SHARE_OF_AGE * age))


def progress_of(
    store: ObjectStore, version: VersionKey, run: TrainingRun, job: Object, pods: Callable[[], Sequence[Object]]
) -> Progress | None:
    """The last step that the running pod has begun; None if it said nothing or S3 says nothing now.

    One LIST and a GET for each new step. Only a Job with failed pods has its pods asked for: then there is more than
    one attempt, and the one that counts is the newest pod's.
    """
    try:
        attempt = _attempt(store, version, run, job, pods)
        return _last(store, version, run, attempt) if attempt else None
    except (StoreUnavailable, StoreRefused):
        # The metric of the registry says so; what was told of the run stays.
        return None


def _attempt(
    store: ObjectStore, version: VersionKey, run: TrainingRun, job: Object, pods: Callable[[], Sequence[Object]]
) -> str | None:
    uid8 = run.metadata.uid[:8]
    if (job.get("status") or {}).get("failed"):
        newest: Any = max(pods(), key=lambda pod: str(pod["metadata"].get("creationTimestamp")), default=None)
        return newest and f"{uid8}-{newest['metadata']['uid'][:8]}"
    names = (folder.removeprefix(version.attempts).rstrip("/") for folder in store.folders(version.attempts))
    own = [name for name in names if name.startswith(f"{uid8}-")]
    return own[0] if len(own) == 1 else None


def _last(store: ObjectStore, version: VersionKey, run: TrainingRun, attempt: str) -> Progress | None:
    told = run.status.step
    known = told.number if told is not None and told.attempt == attempt else 0
    last = None
    for number in range(known + 1, LARGEST_STEP + 1):
        stored = store.get(version.progress(attempt, number), limit=Progress.LIMIT)
        if stored is None:
            break
        try:
            read = Progress.parse(stored.body)
        except DocumentInvalid:
            break
        if (read.attempt, read.number) != (attempt, number):
            break
        last = read
    return last
