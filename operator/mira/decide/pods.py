"""What a Job's pods tell of a failure that the training image could not tell itself."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mira.api.reasons import Reason

WAITING_PROBLEMS = (
    "ImagePullBackOff",
    "ErrImagePull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
)


class Diagnosis(NamedTuple):
    """Why a pod failed or does not start, with what a run should say to do about it."""

    reason: Reason
    what: str
    advice: str = ""

    @property
    def message(self) -> str:
        """Both in one sentence."""
        return f"{self.what}; {self.advice}" if self.advice else self.what


def diagnose(pods: Sequence[Mapping[str, Any]]) -> Diagnosis | None:
    """What the newest pod that says anything says, None if none does."""
    newest_first = sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")), reverse=True)
    found = (_diagnose(pod.get("status") or {}) for pod in newest_first)
    return next((diagnosis for diagnosis in found if diagnosis is not None), None)


def no_pod(job: Mapping[str, Any]) -> str:
    """What is likely where a Job has no pod, and the command that shows it: the cause is only in the Job's Events."""
    metadata, pod = job.get("metadata") or {}, ((job.get("spec") or {}).get("template") or {}).get("spec") or {}
    return (
        f"Job {metadata.get('name')} has no pod: the cluster probably refuses it, for want of service account "
        f"{pod.get('serviceAccountName')} in namespace {metadata.get('namespace')}, by a quota, a limit range or Pod "
        f"Security; the Events of the Job say which: kubectl describe job {metadata.get('name')} --namespace "
        f"{metadata.get('namespace')}"
    )


def _diagnose(status: Mapping[str, Any]) -> Diagnosis | None:
    return _out_of_memory(status) or _evicted(status) or _not_started(status) or _unschedulable(status) or _exit(status)


def _out_of_memory(status: Mapping[str, Any]) -> Diagnosis | None:
    if any(ended.get("reason") == "OOMKilled" for ended in _terminated(status)):
        return Diagnosis(
            Reason.OUT_OF_MEMORY, "the pod used more memory than its limit", "raise job.resources.limits.memory"
        )
    return None


def _evicted(status: Mapping[str, Any]) -> Diagnosis | None:
    if status.get("reason") == "Evicted":
        return Diagnosis(Reason.EVICTED, f"the node evicted the pod: {status.get('message', 'no message')}"[:1000])
    disrupted = [
        c for c in status.get("conditions") or [] if c.get("type") == "DisruptionTarget" and c.get("status") == "True"
    ]
    if disrupted:
        return Diagnosis(Reason.EVICTED, f"the pod was disrupted: {disrupted[0].get('message', 'no message')}"[:1000])
    return None


def _not_started(status: Mapping[str, Any]) -> Diagnosis | None:
    for container in status.get("containerStatuses") or []:
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in WAITING_PROBLEMS:
            return Diagnosis(
                Reason.NEVER_STARTED, f"{waiting['reason']}: {waiting.get('message', 'no message')}"[:1000]
            )
    return None


def _unschedulable(status: Mapping[str, Any]) -> Diagnosis | None:
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return Diagnosis(Reason.NEVER_STARTED, f"{condition.get('reason')}: {condition.get('message')}"[:1000])
    return None


def _exit(status: Mapping[str, Any]) -> Diagnosis | None:
    for ended in _terminated(status):
        if ended.get("exitCode"):
            return Diagnosis(Reason.FAILED, f"the container ended with exit code {ended['exitCode']}; see its logs")
    return None


def _terminated(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    states = ((container.get("state") or {}).get("terminated") for container in status.get("containerStatuses") or [])
    return [ended for ended in states if ended]
