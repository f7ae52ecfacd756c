"""The node agent: a Node that is ready, and every pod that is bound to it in a thread of its own."""

import logging
import shutil
import threading
from collections.abc import Callable

from dev.node.api import ApiError, ApiServer, Json
from dev.node.logs import ContainerLog, LogServer
from dev.node.pod import Host, Pod
from dev.node.provided import Provided
from dev.node.registration import Registration
from dev.node.settings import NodeSettings
from dev.processes import Supervisor

log = logging.getLogger(__name__)

_RETRY_SECONDS = 0.2
_ALL_PODS = "/api/v1/pods"


class NodeAgent:
    """One node. Its processes belong to the supervisor, which should grant them no grace: a node that dies has none."""

    def __init__(self, settings: NodeSettings, supervisor: Supervisor) -> None:
        """Starts nothing yet: that is for `run`."""
        self._settings = settings
        self._api = ApiServer(settings.kubeconfig)
        self._stopping = threading.Event()
        self._host = Host(
            self._api,
            supervisor,
            Provided(settings.images, settings.credentials),
            settings.folder.absolute() / "pods",
            self._stopping,
        )
        self._pods: dict[str, Pod] = {}
        self._mine = {"fieldSelector": f"spec.nodeName={settings.name}"}

    def run(self) -> None:
        """Returns after `stop`."""
        self._host.folder.mkdir(parents=True, exist_ok=True)
        settings = self._settings
        with LogServer(
            self._find_log,
            certificate=settings.kubelet_cert,
            key=settings.kubelet_key,
            client_authority=settings.client_ca,
        ) as server:
            self._begin("logs", server.serve_forever)
            registration = Registration(self._api, settings, port=server.server_port)
            self._begin("registration", lambda: registration.keep(self._stopping))
            self._begin("pods", self._follow_pods)
            self._stopping.wait()
            server.shutdown()

    def stop(self) -> None:
        """Makes `run` return; what the processes do from now on is not reported."""
        self._stopping.set()

    def _follow_pods(self) -> None:
        lost = False
        while not self._stopping.is_set():
            try:
                version = self._take_stock()
                lost = False
                for kind, pod in self._api.watch(_ALL_PODS, **self._mine, resourceVersion=version):
                    self._learn(pod, exists=kind != "DELETED")
            except ApiError as error:
                if not lost:
                    log.warning("lost sight of the pods: %s", error)
                lost = True
                self._stopping.wait(_RETRY_SECONDS)

    def _take_stock(self) -> str:
        """The version of the list of pods, of which every one is known from here on."""
        found = self._api.get(_ALL_PODS, **self._mine) or {}
        present = {pod["metadata"]["uid"] for pod in found["items"]}
        for folder in self._host.folder.iterdir():
            if folder.name not in present | self._pods.keys():  # an earlier agent's
                shutil.rmtree(folder, ignore_errors=True)
        for uid in self._pods.keys() - present:
            self._pods.pop(uid).observe(None)
        for pod in found["items"]:
            self._learn(pod, exists=True)
        return str(found["metadata"]["resourceVersion"])

    def _learn(self, pod: Json, *, exists: bool) -> None:
        uid = pod["metadata"]["uid"]
        if not exists:
            if known := self._pods.pop(uid, None):
                known.observe(None)
        elif known := self._pods.get(uid):
            known.observe(pod)
        else:
            self._pods[uid] = Pod(pod, self._host)
            self._begin(pod["metadata"]["name"], self._pods[uid].run)

    def _find_log(self, namespace: str, name: str, container: str) -> ContainerLog | None:
        # The newest first: a pod that is not quite gone may have had the same name.
        for pod in reversed(list(self._pods.values())):
            if (pod.namespace, pod.name, pod.container["name"]) == (namespace, name, container):
                return ContainerLog(pod.folder.log, begun=pod.folder.log.exists(), complete=pod.ended)
        return None

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Exception:
                log.exception("a fault of the agent's own: it ends, rather than go on without a part of it")
                self.stop()

        threading.Thread(target=run, name=name, daemon=True).start()
