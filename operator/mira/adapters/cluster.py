"""The port to Kubernetes: the few calls that the operator makes, and how their answers are told apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Object = dict[str, Any]


@dataclass(frozen=True)
class ResourceType:
    """Where objects of a kind lie in the API."""

    group: str
    version: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
        """The URL path of the collection, of one object, or of one of its subresources."""
        parts = ["api", self.version] if not self.group else ["apis", self.group, self.version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        return "/" + "/".join([*parts, *(part for part in (name, subresource) if part)])


MIRA, POLICIES = ("mira.constellation.dev", "v1alpha1"), ("admissionregistration.k8s.io", "v1")
TYPES: Mapping[str, ResourceType] = {
    "TrainingRun": ResourceType(*MIRA, "trainingruns"),
    "ModelPromotion": ResourceType(*MIRA, "modelpromotions"),
    "ModelStage": ResourceType(*MIRA, "modelstages"),
    "Job": ResourceType("batch", "v1", "jobs"),
    "Pod": ResourceType("", "v1", "pods"),
    "Event": ResourceType("", "v1", "events"),
    "Lease": ResourceType("coordination.k8s.io", "v1", "leases"),
    "Namespace": ResourceType("", "v1", "namespaces", namespaced=False),
    "ValidatingAdmissionPolicy": ResourceType(*POLICIES, "validatingadmissionpolicies", namespaced=False),
    "ValidatingAdmissionPolicyBinding": ResourceType(*POLICIES, "validatingadmissionpolicybindings", namespaced=False),
}


class ClusterUnavailable(Exception):
    """No answer, or one that says nothing about the object (5xx, 429, lost): ask again later."""


class Answer(Exception):
    """A clear answer other than success; `message` is the API server's own."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


class Absent(Answer):
    """404: there is no such object, or its kind is not served."""


class Conflict(Answer):
    """409: the object is not the one that was read any more."""


class AlreadyExists(Answer):
    """409: there is an object of this name."""


class Refused(Answer):
    """400, 403, 422: the API server will not do this as it is."""


class NamespaceTerminating(Refused):
    """403: the namespace is being deleted and takes nothing new."""


class Cluster(Protocol):
    """Kubernetes as the operator uses it. Every method may raise ClusterUnavailable or an Answer."""

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """The object as it is now, None if there is none."""
        ...

    def list(self, kind: str, *, namespace: str | None = None, labels: str = "") -> list[Object]:
        """Every object of the kind, of one namespace or of all, with these labels."""
        ...

    def create(self, kind: str, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        """The created object."""
        ...

    def patch(self, kind: str, namespace: str, name: str, body: Mapping[str, Any]) -> Object:
        """The object after a JSON merge patch."""
        ...

    def patch_status(self, kind: str, namespace: str, name: str, body: Mapping[str, Any]) -> Object:
        """The object after a JSON merge patch of its status."""
        ...


def create_or_get(cluster: Cluster, kind: str, namespace: str, body: Mapping[str, Any]) -> Object:
    """The object of this name, made now or found. Raises what the calls raise."""
    try:
        return cluster.create(kind, namespace, body)
    except AlreadyExists:
        found = cluster.get(kind, namespace, body["metadata"]["name"])
        if found is None:
            raise
        return found
