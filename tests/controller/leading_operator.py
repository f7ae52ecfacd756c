"""A whole operator that leads and was never started: its passes are called one by one, its queue keeps everything."""

from typing import Any

from mira.adapters.admission import shipped
from mira.adapters.cluster import Cluster, Object
from mira.adapters.metrics import Metrics
from mira.controller.operator import Operator, Outside
from mira.controller.queue import Key
from mira.controller.settings import Settings
from mira.registry.memory import MemoryStore

SETTINGS: dict[str, Any] = {
    "registry": "s3://mira/registry",
    "cluster_name": "local",
    "default_image": "registry.example.com/mira/training@sha256:" + "a" * 64,
}


class NoWatch:
    """Tells nothing: the test does."""

    def start(self) -> None: ...

    def stop(self, *, seconds: float) -> None: ...

    def alive(self) -> bool:
        return True


def operator(cluster: Cluster, store: MemoryStore) -> Operator:
    outside = Outside(cluster, store, lambda *_: NoWatch(), leases=cluster)
    made = Operator(Settings(**SETTINGS), outside, Metrics())
    made._elector._until = float("inf")
    made._workers.resume()
    return made


def policies() -> dict[tuple[str, str], Object]:
    """The admission policies as they are shipped, there for weeks."""
    since = {"creationTimestamp": "2026-11-01T12:00:00Z"}
    made = (body | {"metadata": body["metadata"] | since} for body in shipped(Settings(**SETTINGS).operator_accounts))
    return {(body["kind"], body["metadata"]["name"]): body for body in made}


def woken(operator: Operator) -> set[Key]:
    return set(operator._workers._queue._queued)
