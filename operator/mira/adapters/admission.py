"""Whether Mira's admission policies are in force, shown and not assumed: a comparison and a canary.

The canary, a forbidden request that must be refused, sees what the objects do not show: a binding that only audits, a
namespace that is left out, a policy that is not effective yet. The comparison sees what one request cannot: a rule that
was removed, failurePolicy Ignore. Only both together are a proof.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from mira.adapters.cluster import AlreadyExists, Answer, Cluster, ClusterUnavailable, Conflict, Object, Refused
from mira.adapters.policies import shipped
from mira.api.meta import API_VERSION
from mira.decide.approvals import Proof

__all__ = ["canary", "differences", "prove", "shipped"]

CANARY = "mira-policy-canary"
POLICY = "mira-promotions"
OWN_WORDS = "spec.requestedBy is an operator of Mira, which never asks for a promotion itself"
# What the API server fills in where a policy says nothing.
DEFAULTS = {"failurePolicy": "Fail", "matchPolicy": "Equivalent", "scope": "*"}
SETS = ("validationActions",)


def prove(cluster: Cluster, namespace: str, *, accounts: Sequence[str]) -> Proof:
    """The proof that the policies are in force in the namespace now, or what is wrong with them."""
    live = _live(cluster, accounts)
    problem = "; ".join(_compared(live)) or canary(cluster, namespace, account=accounts[0])
    if problem:
        return Proof(problem=problem)
    return Proof(since=max(_changed_at(found) for _, found in live if found))


def _changed_at(found: Object) -> datetime:
    """When the object was last created or changed by anybody; its status, which controllers write, apart."""
    metadata = found["metadata"]
    fields = (each for each in metadata.get("managedFields") or [] if not each.get("subresource"))
    times = [metadata["creationTimestamp"], *(each["time"] for each in fields if "time" in each)]
    return max(datetime.fromisoformat(each) for each in times)


def differences(cluster: Cluster, accounts: Sequence[str]) -> list[str]:
    """A sentence for each policy or binding that is missing or not as shipped."""
    return list(_compared(_live(cluster, accounts)))


def canary(cluster: Cluster, namespace: str, *, account: str) -> str:
    """Nothing if a request that the policy forbids is refused in the policy's own words, else what happened.

    The request asks, without being carried out, for a promotion in the name of the operator's own account.
    """
    body = {
        "apiVersion": API_VERSION,
        "kind": "ModelPromotion",
        "metadata": {"name": CANARY, "namespace": namespace},
        "spec": {"model": CANARY, "stage": CANARY, "version": CANARY, "requestedBy": account},
    }
    try:
        cluster.create("ModelPromotion", namespace, body, dry_run=True)
    except Refused as refusal:
        if POLICY in refusal.message and OWN_WORDS in refusal.message:
            return ""
        return f"policy {POLICY} does not answer in namespace {namespace}; refused was: {refusal.message}"
    except AlreadyExists:
        # Policies come before the look into the store: it got past them.
        pass
    except Conflict as conflict:
        # No answer to a creation: it says nothing of the policies, so it is asked again soon.
        raise ClusterUnavailable(str(conflict)) from conflict
    except Answer as answer:
        return f"policy {POLICY} does not answer in namespace {namespace}: {answer.message}"
    return f"policy {POLICY} is not in force in namespace {namespace}: it let a forbidden request pass"


def _live(cluster: Cluster, accounts: Sequence[str]) -> list[tuple[Object, Object | None]]:
    """Each object as shipped, and as it is in the cluster."""
    return [(wanted, cluster.get(wanted["kind"], None, wanted["metadata"]["name"])) for wanted in shipped(accounts)]


def _compared(live: Sequence[tuple[Object, Object | None]]) -> Iterator[str]:
    for wanted, found in live:
        name = f"{wanted['kind']} {wanted['metadata']['name']}"
        if found is None:
            yield f"{name} is missing"
        elif found["metadata"].get("deletionTimestamp"):
            yield f"{name} is being deleted"
        elif changed := list(_changed(_bare(wanted["spec"]), _bare(found["spec"]), "spec")):
            yield f"{name} is not as shipped: {', '.join(changed)}"


def _bare(value: Any) -> Any:
    """The value without what is empty or the API server's default, and sets in one order."""
    if isinstance(value, Mapping):
        bare = {key: sorted(item) if key in SETS else _bare(item) for key, item in value.items()}
        return {key: item for key, item in bare.items() if item not in ({}, [], None) and item != DEFAULTS.get(key)}
    return [_bare(item) for item in value] if isinstance(value, list) else value


def _changed(wanted: Any, found: Any, path: str) -> Iterator[str]:
    """The path of each place where the two differ."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in sorted(wanted.keys() | found.keys()):
            yield from _changed(wanted.get(key), found.get(key), f"{path}.{key}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _changed(one, other, f"{path}[{index}]")
    elif wanted != found:
        yield path
