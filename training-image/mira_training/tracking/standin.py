"""A Prefect API in our own process, for a run that no server tracks: it accepts every state and keeps none.

It answers what a flow's engine asks of Prefect 3.8, and no more; `tests/training/test_tracking.py` holds them together.
"""

import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from typing import Any

from typing_extensions import override

_SET_STATE = re.compile(r"/api/flow_runs/[^/]+/set_state")
_FLOW_RUN = re.compile(r"/api/flow_runs/(?P<id>[^/]+)")


class StandIn(ThreadingHTTPServer):
    """The server; `url` is what PREFECT_API_URL must say. It remembers each flow run's last state, in memory."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.flow_runs: dict[str, dict[str, Any]] = {}
        self.unknown: list[str] = []

    @property
    def url(self) -> str:
        """The URL of the API."""
        return f"http://127.0.0.1:{self.server_port}/api"


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """A stand-in that answers until the block ends."""
    with StandIn() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="prefect-stand-in", daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()


class _Answers(BaseHTTPRequestHandler):
    server: StandIn
    protocol_version = "HTTP/1.1"
    # Headers and body leave in one packet: otherwise each answer waits 40 ms for the acknowledgement of its first half.
    wbufsize = -1
    disable_nagle_algorithm = True

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: these requests are nobody's business."""

    def do_GET(self) -> None:
        """Reads of the version, of CSRF support (there is none) and of a flow run."""
        if self.path.startswith("/api/csrf-token"):
            self._answer({"detail": "CSRF protection is disabled."}, HTTPStatus.UNPROCESSABLE_ENTITY)
        elif self.path == "/api/admin/version":
            self._answer(metadata.version("prefect"))
        elif self.path == "/api/admin/storage":
            self._answer({"default_result_storage_block_id": None})
        elif (run := _FLOW_RUN.fullmatch(self.path)) and run["id"] in self.server.flow_runs:
            self._answer(self.server.flow_runs[run["id"]])
        else:
            self._unknown()

    def do_POST(self) -> None:
        """Creation of a flow and of a flow run, and every state of it."""
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        now = datetime.now(UTC).isoformat()
        made = {"id": str(uuid.uuid4()), "created": now, "updated": now}
        if self.path == "/api/flows/":
            self._answer(asked | made, HTTPStatus.CREATED)
        elif self.path == "/api/flow_runs/":
            state = _state(asked.pop("state", None) or {"type": "PENDING"}, now)
            run = {"name": "run"} | asked | made | {"state": state, "state_type": state["type"]}
            self.server.flow_runs[made["id"]] = run
            self._answer(run, HTTPStatus.CREATED)
        elif _SET_STATE.fullmatch(self.path):
            run = self.server.flow_runs[self.path.split("/")[3]]
            state = _state(asked["state"], now)
            run |= {"state": state, "state_type": state["type"]}
            self._answer(
                {"status": "ACCEPT", "details": {"type": "accept_details"}, "state": state}, HTTPStatus.CREATED
            )
        elif self.path == "/api/logs/":
            self._answer(None, HTTPStatus.CREATED)
        else:
            self._unknown()

    def do_PATCH(self) -> None:
        """Changes to a flow run, which are of no interest."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(HTTPStatus.NO_CONTENT)
        self.end_headers()

    def _unknown(self) -> None:
        self.server.unknown.append(f"{self.command} {self.path}")
        self._answer({"detail": "not found"}, HTTPStatus.NOT_FOUND)

    def _answer(self, content: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _state(asked: dict[str, Any], now: str) -> dict[str, Any]:
    name = asked.get("name") or str(asked["type"]).capitalize()
    return {"data": None, "message": None} | asked | {"id": str(uuid.uuid4()), "name": name, "timestamp": now}
