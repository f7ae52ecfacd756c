"""The words of the table: who there is, what is there before, what is asked. cases.py has the rows.

People: alice and dan hold mira-requester, bob mira-approver, erin both, carol mira-stage-owner. frank may write runs
and stages and change promotions, and holds no verb of Mira's own. `argo` is a service account with every right, as
Argo CD's default role gives it. Everything happens in the namespace policies-closed, whose administrator has not opened
it for automatic promotion, unless a request names another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Json = dict[str, Any]
OPERATOR = "system:serviceaccount:mira-system:mira-operator"
OTHER_OPERATOR = "system:serviceaccount:mira-second:mira-operator"
# An operator that runs outside the cluster; it has the same rights as frank.
OUTSIDE_OPERATOR = "mira-outside"
ARGO = "system:serviceaccount:policies-closed:argo"
NODE, SCHEDULER, ANONYMOUS = "system:node:local", "system:kube-scheduler", "system:anonymous"
CLOSED, FOR_SERVICE_ACCOUNTS, FOR_ALL, MISLABELLED = (
    "policies-closed",
    "policies-service-accounts",
    "policies-all",
    "policies-mislabelled",
)
DIGEST, ANOTHER_DIGEST = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"

RUN, STAGE, PROMOTION = "TrainingRun", "ModelStage", "ModelPromotion"
SPECS: Mapping[str, Json] = {
    RUN: {
        "model": "churn",
        "task": "Classification",
        "data": {"training": {"uri": "s3://team-a-data/churn.parquet"}, "target": "churned"},
    },
    STAGE: {"model": "churn"},
    PROMOTION: {"model": "churn", "stage": "production", "version": "churn-1"},
}


@dataclass(frozen=True)
class Request:
    """One request. `change` is merged into the valid or the existing object, or is the patch itself."""

    how: Literal["create", "replace", "json patch", "merge patch", "apply", "status patch", "status replace"]
    change: Any
    kind: str = ""
    namespace: str = CLOSED
    dry_run: bool = False


@dataclass(frozen=True)
class Given:
    """An object that is there before: who created it, with which spec, what the operator reported, who approved."""

    kind: str
    by: str
    spec: Json = field(default_factory=dict)
    status: Json = field(default_factory=dict)
    approvals: tuple[tuple[str, str], ...] = ()
    namespace: str = CLOSED
    ended: Json = field(default_factory=dict)
    metadata: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One row: the sentence, who does it, the request, a fragment of the refusal (empty: taken), what was there before.

    `then` is a part of the object afterwards.
    """

    name: str
    who: str
    request: Request
    says: str = ""
    given: Given | None = None
    then: Json = field(default_factory=dict)


def create(
    kind: str, *, namespace: str = CLOSED, dry_run: bool = False, metadata: Json | None = None, **spec: Any
) -> Request:
    return Request("create", {"metadata": metadata or {}, "spec": spec}, kind, namespace, dry_run)


def approve(who: str, decision: str = "Approved", digest: str = DIGEST, **more: Any) -> Json:
    return {"approver": who, "decision": decision, "digest": digest, **more}


def add(approval: Json, *, dry_run: bool = False) -> Request:
    """The documented way to approve."""
    return Request("json patch", [{"op": "add", "path": "/spec/approvals/-", "value": approval}], dry_run=dry_run)


def operate(*operations: Json) -> Request:
    return Request("json patch", list(operations))


def merge(**change: Any) -> Request:
    return Request("merge patch", change)


def put(**change: Any) -> Request:
    return Request("replace", change)


def apply(**change: Any) -> Request:
    return Request("apply", change)


def status(**change: Any) -> Request:
    return Request("status patch", {"status": change})


def secret_env(*names: str) -> Json:
    refs = [{"name": f"V{i}", "secretKeyRef": {"name": name, "key": "k"}} for i, name in enumerate(names)]
    return {"env": refs}


def conditions(**statuses: str) -> list[Json]:
    fixed = {"observedGeneration": 1, "lastTransitionTime": "2026-11-25T12:00:00Z", "reason": "Any", "message": "Any."}
    return [{"type": kind, "status": value, **fixed} for kind, value in statuses.items()]


ASKED = Given(PROMOTION, "alice", {"requestedBy": "alice"})
VERIFIED = replace(ASKED, status={"digest": DIGEST, "conditions": conditions(VersionVerified="True", Finished="False")})
ROLLBACK = replace(VERIFIED, by="carol", spec={"requestedBy": "carol", "action": "RollBack"})
ASKED_BY_ERIN = replace(VERIFIED, by="erin", spec={"requestedBy": "erin"})
APPROVED = replace(VERIFIED, approvals=(("bob", "Approved"),))
BOTH_APPROVED = replace(VERIFIED, approvals=(("bob", "Approved"), ("erin", "Approved")))
ENDED = replace(APPROVED, ended={"conditions": conditions(VersionVerified="True", Finished="True")})
TRAINING = Given(
    RUN, "alice", {"parameters": {"a": 1}, "search": {"trials": 2, "metric": "f1", "space": {"a": [1, 2]}}}
)
OWNED = Given(STAGE, "carol")
PROMOTING = Given(
    RUN,
    "alice",
    {
        "requestedBy": "alice",
        "promotion": {"stage": "production"},
        "job": {"serviceAccountName": "gpu", **secret_env(*["mine"] * 16)},
    },
)
CHOSEN = Given(STAGE, "carol", {"version": "churn-1", "requestedBy": "carol"})
AUTOMATIC = {"mode": "Automatic"}
AUTOMATIC_FOR_ALL = {"mode": "Automatic", "automaticFor": "All"}
TO_PRODUCTION = {"stage": "production"}
OURS, KOPFS, KOPFS_OTHER = "mira.constellation.dev/x", "kopf.zalando.org/x", "kopf.dev/x"
FOUR_EYES = "the requester of a ModelPromotion cannot approve it: ask somebody else who holds the verb approve"
