"""Pods on the node agent, bound and counted by the real control plane."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3

from dev.controlplane.binaries import ensure_binaries
from dev.controlplane.server import ControlPlane
from dev.node import NodeSettings, start_node
from dev.node.api import STRATEGIC, ApiServer, Json
from dev.processes import CHECKOUT, Process, Supervisor
from dev.waiting import wait_until

NAMESPACE = "/api/v1/namespaces/default"
PODS, SECRETS, CONFIG_MAPS = (f"{NAMESPACE}/{kind}" for kind in ("pods", "secrets", "configmaps"))
JOBS = "/apis/batch/v1/namespaces/default/jobs"
LEAK = "MIRA_TEST_LEAK"


class Gate:
    """The agent's way to the API server, which can be shut: nobody else notices, as they would if that were stopped."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._passing: list[socket.socket] = []
        self.shut = False
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Shuts it, and cuts what is passing."""
        self.shut = True
        for end in self._passing:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            near, _ = self._listener.accept()
            if self.shut:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._target))
            self._passing += (near, far)
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pass(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
        source.close()


@dataclass
class Node:
    """The agent under test, and the API as its administrator sees it."""

    supervisor: Supervisor
    settings: NodeSettings
    api: ApiServer
    kubeconfig: Path
    gate: Gate
    process: Process

    def create(self, path: str, **body: Any) -> str:
        """The name, a new one, of the object that it creates at `path`."""
        name = f"test-{uuid.uuid4().hex[:8]}"
        assert self.api.create(path, {"metadata": {"name": name}, **body})
        return name

    def run(self, *command: str, spec: Json | None = None, **container: Any) -> str:
        """The name of a new pod that runs `command`."""
        return self.create(PODS, spec=pod_spec(*command, spec=spec, **container))

    def get(self, path: str, is_so: Callable[[Json], object], *, timeout: float = 15.0) -> Json:
        """The object at `path`, as soon as `is_so`."""

        def found() -> Json | None:
            thing = self.api.get(path)
            return thing if thing and is_so(thing) else None

        return wait_until(found, timeout=timeout, what=path) or {}

    def pod(self, name: str, is_so: Callable[[Json], object]) -> Json:
        return self.get(f"{PODS}/{name}", is_so)

    def ended_job(self, name: str) -> Json:
        return self.get(f"{JOBS}/{name}", lambda job: condition(job, "Complete") or condition(job, "Failed"))

    def pod_of(self, job: str) -> Json:
        """The only pod of the job."""
        pods = self.api.get(PODS, labelSelector=f"job-name={job}") or {}
        (pod,) = pods["items"]
        return dict(pod)

    def wait_until_gone(self, name: str) -> None:
        wait_until(lambda: self.api.get(f"{PODS}/{name}") is None, timeout=15, what=f"the end of {name}")

    def kubectl(self, *arguments: str) -> list[str]:
        return [str(Path(sys.executable).parent / "kubectl"), f"--kubeconfig={self.kubeconfig}", *arguments]

    def logs(self, name: str, *flags: str) -> str:
        """What `kubectl logs` says, as soon as that is something."""
        self.pod(name, lambda pod: is_running(pod) or has_ended(pod))

        def said() -> str:
            return subprocess.run(self.kubectl("logs", name, *flags), check=True, capture_output=True, text=True).stdout

        return wait_until(said, timeout=15, what=f"a word from {name}")


@pytest.fixture(scope="module")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    # One of our own: two agents for the same node would both run its pods.
    folder = tmp_path_factory.mktemp("controlplane")
    with (
        Supervisor() as supervisor,
        ControlPlane(supervisor, ensure_binaries(CHECKOUT / ".cache", print), folder) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def node(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("node")
    images, credentials, kubeconfig = (folder / name for name in ("images.json", "credentials.json", "kubeconfig"))
    server, port = control_plane.server.rsplit(":", 1)
    gate = Gate(int(port))
    direct = control_plane.kubeconfig("system:node:local").read_text()
    kubeconfig.write_text(direct.replace(control_plane.server, f"{server}:{gate.port}"))
    images.write_text(json.dumps({"example.org/trainer": {"env": {"PYTHONPATH": "/code/of/trainer"}}, "any": {}}))
    credentials.write_text(json.dumps({"*/default": {"AWS_ACCESS_KEY_ID": "of-default"}}))
    settings = NodeSettings(
        name="local",
        kubeconfig=kubeconfig,
        folder=folder,
        kubelet_cert=control_plane.certificates.node.certificate,
        kubelet_key=control_plane.certificates.node.key,
        client_ca=control_plane.ca_file,
        credentials=credentials,
        images=images,
    )
    admin = control_plane.kubeconfig("admin")
    with Supervisor() as supervisor:
        process = start_node(supervisor, settings, env=os.environ | {LEAK: "1"})
        yield Node(supervisor, settings, ApiServer(admin), admin, gate, process)


def pod_spec(*command: str, spec: Json | None = None, **container: Any) -> Json:
    main = {"name": "main", "image": "any", "command": list(command), **container}
    return {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [main], **(spec or {})}


def condition(resource: Json, kind: str) -> Json:
    return next((each for each in resource.get("status", {}).get("conditions", []) if each["type"] == kind), {})


def state(pod: Json) -> Json:
    """The state of the pod's container: one of waiting, running, terminated."""
    (container,) = pod.get("status", {}).get("containerStatuses", [{"state": {}}])
    return dict(container["state"])


