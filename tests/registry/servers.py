"""S3 servers for tests: moto behind one lock, a scripted one that answers as told, a proxy that loses answers."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import boto3
from moto.s3.models import s3_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from dev.s3 import REGISTRY_URI, Role, SeaweedFS
from mira.registry.s3 import S3Store

REGION = "us-east-1"
MOTO_ROOT = "s3://mira/on/moto"


def session(access_key: str = "test", secret_key: str = "test") -> boto3.session.Session:  # noqa: S107
    return boto3.session.Session(aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name=REGION)


@contextmanager
def moto() -> Iterator[str]:
    """The endpoint of a moto server; requests come one after the other, because moto alone is not linearizable."""
    application = DomainDispatcherApplication(create_backend_app)
    one_at_a_time = threading.Lock()

    def locked(environment: Any, start_response: Any) -> Any:
        with one_at_a_time:
            return list(application(environment, start_response))

    server = make_server("127.0.0.1", 0, locked, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def put_into_moto(keys: list[str]) -> None:
    """Makes empty objects without a request for each."""
    backend = s3_backends["123456789012"]["aws"]
    for key in keys:
        backend.put_object("mira", key, b"")


@dataclass
class Script:
    """What the scripted server answers, and which requests it got."""

    status: int = 200
    code: str = ""
    body: bytes | None = None
    requests: list[str] = field(default_factory=list)

    def content(self) -> bytes:
        if self.body is not None:
            return self.body
        return f"<Error><Code>{self.code}</Code><Message>as told</Message></Error>".encode() if self.code else b""


@contextmanager
def scripted(script: Script) -> Iterator[str]:
    """The endpoint of a server that answers every request as the script says."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            script.requests.append(self.command)
            content = script.content()
            self.send_response(script.status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", '"e"')
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_PUT = do_HEAD = answer  # noqa: N815 - the standard library's names

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def losing_answers(endpoint: str, lose: Callable[[bytes], bool]) -> Iterator[tuple[str, list[bytes]]]:
    """An endpoint that passes requests on and loses the answer if `lose` says so; the first line of each request."""
    target = urlsplit(endpoint)
    seen: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.2)
    stopping = threading.Event()

    def carry(client: socket.socket) -> None:
        with client, socket.create_connection((target.hostname or "", target.port or 0)) as server:
            client.settimeout(5)
            server.settimeout(5)
            request = _whole_message(client)
            if not request:
                return
            seen.append(request.split(b"\r\n", 1)[0])
            # One request for each connection, so that the end of the answer is the end of the connection.
            server.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            answer = b"".join(iter(lambda: server.recv(65536), b""))
            if not lose(request):
                client.sendall(answer)

    def serve() -> None:
        while not stopping.is_set():
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=carry, args=(client,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
    finally:
        stopping.set()
        thread.join()
        listener.close()


def _whole_message(client: socket.socket) -> bytes:
    """One HTTP request; asks for the body where the client waits to be asked."""
    message = b""
    while b"\r\n\r\n" not in message:
        piece = client.recv(65536)
        if not piece:
            return b""
        message += piece
    head, body = message.split(b"\r\n\r\n", 1)
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
    }
    if b"expect" in headers:
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"expect"))
    length = int(headers.get(b"content-length", b"0"))
    while len(body) < length:
        body += client.recv(65536)
    return head + b"\r\n\r\n" + body


def store_at(endpoint: str, root: str = "s3://mira/registry", keys: boto3.session.Session | None = None) -> S3Store:
    return S3Store(root, endpoint=endpoint, session=keys or session())


def in_role(server: SeaweedFS, role: Role, root: str = REGISTRY_URI) -> S3Store:
    keys = server.credentials(role)
    return store_at(server.endpoint, root, session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]))
