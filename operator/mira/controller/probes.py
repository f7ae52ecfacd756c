"""/healthz, /readyz and /metrics, served by the standard library in a thread of its own."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

Check = Callable[[], str]


class Probes:
    """Answers 200 while `healthy` and `ready` return an empty string, else 503 with what they return."""

    def __init__(self, host: str, port: int, *, healthy: Check, ready: Check, registry: CollectorRegistry) -> None:
        self._server = ThreadingHTTPServer((host, port), _handler(healthy, ready, registry))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="probes", daemon=True)

    @property
    def port(self) -> int:
        """The port that is listened on, also if 0 asked for any free one."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Answers from now on, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the answering and frees the port."""
        self._server.shutdown()
        self._server.server_close()


def _handler(healthy: Check, ready: Check, registry: CollectorRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One request."""

        def do_GET(self) -> None:
            """Answers by path."""
            match self.path.split("?")[0]:
                case "/healthz":
                    self._say(healthy())
                case "/readyz":
                    self._say(ready())
                case "/metrics":
                    self._send(200, generate_latest(registry), CONTENT_TYPE_LATEST)
                case _:
                    self._send(404, b"there are /healthz, /readyz and /metrics\n", "text/plain; charset=utf-8")

        def _say(self, problem: str) -> None:
            self._send(503 if problem else 200, f"{problem or 'ok'}\n".encode(), "text/plain; charset=utf-8")

        def _send(self, code: int, body: bytes, content_type: str) -> None:
            self.send_response(code)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing: a probe every second is no news."""

    return Handler
