"""The control plane as a whole: started, ready, stopped, and its API server taken away for a while."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import urllib3

from dev.controlplane import commands
from dev.controlplane.binaries import Binaries
from dev.controlplane.certificates import Certificates, issue_certificates
from dev.controlplane.rest import Rest
from dev.controlplane.users import all_users, write_kubeconfig, write_tokens
from dev.ports import LOOPBACK
from dev.processes import Process, Supervisor
from dev.run_folder import run_folder
from dev.waiting import wait_until

READY_WITHIN, STOPPED_WITHIN = 120.0, 90.0
A_YEAR = 365 * 24 * 3600


class ControlPlaneError(Exception):
    """A part of the control plane has ended by itself, or would not do what it was asked."""


class ControlPlane:
    """A Kubernetes control plane on loopback, as a context manager; nothing of it is left afterwards.

    `folder` has all its state: it must be empty or an earlier run's, and goes at the end unless `keep`.
    For each of `nodes` there is a user `system:node:<name>`; kubelets are for others to bring.
    """

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

    certificates: Certificates

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
            undo.callback(self._kill_all)
            self.certificates = issue_certificates(self._folder / "certificates", service_ip=commands.SERVICE_IP)
            write_tokens(self._tokens, self.users.values())
            self._run("etcd", commands.etcd(self._binaries, self._folder, self._ports))
            self.start_apiserver()
            ...
            self._at_end = undo.pop_all()
