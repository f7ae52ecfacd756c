"""A server that stands before another one: what it is asked it hands on, unless whoever stands between decides else.

It speaks plain HTTP to the client, and TLS to the server if that wants it. Requests keep every header, Host too: an S3
signature covers it. Watches are streamed and nobody is asked about them.
"""

import contextlib
import http.client
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from dev.ports import LOOPBACK, free_ports

# The client waits for this one before it sends a body; to the server the body goes along at once.
HOP_BY_HOP = ("expect", "connection", "transfer-encoding", "content-length", "keep-alive")
PIECE = 65536


@dataclass(frozen=True)
class Request:
    """What a client asked; `target` is the path with its query, exactly as it was sent."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The header's value, empty if there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query)

    @property
    def is_watch(self) -> bool:
        return self.query.get("watch") in (["true"], ["1"])


@dataclass(frozen=True)
class Response:
    """What the client is answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


Forward = Callable[[], Response]
# What the client gets in the end; None: its connection is cut instead.
Between = Callable[[Request, Forward], Response | None]


@dataclass(frozen=True)
class Server:
    """Where requests go on to."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    def connect(self) -> http.client.HTTPConnection:
        if self.tls is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=60)
        return http.client.HTTPSConnection(self.host, self.port, context=self.tls, timeout=60)


class Proxy(ThreadingHTTPServer):
    """Serves while the context lasts; afterwards every connection of either side is closed."""

    daemon_threads = True
    # Clients come back all at once after an operator's restart.
    request_queue_size = 64

    def __init__(self, server: Server, between: Between, *, rewritten: Callable[[str], str] = lambda target: target):
        """`rewritten` changes targets on their way, after everybody has seen what was really asked."""
        super().__init__((LOOPBACK, free_ports(1)[0]), _Handler)
        self.upstream = server
        self.between = between
        self.rewritten = rewritten
        self.troubles: list[str] = []
        self.open: set[Any] = set()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        for connection in tuple(self.open):
            _shut(connection)
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keeps what went wrong, unless it is that a client or a server went away."""
        error = sys.exception()
        if not isinstance(error, OSError | http.client.HTTPException):
            self.troubles.append(repr(error))


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client, and one to the server for it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Proxy

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)
        self._upstream = self.server.upstream.connect()

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        self.server.open.discard(self._upstream.sock)
        self._upstream.close()
        super().finish()

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if self.headers.get("Transfer-Encoding"):
            raise ValueError(f"{self.command} {self.path}: a request in chunks is more than this proxy knows")
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionResetError("the client was killed in the midst of its request")
        request = Request(self.command, self.path, tuple(self.headers.items()), body)
        if request.is_watch:
            self._stream(request)
            return
        response = self.server.between(request, lambda: self._forward(request))
        if response is None:
            self.close_connection = True
            _shut(self.connection)
            return
        self._answer(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the base class's names

    def _sent(self, request: Request) -> http.client.HTTPResponse:
        upstream = self._upstream
        upstream.putrequest(
            request.method, self.server.rewritten(request.target), skip_host=True, skip_accept_encoding=True
        )
        for name, value in request.headers:
            if name.lower() not in HOP_BY_HOP:
                upstream.putheader(name, value)
        if request.body or request.header("content-length"):
            upstream.putheader("Content-Length", str(len(request.body)))
        upstream.endheaders(request.body)
        self.server.open.add(upstream.sock)
        return upstream.getresponse()

    def _forward(self, request: Request) -> Response:
        answer = self._sent(request)
        kept = tuple((name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP)
        if request.method == "HEAD":
            kept += (("Content-Length", answer.getheader("Content-Length", "0")),)
        return Response(answer.status, kept, answer.read())

    def _answer(self, response: Response) -> None:
        self.send_response_only(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        if self.command != "HEAD" and response.status not in (204, 304):
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def _stream(self, request: Request) -> None:
        """Hands on every piece as it comes; a watch ends with its connection."""
        answer = self._sent(request)
        self.close_connection = True
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        if self._upstream.sock is not None:
            self._upstream.sock.settimeout(None)
        while piece := answer.read1(PIECE):
            self.wfile.write(piece)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Says nothing: what was asked is recorded by whoever stands between."""


def _shut(connection: Any) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
