"""A pod's status, as a kubelet would write it. Pure: the time is an argument."""

from datetime import UTC, datetime
from pathlib import Path

from dev.node.api import Json
from dev.node.references import HOST_IP

# The kubelet's own limits on what a container may leave behind.
_MESSAGE_BYTES = 4096
_LOG_BYTES, _LOG_LINES = 2048, 80

_SIGNAL_BASE = 128
KILLED = 137


def timestamp(now: float) -> str:
    """The time as the API writes it."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class PodStatus:
    """What is said about one pod; every method returns a whole status for the API."""

    def __init__(self, pod: Json, *, since: float) -> None:
        """`since`: when this node took the pod on."""
        self._container = pod["spec"]["containers"][0]
        self._id = f"local://{pod['metadata']['uid']}"
        self._since = since

    def waiting(self, now: float, reason: str, message: str) -> Json:
        """The container's process cannot be started yet."""
        state = {"waiting": {"reason": reason, "message": message}}
        return self._status("Pending", state, now=now, ready_reason="ContainersNotReady")

    def running(self, now: float) -> Json:
        """The container's process has been started."""
        return self._status("Running", {"running": {"startedAt": timestamp(now)}}, now=now)

    def ended(self, now: float, *, started: float, code: int, message: str) -> Json:
        """The container's process has ended; a negative `code` is the signal that ended it."""
        terminated: Json = {"exitCode": code, "reason": "Error" if code else "Completed"}
        if code < 0:
            terminated |= {"exitCode": _SIGNAL_BASE - code, "signal": -code}
        if message:
            terminated["message"] = message
        return self._terminated(terminated, started=started, now=now)

    def unstartable(self, now: float, message: str) -> Json:
        """The command could not be started at all."""
        terminated = {"exitCode": _SIGNAL_BASE, "reason": "StartError", "message": message}
        return self._terminated(terminated, started=now, now=now)

    def lost(self, now: float, message: str) -> Json:
        """Nobody knows how the container ended, or it never ran: a kubelet's words for both."""
        terminated = {"exitCode": KILLED, "reason": "ContainerStatusUnknown", "message": message}
        return self._terminated(terminated, started=self._since, now=now)

    def _terminated(self, terminated: Json, *, started: float, now: float) -> Json:
        terminated |= {"startedAt": timestamp(started), "finishedAt": timestamp(now), "containerID": self._id}
        succeeded = terminated["exitCode"] == 0
        return self._status(
            "Succeeded" if succeeded else "Failed",
            {"terminated": terminated},
            now=now,
            ready_reason="PodCompleted" if succeeded else "PodFailed",
        )

    def _status(self, phase: str, state: Json, *, now: float, ready_reason: str | None = None) -> Json:
        ready = _condition("Ready", now, ready_reason)
        return {
            "phase": phase,
            "conditions": [_condition("Initialized", self._since), ready, ready | {"type": "ContainersReady"}],
            "hostIP": HOST_IP,
            "hostIPs": [{"ip": HOST_IP}],
            "podIP": HOST_IP,
            "podIPs": [{"ip": HOST_IP}],
            "startTime": timestamp(self._since),
            "containerStatuses": [
                {
                    "name": self._container["name"],
                    "image": self._container["image"],
                    "imageID": self._container["image"],
                    "restartCount": 0,
                    "ready": "running" in state,
                    "started": "running" in state,
                    "state": state,
                    **({} if "waiting" in state else {"containerID": self._id}),
                }
            ],
        }


def refused(now: float, message: str) -> Json:
    """The status of a pod that this node will not run."""
    return {"phase": "Failed", "reason": "Unsupported", "message": message, "startTime": timestamp(now)}


def overdue(status: Json) -> Json:
    """A pod's last status if the end came because of its deadline."""
    message = "Pod was active on the node longer than the specified deadline"
    return status | {"phase": "Failed", "reason": "DeadlineExceeded", "message": message}


def covers(actual: object, wanted: object) -> bool:
    """Whether a status says everything that is wanted; it may say more."""
    match wanted:
        case dict():
            return isinstance(actual, dict) and all(covers(actual.get(key), value) for key, value in wanted.items())
        case list():
            return isinstance(actual, list) and all(any(covers(one, entry) for one in actual) for entry in wanted)
        case _:
            return actual == wanted


def last_words(container: Json, file: Path, log: Path, *, failed: bool) -> str:
    """What the container left as its termination message."""
    words = _tail(file, _MESSAGE_BYTES)
    if not words and failed and container.get("terminationMessagePolicy") == "FallbackToLogsOnError":
        words = "".join(_tail(log, _LOG_BYTES).splitlines(keepends=True)[-_LOG_LINES:])
    return words


def _tail(path: Path, size: int) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - size))
            return file.read(size).decode(errors="replace")
    except OSError:
        return ""


def _condition(kind: str, now: float, failing: str | None = None) -> Json:
    condition = {"type": kind, "status": "False" if failing else "True", "lastTransitionTime": timestamp(now)}
    return condition | ({"reason": failing} if failing else {})
