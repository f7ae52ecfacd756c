"""Histories of calls by chance: few objects of every kind, so that the calls meet."""

from random import Random
from typing import Any, NamedTuple

from mira.api.meta import API_VERSION

Json = dict[str, Any]
HELD = ["example.com/held"]
LABELS = "team=a"
FIRST, SECOND = "2026-11-25T12:00:00Z", "2026-11-25T12:30:00Z"
CONDITION = {"type": "Ready", "status": "False", "observedGeneration": 1, "lastTransitionTime": FIRST}
SAID = CONDITION | {"reason": "Running", "message": "Job a is training"}
GOLDEN = "sha256:" + "a" * 64

RUN = {
    "model": "churn",
    "task": "Classification",
    "requestedBy": "alice",
    "data": {"training": {"uri": "s3://b-1/a.csv"}, "target": "y"},
}
PROMOTION = {"model": "churn", "stage": "production", "version": "churn-1", "requestedBy": "alice"}
APPROVAL = {"approver": "bob", "decision": "Approved", "digest": GOLDEN}
CONTAINER = {"name": "train", "image": f"local.example.com/x@{GOLDEN}", "env": [{"name": "A", "value": "1"}]}
# Managed by nobody: the Job controller keeps its hands off, and only what is stored is compared.
JOB = {
    "suspend": True,
    "managedBy": "example.com/nobody",
    "template": {"metadata": {"labels": {"team": "a"}}, "spec": {"restartPolicy": "Never", "containers": [CONTAINER]}},
}
POD_FAILURES = {
    "rules": [
        {"action": "FailJob", "onExitCodes": {"containerName": "train", "operator": "In", "values": [64]}},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
    ]
}
EVENT: Json = {
    "involvedObject": {"apiVersion": API_VERSION, "kind": "TrainingRun", "name": "a"},
    "type": "Normal",
    "reason": "Running",
    "message": "Job a is training",
    "firstTimestamp": FIRST,
    "lastTimestamp": FIRST,
    "count": 1,
    "source": {"component": "mira-operator"},
    "reportingComponent": "mira-operator",
}

LEASE = {"holderIdentity": "one", "leaseDurationSeconds": 15, "renewTime": "2026-11-25T12:00:00.000000Z"}

# By kind: the names of its objects, what is created, and what patches of the object and of its status say.
NAMES = {"ModelStage": ("churn.production", "churn.staging")}
SPECS: dict[str, list[Json]] = {
    "TrainingRun": [
        RUN,
        RUN | {"job": {}, "seed": None, "unknown": 1, "parameters": {"C": "0.5", "deep": {"er": [1, None]}}},
        RUN | {"suspend": True, "job": {"env": [{"name": "A", "value": "1", "unknown": 2}], "backoffLimit": 0}},
        RUN | {"seed": 7},
    ],
    "ModelPromotion": [
        PROMOTION,
        PROMOTION | {"action": "RollBack", "approvals": None},
        PROMOTION | {"digest": GOLDEN},
    ],
    "ModelStage": [
        {},
        {"approvalPolicy": {"mode": None, "validSeconds": 3600}, "rollbackPolicy": None, "requires": {"stage": "dev"}},
        {"gates": [{"metric": "roc_auc", "minimum": "0.5"}], "refresh": [], "unknown": {"a": 1}},
        {"freezeWindows": [{"schedule": "0 18 * * 5", "durationSeconds": 3600}], "onRefreshFailure": "Hold"},
    ],
    "Job": [
        JOB,
        JOB | {"backoffLimit": 2, "activeDeadlineSeconds": 60, "ttlSecondsAfterFinished": 3600},
        JOB | {"podFailurePolicy": POD_FAILURES, "suspend": False},
    ],
    "Lease": [LEASE, LEASE | {"leaseTransitions": 0, "acquireTime": LEASE["renewTime"]}],
}
ANY_PATCH: list[Json] = [
    {},
    {"metadata": {"labels": {"team": "a"}}},
    {"metadata": {"labels": {"team": "b", "more": "c"}}},
    {"metadata": {"labels": None}},
    {"metadata": {"annotations": {"note": "x"}}},
    {"metadata": {"annotations": {"note": None}}},
    {"metadata": {"generation": 77, "creationTimestamp": None, "unknown": 1}},
    {"metadata": {"finalizers": HELD}},
    {"metadata": {"finalizers": [*HELD, "example.com/another"]}},
    {"metadata": {"finalizers": [*HELD, "example.com/another"]}},
    *[{"metadata": {"finalizers": None}}] * 5,
    {"metadata": {"uid": "00000000-0000-4000-8000-000000000000"}},
    {"metadata": {"name": "other"}},
    {"status": {"conditions": [SAID]}, "unknown": 1},
]
PATCHES: dict[str, list[Json]] = {
    "TrainingRun": [{"spec": {"suspend": True}}, {"spec": {"suspend": False}}, {"spec": {"suspend": None, "other": 1}}],
    "ModelPromotion": [
        {"spec": {"approvals": [APPROVAL]}},
        {"spec": {"approvals": []}},
        {"spec": {"approvals": None}},
        {"spec": {"approvals": [APPROVAL | {"comment": "fine", "unknown": 1}]}},
    ],
    "ModelStage": [
        {"spec": {"approvalPolicy": {"requiredApprovals": 2}}},
        {"spec": {"approvalPolicy": None, "version": "churn-1"}},
        {"spec": {"gates": [{"metric": "roc_auc", "maxRegression": "0.1", "slice": None}], "version": None}},
        {"spec": {"requires": {"stage": "dev", "soakSeconds": 60}}},
    ],
    "Job": [
        {"spec": {"suspend": False}},
        {"spec": {"suspend": True}},
        {"spec": {"backoffLimit": 3, "activeDeadlineSeconds": 90}},
        {"spec": {"activeDeadlineSeconds": None}},
    ],
    "Lease": [
        {"spec": {"holderIdentity": ""}},
        {"spec": {"holderIdentity": "two", "leaseTransitions": 1}},
        {"spec": {"renewTime": "2026-11-25T12:00:05.123456Z"}},
        {"spec": {"holderIdentity": None}, "status": {"unknown": 1}},
    ],
    "Event": [{"message": "another"}, {"count": 2, "lastTimestamp": SECOND}, {"count": 2, "unknown": 1}],
}
STATUS_PATCHES: list[Json] = [
    {},
    {"status": {}},
    {"status": None},
    {"status": {"conditions": [SAID]}},
    {"status": {"conditions": [SAID, SAID | {"type": "Finished", "unknown": 1}]}},
    {"status": {"conditions": None}},
    {"status": {"observedGeneration": 1, "unknown": 1}},
    {"status": {"observedGeneration": 2, "conditions": []}},
]
MIRAS_STATUS_PATCHES: list[Json] = [
    {"metadata": {"labels": {"team": "a"}}, "spec": {"suspend": True}, "status": {"observedGeneration": 3}},
    {"metadata": {"finalizers": None}},
]
JOB_STATUS_PATCHES: list[Json] = [
    {},
    {"status": {"active": 1, "ready": 0, "startTime": FIRST}},
    {"status": {"active": None, "failed": 1}},
    {"metadata": {"labels": {"team": "a"}}, "spec": {"backoffLimit": 4}, "status": {"ready": 0, "terminating": 1}},
]
VERSIONS = {"Job": "batch/v1", "Lease": "coordination.k8s.io/v1", "Event": "v1"}
KINDS = ("TrainingRun", "TrainingRun", "ModelPromotion", "ModelStage", "Event", "Job", "Lease")
VERBS = ("create",) * 5 + ("patch",) * 7 + ("patch_status",) * 6 + ("delete",) * 2 + ("get", "list", "dry_run")


