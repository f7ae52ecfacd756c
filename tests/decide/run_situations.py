"""What may be seen of a TrainingRun before it ends, and what follows."""

from typing import Any

from mira.decide.run_plan import Seen
from tests.decide.runs import (
    SECOND_POD_UID,
    a_job,
    a_pod,
    a_run,
    at_step,
    running,
    seen_of,
    terminated,
    unschedulable,
    waiting,
)

RUN = a_run()
QUEUED = a_run(job={"queueName": "team-a"})
PROMOTING = a_run(promotion={"stage": "production"})
KNOWN_JOB = {"job": {"name": "v1-0a1b2c3d", "uid": "uid-of-the-job"}}
RAN = {"conditions": [{"type": "Reconciling", "status": "True", "observedGeneration": 1, "reason": "Running",
                       "lastTransitionTime": "2026-11-25T11:05:00Z", "message": "m"}]}  # fmt: skip
TRAINED = {"conditions": [{**RAN["conditions"][0], "reason": "Training", "message": "as it was told"}]}
RETRIED = {"conditions": [{**RAN["conditions"][0], "reason": "Retrying", "message": "as it was told"}]}
FOREIGN = a_job(a_run(uid="ffffffff-1111-4222-8333-444455556666"))


HASH = "sha256:" + "5" * 64
Case = tuple[Seen, str, str, str]
"""What is seen, the effect's name, the reason, and what the message has in it."""


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


NO_POD = (
    "Job v1-0a1b2c3d has no pod: the cluster probably refuses it, for want of service account mira-trainer in "
    "namespace team-a, by a quota, a limit range or Pod Security; the Events of the Job say which: "
    "kubectl describe job v1-0a1b2c3d --namespace team-a"
)
IN_QUEUE = (
    "waiting for Kueue to admit it to queue team-a; if it waits for ever, look whether there is such a queue and what "
    "it says: kubectl describe localqueue team-a --namespace team-a"
)
UNDER_WAY: dict[str, Case] = {
    "nothing yet": (seen_of(RUN), "CreateJob", "Starting", ""),
    "nothing yet, and a queue": (seen_of(QUEUED), "CreateJob", "Starting", ""),
    "nothing yet, suspended": (seen_of(a_run(suspend=True)), "", "Suspended", "set it to false to start"),
    "its Job, just made": (
        seen_of(RUN, job=a_job(RUN)),
        "",
        "Starting",
        "Job v1-0a1b2c3d was created; waiting for its pod",
    ),
    "its Job, and no pod although one should be there": (
        seen_of(RUN, job=a_job(RUN), is_slow=True),
        "",
        "Starting",
        NO_POD,
    ),
    "its Job, and no pod as another account": (
        seen_of(
            a_run(job={"serviceAccountName": "gpu"}),
            job=a_job(a_run(job={"serviceAccountName": "gpu"})),
            is_slow=True,
        ),
        "",
        "Starting",
        "for want of service account gpu in namespace team-a",
    ),
    "its Job, and a pod that is about to be told of": (
        seen_of(RUN, job=a_job(RUN, active=1), is_slow=True),
        "",
        "Starting",
        "waiting for its pod",
    ),
    "its Job with a pod that runs": (
        seen_of(RUN, job=a_job(RUN, active=1, ready=1)),
        "",
        "Running",
        "Job v1-0a1b2c3d is training",
    ),
    "a pod that says that it trains": (
        seen_of(RUN, job=a_job(RUN, active=1, ready=1), progress=at_step("train", 3, "1,000 rows of 21 columns")),
        "",
        "Training",
        "Job v1-0a1b2c3d is at step train: 1,000 rows of 21 columns",
    ),
    "a pod that has said that it trains, and S3 says nothing now": (
        seen_of(a_run(status=TRAINED), job=a_job(RUN, active=1, ready=1)),
        "",
        "Training",
        "as it was told",
    ),
    "a pod that said that it trains and was followed by another one that says nothing yet": (
        seen_of(a_run(status=RETRIED), job=a_job(RUN, active=1, ready=1, failed=1)),
        "",
        "Running",
        "is training",
    ),
    "a pod that failed and the next one starting": (
        seen_of(RUN, job=a_job(RUN, active=1, failed=1)),
        "",
        "Retrying",
        "1 of the Job's pods failed; another one is starting",
    ),
    "a pod that failed and the next one running": (
        seen_of(RUN, job=a_job(RUN, active=1, failed=1, ready=1)),
        "",
        "Running",
        "",
    ),
    "a pod that ended before its Job did": (seen_of(a_run(status=RAN), job=a_job(RUN)), "", "Running", "is training"),
    "a pod that cannot be scheduled": (
        seen_of(RUN, job=a_job(RUN, active=1), pods=(a_pod(**unschedulable()),)),
        "",
        "Starting",
        "Unschedulable: 0/3 nodes",
    ),
    "a pod whose image is not found": (
        seen_of(RUN, job=a_job(RUN, active=1), pods=(a_pod(**waiting("ImagePullBackOff", "no such tag")),)),
        "",
        "Starting",
        "ImagePullBackOff: no such tag",
    ),
    "an earlier pod that was killed and the next one running": (
        seen_of(
            RUN,
            job=a_job(RUN, active=1, ready=1, failed=1),
            pods=(a_pod(**terminated(137, "OOMKilled")), a_pod(SECOND_POD_UID, minute=5, **running())),
        ),
        "",
        "Running",
        "is training",
    ),
    "a Job of that name that is somebody else's": (
        seen_of(RUN, job=FOREIGN),
        "",
        "JobNameTaken",
        "Job v1-0a1b2c3d exists and does not belong to this run",
    ),
    "its Job suspended by somebody": (seen_of(RUN, job=a_job(RUN, suspended=True)), "SuspendJob", "Starting", ""),
    "its Job running and the run suspended": (
        seen_of(a_run(suspend=True), job=a_job(RUN, active=1, ready=1)),
        "SuspendJob",
        "Suspended",
        "the Job is suspended and its pod ended; set it to false to start the training anew",
    ),
    "its Job suspended and the run too": (
        seen_of(a_run(suspend=True), job=a_job(RUN, suspended=True)),
        "",
        "Suspended",
        "",
    ),
    "its Job waiting in the queue": (
        seen_of(QUEUED, job=a_job(QUEUED)),
        "",
        "Queued",
        IN_QUEUE,
    ),
    "its Job admitted by the queue": (
        seen_of(QUEUED, job=a_job(QUEUED, suspended=False, active=1, ready=1)),
        "",
        "Running",
        "",
    ),
    "its Job admitted, and the run suspended": (
        seen_of(
            a_run(suspend=True, job={"queueName": "team-a"}), job=a_job(QUEUED, suspended=False, active=1, ready=1)
        ),
        "",
        "Running",
        "",
    ),
}

