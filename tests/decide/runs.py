"""TrainingRuns, and their Jobs and pods as a real cluster shows them."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from mira.api.identity import spec_hash
from mira.api.trainingrun import TrainingRun
from mira.decide.approvals import Proof
from mira.decide.job import Platform, build_job, build_order, job_name
from mira.decide.run_plan import CreateJob, CreatePromotion, Effect, Published, Seen, SuspendJob
from mira.decide.run_promotion import promotion_of
from mira.registry.document import digest
from mira.registry.manifest import Direction, Metric, Run, Source
from mira.registry.outcome import FailedCheck, Outcome, Result
from mira.registry.progress import Progress, Step
from tests.registry.examples import a_manifest

NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
UID, POD_UID, SECOND_POD_UID = "0a1b2c3d-1111-4222-8333-444455556666", "4e5f6071-x", "5f607182-x"
IMAGE = "registry.example.com/mira/training@sha256:" + "a" * 64
PLATFORM = Platform(registry="s3://mira/registry", default_image=IMAGE, allowed_images=("registry.example.com/",))
PROVEN = Proof(since=NOW - timedelta(days=30))
SPEC: dict[str, Any] = {
    "model": "churn",
    "task": "Classification",
    "data": {"training": {"uri": "s3://team-a-data/churn.csv"}, "target": "churned"},
    "requestedBy": "alice",
}


def a_run(name: str = "v1", *, uid: str = UID, status: dict[str, Any] | None = None, **spec: Any) -> TrainingRun:
    return TrainingRun.model_validate(
        {
            "apiVersion": "mira.constellation.dev/v1alpha1",
            "kind": "TrainingRun",
            "metadata": {
                "name": name,
                "namespace": "team-a",
                "uid": uid,
                "generation": 1,
                "resourceVersion": "7",
                "creationTimestamp": "2026-11-25T11:00:00Z",
            },
            "spec": SPEC | spec,
            "status": status or {},
        }
    )


def seen_of(run: TrainingRun, **seen: Any) -> Seen:
    proof = {"proof": PROVEN} | seen
    return Seen(run=run, spec_hash=spec_hash(run.spec.wire()), **proof)


def a_job(run: TrainingRun, *, suspended: bool | None = None, **status: Any) -> dict[str, Any]:
    """The run's Job as the API server gives it back."""
    job = build_job(run, build_order(run, spec_hash(run.spec.wire()), PLATFORM), PLATFORM)
    job["metadata"] |= {"uid": "uid-of-the-job", "resourceVersion": "9", "creationTimestamp": "2026-11-25T11:00:01Z"}
    job["spec"] |= {"completions": 1, "parallelism": 1, "completionMode": "NonIndexed"}
    if suspended is not None:
        job["spec"]["suspend"] = suspended
    job["status"] = {"startTime": "2026-11-25T11:00:01Z"} | status
    return job


def ended(kind: str, reason: str, message: str = "m") -> dict[str, Any]:
    """A Job's status once it has ended: the condition that announces the end, and the one that is it."""
    announced = "SuccessCriteriaMet" if kind == "Complete" else "FailureTarget"
    made = {"status": "True", "reason": reason, "message": message, "lastTransitionTime": "2026-11-25T11:30:00Z"}
    return {"conditions": [{"type": announced} | made, {"type": kind} | made]}


def a_pod(uid: str = POD_UID, *, minute: int = 1, **status: Any) -> dict[str, Any]:
    made = f"2026-11-25T11:{minute:02d}:00Z"
    return {"metadata": {"name": f"v1-{uid[:4]}", "uid": uid, "creationTimestamp": made}, "status": status}


def terminated(code: int, reason: str = "Error") -> dict[str, Any]:
    state = {"terminated": {"exitCode": code, "reason": reason, "finishedAt": "2026-11-25T11:10:00Z"}}
    return {
        "phase": "Failed" if code else "Succeeded",
        "containerStatuses": [{"name": "train", "ready": False, "restartCount": 0, "state": state, "lastState": {}}],
    }


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    state = {"waiting": {"reason": reason} | ({"message": message} if message else {})}
    return {"phase": "Pending", "containerStatuses": [{"name": "train", "ready": False, "state": state}]}


def running() -> dict[str, Any]:
    state = {"running": {"startedAt": "2026-11-25T11:01:05Z"}}
    return {"phase": "Running", "containerStatuses": [{"name": "train", "ready": True, "state": state}]}


def unschedulable(message: str = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.") -> dict[str, Any]:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return {"phase": "Pending", "conditions": [condition]}


def an_outcome(pod_uid: str = POD_UID, **fields: Any) -> Outcome:
    given: dict[str, Any] = {
        "attempt": f"{UID[:8]}-{pod_uid[:8]}",
        "result": Result.FAILED,
        "reason": "ColumnsMissing",
        "message": "data.training: column 'churned' is missing",
        "retryable": False,
        "step": "validate",
        "failed_checks": [FailedCheck(check="required", column="churned", message="is missing")],
        "started_at": NOW,
        "finished_at": NOW + timedelta(minutes=int(pod_uid[0])),
    }
    return Outcome(**given | fields)


def at_step(step: str, number: int, message: str = "") -> Progress:
    attempt = f"{UID[:8]}-{POD_UID[:8]}"
    return Progress(attempt=attempt, number=number, step=Step(step), message=message, begun_at=NOW)


def published(run: TrainingRun, *, uid: str = "", hash_: str = "", **fields: Any) -> Published:
    """The version of this run, made by it unless told otherwise."""
    source = Source(name="training", uri="s3://b/k", sha256="0" * 64, size=1, rows=2, version_id="3")
    made_by = Run(name="maker", uid=uid or run.metadata.uid, spec_hash=hash_ or spec_hash(run.spec.wire()))
    metrics = [Metric(name="roc_auc", value="0.8", direction=Direction.HIGHER), Metric(name="f1", value="0.5")]
    given = {"version": run.spec.version or run.metadata.name, "run": made_by, "sources": [source], "metrics": metrics}
    manifest = a_manifest(**given | fields)
    return Published(digest(manifest.render()), manifest)


def after(seen: Seen, effect: Effect) -> Seen:
    """What is seen once the effect is carried out, as the operator sees it."""
    match effect:
        case CreateJob(body):
            return replace(
                seen, job=deepcopy(body) | {"metadata": body["metadata"] | {"uid": "uid-of-the-job"}, "status": {}}
            )
        case SuspendJob(name, suspend):
            assert name == job_name(seen.run)
            job = deepcopy(seen.job or {})
            job["spec"]["suspend"] = suspend
            return replace(seen, job=job)
        case CreatePromotion(body):
            assert body == promotion_of(seen.run)
            # The API server fills in defaults.
            stored = body | {"spec": {"action": "Promote", "approvals": []} | body["spec"]}
            return replace(seen, promotion=stored)
