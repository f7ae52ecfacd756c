"""The Jobs of runs and promotions as the cluster shows them, and what their pods told in S3."""

from dataclasses import dataclass

from mira.adapters.cluster import Cluster, Object, create_or_get
from mira.controller.cache import Cache
from mira.registry.document import DocumentInvalid
from mira.registry.outcome import Outcome
from mira.registry.store import ObjectStore


@dataclass(frozen=True)
class Jobs:
    """Finds and makes Jobs."""

    cluster: Cluster
    store: ObjectStore
    cache: Cache

    def find(self, namespace: str, name: str) -> Object | None:
        """The Job from the cache if it is there; absence in the cache proves nothing."""
        return self.cache.get("Job", namespace, name) or self.cluster.get("Job", namespace, name)

    def pods(self, namespace: str, name: str) -> tuple[Object, ...]:
        """The pods of this Job that there are."""
        return tuple(self.cluster.list("Pod", namespace=namespace, labels=f"job-name={name}"))

    def outcomes(self, attempts: str, owner_uid: str) -> tuple[Outcome, ...]:
        """What the owner's own attempts told in this folder, oldest first."""
        own = f"{attempts}{owner_uid[:8]}-"
        found = []
        for folder in self.store.folders(attempts):
            if not folder.startswith(own):
                continue
            stored = self.store.get(f"{folder}outcome.json", limit=Outcome.LIMIT)
            try:
                found += [Outcome.parse(stored.body)] if stored else []
            except DocumentInvalid:
                continue
        return tuple(sorted(found, key=lambda outcome: outcome.finished_at))

    def make(self, body: Object) -> Object:
        """The Job of this name, made now or found: which of the two is for the next decision to judge."""
        job = create_or_get(self.cluster, "Job", body["metadata"]["namespace"], body)
        self.cache.put("Job", job)
        return job

    def suspend(self, namespace: str, name: str, *, suspend: bool) -> Object:
        """The Job after it was stopped or resumed."""
        job = self.cluster.patch("Job", namespace, name, {"spec": {"suspend": suspend}})
        self.cache.put("Job", job)
        return job
