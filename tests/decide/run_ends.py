"""How a TrainingRun may be seen to end, and what is said of it."""

from typing import Any

from mira.decide.run_plan import Published
from mira.decide.run_promotion import promotion_of
from mira.registry.outcome import Result
from tests.decide.run_situations import KNOWN_JOB, PROMOTING, RUN, Case
from tests.decide.runs import (
    SECOND_POD_UID,
    a_job,
    a_pod,
    a_run,
    an_outcome,
    ended,
    published,
    seen_of,
    terminated,
    unschedulable,
)


def promotion_stored(**spec: Any) -> dict[str, Any]:
    body = promotion_of(PROMOTING)
    assert body is not None
    return body | {"spec": body["spec"] | {"approvals": [], "action": "Promote"} | spec}


FAILED = ended("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
LATE = ended("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
ENDED: dict[str, Case] = {
    "its version": (seen_of(RUN, published=published(RUN)), "", "Succeeded", ""),
    "its version, and its Job failed afterwards": (
        seen_of(RUN, published=published(RUN), job=a_job(RUN, **FAILED)),
        "",
        "Succeeded",
        "",
    ),
    "its version, and its Job gone": (
        seen_of(a_run(status=KNOWN_JOB), published=published(RUN)),
        "",
        "Succeeded",
        "",
    ),
    "the same wish, fulfilled by an earlier run": (
        seen_of(RUN, published=published(RUN, uid="other")),
        "",
        "Adopted",
        "",
    ),
    "the name taken by another wish": (
        seen_of(RUN, published=published(RUN, uid="other", hash_="sha256:" + "9" * 64)),
        "",
        "VersionExists",
        "version v1 of model churn exists, made by run maker from another spec; use another name, or set spec.version",
    ),
    "the name taken by something unreadable": (
        seen_of(RUN, published=Published("sha256:" + "1" * 64, None, "not JSON")),
        "",
        "VersionExists",
        "the version exists and cannot be read (not JSON); use another name",
    ),
    "its version, to be promoted": (
        seen_of(PROMOTING, published=published(PROMOTING)),
        "CreatePromotion",
        "Succeeded",
        "",
    ),
    "its version, and its promotion": (
        seen_of(PROMOTING, published=published(PROMOTING), promotion=promotion_stored()),
        "",
        "Succeeded",
        "",
    ),
    "its version, and its promotion with approvals already": (
        seen_of(PROMOTING, published=published(PROMOTING), promotion=promotion_stored(approvals=[{"approver": "bob"}])),
        "",
        "Succeeded",
        "",
    ),
    "its version, and a promotion of that name for another version": (
        seen_of(PROMOTING, published=published(PROMOTING), promotion=promotion_stored(version="v0")),
        "",
        "Succeeded",
        "ModelPromotion v1.production exists and asks for something else",
    ),
    "its version, and a rollback of that name": (
        seen_of(PROMOTING, published=published(PROMOTING), promotion=promotion_stored(action="RollBack")),
        "",
        "Succeeded",
        "exists and asks for something else",
    ),
    "its version, and somebody else's promotion of that name": (
        seen_of(PROMOTING, published=published(PROMOTING), promotion=promotion_stored(requestedBy="mallory")),
        "",
        "Succeeded",
        "exists and asks for something else",
    ),
    "its version, and a promotion that was made and is gone": (
        seen_of(
            a_run(
                promotion={"stage": "production"},
                status={"promotion": {"name": "v1.production", "createdAt": "2026-11-25T12:00:00Z"}},
            ),
            published=published(PROMOTING),
        ),
        "",
        "Succeeded",
        "",
    ),
    "an adopted version, to be promoted": (
        seen_of(PROMOTING, published=published(PROMOTING, uid="other")),
        "CreatePromotion",
        "Adopted",
        "",
    ),
    "its Job gone": (
        seen_of(a_run(status=KNOWN_JOB)),
        "",
        "JobLost",
        "Job v1-0a1b2c3d is gone and left no outcome; to train again, create a run under another name",
    ),
    "its Job gone, and an outcome": (
        seen_of(a_run(status=KNOWN_JOB), outcomes=(an_outcome(),)),
        "",
        "ColumnsMissing",
        "data.training",
    ),
    "its Job deleted, and its pod told to stop by that": (
        seen_of(
            a_run(status=KNOWN_JOB),
            outcomes=(an_outcome(result=Result.INTERRUPTED, reason="x", message="the pod was told to stop (SIGTERM)"),),
        ),
        "",
        "Interrupted",
        "Job v1-0a1b2c3d is gone: the pod was told to stop (SIGTERM); to train again, create a run under another name",
    ),
    "an outcome of its own and no Job ever known": (seen_of(RUN, outcomes=(an_outcome(),)), "", "ColumnsMissing", ""),
    "its Job complete, without a version": (
        seen_of(RUN, job=a_job(RUN, succeeded=1, **ended("Complete", "CompletionsReached"))),
        "",
        "Unexpected",
        "the Job completed, but published no manifest; see its logs",
    ),
    "its Job about to fail": (
        seen_of(RUN, job=a_job(RUN, failed=1, conditions=FAILED["conditions"][:1])),
        "",
        "Retrying",
        "",
    ),
    "its Job failed, with an outcome": (
        seen_of(RUN, job=a_job(RUN, failed=1, **FAILED), pods=(a_pod(**terminated(64)),), outcomes=(an_outcome(),)),
        "",
        "ColumnsMissing",
        "data.training: column 'churned' is missing",
    ),
    "its Job failed, and every pod told": (
        seen_of(
            RUN,
            job=a_job(RUN, failed=2, **FAILED),
            pods=(a_pod(**terminated(1)), a_pod(SECOND_POD_UID, minute=5, **terminated(1))),
            outcomes=(an_outcome(), an_outcome(SECOND_POD_UID, reason="CodeFailed", message="second")),
        ),
        "",
        "CodeFailed",
        "second",
    ),
    "its Job failed, and the last pod was killed without a word": (
        seen_of(
            RUN,
            job=a_job(RUN, failed=2, **FAILED),
            pods=(a_pod(**terminated(1)), a_pod(SECOND_POD_UID, minute=5, **terminated(137, "OOMKilled"))),
            outcomes=(an_outcome(reason="CodeFailed"),),
        ),
        "",
        "OutOfMemory",
        "raise job.resources.limits.memory",
    ),
    "its Job failed, and the pods are gone": (
        seen_of(RUN, job=a_job(RUN, failed=2, **FAILED), outcomes=(an_outcome(reason="CodeFailed"),)),
        "",
        "CodeFailed",
        "",
    ),
    "its Job failed, without a word": (
        seen_of(RUN, job=a_job(RUN, failed=3, **FAILED)),
        "",
        "Failed",
        "the Job failed: Job has reached the specified backoff limit",
    ),
    "its Job failed, its pod out of memory": (
        seen_of(RUN, job=a_job(RUN, failed=1, **FAILED), pods=(a_pod(**terminated(137, "OOMKilled")),)),
        "",
        "OutOfMemory",
        "",
    ),
    "its Job failed, its pod evicted": (
        seen_of(
            RUN,
            job=a_job(RUN, failed=1, **FAILED),
            pods=(a_pod(phase="Failed", reason="Evicted", message="low on memory"),),
        ),
        "",
        "Evicted",
        "the node evicted the pod: low on memory",
    ),
    "its Job failed, its pod ended with a code": (
        seen_of(RUN, job=a_job(RUN, failed=1, **FAILED), pods=(a_pod(**terminated(3)),)),
        "",
        "Failed",
        "the container ended with exit code 3; see its logs",
    ),
    "its Job failed, its pod interrupted": (
        seen_of(
            RUN,
            job=a_job(RUN, failed=1, **FAILED),
            outcomes=(an_outcome(result=Result.INTERRUPTED, reason="x", message="SIGTERM"),),
        ),
        "",
        "Interrupted",
        "SIGTERM",
    ),
    "its Job failed, for a reason of a newer image": (
        seen_of(RUN, job=a_job(RUN, failed=1, **FAILED), outcomes=(an_outcome(reason="OfTheFuture"),)),
        "",
        "Failed",
        "OfTheFuture: data",
    ),
    "its Job failed, and its image lies that it succeeded": (
        seen_of(RUN, job=a_job(RUN, failed=1, **FAILED), outcomes=(an_outcome(reason="Succeeded"),)),
        "",
        "Failed",
        "Succeeded: data",
    ),
    "its Job failed, and its image gives another kind's reason": (
        seen_of(RUN, job=a_job(RUN, failed=1, **FAILED), outcomes=(an_outcome(reason="Promoted"),)),
        "",
        "Failed",
        "Promoted: data",
    ),
    "its Job failed, and its image says it succeeded without a version": (
        seen_of(
            RUN, job=a_job(RUN, failed=1, **FAILED), outcomes=(an_outcome(result=Result.SUCCEEDED, reason="Succeeded"),)
        ),
        "",
        "Unexpected",
        "published no manifest",
    ),
    "its Job too late": (
        seen_of(RUN, job=a_job(RUN, **LATE)),
        "",
        "DeadlineExceeded",
        "the Job ran longer than job.activeDeadlineSeconds (86400 s)",
    ),
    "its Job too late, without any pod": (
        seen_of(RUN, job=a_job(RUN, **LATE)),
        "",
        "DeadlineExceeded",
        "(86400 s): Job v1-0a1b2c3d has no pod: the cluster probably refuses it",
    ),
    "its Job too late, never scheduled": (
        seen_of(RUN, job=a_job(RUN, **LATE), pods=(a_pod(**unschedulable()),)),
        "",
        "DeadlineExceeded",
        "(86400 s): Unschedulable: 0/3",
    ),
    "its Job too late, after a failure that told its outcome": (
        seen_of(RUN, job=a_job(RUN, failed=1, **LATE), outcomes=(an_outcome(),)),
        "",
        "DeadlineExceeded",
        "",
    ),
}
