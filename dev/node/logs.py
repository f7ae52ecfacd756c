"""`kubectl logs`: the endpoint of a kubelet from which the API server reads a container's output."""

import collections
import logging
import ssl
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override  # in `typing` from Python 3.12 on

from dev.node.references import HOST_IP

# How soon a line that a container has written reaches `kubectl logs -f`.
_POLL_SECONDS = 0.05
_CHUNK = 1 << 16


@dataclass(frozen=True)
class ContainerLog:
    """A container's output: where it is, whether it has begun, and when it is complete."""

    path: Path
    begun: bool
    complete: threading.Event


# From a namespace, a pod's name and a container's name.
FindLog = Callable[[str, str, str], ContainerLog | None]


class LogServer(ThreadingHTTPServer):
    """Serves `GET /containerLogs/<namespace>/<pod>/<container>` to whoever shows a certificate of the authority."""

    daemon_threads = True

    def __init__(self, find: FindLog, *, certificate: Path, key: Path, client_authority: Path) -> None:
        """Listens on a free port of loopback; see `server_port`."""
        self.find = find
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate, key)
        self._tls.load_verify_locations(client_authority)
        self._tls.verify_mode = ssl.CERT_REQUIRED
        super().__init__((HOST_IP, 0), _Handler)

    @override
    def get_request(self) -> tuple[Any, Any]:
        # The handshake is left to the request's own thread: a silent client must not keep the others out.
        connection, address = super().get_request()
        return self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Notes a fault of our own; a client that left, or was turned away, is no event."""
        fault = sys.exception()
        if not isinstance(fault, OSError):
            logging.getLogger(__name__).error("while sending a log", exc_info=fault)


class _Handler(BaseHTTPRequestHandler):
    timeout = 30.0

    def do_GET(self) -> None:
        match urlsplit(self.path).path.split("/"):
            case ["", "containerLogs", namespace, pod, container]:
                log = cast("LogServer", self.server).find(namespace, pod, container)
            case _:
                log = None
        if log is None:
            self._refuse(HTTPStatus.NOT_FOUND, "this node has no such pod or container")
        elif not log.begun:
            self._refuse(HTTPStatus.BAD_REQUEST, "the container is waiting to start")
        else:
            self._send_log(log)

    def _send_log(self, log: ContainerLog) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        left = int(self._query.get("limitBytes", 0)) or None
        with log.path.open("rb") as file:
            _skip_to_tail(file, self._query.get("tailLines"))
            while left is None or left > 0:
                # In this order: what was written before the end must not be missed.
                complete = log.complete.is_set()
                chunk = file.read(_CHUNK if left is None else min(_CHUNK, left))
                self.wfile.write(chunk)
                left = None if left is None else left - len(chunk)
                if not chunk and (complete or self._query.get("follow") != "true"):
                    return
                if not chunk:
                    log.complete.wait(_POLL_SECONDS)

    @cached_property
    def _query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(message.encode())

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the agent's log is for what went wrong."""


def _skip_to_tail(file: IO[bytes], lines: str | None) -> None:
    if lines is not None:
        tail = collections.deque(file, maxlen=int(lines))
        file.seek(-sum(map(len, tail)), 1)
