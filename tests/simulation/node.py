"""A node for the pods of the model: it starts them, ends them as a script says, and lets go of them."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from mira.adapters.cluster import Object
from mira.registry.document import format_time

Json = dict[str, Any]


class Step(NamedTuple):
    """One thing that may happen now, and how to let it happen."""

    what: str
    act: Callable[[], object]


class Ending(NamedTuple):
    """How a container ends: its exit code, and the reason if it is not the usual one, such as OOMKilled."""

    exit_code: int = 0
    reason: str = ""


class Pods(Protocol):
    """What a node needs of an API server: the model, or in a test the real one."""

    def objects(self, kind: str) -> list[Object]:
        """Every object of the kind, to be read only."""
        ...

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """The object, None if there is none."""
        ...

    def change_status(self, kind: str, namespace: str, name: str, edit: Callable[[Object], None]) -> Object:
        """The object after an edit of its status."""
        ...

    def delete(self, kind: str, namespace: str | None, name: str, *, uid: str | None = None) -> None:
        """Deletes the object of this uid."""
        ...


class Node:
    """Runs every pod's one container.

    `ends` is called when a container ends, and does what the training did meanwhile: it may look at the pod, which is
    being deleted if its metadata say so. `starts` answers "" or why the container cannot start, such as
    ImagePullBackOff; it is asked again and again.
    """

    def __init__(
        self,
        server: Pods,
        now: Callable[[], datetime],
        *,
        ends: Callable[[Object], Ending],
        starts: Callable[[Object], str] = lambda _: "",
    ) -> None:
        self._server = server
        self._now = now
        self._ends = ends
        self._starts = starts

    def steps(self) -> Iterator[Step]:
        """What may happen now to each pod."""
        for pod in self._server.objects("Pod"):
            metadata = pod["metadata"]
            where = f"{metadata['namespace']}/{metadata['name']}"
            if ended(pod):
                if metadata.get("deletionTimestamp") and not metadata.get("finalizers"):
                    yield Step(f"node lets go of {where}", lambda pod=pod: self._let_go(pod))  # type: ignore[misc]
            elif pod["status"]["phase"] == "Running":
                yield Step(f"container of {where} ends", lambda pod=pod: self._end(pod))  # type: ignore[misc]
            elif metadata.get("deletionTimestamp"):
                never = _finished(pod, 137, "ContainerStatusUnknown", self._time())
                yield Step(f"{where} never starts", lambda pod=pod, never=never: self._tell(pod, never))  # type: ignore[misc]
            else:
                status = self._started(pod, self._starts(pod))
                if status != pod["status"]:
                    yield Step(f"node starts {where}", lambda pod=pod, status=status: self._tell(pod, status))  # type: ignore[misc]

    def evict(self, namespace: str, name: str) -> None:
        """Ends the pod for want of something on the node; the training gets no word in."""
        pod = self._server.get("Pod", namespace, name)
        if pod is None or ended(pod):
            return
        disrupted = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "TerminationByKubelet",
            "message": "The node was low on resource: memory.",
            "lastTransitionTime": self._time(),
        }
        status = {key: value for key, value in pod["status"].items() if key != "conditions"}
        news = {"phase": "Failed", "reason": "Evicted", "message": disrupted["message"], "conditions": [disrupted]}
        self._tell(pod, status | news)

    def _end(self, pod: Object) -> None:
        ending = self._ends(pod)
        reason = ending.reason or ("Error" if ending.exit_code else "Completed")
        self._tell(pod, _finished(pod, ending.exit_code, reason, self._time()))

    def _let_go(self, pod: Object) -> None:
        self._server.delete("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"], uid=pod["metadata"]["uid"])

    def _tell(self, pod: Object, status: Json) -> None:
        def edit(body: Object) -> None:
            body["status"] = status

        self._server.change_status("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"], edit)

    def _started(self, pod: Object, problem: str) -> Json:
        """The status of a pod that is on the node, running unless there is a problem."""
        started = pod["status"].get("startTime") or self._time()
        if problem:
            state: Json = {"waiting": {"reason": problem, "message": f"the container cannot start: {problem}"}}
        else:
            state = {"running": {"startedAt": self._time()}}
        return {
            "phase": "Pending" if problem else "Running",
            "startTime": started,
            "conditions": _ready("False" if problem else "True"),
            "containerStatuses": [_container(pod, state, ready=not problem)],
        }

    def _time(self) -> str:
        return format_time(self._now())


def ended(pod: Object) -> bool:
    """Whether the pod's containers have ended for good."""
    return pod["status"]["phase"] in ("Succeeded", "Failed")


def _finished(pod: Object, code: int, reason: str, moment: str) -> Json:
    terminated = {"exitCode": code, "reason": reason, "finishedAt": moment}
    status: Json = pod["status"]
    return status | {
        "phase": "Failed" if code else "Succeeded",
        "conditions": _ready("False"),
        "containerStatuses": [_container(pod, {"terminated": terminated}, ready=False)],
    }


def _ready(status: str) -> list[Json]:
    return [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": status}]


def _container(pod: Object, state: Json, *, ready: bool) -> Json:
    container = pod["spec"]["containers"][0]
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": ready,
        "restartCount": 0,
        "lastState": {},
        "state": state,
    }
