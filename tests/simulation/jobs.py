"""The Job controller and a node for its pods, one write at a time and whenever the simulator says so.

The fields, their order of appearance and the messages are those of a real Job controller (1.37).
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from mira.adapters.cluster import Object
from mira.registry.document import format_time
from tests.simulation.apiserver import ApiServer
from tests.simulation.node import Node, Step, ended
from tests.simulation.pod_failures import judged

TRACKING = "batch.kubernetes.io/job-tracking"
REACHED = ("CompletionsReached", "Reached expected number of succeeded pods")
BACKOFF = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
DEADLINE = ("DeadlineExceeded", "Job was active longer than specified deadline")
FIRST_BACKOFF, LONGEST_BACKOFF = timedelta(seconds=10), timedelta(minutes=10)
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
Json = dict[str, Any]


class _Seen(NamedTuple):
    """A Job and its pods."""

    job: Object
    pods: list[Object]

    @property
    def status(self) -> Json:
        """The Job's status, to be read only."""
        status: Json = self.job.get("status") or {}
        return status

    @property
    def uncounted(self) -> dict[str, list[str]]:
        """The uids of pods that have ended, are told of, and not counted yet."""
        return self.status.get("uncountedTerminatedPods") or {}

    def condition(self, kind: str) -> Json | None:
        """The condition of this type, if it is true."""
        conditions: list[Json] = self.status.get("conditions") or []
        return next((each for each in conditions if each["type"] == kind and each["status"] == "True"), None)

    def active(self) -> list[Object]:
        """The pods that run or will."""
        return [pod for pod in self.pods if not ended(pod) and not _deleting(pod)]

    def terminating(self) -> list[Object]:
        """The pods that are told to end."""
        return [pod for pod in self.pods if not ended(pod) and _deleting(pod)]

    def tracked(self) -> list[Object]:
        """The pods that have ended, for the Job at least, and are not told of."""
        told = {uid for uids in self.uncounted.values() for uid in uids}
        failing = self.condition("FailureTarget") is not None
        over = [pod for pod in self.pods if ended(pod) or (failing and _deleting(pod))]
        return [pod for pod in over if _is_tracked(pod) and pod["metadata"]["uid"] not in told]


