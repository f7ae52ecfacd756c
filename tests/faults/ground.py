"""What all plans share: one cluster, one S3, and a connection to each that is kept open."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from dev.controlplane.rest import Answer
from dev.local import OPERATOR_ACCOUNT, ROLES, SYSTEM_NAMESPACE, Local
from dev.s3.roles import REGION, REGISTRY_BUCKET, Role
from mira.registry.s3 import S3Store
from tests.support.team import INSTANT

RBAC = "rbac.authorization.k8s.io"
LEASES = "faults-leases"


class Ground:
    """A cluster without an operator, on which the people have their roles in every namespace."""

    def __init__(self, local: Local) -> None:
        self.local = local
        plane = local.control_plane
        self._rests = {user: plane.rest(user) for user in ("admin", *ROLES)}
        keys = local.s3.credentials(Role.ADMIN)
        session = boto3.Session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
        # The whole bucket: each plan has a root of its own in it.
        self.store = S3Store(f"s3://{REGISTRY_BUCKET}", session=session, endpoint=local.s3.endpoint)

    def call(
        self, user: str, method: str, path: str, body: object = None, *, content: str = "application/json"
    ) -> Answer:
        """What the API server answers this user."""
        return self._rests[user].call(method, path, body, content_type=content)

    def give_roles(self) -> None:
        """Lets everybody be what they are, everywhere; and the operator hold a Lease in any namespace."""
        leases = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["*"]}
        self._make("clusterroles", {"metadata": {"name": LEASES}, "rules": [leases]})
        self._bind(LEASES, {"kind": "ServiceAccount", "name": OPERATOR_ACCOUNT, "namespace": SYSTEM_NAMESPACE})
        for user, role in ROLES.items():
            self._bind(role, {"kind": "User", "apiGroup": RBAC, "name": user})

    def _bind(self, role: str, subject: dict[str, str]) -> None:
        reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": role}
        name = f"faults-{subject['name']}-{role}"
        self._make("clusterrolebindings", {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]})

    def _make(self, plural: str, body: dict[str, Any]) -> None:
        answer = self.call("admin", "POST", f"/apis/{RBAC}/v1/{plural}", body)
        assert answer.status == 201, answer.message


@contextmanager
def ground(say: Callable[[str], None] = lambda _: None) -> Iterator[Ground]:
    """A control plane, a node whose image trains in an instant, and S3; all of it gone afterwards."""
    with Local(f"faults-{os.getpid()}", say=say, forked=True) as local:
        local.image(INSTANT, "operator", "tests/support/instant_image")
        local.start_s3_and_node()
        made = Ground(local)
        made.give_roles()
        yield made
