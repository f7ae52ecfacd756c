"""The one place that writes status: once per pass, only if it changed, and never over a newer object."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mira.adapters.cluster import Absent, Cluster, Object
from mira.adapters.events import Recorder
from mira.api.conditions import ConditionType, condition, is_true
from mira.api.meta import Resource
from mira.controller.cache import Cache


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
        metadata = raw["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        patch = merge_patch(raw.get("status") or {}, status.wire())
        body = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "status": patch}
        try:
            written = self.cluster.patch_status(resource.kind, namespace, name, body)
        except Absent:
            self.cache.remove(resource.kind, raw)
            return False
        self.cache.put(resource.kind, written)
        self._tell(written, resource, status)
        if not is_true(resource.status.conditions, ConditionType.FINISHED):
            self.ended(resource.kind, status)
        return True

    def _tell(self, written: Object, resource: Resource[Any, Any], status: Any) -> None:
        """An Event for each change of what Ready says, and why."""
        before = condition(resource.status.conditions, ConditionType.READY)
        after = condition(status.conditions, ConditionType.READY)
        if after is None or (before is not None and before.reason == after.reason):
            return
        stalled = condition(status.conditions, ConditionType.STALLED)
        warning = stalled is not None and stalled.status == "True"
        self.recorder.record(written, "Warning" if warning else "Normal", after.reason, after.message)


def merge_patch(old: Any, new: Any) -> Any:
    """The JSON merge patch (RFC 7386) that turns old into new; objects are compared, lists are replaced."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    changed = {key: merge_patch(old.get(key), value) for key, value in new.items() if not _same(old.get(key), value)}
    return changed | {key: None for key in old if key not in new}


def _same(one: Any, other: Any) -> bool:
    # Python takes True for 1; JSON, and whoever reads the status, does not.
    return one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