def is_waiting(pod: Json) -> bool:
    return "waiting" in state(pod)


def is_running(pod: Json) -> bool:
    return "running" in state(pod)


def has_ended(pod: Json) -> bool:
    return pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


TELL_ALL = """
import json, os, sys
from pathlib import Path
files = {name: Path(os.environ[name]).read_text() for name in ("ORDER", "RULE", "KEY_FILE")}
Path(os.environ["SCRATCH"], "mine").write_text("x")
Path("relative").write_text("x")
told = {"env": dict(os.environ), "files": files, "rules": os.listdir(os.environ["RULES"]), "argv": sys.argv[1:]}
Path(os.environ["LAST_WORDS"]).write_text(json.dumps(told))
"""


def telling_pod(secret: str, rules: str) -> Json:
    """A spec with everything that the agent can give a container; it tells what it was given."""
    fields = {"POD": "metadata.name", "UID": "metadata.uid", "LABEL": "metadata.labels['app']", "ON": "spec.nodeName"}
    literals = {
        "ORDER": "/mira/input/order.json",
        "RULES": "/mira/rules",
        "RULE": "$(RULES)/a.json",
        "KEY_FILE": "/keys/key",
        "SCRATCH": "/scratch",
        "LAST_WORDS": "/dev/termination-log",
        "NO_PATH": "/mira/inputs s3://mira/input",
    }
    referred = {
        "SECRET": {"secretKeyRef": {"name": secret, "key": "key"}},
        "SETTING": {"configMapKeyRef": {"name": rules, "key": "b"}},
        "NONE": {"configMapKeyRef": {"name": rules, "key": "none", "optional": True}},
        **{name: {"fieldRef": {"fieldPath": path}} for name, path in fields.items()},
    }
    order = {"path": "order.json", "fieldRef": {"fieldPath": "metadata.annotations['order']"}}
    volumes = {
        "/mira/input": {"name": "input", "downwardAPI": {"items": [order]}},
        "/mira/rules": {"name": "rules", "configMap": {"name": rules}},
        "/keys": {"name": "keys", "secret": {"secretName": secret}},
        "/scratch": {"name": "scratch", "emptyDir": {}},
    }
    return pod_spec(
        "python",
        "-c",
        TELL_ALL,
        "$(SETTING)",
        "/scratch/out",
        image="example.org/trainer",
        env=[
            *({"name": name, "valueFrom": source} for name, source in referred.items()),
            *({"name": name, "value": value} for name, value in literals.items()),
        ],
        volumeMounts=[{"name": volume["name"], "mountPath": path} for path, volume in volumes.items()],
        spec={"volumes": list(volumes.values())},
    )


