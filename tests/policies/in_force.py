"""Policies put in force and put back by whoever may administer them; what has to take effect is waited for."""

from collections.abc import Iterable, Sequence

from dev.waiting import wait_until
from mira.adapters.cluster import TYPES
from mira.adapters.policies import filling, shipped
from mira.api.meta import API_VERSION
from tests.policies.calls import Calls, Json

# Found within a second; the rest is a loaded machine.
EFFECT = 20.0
PROMOTION_SPEC = {"model": "churn", "stage": "production", "version": "churn-1"}
RUN_SPEC = {"model": "churn", "task": "Classification", "data": {"training": {"uri": "s3://b-1/a.csv"}, "target": "y"}}


def path(kind: str, name: str = "") -> str:
    """Where a policy or binding lies in the API."""
    plural = "policies" if kind.endswith("Policy") else "policybindings"
    stem = kind.removesuffix("Binding").removesuffix("Policy").lower()
    return "/apis/admissionregistration.k8s.io/v1/" + "/".join(part for part in (stem + plural, name) if part)


def put(calls: Calls, objects: Iterable[Json]) -> None:
    """Makes the objects be as given, whether they are there or not."""
    for wanted in objects:
        # The controller that checks types writes their status meanwhile: a conflict is tried again.
        what = f"{wanted['kind']} {wanted['metadata']['name']} to be written"
        wait_until(lambda wanted=wanted: _put(calls, wanted), timeout=EFFECT, what=what)  # type: ignore[misc]


def _put(calls: Calls, wanted: Json) -> bool:
    where = path(wanted["kind"], wanted["metadata"]["name"])
    found = calls.call("admin", "GET", where)
    if found.status == 404:
        # With its labels: without them Helm would not know its own object again.
        body = wanted | {"metadata": calls.deleted.get(where, wanted["metadata"])}
        answer = calls.call("admin", "POST", path(wanted["kind"]), body)
    else:
        answer = calls.call("admin", "PUT", where, found.body | {"spec": wanted["spec"]})
    assert answer.taken or answer.status == 409, answer.message
    return answer.taken


def delete(calls: Calls, *objects: Json) -> None:
    """Deletes the objects."""
    for wanted in objects:
        where = path(wanted["kind"], wanted["metadata"]["name"])
        metadata = calls.call("admin", "GET", where).body["metadata"]
        calls.deleted[where] = {key: metadata[key] for key in ("name", "labels", "annotations") if key in metadata}
        answer = calls.call("admin", "DELETE", where)
        assert answer.taken, answer.message


def put_in_force(calls: Calls, accounts: Sequence[str], *, namespace: str) -> None:
    """The validating policies as shipped for these accounts; returns when the last of them counts as an operator's."""
    put(calls, shipped(accounts))
    where = TYPES["ModelPromotion"].path(namespace)
    body = document("ModelPromotion", "in-force", PROMOTION_SPEC | {"requestedBy": accounts[-1]})

    def known() -> bool:
        answer = calls.call(accounts[0], "POST", where, body, query={"dryRun": "All"})
        return "is an operator of Mira" in answer.message

    wait_until(known, timeout=EFFECT, what=f"{accounts[-1]} to be an operator's account")


def fill_names(calls: Calls, *, accounts: Sequence[str], on: bool) -> None:
    """Names filled in or not, by the mutating policies' bindings alone; returns when it is so."""
    objects = filling(accounts)
    bindings = [each for each in objects if each["kind"].endswith("Binding")]
    if on:
        put(calls, objects)
    else:
        delete(calls, *bindings)

    where, body = TYPES["TrainingRun"].path("default"), document("TrainingRun", "in-force", RUN_SPEC)

    def so() -> bool:
        answer = calls.call("admin", "POST", where, body, query={"dryRun": "All"})
        return answer.taken and ("requestedBy" in answer.body["spec"]) is on

    wait_until(so, timeout=EFFECT, what=f"names to be filled in: {on}")


def document(kind: str, name: str, spec: Json, metadata: Json | None = None) -> Json:
    """A whole object of one of Mira's kinds."""
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name, **(metadata or {})}, "spec": spec}