class JobController:
    """What happens to Jobs and their pods; `ends` and `starts` are the node's: see there."""

    def __init__(
        self,
        server: ApiServer,
        now: Callable[[], datetime],
        random: Random,
        node: Node,
    ) -> None:
        self._server = server
        self._now = now
        self._random = random
        self._node = node

    def steps(self) -> list[Step]:
        """Everything that may happen now, in a fixed order: at most one thing for each Job and each pod."""
        return [*self._controlled(), *self._node.steps()]

    def step(self) -> str | None:
        """What was done, one of what may happen; None if nothing does."""
        steps = self.steps()
        if not steps:
            return None
        chosen = self._random.choice(steps)
        chosen.act()
        return chosen.what

    def next_due(self) -> datetime | None:
        """When time alone makes something happen: a deadline, a back-off, the end of a finished Job's stay."""
        moments = (moment for seen in self._jobs() for moment in self._moments(seen))
        return min((moment for moment in moments if moment > self._now()), default=None)

    def evict(self, namespace: str, name: str) -> None:
        """Ends a pod as a node under pressure does."""
        self._node.evict(namespace, name)

    # --- which Job, and what next

    def _jobs(self) -> list[_Seen]:
        pods: dict[str, list[Object]] = {}
        for pod in self._server.objects("Pod"):
            pods.setdefault(_owner(pod), []).append(pod)
        return [_Seen(job, pods.get(job["metadata"]["uid"], [])) for job in self._server.objects("Job")]

    def _controlled(self) -> Iterator[Step]:
        jobs = self._jobs()
        for seen in jobs:
            step = self._next(seen)
            if step is not None:
                yield step
        known = {seen.job["metadata"]["uid"] for seen in jobs}
        for pod in self._server.objects("Pod"):
            if _is_tracked(pod) and _owner(pod) not in known:
                yield self._untrack(pod)

    def _next(self, seen: _Seen) -> Step | None:
        """The next write for a Job, None if all is as it should be."""
        if _deleting(seen.job):
            return None
        if seen.condition("Complete") or seen.condition("Failed"):
            tracked = [pod for pod in seen.pods if _is_tracked(pod)]
            return self._untrack(tracked[0]) if tracked else self._outstayed(seen)
        if any(seen.uncounted.values()):
            held = [pod for pod in seen.pods if _is_tracked(pod) and pod["metadata"]["uid"] in _all(seen.uncounted)]
            return self._untrack(held[0]) if held else self._write(seen, "counts pods", self._counted)
        target = seen.condition("FailureTarget") or seen.condition("SuccessCriteriaMet")
        if target is not None or seen.job["spec"]["suspend"]:
            return self._winding_down(seen, target)
        return self._going_on(seen)

    def _winding_down(self, seen: _Seen, target: Json | None) -> Step | None:
        """No pod is wanted any more."""
        active = seen.active()
        if active:
            pod = active[0]
            return Step(f"stops {_called(pod)}", lambda: self._stop(pod, untrack=target is None))
        if seen.tracked():
            return self._take_in(seen)
        if target is not None and not seen.terminating():
            return self._write(seen, "ends", self._ended)
        return self._write(seen, "is told of", self._refreshed)

    def _going_on(self, seen: _Seen) -> Step | None:
        if self._is_over(seen):
            return self._write(seen, "exceeds its deadline", self._targeted("FailureTarget", DEADLINE))
        if seen.tracked():
            return self._take_in(seen)
        # podReplacementPolicy Failed: a pod that is still ending is not replaced.
        if not seen.active() and not seen.terminating() and self._backed_off(seen) <= self._now():
            return Step(f"Job {_called(seen.job)} gets a pod", lambda: self._create_pod(seen.job))
        return self._write(seen, "is told of", self._refreshed)

    def _outstayed(self, seen: _Seen) -> Step | None:
        due = self._leaves(seen)
        if due is None or due > self._now():
            return None
        namespace, name, uid = _identity(seen.job)
        return Step(f"Job {namespace}/{name} outstayed", lambda: self._server.delete("Job", namespace, name, uid=uid))

    # --- pods

    def _untrack(self, pod: Object) -> Step:
        def edit(body: Object) -> None:
            body["metadata"]["finalizers"] = [each for each in body["metadata"]["finalizers"] if each != TRACKING]

        namespace, name, _ = _identity(pod)
        return Step(f"untracks {namespace}/{name}", lambda: self._server.change("Pod", namespace, name, edit))

    def _stop(self, pod: Object, *, untrack: bool) -> None:
        namespace, name, uid = _identity(pod)
        if untrack:
            self._untrack(pod).act()
        self._server.delete("Pod", namespace, name, uid=uid)

    def _create_pod(self, job: Object) -> None:
        namespace, name, uid = _identity(job)
        template = job["spec"]["template"]
        owner = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "name": name,
            "uid": uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }
        metadata = template["metadata"] | {
            "name": f"{name}-{''.join(self._random.choices(ALPHABET, k=5))}",
            "namespace": namespace,
            "ownerReferences": [owner],
            "finalizers": [TRACKING],
        }
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        self._server.create("Pod", namespace, body | {"status": {"phase": "Pending"}})

    # --- the Job's status

    def _write(self, seen: _Seen, what: str, make: Callable[[_Seen], Json]) -> Step | None:
        """The step that writes this status, None if that is what it says."""
        status = make(seen)
        if status == seen.status:
            return None
        namespace, name, _ = _identity(seen.job)

        def edit(body: Object) -> None:
            body["status"] = status

        return Step(f"Job {namespace}/{name} {what}", lambda: self._server.change_status("Job", namespace, name, edit))

    def _refreshed(self, seen: _Seen) -> Json:
        """The status with the numbers of pods as they are, and suspended or resumed as the spec says."""
        status = dict(seen.status)
        for field in ("active", "startTime"):
            status.pop(field, None)
        ready = sum(1 for pod in seen.active() if _is_ready(pod))
        status |= {"ready": ready, "terminating": len(seen.terminating())}
        status.setdefault("uncountedTerminatedPods", {})
        if seen.active():
            status["active"] = len(seen.active())
        if not seen.job["spec"]["suspend"]:
            status["startTime"] = seen.status.get("startTime") or format_time(self._now())
        suspended = seen.condition("Suspended")
        if seen.job["spec"]["suspend"] and suspended is None:
            return self._with(status, "Suspended", ("JobSuspended", "Job suspended"))
        if not seen.job["spec"]["suspend"] and suspended is not None:
            return self._with(status, "Suspended", ("JobResumed", "Job resumed"), value="False")
        return status

    def _take_in(self, seen: _Seen) -> Step | None:
        """Tells of the pods that have ended; those that a disruption ended count for nothing."""
        ignored = [pod for pod in seen.tracked() if judged(seen.job, pod).action == "Ignore"]
        if ignored:
            refreshed = self._write(seen, "is told of", self._refreshed)
            return refreshed or self._untrack(ignored[0])
        return self._write(seen, "has pods that ended", self._taken_in)

    def _taken_in(self, seen: _Seen) -> Json:
        status = self._refreshed(seen)
        succeeded = [pod for pod in seen.tracked() if pod["status"]["phase"] == "Succeeded"]
        failed = [pod for pod in seen.tracked() if pod not in succeeded]
        told = {"succeeded": succeeded, "failed": failed}
        status["uncountedTerminatedPods"] = {
            result: sorted(pod["metadata"]["uid"] for pod in pods) for result, pods in told.items() if pods
        }
        if seen.condition("FailureTarget") or seen.condition("SuccessCriteriaMet"):
            return status
        if succeeded:
            return self._with(status, "SuccessCriteriaMet", REACHED)
        fatal = [each.why for each in (judged(seen.job, pod) for pod in failed) if each.action == "FailJob"]
        if fatal:
            return self._with(status, "FailureTarget", ("PodFailurePolicy", fatal[0]))
        if seen.status.get("failed", 0) + len(failed) > seen.job["spec"]["backoffLimit"]:
            return self._with(status, "FailureTarget", BACKOFF)
        return status

    def _counted(self, seen: _Seen) -> Json:
        """The status with the uncounted pods counted; the end itself, if no pod is left."""
        status = self._refreshed(seen)
        for result, uids in seen.uncounted.items():
            status[result] = seen.status.get(result, 0) + len(uids)
        status["uncountedTerminatedPods"] = {}
        left = seen.active() or seen.terminating()
        return status if left else self._ended(seen._replace(job=seen.job | {"status": status}))

    def _ended(self, seen: _Seen) -> Json:
        status = self._refreshed(seen)
        for target, end in (("FailureTarget", "Failed"), ("SuccessCriteriaMet", "Complete")):
            why = seen.condition(target)
            if why is not None:
                status = self._with(status, end, (why["reason"], why["message"]))
                if end == "Complete":
                    status["completionTime"] = format_time(self._now())
        return status

    def _targeted(self, kind: str, why: tuple[str, str]) -> Callable[[_Seen], Json]:
        return lambda seen: self._with(dict(seen.status), kind, why)

    def _with(self, status: Json, kind: str, why: tuple[str, str], *, value: str = "True") -> Json:
        """The status with this condition as it is from now on."""
        moment = format_time(self._now())
        condition = {
            "type": kind,
            "status": value,
            "reason": why[0],
            "message": why[1],
            "lastProbeTime": moment,
            "lastTransitionTime": moment,
        }
        others = [each for each in status.get("conditions") or [] if each["type"] != kind]
        return status | {"conditions": [*others, condition]}

    # --- time and failures

    def _moments(self, seen: _Seen) -> Iterator[datetime]:
        finished = seen.condition("Complete") or seen.condition("Failed")
        if finished:
            leaves = self._leaves(seen)
            if leaves is not None:
                yield leaves
        elif not seen.job["spec"]["suspend"]:
            deadline = self._deadline(seen)
            if deadline is not None:
                yield deadline
            if not seen.active():
                yield self._backed_off(seen)

    def _leaves(self, seen: _Seen) -> datetime | None:
        seconds = seen.job["spec"].get("ttlSecondsAfterFinished")
        finished = seen.condition("Complete") or seen.condition("Failed")
        if seconds is None or finished is None:
            return None
        return datetime.fromisoformat(finished["lastTransitionTime"]) + timedelta(seconds=seconds)

    def _deadline(self, seen: _Seen) -> datetime | None:
        started, seconds = seen.status.get("startTime"), seen.job["spec"].get("activeDeadlineSeconds")
        if started is None or seconds is None:
            return None
        return datetime.fromisoformat(started) + timedelta(seconds=seconds)

    def _is_over(self, seen: _Seen) -> bool:
        deadline = self._deadline(seen)
        return deadline is not None and deadline <= self._now()

    def _backed_off(self, seen: _Seen) -> datetime:
        """From when on a failed pod may be replaced: 10 s after the first failure, then twice as long each time."""
        failed = [pod for pod in seen.pods if pod["status"]["phase"] == "Failed" and not _deleting(pod)]
        if not failed:
            return self._now()
        last = max(datetime.fromisoformat(_finished_at(pod)) for pod in failed)
        return last + min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** (len(failed) - 1))


def _identity(body: Object) -> tuple[str, str, str]:
    metadata = body["metadata"]
    return metadata["namespace"], metadata["name"], metadata["uid"]


def _called(body: Object) -> str:
    return f"{body['metadata']['namespace']}/{body['metadata']['name']}"


def _owner(pod: Object) -> str:
    owners = pod["metadata"].get("ownerReferences") or []
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")


def _all(uids: dict[str, list[str]]) -> set[str]:
    return {uid for each in uids.values() for uid in each}


def _deleting(body: Object) -> bool:
    return bool(body["metadata"].get("deletionTimestamp"))


def _is_tracked(pod: Object) -> bool:
    return TRACKING in (pod["metadata"].get("finalizers") or [])


def _is_ready(pod: Object) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions") or [])


def _finished_at(pod: Object) -> str:
    """When the pod's container ended; an evicted one's end is that of its disruption."""
    status = pod["status"]
    for container in status.get("containerStatuses") or []:
        if "terminated" in container["state"]:
            return str(container["state"]["terminated"]["finishedAt"])
    moments = [each["lastTransitionTime"] for each in status.get("conditions") or [] if each.get("lastTransitionTime")]
    return str(max(moments, default=pod["metadata"]["creationTimestamp"]))
