"""Kubernetes Events: what `kubectl describe` shows. They are for people; nothing rests on them."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mira.adapters.cluster import (
    Absent,
    AlreadyExists,
    Answer,
    Cluster,
    ClusterUnavailable,
    NamespaceTerminating,
    Object,
)
from mira.registry.document import format_time

log = logging.getLogger(__name__)
LONGEST_MESSAGE = 1024


@dataclass(frozen=True)
class Recorder:
    """Records each message about an object once: the Event's name is made of what it says."""

    cluster: Cluster
    now: Callable[[], datetime]

    def record(self, about: Object, kind: str, reason: str, message: str) -> None:
        """Creates the Event if there is none that says the same of this object. Never raises."""
        metadata = about["metadata"]
        told = f"{metadata['uid']}\0{metadata.get('generation')}\0{reason}\0{message}"
        suffix = hashlib.sha256(told.encode()).hexdigest()[:16]
        moment = format_time(self.now())
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{metadata['name'][:200]}.{suffix}", "namespace": metadata["namespace"]},
            "involvedObject": {
                "apiVersion": about["apiVersion"],
                "kind": about["kind"],
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            },
            "type": kind,
            "reason": reason,
            "message": message[:LONGEST_MESSAGE],
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "count": 1,
            "source": {"component": "mira-operator"},
            "reportingComponent": "mira-operator",
        }
        try:
            self.cluster.create("Event", metadata["namespace"], body)
        except AlreadyExists:
            pass
        except (Absent, NamespaceTerminating):
            # The object's namespace is ending or gone, and whoever would read the Event with it: no trouble to tell.
            log.debug("no Event in a namespace that ends", extra={"object": metadata["name"]})
        except (Answer, ClusterUnavailable) as error:
            log.warning("an Event could not be recorded", extra={"object": metadata["name"], "error": str(error)})