class Call(NamedTuple):
    """One call, and what goes with it.

    `version` is the resourceVersion of a patch (none, latest or old), old for the deletion of another uid, nowhere for
    a namespace that does not exist.
    """

    verb: str
    kind: str
    name: str
    body: Json
    version: str = "none"


def calls(random: Random, count: int) -> list[Call]:
    """So many calls by chance, on the few objects of one or two kinds, so that they meet."""
    kinds = random.choices(KINDS, k=2)
    first = [Call("create", kind, name, _created(random, kind, name)) for kind in kinds for name in _names(kind)]
    return first + [_call(random, random.choice(kinds)) for _ in range(count - len(first))]


def _names(kind: str) -> tuple[str, str]:
    return NAMES.get(kind, ("a", "b"))


def _call(random: Random, kind: str) -> Call:
    verb, name = random.choice(VERBS), random.choice(_names(kind))
    if verb in ("create", "dry_run"):
        return Call(verb, kind, name, _created(random, kind, name), random.choice(("none",) * 9 + ("nowhere",)))
    if verb == "patch":
        body = random.choice(random.choice((ANY_PATCH, PATCHES[kind])))
        return Call(verb, kind, name, body, _version(random))
    if verb == "patch_status":
        others = JOB_STATUS_PATCHES if kind == "Job" else STATUS_PATCHES + MIRAS_STATUS_PATCHES
        return Call(verb, kind, name, random.choice(others), _version(random))
    return Call(verb, kind, name, {}, random.choice(("none", "none", "none", "old")) if verb == "delete" else "none")


def _version(random: Random) -> str:
    return random.choice(("none", "latest", "latest", "old"))


def _created(random: Random, kind: str, name: str) -> Json:
    """A body to create: always valid, with what the API server takes away and fills in."""
    metadata: Json = {"name": name}
    if random.random() < 0.5:
        metadata |= {"labels": random.choice(({}, {"team": "a"}, {"team": "b"})), "annotations": {"note": "y"}}
    if random.random() < 0.5:
        metadata |= {"finalizers": HELD}
    if random.random() < 0.2:
        metadata |= {"uid": "mine", "generation": 9, "creationTimestamp": FIRST, "unknown": 1}
    if kind == "Event":
        return {"apiVersion": VERSIONS[kind], "kind": kind, "metadata": metadata, **EVENT}
    spec = random.choice(SPECS[kind])
    if kind == "ModelStage":
        model, _, stage = name.partition(".")
        spec = {"model": model, "stage": stage} | spec
    status = {"status": {"observedGeneration": 5}} if kind not in VERSIONS and random.random() < 0.3 else {}
    return {"apiVersion": VERSIONS.get(kind, API_VERSION), "kind": kind, "metadata": metadata, "spec": spec, **status}
