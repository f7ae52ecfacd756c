"""What Prefect does around a training: on a real server, on a bad one, and on none."""

import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import urllib3

from dev.ports import LOOPBACK, free_ports
from dev.processes import CHECKOUT, Supervisor
from dev.waiting import wait_until
from mira_training.tracking.flow import Tracker
from mira_training.tracking.standin import stand_in

STEPS = ["ingest", "validate", "train", "evaluate", "publish"]
PROGRAM = """
import os
from mira_training.tracking.flow import Tracker
def body(perform):
    for step in ("ingest", "validate", "train", "evaluate", "publish"):
        perform(step)
    if os.environ.get("FAILS"):
        raise ValueError("no")
url = os.environ["PREFECT_API_URL"]
Tracker.of(url).run("team-a.churn", os.environ["VERSION"], lambda step: None, body, lambda: "# churn v1")
"""


def five_steps(perform: Callable[[str], None]) -> None:
    for step in STEPS:
        perform(step)


def took(url: str | None, body: Callable[[Callable[[str], None]], None] = five_steps) -> tuple[float, list[str]]:
    """The seconds of a flow with this tracking server, and the steps that it has performed."""
    done: list[str] = []
    began = time.monotonic()
    Tracker.of(url).run("team-a.churn", "v1", done.append, body)
    return time.monotonic() - began, done


def test_on_the_stand_in_no_heartbeat_is_sent_for_whose_thread_every_flow_would_wait_a_second() -> None:
    found: list[Any] = []

    def body(perform: Callable[[str], None]) -> None:
        from prefect.settings import get_current_settings

        perform("train")
        found.append(get_current_settings().flows.heartbeat_frequency)

    Tracker.of(None).run("a flow", "a run", found.append, body)
    assert found == ["train", None]


def test_the_stand_in_knows_everything_that_prefect_asks_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = []

    @contextmanager
    def watched() -> Iterator[Any]:
        with stand_in() as server:
            servers.append(server)
            yield server

    monkeypatch.setattr("mira_training.tracking.flow.stand_in", watched)
    _, done = took(None)
    (server,) = servers
    assert (done, server.unknown) == (STEPS, [])
    (run,) = server.flow_runs.values()
    assert run["state_type"] == "COMPLETED"


class Silent(BaseHTTPRequestHandler):
    """Takes a question and does not answer it."""

    def do_GET(self) -> None:
        self.server.over.wait(60)  # type: ignore[attr-defined]

    do_POST = do_GET  # noqa: N815 - the base class's name


class Healthy(BaseHTTPRequestHandler):
    """Says that it is well, and breaks every other connection: a server that is dying."""

    def do_GET(self) -> None:
        if not self.path.endswith("/health"):
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"true")

    def do_POST(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer((LOOPBACK, 0), handler) as server:
        server.daemon_threads = True
        server.over = threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://{LOOPBACK}:{server.server_port}/api"
        server.over.set()  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


@contextmanager
def nobody() -> Iterator[str]:
    (port,) = free_ports(1)
    yield f"http://{LOOPBACK}:{port}/api"


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (nobody, "Connection refused"),
        (lambda: serving(Silent), "no answer within 2 s"),
        (lambda: serving(Healthy), "is not used"),
    ],
    ids=["nobody listens", "it takes questions and answers none", "it says that it is well and breaks connections"],
)
def test_a_bad_server_costs_a_warning_and_less_than_5_s_and_every_step_is_done_once(
    server: Any, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    took(None)
    usual, _ = took(None)
    with caplog.at_level(logging.WARNING), server() as url:
        seconds, done = took(url)
    assert done == STEPS
    assert seconds - usual < 5.0
    assert said in caplog.text


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prefect server; its API's URL."""
    folder = tmp_path_factory.mktemp("prefect")
    (port,) = free_ports(1)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PREFECT_HOME": str(folder),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", LOOPBACK, "--port", str(port)]
    url = f"http://{LOOPBACK}:{port}/api"
    with Supervisor() as supervisor:
        process = supervisor.start("prefect", command, log=folder / "log", env=environment, cwd=folder)

        def answers() -> bool:
            assert process.poll() is None, process.log.read_text()[-2000:]
            try:
                return bool(urllib3.request("GET", f"{url}/health", timeout=5.0, retries=False).status == 200)
            except urllib3.exceptions.HTTPError:
                return False

        wait_until(answers, timeout=120, every=0.5, what="the Prefect server to answer")
        yield url


def asked(url: str, path: str, **body: Any) -> Any:
    return urllib3.request("POST", f"{url}/{path}", json=body, timeout=30.0, retries=False).json()


def run_against(url: str, version: str, folder: Path, *, fails: bool = False) -> int:
    """The exit code of a process that runs a flow of this version, as a pod would."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONPATH": os.pathsep.join(str(CHECKOUT / each) for each in ("operator", "training-image")),
        "PREFECT_API_URL": url,
        "VERSION": version,
        **({"FAILS": "1"} if fails else {}),
    }
    with Supervisor() as supervisor:
        command = [sys.executable, "-c", PROGRAM]
        return supervisor.start("flow", command, log=folder / "flow.log", env=environment, cwd=folder).wait(120)


def flow_run(url: str, version: str) -> Any:
    (run,) = asked(url, "flow_runs/filter", flow_runs={"name": {"any_": [version]}})
    return run


def test_on_a_real_server_the_flow_its_five_tasks_and_its_result_appear(prefect: str, tmp_path: Path) -> None:
    assert run_against(prefect, "v1", tmp_path) == 0
    run = flow_run(prefect, "v1")
    assert run["state_type"] == "COMPLETED"
    (flow,) = asked(prefect, "flows/filter", flows={"id": {"any_": [run["flow_id"]]}})
    assert flow["name"] == "team-a.churn"

    def tasks() -> list[str]:
        found = asked(prefect, "task_runs/filter", flow_runs={"id": {"any_": [run["id"]]}})
        return sorted(each["name"] for each in found if each["state_type"] == "COMPLETED")

    wait_until(lambda: tasks() == sorted(STEPS), timeout=30, every=0.2, what="the five tasks to be recorded")
    (artifact,) = asked(prefect, "artifacts/filter", flow_runs={"id": {"any_": [run["id"]]}})
    assert (artifact["key"], artifact["data"]) == ("team-a-churn-v1", "# churn v1")


def test_on_a_real_server_a_run_that_fails_is_failed_there(prefect: str, tmp_path: Path) -> None:
    assert run_against(prefect, "v2", tmp_path, fails=True) == 1
    assert flow_run(prefect, "v2")["state_type"] == "FAILED"
