"""One pod on this node: a thread that starts its process, tells the API server how it fares, and ends it when asked."""

import logging
import math
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dev.node import status
from dev.node.api import STRATEGIC, ApiError, ApiServer, Json
from dev.node.container import Launch, prepare, refusal, termination_log
from dev.node.folder import PodFolder
from dev.node.provided import Provided
from dev.node.references import NotReadyError, Objects
from dev.processes import Process, Supervisor

log = logging.getLogger(__name__)

_FINAL_PHASES = {"Succeeded", "Failed"}
# A process whose pod has vanished (a forced deletion) is ended, but not without a moment to tidy up.
_GRACE_WHEN_GONE = 1.0
_QUICKEST_RETRY, _SLOWEST_RETRY = 0.02, 2.0
# What is missing at first is often there a moment later: that is not worth a status.
_WORTH_TELLING = 0.2


@dataclass(frozen=True)
class Host:
    """What all pods of a node share."""

    api: ApiServer
    supervisor: Supervisor
    provided: Provided
    folder: Path
    stopping: threading.Event


class Pod:
    """A pod's life on this node, from its binding to its removal. `observe` tells it what the API server knows."""

    def __init__(self, pod: Json, host: Host) -> None:
        """Starts nothing yet: that is for `run`."""
        metadata = pod["metadata"]
        self.namespace: str = metadata["namespace"]
        self.name: str = metadata["name"]
        self.container: Json = pod["spec"]["containers"][0]
        self.folder = PodFolder(host.folder / metadata["uid"])
        self.ended = threading.Event()
        self._pod = pod
        self._host = host
        self._path = f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"
        self._uid: str = metadata["uid"]
        # Changes of the pod, the exit code of its process, None when the pod is gone.
        self._news: queue.Queue[Json | int | None] = queue.Queue()
        self._gone = False
        self._wanted: Json = {}
        self._written_version = 0
        since = pod.get("status", {}).get("startTime")
        self._since = datetime.fromisoformat(since).timestamp() if since else time.time()
        self._deadline: float = self._since + pod["spec"].get("activeDeadlineSeconds", math.inf)
        self._status = status.PodStatus(pod, since=self._since)

    def observe(self, pod: Json | None) -> None:
        """Tells what the API server says of the pod now; None: it is no longer there."""
        self._news.put(pod)

    def run(self) -> None:
        """Returns when the pod is gone, or the node stops."""
        if self._phase() not in _FINAL_PHASES:
            try:
                last = self._live()
            except Exception as error:
                log.exception("%s/%s", self.namespace, self.name)
                last = self._status.lost(time.time(), f"the node agent failed: {error!r}")
            if self._host.stopping.is_set():
                return  # the process has ended with the node, not of itself
            self.ended.set()
            self._report(last)
        self.ended.set()
        self._remain()

    def _live(self) -> Json:
        """The last status of the pod, when its process has ended or will never start."""
        if last := self.folder.end:
            return last
        if self.folder.was_started or self._phase() == "Running":
            return self._status.lost(time.time(), "the node agent was restarted; the process had ended with it")
        if why := refusal(self._pod):
            return status.refused(time.time(), why)
        launch = self._launch()
        if launch is None:
            last = self._status.lost(time.time(), "the pod ended before its container was started")
            return status.overdue(last) if self._is_overdue() else last
        started = time.time()
        self.folder.note_start()
        try:
            process = self._host.supervisor.start(
                self.name,
                launch.argv,
                env=launch.env,
                cwd=launch.cwd,
                log=self.folder.log,
            )
        except OSError as error:
            return self._status.unstartable(time.time(), f"{error.strerror or error}: {launch.argv[0]}")
        self._report(self._status.running(started))
        return self._end(self._attend(process), started)

    def _launch(self) -> Launch | None:
        """How to start the container, as soon as nothing is missing; None if the pod has to end before."""
        told = None
        objects = Objects(self._host.api, self.namespace)
        for delay in _delays():
            if self._leaving() or self._is_overdue():
                break
            try:
                return prepare(self._pod, self.folder, objects, self._host.provided)
            except NotReadyError as error:
                why = error
            except ApiError as error:
                why = NotReadyError("ContainerCreating", str(error))
            if delay > _WORTH_TELLING and told != (told := (why.reason, why.message)):
                self._report(self._status.waiting(time.time(), why.reason, why.message))
            self._listen(min(delay, self._deadline - time.time()))
        return None

    def _attend(self, process: Process) -> int:
        """The exit code of the process, which is ended if the pod is deleted or reaches its deadline."""
        threading.Thread(target=lambda: self._news.put(process.wait()), daemon=True).start()
        kill_at = math.inf
        asked = False
        while (code := self._listen(min(kill_at, math.inf if asked else self._deadline) - time.time())) is None:
            now = time.time()
            if (grace := self._grace()) is not None:
                kill_at = min(kill_at, now + grace)
                if not asked:
                    process.terminate()
                    asked = True
            if now >= kill_at:
                process.kill()
                kill_at = math.inf
        return code

    def _grace(self) -> float | None:
        """How long the process may go on after it was asked to end, None as long as it need not end."""
        if self._gone:
            return _GRACE_WHEN_GONE
        if self._leaving():
            return float(self._pod["metadata"]["deletionGracePeriodSeconds"])
        return float(self._pod["spec"]["terminationGracePeriodSeconds"]) if self._is_overdue() else None

    def _end(self, code: int, started: float) -> Json:
        message = status.last_words(
            self.container,
            termination_log(self.container, self.folder),
            self.folder.log,
            failed=code != 0,
        )
        last = self._status.ended(time.time(), started=started, code=code, message=message)
        last = status.overdue(last) if self._is_overdue() else last
        if not self._host.stopping.is_set():
            self.folder.note_end(last)
        return last

    def _remain(self) -> None:
        """Stays, for the log's sake, until the pod is gone; deletes it when its deletion is asked for."""
        deleted = False
        while not self._gone:
            if self._leaving() and not deleted:
                deleted = self._delete()
            self._listen(_SLOWEST_RETRY if self._leaving() and not deleted else math.inf)
        self.folder.remove()

    def _delete(self) -> bool:
        try:
            self._host.api.delete(self._path, {"gracePeriodSeconds": 0, "preconditions": {"uid": self._uid}})
        except ApiError:
            return False
        return True

    def _listen(self, seconds: float) -> int | None:
        """Waits for news, at most so long; an exit code if that is what came."""
        try:
            news = self._news.get(timeout=None if seconds == math.inf else max(0.0, seconds))
        except queue.Empty:
            return None
        match news:
            case int():
                return news
            case None:
                self._gone = True
            case _:
                self._pod = news
                # The controllers may have overwritten our word while the node seemed dead. Events older than our last
                # write only tell that it has not arrived yet.
                is_new = int(news["metadata"]["resourceVersion"]) >= self._written_version
                if is_new and not status.covers(news.get("status", {}), self._wanted):
                    self._write()
        return None

    def _report(self, wanted: Json) -> None:
        self._wanted = wanted
        self._write()

    def _write(self) -> None:
        """Returns when the API server has taken the status, or the pod is gone, or the node stops."""
        patch = {"metadata": {"uid": self._uid}, "status": self._wanted}
        for delay in _delays():
            try:
                written = self._host.api.patch(f"{self._path}/status", patch, STRATEGIC)
            except ApiError as error:
                if delay == _QUICKEST_RETRY:
                    log.warning("%s/%s: status not written yet: %s", self.namespace, self.name, error)
                if self._host.stopping.wait(delay):
                    return
            else:
                if written:
                    self._written_version = int(written["metadata"]["resourceVersion"])
                else:
                    self._gone = True
                return

    def _phase(self) -> str | None:
        phase: str | None = self._pod.get("status", {}).get("phase")
        return phase

    def _leaving(self) -> bool:
        metadata: Json = self._pod["metadata"]
        return self._gone or "deletionTimestamp" in metadata

    def _is_overdue(self) -> bool:
        return time.time() >= self._deadline


def _delays() -> Iterator[float]:
    delay = _QUICKEST_RETRY
    while True:
        yield delay
        delay = min(2 * delay, _SLOWEST_RETRY)
