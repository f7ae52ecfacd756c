"""The control plane as a whole: started, ready, stopped, and its API server taken away for a while."""

import contextlib
from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Self

import urllib3

from dev.controlplane import commands
from dev.controlplane.binaries import Binaries
from dev.controlplane.certificates import Certificates, issue_certificates
from dev.controlplane.rest import Rest
from dev.controlplane.users import all_users, write_kubeconfig, write_tokens
from dev.foreground import CommandError
from dev.ports import LOOPBACK
from dev.processes import Process, Supervisor
from dev.run_folder import run_folder
from dev.waiting import wait_until

READY_WITHIN, STOPPED_WITHIN = 120.0, 30.0
A_YEAR = 365 * 24 * 3600


class ControlPlaneError(CommandError):
    """A part of the control plane has ended by itself, or has refused what it should do."""


class ControlPlane:
    """A Kubernetes control plane on loopback while the context lasts; nothing of it is left afterwards.

    `folder` gets all its state: it must be empty or an earlier run's, and is removed at the end unless `keep`.
    For each of `nodes` there is a user `system:node:<name>`; the node itself is for others to bring.
    """

    certificates: Certificates

    def __init__(
        self,
        supervisor: Supervisor,
        binaries: Binaries,
        folder: Path,
        *,
        nodes: Sequence[str] = ("local",),
        keep: bool = False,
    ) -> None:
        self._supervisor = supervisor
        self._binaries = binaries
        self._folder = folder.absolute()
        self._keep = keep
        self._ports = commands.choose_ports()
        self._processes: dict[str, Process] = {}
        self._at_end = contextlib.ExitStack()
        self.users = all_users(nodes)
        self.server = f"https://{LOOPBACK}:{self._ports.apiserver}"
        self.audit_log = self._folder / "audit.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def ca_file(self) -> Path:
        """What verifies the API server, and the servers of the nodes."""
        return self.certificates.authority

    def start(self) -> None:
        """Returns when the API server is ready and pods can be created in the namespace `default`."""
        with contextlib.ExitStack() as undo:
            undo.enter_context(run_folder(self._folder, keep=self._keep))
            undo.callback(self._end_all)
            self.certificates = issue_certificates(self._folder / "certificates", service_ip=commands.SERVICE_IP)
            self._tokens = write_tokens(self._folder / "tokens.csv", self.users.values())
            self._run("etcd", commands.etcd(self._binaries, self._folder, self._ports))
            self.start_apiserver()
            account = "/api/v1/namespaces/default/serviceaccounts/default"
            self._wait(lambda: self._answers(account), "the ServiceAccount default")
            self._at_end = undo.pop_all()

    def stop(self) -> None:
        """Ends every part and returns when none is left."""
        self._at_end.close()

    def start_apiserver(self) -> None:
        """Returns when the API server is ready; the controllers are new, too: old ones can take a minute to return."""
        command = commands.apiserver(self._binaries, self._folder, self._ports, self.certificates, self._tokens)
        self._run("kube-apiserver", command)
        self._wait(lambda: self._answers("/readyz"), "the API server")
        manager = self.kubeconfig("system:kube-controller-manager")
        scheduler = self.kubeconfig("system:kube-scheduler")
        self._run("kube-controller-manager", commands.controller_manager(self._binaries, manager, self.certificates))
        self._run("kube-scheduler", commands.scheduler(self._binaries, self._folder, scheduler))

    def stop_apiserver(self) -> None:
        """Takes the API server away; etcd keeps what it has, and the port stays ours.

        It is killed: a graceful stop would go on serving watches on that port for a minute.
        """
        for name in ("kube-scheduler", "kube-controller-manager", "kube-apiserver"):
            self._end(name)

    def kubeconfig(self, user: str) -> Path:
        """The kubeconfig of one of `users`."""
        known = self.users[user]
        return self._kubeconfig(user, known.token)

    def rest(self, user: str) -> Rest:
        """The API server as one of `users` sees it."""
        return Rest(self.server, self.ca_file, self.users[user].token)

    def service_account_kubeconfig(self, namespace: str, name: str) -> Path:
        """A kubeconfig with a new token for this service account, good for a year."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        wanted = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": A_YEAR},
        }
        answer = self.rest("admin").call("POST", path, wanted)
        if answer.status != HTTPStatus.CREATED:
            raise ControlPlaneError(f"no token for {namespace}/{name}: {answer.body}")
        return self._kubeconfig(f"system:serviceaccount:{namespace}:{name}", answer.body["status"]["token"])

    def _kubeconfig(self, user: str, token: str) -> Path:
        path = self._folder / "kubeconfigs" / user.replace(":", "-")
        return write_kubeconfig(path, server=self.server, authority=self.ca_file, user=user, token=token)

    def _answers(self, path: str) -> bool:
        """Whether the API server answers this path well. A ControlPlaneError if a part has ended."""
        for process in self._processes.values():
            if process.poll() is not None:
                raise ControlPlaneError(f"{process.name} ended with {process.poll()}; {process.last_words()}")
        try:
            return bool(self.rest("admin").call("GET", path).status == HTTPStatus.OK)
        except urllib3.exceptions.HTTPError:
            return False

    def _wait(self, holds: Callable[[], bool], what: str) -> None:
        wait_until(holds, timeout=READY_WITHIN, what=f"{what} to be ready")

    def _run(self, name: str, argv: Sequence[str]) -> None:
        log = self._folder / f"{name}.log"
        self._processes[name] = self._supervisor.start(name, argv, log=log, cwd=self._folder)

    def _end(self, name: str) -> None:
        process = self._processes.pop(name)
        process.kill()
        process.wait(STOPPED_WITHIN)

    def _end_all(self) -> None:
        for name in list(reversed(self._processes)):
            self._end(name)
