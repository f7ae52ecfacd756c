"""No write without the Lease: what stands between the passes and the two servers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mira.adapters.cluster import Cluster, ClusterUnavailable, Object
from mira.registry.store import Fingerprint, ObjectStore, Put, Stored, StoreUnavailable

Leads = Callable[[], bool]


class NotLeading(StoreUnavailable, ClusterUnavailable):
    """The write was not sent: another operator may hold the Lease. To a procedure it is a store that does not answer.

    So whatever the write was decided on is read again before anything is sent, however much later that is.
    """


@dataclass(frozen=True)
class FencedCluster:
    """Kubernetes, written only while `leads` says so."""

    cluster: Cluster
    leads: Leads

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        return self.cluster.get(kind, namespace, name)

    def list(self, kind: str, *, namespace: str | None = None, labels: str = "") -> list[Object]:
        return self.cluster.list(kind, namespace=namespace, labels=labels)

    def create(self, kind: str, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        _fence(self.leads)
        return self.cluster.create(kind, namespace, body, dry_run=dry_run)

    def patch(self, kind: str, namespace: str, name: str, body: Mapping[str, Any]) -> Object:
        _fence(self.leads)
        return self.cluster.patch(kind, namespace, name, body)

    def patch_status(self, kind: str, namespace: str, name: str, body: Mapping[str, Any]) -> Object:
        _fence(self.leads)
        return self.cluster.patch_status(kind, namespace, name, body)


@dataclass(frozen=True)
class FencedStore:
    """The registry's store, written only while `leads` says so."""

    store: ObjectStore
    leads: Leads

    def get(self, key: str, *, limit: int) -> Stored | None:
        return self.store.get(key, limit=limit)

    def create(self, key: str, body: bytes) -> Put:
        _fence(self.leads)
        return self.store.create(key, body)

    def replace(self, key: str, body: bytes, etag: str) -> Put:
        _fence(self.leads)
        return self.store.replace(key, body, etag)

    def list(self, prefix: str) -> Iterator[str]:
        return self.store.list(prefix)

    def folders(self, prefix: str) -> Iterator[str]:
        return self.store.folders(prefix)

    def head(self, key: str) -> Fingerprint | None:
        return self.store.head(key)

    def sha256(self, key: str) -> tuple[int, str] | None:
        return self.store.sha256(key)


def _fence(leads: Leads) -> None:
    if not leads():
        raise NotLeading("another operator may hold the lease")