def test_a_job_succeeds_and_its_container_gets_all_that_the_spec_says(node: Node) -> None:
    secret = node.create(SECRETS, stringData={"key": "s3cret"})
    rules = node.create(CONFIG_MAPS, data={"a.json": "[1]", "b": "2"})
    metadata = {"labels": {"app": "x"}, "annotations": {"order": '{"a": "é"}'}}
    job = node.create(JOBS, spec={"template": {"metadata": metadata, "spec": telling_pod(secret, rules)}})
    assert condition(node.ended_job(job), "Complete")["status"] == "True"

    pod = node.pod_of(job)
    assert pod["status"]["phase"] == "Succeeded"
    assert condition(pod, "PodScheduled")["status"] == "True"
    assert condition(pod, "Ready")["reason"] == "PodCompleted"
    terminated = state(pod)["terminated"]
    assert (terminated["exitCode"], terminated["reason"]) == (0, "Completed")
    told = json.loads(terminated["message"])
    given = told["env"]
    assert (given["POD"], given["UID"]) == (pod["metadata"]["name"], pod["metadata"]["uid"])
    assert (given["LABEL"], given["ON"], given["SECRET"], given["SETTING"]) == ("x", "local", "s3cret", "2")
    assert (given["AWS_ACCESS_KEY_ID"], given["PYTHONPATH"]) == ("of-default", "/code/of/trainer")
    assert given["NO_PATH"] == "/mira/inputs s3://mira/input"
    assert not {LEAK, "NONE"} & given.keys()
    assert told["files"] == {"ORDER": '{"a": "é"}', "RULE": "[1]", "KEY_FILE": "s3cret"}
    assert sorted(told["rules"]) == ["a.json", "b"]
    assert told["argv"] == ["2", f"{given['SCRATCH']}/out"]


def test_exit_code_64_fails_a_job_at_once_where_its_policy_says_so(node: Node) -> None:
    rule = {"action": "FailJob", "onExitCodes": {"containerName": "main", "operator": "In", "values": [64]}}
    spec = pod_spec("sh", "-c", "echo bad data; exit 64", terminationMessagePolicy="FallbackToLogsOnError")
    policy = {"backoffLimit": 3, "podFailurePolicy": {"rules": [rule]}}
    job = node.create(JOBS, spec={**policy, "template": {"spec": spec}})
    assert condition(node.ended_job(job), "Failed")["reason"] == "PodFailurePolicy"
    terminated = state(node.pod_of(job))["terminated"]
    assert (terminated["exitCode"], terminated["reason"], terminated["message"]) == (64, "Error", "bad data\n")


def test_a_signal_and_a_command_that_is_none_read_as_a_kubelet_reports_them(node: Node) -> None:
    # In a pod's command two dollars stand for one.
    killed = state(node.pod(node.run("sh", "-c", "kill -9 $$$$"), has_ended))["terminated"]
    assert (killed["exitCode"], killed["signal"], killed["reason"]) == (137, 9, "Error")
    absent = state(node.pod(node.run("/no/such/program"), has_ended))["terminated"]
    assert (absent["exitCode"], absent["reason"]) == (128, "StartError")
    assert absent["message"] == "No such file or directory: /no/such/program"


def test_deletion_asks_the_process_to_end_and_gives_it_its_grace(node: Node, tmp_path: Path) -> None:
    said = tmp_path / "said"
    polite = node.run("sh", "-c", f"trap 'echo asked > {said}; exit 0' TERM; echo up; while :; do sleep 0.05; done")
    stubborn = node.run("sh", "-c", "trap '' TERM; echo $$$$; while :; do sleep 0.05; done")
    assert node.logs(polite) == "up\n"
    pid = int(node.logs(stubborn))
    node.api.delete(f"{PODS}/{stubborn}", {"gracePeriodSeconds": 1})
    node.api.delete(f"{PODS}/{polite}", {"gracePeriodSeconds": 60})
    node.wait_until_gone(polite)
    assert said.read_text() == "asked\n"
    assert is_alive(pid)
    node.wait_until_gone(stubborn)
    assert not is_alive(pid)


def test_a_deletion_by_force_ends_the_process_too(node: Node) -> None:
    name = node.run("sh", "-c", "echo $$$$; exec sleep 600")
    pid = int(node.logs(name))
    node.api.delete(f"{PODS}/{name}", {"gracePeriodSeconds": 0})
    wait_until(lambda: not is_alive(pid), timeout=10, what="the end of the process")


def test_a_pod_ends_at_its_deadline(node: Node) -> None:
    pod = node.pod(node.run("sleep", "600", spec={"activeDeadlineSeconds": 1}), has_ended)
    assert (pod["status"]["phase"], pod["status"]["reason"]) == ("Failed", "DeadlineExceeded")
    assert state(pod)["terminated"]["signal"] == 15


