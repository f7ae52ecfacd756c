"""Many resources at once, made by several connections side by side."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dev.local import OPERATOR_ACCOUNT, SYSTEM_NAMESPACE, Local
from mira.adapters.kubernetes import KubernetesCluster

API = "mira.constellation.dev/v1alpha1"
CONNECTIONS = 8
ENDED: dict[str, Any] = {
    "observedGeneration": 1,
    "conditions": [
        {
            "type": kind,
            "status": "True" if kind in ("Ready", "Finished", "Promoted") else "False",
            "reason": "Promoted",
            "message": "version v1 is current as entry 1, approved by bob",
            "lastTransitionTime": "2026-11-25T12:00:00Z",
            "observedGeneration": 1,
        }
        for kind in ("Ready", "Reconciling", "Stalled", "Finished", "Promoted")
    ],
    "number": 1,
    "digest": f"sha256:{'a' * 64}",
}


def promotions(local: Local, namespace: str, count: int, *, ended: bool, model: str = "churn") -> None:
    """Makes so many promotions of one stage; `ended` ones look as if each had been decided long ago."""
    people = KubernetesCluster(kubeconfig=str(local.kubeconfig("alice")), pool=CONNECTIONS)
    kubeconfig = local.control_plane.service_account_kubeconfig(SYSTEM_NAMESPACE, OPERATOR_ACCOUNT)
    operator = KubernetesCluster(kubeconfig=str(kubeconfig), pool=CONNECTIONS)

    def make(number: int) -> None:
        name = f"p{number}"
        spec = {"model": model, "stage": "production", "version": f"v{number}", "requestedBy": "alice"}
        body = {"apiVersion": API, "kind": "ModelPromotion", "metadata": {"name": name}, "spec": spec}
        people.create("ModelPromotion", namespace, body)
        if ended:
            operator.patch_status("ModelPromotion", namespace, name, {"status": ENDED})

    _side_by_side(make, range(count))


def _side_by_side(make: Callable[[int], None], numbers: Iterable[int]) -> None:
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for _ in pool.map(make, numbers):
            pass
