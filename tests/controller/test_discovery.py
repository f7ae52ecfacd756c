"""What discovery shows, and what an answer that shows nothing means."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import kopf
import pytest

from dev.ports import LOOPBACK
from mira.adapters.cluster import ClusterUnavailable
from mira.adapters.discovery import not_shown


@contextmanager
def answering(status: int, body: Any) -> Iterator[kopf.ConnectionInfo]:
    """A server whose every answer is this one."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer((LOOPBACK, 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield kopf.ConnectionInfo(server=f"http://{LOOPBACK}:{server.server_port}")
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "missing"),
    [
        (200, {"resources": [{"name": "trainingruns"}, {"name": "modelstages"}]}, []),
        (200, {"resources": [{"name": "modelstages"}]}, ["TrainingRun"]),
        (200, {}, ["TrainingRun", "ModelStage"]),
        (200, [], ["TrainingRun", "ModelStage"]),
        (404, {"kind": "Status"}, ["TrainingRun", "ModelStage"]),
    ],
    ids=["both", "one", "none", "something else", "no such group"],
)
def test_a_kind_is_missing_when_it_answers(status: int, body: Any, missing: list[str]) -> None:
    with answering(status, body) as connection:
        assert not_shown(connection, ("TrainingRun", "ModelStage")) == missing


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_refusal_is_no_answer_and_says_its_status(status: int) -> None:
    with answering(status, {"kind": "Status"}) as connection, pytest.raises(ClusterUnavailable, match=str(status)):
        not_shown(connection, ("TrainingRun",))
