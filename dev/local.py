"""Everything on one machine: a control plane, a node, S3, and Mira installed by its chart, its operator beside it."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self, TypeVar

import urllib3
from kubernetes import client, config
from prometheus_client.parser import text_string_to_metric_families

from dev.controlplane.binaries import ensure_binaries, kubectl_path
from dev.controlplane.server import ControlPlane
from dev.install import install
from dev.node import NodeSettings, start_node
from dev.ports import LOOPBACK, free_ports
from dev.processes import CHECKOUT, Process, Supervisor, run_once
from dev.run_folder import run_folder
from dev.s3.credentials import write_credentials
from dev.s3.roles import REGISTRY_URI, Role
from dev.s3.server import SeaweedFS
from dev.waiting import wait_until

CACHE = CHECKOUT / ".cache"
SYSTEM_NAMESPACE, OPERATOR_ACCOUNT = "mira-system", "mira-operator"
NAMESPACE = "team-a"
IMAGE = f"local.example.com/mira-training@sha256:{'a' * 64}"
Say = Callable[[str], None]
T = TypeVar("T")

ROLES = {
    "alice": "mira-requester",
    "dan": "mira-requester",
    "bob": "mira-approver",
    "erin": "mira-approver",
    "carol": "mira-stage-owner",
}


@dataclass(frozen=True)
class OperatorProcess:
    """One operator, as a local process under its own service account's token."""

    process: Process
    probe_port: int

    @property
    def url(self) -> str:
        """Where it answers probes and metrics."""
        return f"http://{LOOPBACK}:{self.probe_port}"

    def metric(self, name: str, **labels: str) -> float:
        """The sum of this metric's values over all that have these labels."""
        text = urllib3.request("GET", f"{self.url}/metrics", retries=False, timeout=5.0).data.decode()
        samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
        return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())

    def wait_until(self, condition: Callable[[], T], *, timeout: float, what: str) -> T:
        """As `dev.waiting` does; the TimeoutError shows how its log ends, which may be gone when somebody reads it."""
        try:
            return wait_until(condition, timeout=timeout, what=what)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; {self.process.last_words()}") from None

    def answer(self, path: str) -> tuple[int, str]:
        """What it answers under this path; (0, "") if it does not answer. A ChildProcessError if it has ended."""
        code = self.process.poll()
        if code is not None:
            raise ChildProcessError(f"{self.process.name} ended with exit code {code}; {self.process.last_words()}")
        try:
            found = urllib3.request("GET", self.url + path, retries=False, timeout=5.0)
        except urllib3.exceptions.HTTPError:
            return 0, ""
        return found.status, found.data.decode().strip()

    def ready(self) -> bool:
        """Whether it is ready. A ChildProcessError if it has ended."""
        return self.answer("/readyz")[0] == HTTPStatus.OK


