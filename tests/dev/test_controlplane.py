"""A real control plane: who it knows, what it refuses, what it survives, and that nothing of it stays."""

import contextlib
import dataclasses
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from dev.controlplane.binaries import VERSION, Binaries, ensure_binaries, kubectl_path
from dev.controlplane.rest import Answer, Rest
from dev.controlplane.server import ControlPlane, ControlPlaneError
from dev.processes import CHECKOUT, Supervisor
from dev.waiting import wait_until

PODS = "/api/v1/namespaces/default/pods"
PEOPLE = ("admin", "alice", "dan", "bob", "erin", "carol")
LISTENS = "0A"  # a socket's state in /proc/net/tcp


@pytest.fixture(scope="module")
def binaries() -> Binaries:
    return ensure_binaries(CHECKOUT / ".cache", print)


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as supervisor:
        yield supervisor


@pytest.fixture(scope="module")
def control_plane(
    supervisor: Supervisor, binaries: Binaries, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    with ControlPlane(supervisor, binaries, tmp_path_factory.mktemp("controlplane")) as running:
        yield running


def call(control_plane: ControlPlane, user: str, method: str, path: str, body: object = None) -> Answer:
    return control_plane.rest(user).call(method, path, body)


def named(name: str, **fields: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, **fields}


def kubectl(kubeconfig: Path, *arguments: str) -> str:
    command = [str(kubectl_path()), f"--kubeconfig={kubeconfig}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def works(control_plane: ControlPlane, namespace: str) -> None:
    """A new namespace gets its ServiceAccount, and a Job there its Pod: API server, etcd and controllers answer."""
    call(control_plane, "admin", "POST", "/api/v1/namespaces", named(namespace))
    core = f"/api/v1/namespaces/{namespace}"
    account = f"{core}/serviceaccounts/default"
    wait_until(lambda: call(control_plane, "admin", "GET", account).status == 200, timeout=30, what=account)
    container = {"name": "main", "image": "example.org/none", "command": ["true"]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    assert call(control_plane, "admin", "POST", jobs, named("job", spec={"template": template})).status == 201
    wait_until(
        lambda: call(control_plane, "admin", "GET", f"{core}/pods").body["items"], timeout=30, what="the Job's Pod"
    )


def listens_at(pid: int) -> list[str]:
    """The addresses in hexadecimal (a.b.c.d backwards) at which the process waits for connections."""
    sockets = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed in the meantime
            if found := re.fullmatch(r"socket:\[(\d+)\]", str(link.readlink())):
                sockets.add(found[1])
    tables = [Path(f"/proc/{pid}/net/{table}").read_text() for table in ("tcp", "tcp6")]
    rows = [row.split() for table in tables for row in table.splitlines()]
    return [row[1].split(":")[0] for row in rows if row[3] == LISTENS and row[9] in sockets]


def test_it_is_the_kubernetes_it_should_be(control_plane: ControlPlane) -> None:
    assert call(control_plane, "admin", "GET", "/version").body["gitVersion"] == VERSION
    served = call(control_plane, "admin", "GET", "/apis/admissionregistration.k8s.io/v1").body["resources"]
    assert {"validatingadmissionpolicies", "mutatingadmissionpolicies"} <= {resource["name"] for resource in served}
    works(control_plane, "new")


@pytest.mark.parametrize("user", [*PEOPLE, "system:node:local"])
def test_everybody_is_known_by_name(control_plane: ControlPlane, user: str) -> None:
    answer = call(control_plane, user, "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    who = answer.body["status"]["userInfo"]
    assert who["username"] == user
    assert set(control_plane.users[user].groups) <= set(who["groups"])


@pytest.mark.parametrize("user", PEOPLE)
def test_without_a_binding_only_the_administrator_may_do_anything(control_plane: ControlPlane, user: str) -> None:
    answer = call(control_plane, user, "GET", PODS)
    if user == "admin":
        assert answer.status == 200
    else:
        assert (answer.status, f'User "{user}" cannot list' in answer.message) == (403, True)


def test_a_wrong_token_is_nobody(control_plane: ControlPlane) -> None:
    assert Rest(control_plane.server, control_plane.ca_file, "wrong").call("GET", PODS).status == 401


def test_kubectl_speaks_as_a_user_and_as_a_service_account(control_plane: ControlPlane) -> None:
    alice = control_plane.kubeconfig("alice")
    assert alice.stat().st_mode & 0o077 == 0
    assert json.loads(kubectl(alice, "auth", "whoami", "-o=json"))["status"]["userInfo"]["username"] == "alice"
    assert f"Server Version: {VERSION}" in kubectl(alice, "version")

    account = control_plane.service_account_kubeconfig("default", "default")
    who = json.loads(kubectl(account, "auth", "whoami", "-o=json"))["status"]["userInfo"]
    assert who["username"] == "system:serviceaccount:default:default"
    with pytest.raises(ControlPlaneError, match="not found"):
        control_plane.service_account_kubeconfig("default", "nobody")


def test_the_audit_log_has_one_line_for_each_request(control_plane: ControlPlane) -> None:
    before = control_plane.audit_log.stat().st_size
    for _ in range(3):
        call(control_plane, "carol", "GET", f"{PODS}/churn")

    def by_carol() -> list[tuple[str, str, int]]:
        with control_plane.audit_log.open() as lines:
            lines.seek(before)
            events = [json.loads(line) for line in lines if line.endswith("\n")]
        mine = [event for event in events if event["user"]["username"] == "carol"]
        return [(event["verb"], event["objectRef"]["resource"], event["responseStatus"]["code"]) for event in mine]

    wait_until(lambda: len(by_carol()) >= 3, timeout=10, what="three lines in the audit log")
    assert by_carol() == [("get", "pods", 403)] * 3


def test_everything_listens_on_loopback_only(control_plane: ControlPlane) -> None:
    addresses = [address for process in control_plane._processes.values() for address in listens_at(process.pid)]
    assert addresses == ["0100007F"] * 3  # the API server, etcd for clients, etcd for peers


def test_the_api_server_goes_away_and_comes_back_with_all_it_knew(control_plane: ControlPlane) -> None:
    call(control_plane, "admin", "POST", "/api/v1/namespaces/default/configmaps", named("before"))
    account = control_plane.service_account_kubeconfig("default", "default")
    address = control_plane.server
    control_plane.stop_apiserver()
    with pytest.raises(urllib3.exceptions.HTTPError):
        call(control_plane, "admin", "GET", "/readyz")

    control_plane.start_apiserver()
    assert control_plane.server == address
    assert call(control_plane, "admin", "GET", "/api/v1/namespaces/default/configmaps/before").status == 200
    assert "system:serviceaccount:default:default" in kubectl(account, "auth", "whoami")
    works(control_plane, "after-the-outage")


def test_nothing_is_left_of_it(supervisor: Supervisor, binaries: Binaries, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with ControlPlane(supervisor, binaries, folder) as running:
        pids = [process.pid for process in running._processes.values()]
        assert all(Path(f"/proc/{pid}").exists() for pid in pids)
        assert len(pids) == 4
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not folder.exists()
    with pytest.raises(urllib3.exceptions.HTTPError):
        call(running, "admin", "GET", "/readyz")


def test_a_part_that_ends_by_itself_is_named_and_the_rest_goes_with_it(
    supervisor: Supervisor, binaries: Binaries, tmp_path: Path
) -> None:
    broken = dataclasses.replace(binaries, kube_apiserver=Path("/bin/false"))
    control_plane = ControlPlane(supervisor, broken, tmp_path / "run")
    with pytest.raises(ControlPlaneError, match="kube-apiserver"):
        control_plane.start()
    assert not (tmp_path / "run").exists()
