"""The life of a real server: promotions under load, bad versions, S3 away, the end; its imports and settings."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import ExitStack

import pytest
from pydantic import ValidationError

from dev.s3 import REGISTRY_URI, Role, SeaweedFS
from dev.waiting import wait_until
from mira_training.serve.__main__ import _said
from mira_training.serve.settings import Settings
from tests.registry.readable import overwrite, point
from tests.registry.servers import in_role
from tests.serving.processes import Served, a_row, running
from tests.training.workbench import MODEL, STAGE


@pytest.fixture
def start(supervisor, tmp_path):
    """Starts servers that share a cache, as one pod after the other; they end with the test."""
    with ExitStack() as ending:
        yield lambda root, **settings: ending.enter_context(running(supervisor, tmp_path, root, **settings))


class Load:
    """Requests without a pause from two threads, and every answer."""

    def __init__(self, served: Served) -> None:
        self.answers: list[tuple[int, str, str]] = []
        self._served = served
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(2)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def versions(self):
        return {version for _, version, _ in self.answers}

    def _ask(self):
        while not self._stopping.is_set():
            answer = self._served.infer(a_row())
            self.answers.append(
                (answer.status_code, answer.headers.get("mira-version"), answer.json().get("model_version"))
            )


def test_a_promotion_swaps_while_requests_run_and_none_fails(published, start):
    published.promote("v1")
    served = start(published.store.root)
    served.wait_until_ready()
    with Load(served) as load:
        for version in ("v2", "v1", "v2"):
            published.promote(version)
            served.wait_for_version(version)
            before = len(load.answers)
            wait_until(lambda before=before: len(load.answers) > before + 10, timeout=30, what="more answers")
        # A version whose file was exchanged: the old one goes on, and says why.
        overwrite(published.store, published.key("v1"), b"forged")
        published.promote("v1")
        wait_until(lambda: "version v1 is not used" in served.state().get("problem", ""), timeout=30, what="it is said")
    assert {code for code, *_ in load.answers} == {200}
    assert all(header == body for _, header, body in load.answers)
    assert load.versions() == {"v1", "v2"}
    assert load.answers[-1][1] == "v2"
    state = served.state()
    assert (state["ready"], state["version"]) == (True, "v2")
    metrics = served.client.get("/metrics").text
    assert "mira_serving_swaps_total 3.0" in metrics
    assert "mira_serving_up_to_date 0.0" in metrics
    assert "does not have the sha256" in served.process.log.read_text()


def test_it_is_alive_and_not_ready_before_there_is_a_version(published, start):
    served = start(published.store.root)
    wait_until(lambda: "has no current version yet" in served.state()["error"], timeout=30, what="it has looked")
    assert (served.code("/v2/health/live"), served.code("/v2/health/ready")) == (200, 503)
    answer = served.infer(a_row())
    assert (answer.status_code, answer.json()["error"]) == (
        503,
        f"no version of {MODEL} is served yet: stage {STAGE} of team-a/{MODEL} has no current version yet",
    )
    published.promote("v1")
    served.wait_until_ready()
    assert served.infer(a_row()).status_code == 200


def test_it_serves_on_and_starts_anew_while_s3_is_away(published, supervisor, start, tmp_path, monkeypatch):
    with SeaweedFS(supervisor, tmp_path / "s3") as server:
        for name, value in server.credentials(Role.READER).items():
            monkeypatch.setenv(name, value)
        root = f"{REGISTRY_URI}/{uuid.uuid4()}"
        store = in_role(server, Role.ADMIN, root)
        copy(published.store, store)
        point(store, published.manifest("v1"), 1)
        first = start(root)
        first.wait_until_ready()
        assert "stale_since" not in first.state()
        server.stop()
        wait_until(lambda: "stale_since" in first.state(), timeout=60, what="it says that S3 is away")
        assert "the registry has not answered since" in first.state()["problem"]
        assert first.infer(a_row()).status_code == 200
        first.process.kill()
        again = start(root)
        again.wait_until_ready()
        assert (again.state()["version"], again.infer(a_row()).status_code) == ("v1", 200)
        server.start()
        point(store, published.manifest("v2"), 2)
        again.wait_for_version("v2")
        wait_until(lambda: "stale_since" not in again.state(), timeout=60, what="it is up to date")


def test_at_its_end_it_is_not_ready_first_and_answers_what_it_was_asked(published, start):
    published.promote("v1")
    served = start(published.store.root, drain_seconds=1)
    served.wait_until_ready()
    with Load(served) as load:
        wait_until(lambda: load.answers, timeout=30, what="answers")
        told_at = time.monotonic()
        served.process.signal(signal.SIGTERM)
        wait_until(lambda: served.code("/v2/health/ready") == 503, timeout=5, every=0.01, what="not ready")
        assert served.infer(a_row()).status_code == 200
    assert {code for code, *_ in load.answers} == {200}
    assert served.process.wait(10) == 0
    assert time.monotonic() - told_at < 10


USUAL = {"registry": "s3://bucket/root", "namespace": "team-a", "model": "churn", "stage": "production"}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"registry": None}, "MIRA_REGISTRY: Field required"),
        ({"registry": "bucket/root"}, "MIRA_REGISTRY: String should match pattern"),
        ({"stage": None}, "set either MIRA_STAGE, to follow its current version, or MIRA_VERSION"),
        ({"version": "v1"}, "set either MIRA_STAGE, to follow its current version, or MIRA_VERSION"),
        ({"digest": f"sha256:{'0' * 64}"}, "MIRA_DIGEST goes with MIRA_VERSION; a stage's digest is in its pointer"),
        ({"stage": "../x"}, "stage '../x' must match"),
        ({"namespace": "A"}, "namespace 'A' must match"),
        ({"stage": None, "version": "a/b"}, "version 'a/b' must match"),
        ({"digest": "x", "stage": None, "version": "v1"}, "MIRA_DIGEST: String should match pattern"),
        ({"refresh_seconds": 0}, "MIRA_REFRESH_SECONDS: Input should be greater than or equal to 0.1"),
        ({"listen_port": "tcp://10.0.0.1:80"}, "MIRA_LISTEN_PORT: Input should be a valid integer"),
        ({"drain_seconds": 60}, "MIRA_DRAIN_SECONDS: Input should be less than or equal to 4"),
    ],
)
def test_a_setting_is_refused_that_is(changed, words):
    given = {name: value for name, value in (USUAL | changed).items() if value is not None}
    with pytest.raises(ValidationError) as refused:
        Settings(**given)
    (line,) = _said(refused.value)
    assert words in line
    assert "\n" not in line


def test_wrong_settings_end_it_at_once_for_good():
    done = subprocess.run(
        [sys.executable, "-m", "mira_training.serve"],
        env=os.environ | {"MIRA_REGISTRY": "x"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 64
    assert len(done.stderr.splitlines()) == 3
    assert "MIRA_NAMESPACE: Field required" in done.stderr


def test_keys_that_are_not_there_end_it_too():
    given = {"MIRA_REGISTRY": "file:///nowhere", "MIRA_NAMESPACE": "a", "MIRA_MODEL": "b", "MIRA_STAGE": "c"}
    done = subprocess.run(
        [sys.executable, "-m", "mira_training.serve"],
        env=os.environ | given | {"MIRA_VERIFY_KEYS": "/no/such/folder"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        64,
        "MIRA_VERIFY_KEYS: /no/such/folder: holds no *.pem file; put the public keys there\n",
    )


def copy(source, target):
    for key in source.list("models/"):
        target.create(key, source.get(key, limit=10**8).body)
