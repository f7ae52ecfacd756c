"""The one place that writes status: once per pass, only if it changed, and never over a newer object."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mira.adapters.cluster import Absent, Cluster, Object
from mira.adapters.events import Recorder
from mira.api.conditions import Condition, ConditionType, condition, is_true
from mira.api.meta import Resource
from mira.controller.cache import Cache
from mira.decide.unreadable import unreadable_conditions

CONDITIONS = TypeAdapter(tuple[Condition, ...])


@dataclass(frozen=True)
class StatusWriter:
    """Writes statuses by merge patch with the resourceVersion that was read: a 409 sends the key back to the queue."""

    cluster: Cluster
    cache: Cache
    recorder: Recorder
    ended: Callable[[str, Any], None]

    def write(self, raw: Object, resource: Resource[Any, Any], status: Any) -> bool:
        """Whether it was written; False if it says already what it should, or if the object is gone."""
        if status == resource.status:
            return False
        written = self._patched(resource.kind, raw, merge_patch(raw.get("status") or {}, status.wire()))
        if written is None:
            return False
        self._tell(written, resource.status.conditions, status.conditions)
        if not is_true(resource.status.conditions, ConditionType.FINISHED):
            self.ended(resource.kind, status)
        return True

    def write_unreadable(self, kind: str, raw: Object, message: str, now: datetime) -> None:
        """Says that this object, or one that it needs, cannot be read; leaves all but its conditions as they are."""
        generation, before = raw["metadata"]["generation"], _conditions(raw)
        after = unreadable_conditions(before, message, generation=generation, now=now)
        if after == before:
            return
        status = {"observedGeneration": generation, "conditions": [each.wire() for each in after]}
        if (written := self._patched(kind, raw, status)) is not None:
            self._tell(written, before, after)

    def _patched(self, kind: str, raw: Object, patch: Object) -> Object | None:
        """The object with its status patched; None if it is gone."""
        metadata = raw["metadata"]
        body = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "status": patch}
        try:
            written = self.cluster.patch_status(kind, metadata["namespace"], metadata["name"], body)
        except Absent:
            self.cache.remove(kind, raw)
            return None
        self.cache.put(kind, written)
        return written

    def _tell(self, written: Object, old: Sequence[Condition], new: Sequence[Condition]) -> None:
        """An Event for each change of what Ready says, and why."""
        before = condition(old, ConditionType.READY)
        after = condition(new, ConditionType.READY)
        if after is None or (before is not None and before.reason == after.reason):
            return
        stalled = condition(new, ConditionType.STALLED)
        warning = stalled is not None and stalled.status == "True"
        self.recorder.record(written, "Warning" if warning else "Normal", after.reason, after.message)


def _conditions(raw: Object) -> tuple[Condition, ...]:
    """What the object says of itself, as far as that can be read."""
    try:
        return CONDITIONS.validate_python((raw.get("status") or {}).get("conditions") or ())
    except ValidationError:
        return ()


def merge_patch(old: Any, new: Any) -> Any:
    """The JSON merge patch (RFC 7386) that turns old into new; objects are compared, lists are replaced."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    changed = {key: merge_patch(old.get(key), value) for key, value in new.items() if not _same(old.get(key), value)}
    return changed | {key: None for key in old if key not in new}


def _same(one: Any, other: Any) -> bool:
    # Python takes True for 1; JSON, and whoever reads the status, does not.
    return one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
