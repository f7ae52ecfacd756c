"""The Node and its Lease: how the control plane knows that this node lives."""

import logging
import threading
import time
from datetime import UTC, datetime

from dev.node.api import MERGE, STRATEGIC, ApiError, ApiServer, Json
from dev.node.references import HOST_IP
from dev.node.settings import NodeSettings
from dev.node.status import timestamp

log = logging.getLogger(__name__)

_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
_LEASE_SECONDS = 40
_BEAT_SECONDS, _RETRY_SECONDS = 10.0, 0.5
_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")


def node_path(name: str) -> str:
    """Where the API has the Node."""
    return f"/api/v1/nodes/{name}"


def lease_path(name: str) -> str:
    """Where the API has the Node's Lease."""
    return f"{_LEASES}/{name}"


class Registration:
    """Keeps the Node there and ready, and its Lease fresh."""

    def __init__(self, api: ApiServer, settings: NodeSettings, *, port: int) -> None:
        """`port`: where the API server finds the logs."""
        self._api = api
        self._settings = settings
        self._port = port

    def keep(self, stopping: threading.Event) -> None:
        """Returns when the node stops."""
        lost = False
        while True:
            try:
                self._beat()
                lost, delay = False, _BEAT_SECONDS
            except ApiError as error:
                if not lost:
                    log.warning("the node cannot register: %s", error)
                lost, delay = True, _RETRY_SECONDS
            if stopping.wait(delay):
                return

    def _beat(self) -> None:
        node = self._node()
        # While no beat came the controllers have written Unknown over our Ready.
        if not self._is_up_to_date(node.get("status", {})):
            self._api.patch(f"{node_path(self._settings.name)}/status", {"status": self._status()}, STRATEGIC)
        self._renew_lease(node)

    def _node(self) -> Json:
        name = self._settings.name
        if node := self._api.get(node_path(name)):
            return node
        metadata = {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}}
        if node := self._api.create("/api/v1/nodes", {"metadata": metadata, "status": self._status()}):
            return node
        raise ApiError(0, f"node {name} appears and disappears")

    def _is_up_to_date(self, status: Json) -> bool:
        ready = any(entry["type"] == "Ready" and entry["status"] == "True" for entry in status.get("conditions", []))
        return ready and status.get("daemonEndpoints") == self._endpoints()

    def _renew_lease(self, node: Json) -> None:
        name = self._settings.name
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {"holderIdentity": name, "leaseDurationSeconds": _LEASE_SECONDS, "renewTime": now}
        if not self._api.patch(lease_path(name), {"spec": spec}, MERGE):
            owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}
            self._api.create(_LEASES, {"metadata": {"name": name, "ownerReferences": [owner]}, "spec": spec})

    def _status(self) -> Json:
        now = timestamp(time.time())
        times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
        capacity = {"cpu": self._settings.cpu, "memory": self._settings.memory, "pods": self._settings.pods}
        pressures = [{"type": kind, "status": "False", "reason": "NotMeasured", **times} for kind in _PRESSURES]
        return {
            "capacity": capacity,
            "allocatable": capacity,
            "addresses": [
                {"type": "InternalIP", "address": HOST_IP},
                {"type": "Hostname", "address": self._settings.name},
            ],
            "conditions": [*pressures, {"type": "Ready", "status": "True", "reason": "KubeletReady", **times}],
            "daemonEndpoints": self._endpoints(),
        }

    def _endpoints(self) -> Json:
        return {"kubeletEndpoint": {"Port": self._port}}