class Local:
    """A context in which everything runs; nothing of it is left afterwards, unless `keep`."""

    def __init__(self, name: str, *, say: Say = lambda _: None, keep: bool = False, forked: bool = False) -> None:
        """`forked`: operators are forks of one that has imported everything, two CPU seconds less for each."""
        self.folder = CACHE / "run" / name
        self._say = say
        self._keep = keep
        self._forked = forked
        self._stack = contextlib.ExitStack()
        self._images: dict[str, dict[str, Any]] = {
            "*": _code("operator", "training-image", "examples/flights"),
        }

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self, stack: contextlib.ExitStack) -> None:
        self.binaries = ensure_binaries(CACHE, self._say)
        stack.enter_context(run_folder(self.folder, keep=self._keep))
        self.supervisor = stack.enter_context(Supervisor())
        self.control_plane = stack.enter_context(
            ControlPlane(self.supervisor, self.binaries, self.folder / "controlplane", keep=self._keep)
        )
        self._say(f"Kubernetes {self.version()} answers at {self.control_plane.server}")
        self.install()

    def install(self, values: Mapping[str, Any] | None = None) -> None:
        """Installs the chart by the real Helm; the operator itself runs beside the cluster, so it has no replicas."""
        install(
            self.binaries.helm,
            self.kubeconfig("admin"),
            values={"replicas": 0, "registry": REGISTRY_URI, "clusterName": "local", **(values or {})},
        )
        self._say("the chart is installed: CRDs, admission policies, roles")

    def image(self, name: str, *folders: str) -> None:
        """Makes the code in these folders of the checkout what pods of this image run; before the node is started."""
        self._images[name] = _code(*folders)

    def start_s3_and_node(self) -> None:
        """Starts S3 with its three accounts, and the node that runs pods as local processes."""
        self.s3 = SeaweedFS(self.supervisor, self.folder / "s3")
        self.s3.start()
        self._stack.callback(self.s3.stop)
        self._say(f"S3 answers at {self.s3.endpoint}, registry {REGISTRY_URI}")
        self._start_node()
        self._say("the node local is ready")

    def _start_node(self) -> None:
        folder = self.folder / "node"
        folder.mkdir(parents=True, exist_ok=True)
        images = folder / "images.json"
        images.write_text(json.dumps(self._images))
        certificates = self.control_plane.certificates
        settings = NodeSettings(
            name="local",
            kubeconfig=self.kubeconfig("system:node:local"),
            folder=folder,
            kubelet_cert=certificates.node.certificate,
            kubelet_key=certificates.node.key,
            client_ca=certificates.authority,
            credentials=write_credentials(folder / "credentials.json", self.s3, {"*/mira-trainer": Role.TRAINER}),
            images=images,
        )
        self.node = start_node(self.supervisor, settings)

    def namespace(self, name: str) -> str:
        """A namespace in which the people have their roles and pods their account."""
        core = client.CoreV1Api(self.client("admin"))
        core.create_namespace({"metadata": {"name": name}})
        core.create_namespaced_service_account(name, {"metadata": {"name": "mira-trainer"}})
        rbac = client.RbacAuthorizationV1Api(self.client("admin"))
        # `view` is what everybody has on a real cluster: Jobs, Pods, their logs, Events.
        for user, role in [*ROLES.items(), *((user, "view") for user in ROLES)]:
            rbac.create_namespaced_role_binding(
                name,
                {
                    "metadata": {"name": f"{user}-{role}"},
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                    "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user}],
                },
            )
        return name

    def start_operator(self, name: str = "operator", **settings: str) -> OperatorProcess:
        """An operator with exactly the chart's rights; returns when it is ready."""
        operator = self.launch_operator(name, **settings)
        operator.wait_until(operator.ready, timeout=30, what=f"{name} to be ready")
        return operator

    def launch_operator(self, name: str = "operator", **settings: str) -> OperatorProcess:
        """The same, as soon as its process exists."""
        (port,) = free_ports(1)
        environment = {
            "PATH": os.environ["PATH"],
            # The client library keeps the certificate authority in a temporary file.
            "TMPDIR": str(self.folder),
            "PYTHONPATH": os.pathsep.join([str(CHECKOUT / "operator")]),
            "MIRA_REGISTRY": REGISTRY_URI,
            "MIRA_CLUSTER_NAME": "local",
            "MIRA_NAMESPACE": SYSTEM_NAMESPACE,
            # As a container that is started again in its pod: the Lease is its own.
            "MIRA_IDENTITY": name,
            "MIRA_OPERATOR_ACCOUNTS": f"system:serviceaccount:{SYSTEM_NAMESPACE}:{OPERATOR_ACCOUNT}",
            "MIRA_DEFAULT_IMAGE": IMAGE,
            "MIRA_KUBECONFIG": str(self.control_plane.service_account_kubeconfig(SYSTEM_NAMESPACE, OPERATOR_ACCOUNT)),
            "MIRA_PROBE_PORT": str(port),
            "MIRA_PROBE_HOST": LOOPBACK,
            **self.s3.credentials(Role.OPERATOR),
            **settings,
        }
        process = self.supervisor.start(
            name,
            [] if self._forked else [sys.executable, "-m", "mira.controller"],
            module="mira.controller" if self._forked else "",
            env=environment,
            log=self.folder / f"{name}.log",
            cwd=CHECKOUT,
        )
        return OperatorProcess(process, port)

    def kubeconfig(self, user: str) -> Path:
        """A kubeconfig for this user."""
        return self.control_plane.kubeconfig(user)

    def client(self, user: str) -> client.ApiClient:
        """The official client, as this user."""
        return config.new_client_from_config(str(self.kubeconfig(user)))

    def kubectl(self, user: str, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """What kubectl answers this user; a refusal is an answer too."""
        command: Sequence[str] = [str(kubectl_path()), f"--kubeconfig={self.kubeconfig(user)}", *arguments]
        return run_once(command, stdin=stdin, timeout=120)

    def kubectl_path(self) -> Path:
        """The kubectl of this checkout."""
        return kubectl_path()

    def version(self) -> str:
        """The API server's version."""
        return str(client.VersionApi(self.client("admin")).get_code().git_version)


def _code(*folders: str) -> dict[str, Any]:
    return {"env": {"PYTHONPATH": os.pathsep.join(str(CHECKOUT / folder) for folder in folders)}}
