"""A real control plane that serves Mira's kinds, without Mira's policies, as its administrator sees it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
import yaml

from dev.controlplane.binaries import ensure_binaries
from dev.controlplane.server import ControlPlane
from dev.processes import CHECKOUT, Supervisor
from dev.waiting import wait_until
from mira.adapters.cluster import MIRA, TYPES, Absent, ClusterUnavailable, Conflict, Object
from mira.adapters.kubernetes import KubernetesCluster
from tests.simulation.watches import Told

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@dataclass
class RealApiServer:
    """The real one, with what the model can besides the `Cluster` port, as far as a comparison needs it."""

    cluster: KubernetesCluster
    url: str
    pool: urllib3.PoolManager
    headers: dict[str, str]

    def post(self, path: str, body: object) -> None:
        """Creates what the port has no name for."""
        self._call("POST", path, body)

    def create_namespace(self, name: str) -> None:
        """Creates a namespace."""
        self.post("/api/v1/namespaces", {"metadata": {"name": name}})

    def delete(self, kind: str, namespace: str | None, name: str, *, uid: str | None = None) -> None:
        """Deletes the object as kubectl does, or as a node does: at once."""
        options = {"propagationPolicy": "Background", "gracePeriodSeconds": 0}
        self._call(
            "DELETE", TYPES[kind].path(namespace, name), options | ({"preconditions": {"uid": uid}} if uid else {})
        )

    def objects(self, kind: str) -> list[Object]:
        """Every object of the kind."""
        return self.cluster.list(kind)

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """The object, None if there is none."""
        return self.cluster.get(kind, namespace, name)

    def change_status(self, kind: str, namespace: str, name: str, edit: Callable[[Object], None]) -> Object:
        """The object after an edit of its status."""
        body = self.cluster.get(kind, namespace, name)
        assert body is not None
        edit(body)
        return self.cluster.patch_status(kind, namespace, name, {"status": body["status"]})

    def version(self, kind: str) -> str:
        """The resourceVersion of a list of the kind: from here on a watch may begin."""
        return str(self._call("GET", TYPES[kind].path(None))["metadata"]["resourceVersion"])

    def told(self, kind: str, since: str, labels: str, *, last: str) -> Iterator[Told]:
        """What a watch tells after a resourceVersion, until it tells of an object of the name `last`."""
        query = {"watch": "1", "resourceVersion": since, "labelSelector": labels}
        url = f"{self.url}{TYPES[kind].path(None)}"
        stream = self.pool.request("GET", url, fields=query, headers=self.headers, preload_content=False)
        try:
            for line in stream:
                event = json.loads(line)
                if event["object"]["metadata"]["name"] == last:
                    return
                yield Told(event["type"], event["object"])
        finally:
            stream.close()

    def _call(self, method: str, path: str, body: object = None) -> Any:
        answer = self.pool.request(method, f"{self.url}{path}", json=body, headers=self.headers)
        said = answer.json()
        if answer.status in (404, 409):
            refusal = Absent if answer.status == 404 else Conflict
            raise refusal(answer.status, said["reason"], said["message"])
        assert answer.status < 300, said
        return said


@contextmanager
def real_apiserver(folder: Path) -> Iterator[RealApiServer]:
    """A control plane of its own while the context lasts."""
    binaries = ensure_binaries(CHECKOUT / ".cache", print)
    with Supervisor() as supervisor, ControlPlane(supervisor, binaries, folder) as plane:
        cluster = KubernetesCluster(kubeconfig=str(plane.kubeconfig("admin")), pool=1)
        headers = {"Authorization": f"Bearer {plane.users['admin'].token}", "Content-Type": "application/json"}
        with urllib3.PoolManager(ca_certs=str(plane.ca_file), retries=False, timeout=30.0) as pool:
            real = RealApiServer(cluster, plane.server, pool, headers)
            for path in sorted((CHECKOUT / "crds").glob("*.yaml")):
                real.post(CRDS, yaml.safe_load(path.read_text(encoding="utf-8")))
            wait_until(lambda: _serves(cluster), timeout=30, what="Mira's kinds to be served")
            yield real


def _serves(cluster: KubernetesCluster) -> bool:
    try:
        for kind, where in TYPES.items():
            if (where.group, where.version) == MIRA:
                cluster.list(kind)
    except (Absent, ClusterUnavailable):
        return False
    return True
