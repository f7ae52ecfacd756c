"""What a Job's own status says of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

NOT_READY_AFTER = 10.0


def true_conditions(job: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """The Job's conditions that hold, by type."""
    conditions = ((job or {}).get("status") or {}).get("conditions") or []
    return {condition["type"]: condition for condition in conditions if condition.get("status") == "True"}


def finished_at(job: Mapping[str, Any] | None) -> datetime | None:
    """When the Job ended, as its own status says; None while it runs, or if there is none."""
    conditions = true_conditions(job)
    ended = conditions.get("Complete") or conditions.get("Failed")
    return datetime.fromisoformat(ended["lastTransitionTime"]) if ended else None


def is_slow(job: Mapping[str, Any], now: datetime) -> bool:
    """Whether a pod should be ready by now: then the pods' own status says what they wait for."""
    status = job.get("status") or {}
    started = status.get("startTime")
    if status.get("ready") or not started:
        return False
    return (now - datetime.fromisoformat(started)).total_seconds() > NOT_READY_AFTER