REFUSED: dict[str, Case] = {
    "an image from elsewhere": (
        seen_of(a_run(image="evil.example.com/x@sha256:" + "b" * 64)),
        "",
        "ImageNotAllowed",
        "spec.image: evil.example.com/x@sha256:"
        + "b" * 64
        + " is not allowed; images must begin with registry.example.com/",
    ),
    "a runtime that is not there yet": (
        seen_of(a_run(job={"runtime": "ECS"})),
        "",
        "NotSupported",
        "spec.job.runtime: ECS is not supported yet; use Kubernetes",
    ),
    "parameters of 300 KiB": (
        seen_of(a_run(parameters={"a": "x" * 300_000})),
        "",
        "OrderTooLarge",
        "bytes, at most 204800 are allowed; the largest field is spec.parameters with 3000",
    ),
    "a search space of 300 KiB": (
        seen_of(a_run(search={"metric": "f1", "trials": 2, "space": {"a": ["x" * 300_000]}})),
        "",
        "OrderTooLarge",
        "the largest field is spec.search with 3000",
    ),
    "parameters that no image could read": (
        Seen(a_run(parameters={"a": deep(25)}), HASH),
        "",
        "ParametersNotCanonical",
        "spec.parameters or spec.search.space: nested deeper",
    ),
    "parameters that nobody could even write": (
        Seen(a_run(parameters={"a": deep(300)}), HASH),
        "",
        "ParametersNotCanonical",
        "spec.parameters or spec.search.space: ",
    ),
    "parameters with a number that would not arrive": (
        seen_of(a_run(parameters={"a": 2**60})),
        "",
        "ParametersNotCanonical",
        "spec.parameters or spec.search.space: ",
    ),
    "parameters that cannot be hashed": (
        Seen(RUN, None, "9007199254740993 exceeds"),
        "",
        "ParametersNotCanonical",
        "spec.parameters or spec.search.space: 9007199254740993 exceeds",
    ),
}