def test_what_is_missing_is_waited_for(node: Node) -> None:
    missing = f"late-{uuid.uuid4().hex[:8]}"
    reference = {"secretKeyRef": {"name": missing, "key": "key"}}
    name = node.run("sh", "-c", 'test "$KEY" = here', env=[{"name": "KEY", "valueFrom": reference}])
    waiting = state(node.pod(name, is_waiting))["waiting"]
    assert waiting == {"reason": "CreateContainerConfigError", "message": f'secret "{missing}" not found'}
    node.api.create(SECRETS, {"metadata": {"name": missing}, "stringData": {"key": "here"}})
    assert node.pod(name, has_ended)["status"]["phase"] == "Succeeded"


def test_an_image_that_nobody_provides_is_never_pulled(node: Node) -> None:
    name = node.run("true", image="example.org/unknown", spec={"activeDeadlineSeconds": 1})
    assert state(node.pod(name, is_waiting))["waiting"]["reason"] == "ImagePullBackOff"
    assert node.pod(name, has_ended)["status"]["reason"] == "DeadlineExceeded"


def test_a_pod_that_this_node_cannot_imitate_is_refused(node: Node) -> None:
    two = [{"name": name, "image": "any", "command": ["true"]} for name in ("a", "b")]
    status = node.pod(node.run(spec={"containers": two}), has_ended)["status"]
    assert (status["phase"], status["message"]) == ("Failed", "a pod here has exactly one container")


def test_logs_in_whole_in_part_and_as_they_grow(node: Node, tmp_path: Path) -> None:
    go = tmp_path / "go"
    name = node.run("sh", "-c", f"seq 1 5; until test -e {go}; do sleep 0.02; done; echo end")
    wait_until(lambda: node.logs(name).endswith("5\n"), timeout=10, what="the whole beginning")
    assert node.logs(name, "--tail=2") == "4\n5\n"
    assert node.logs(name, "--limit-bytes=3") == "1\n2"
    follow = node.kubectl("logs", "--follow", "--tail=1", name)
    with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline() == "5\n"
        go.touch()
        assert follower.stdout.read() == "end\n"
    assert node.logs(name) == "1\n2\n3\n4\n5\nend\n"


def test_logs_are_for_the_api_server_only(node: Node, control_plane: ControlPlane) -> None:
    endpoints = node.get("/api/v1/nodes/local", lambda found: found["status"])["status"]["daemonEndpoints"]
    url = f"https://127.0.0.1:{endpoints['kubeletEndpoint']['Port']}/containerLogs/default/any/main"
    with (
        urllib3.PoolManager(ca_certs=str(control_plane.ca_file), retries=False) as anybody,
        pytest.raises(urllib3.exceptions.HTTPError),
    ):
        anybody.request("GET", url)


def test_a_status_that_another_overwrote_is_written_again(node: Node) -> None:
    name = node.run("sleep", "600")
    node.pod(name, is_running)
    doubt = {"type": "Ready", "status": "False", "reason": "NodeNotReady"}
    node.api.patch(f"{PODS}/{name}/status", {"status": {"conditions": [doubt]}}, STRATEGIC)
    node.pod(name, lambda pod: condition(pod, "Ready")["status"] == "True")
    node.api.delete(f"{PODS}/{name}", {"gracePeriodSeconds": 0})


def test_an_agent_that_dies_takes_its_processes_along_and_the_next_runs_none_twice(node: Node, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    name = node.run("sh", "-c", f"echo run >> {runs}; sleep 600 & setsid sleep 600 & echo $$$$ $!; wait")
    pids = [int(pid) for pid in node.logs(name).split()]
    node.process.kill()
    wait_until(lambda: not any(map(is_alive, pids)), timeout=5, what="the end of the pod's processes")
    node.process = start_node(node.supervisor, node.settings)
    terminated = state(node.pod(name, has_ended))["terminated"]
    assert (terminated["exitCode"], terminated["reason"]) == (137, "ContainerStatusUnknown")
    assert runs.read_text() == "run\n"


def test_what_ends_while_the_api_server_is_away_is_told_afterwards(node: Node, tmp_path: Path) -> None:
    go, ended = tmp_path / "go", tmp_path / "ended"
    name = node.run("sh", "-c", f"until test -e {go}; do sleep 0.02; done; touch {ended}")
    node.pod(name, is_running)
    node.gate.close()
    go.touch()
    wait_until(ended.exists, timeout=10, what="the end of the process")
    bound_meanwhile = node.run("true")
    assert is_running(node.pod(name, lambda _: True))
    node.gate.shut = False
    assert node.pod(name, has_ended)["status"]["phase"] == "Succeeded"
    assert node.pod(bound_meanwhile, has_ended)["status"]["phase"] == "Succeeded"
