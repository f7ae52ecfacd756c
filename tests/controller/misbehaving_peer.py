"""A server that answers kopf's requests of one API server badly on purpose, and well again when it is told to.

It is not a Kubernetes to test correctness against (that is done on a real API server): it is the peer at the other end
of the watch, and what is tested is what Mira's supervisor makes of its misbehaviour.
"""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from mira.adapters.cluster import TYPES
from mira.controller.watching import WATCHED

LONG = 20.0
GROUPS = {TYPES[kind].group: TYPES[kind].version for kind in WATCHED}
Fault = Callable[["Answering"], None]


def discovery(path: str, hidden: str = "") -> dict[str, Any]:
    """What is served: Mira's kinds, Jobs and, for kopf waits for it, Namespaces; without the hidden kind."""
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        offered = {
            group: {"groupVersion": f"{group}/{version}", "version": version} for group, version in GROUPS.items()
        }
        groups = [{"name": group, "versions": [each], "preferredVersion": each} for group, each in offered.items()]
        return {"kind": "APIGroupList", "groups": groups}
    group = path.removeprefix("/apis").split("/")[1] if path.startswith("/apis") else ""
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    resources = [
        {"name": TYPES[kind].plural, "singularName": kind.lower(), "kind": kind, "namespaced": True, "verbs": verbs}
        for kind in (*WATCHED, "Namespace")
        if TYPES[kind].group == group and kind != hidden
    ]
    return {"kind": "APIResourceList", "resources": resources}


@dataclass
class Peer:
    """Holds runs by name; `fault` answers every request of the kind `misbehaves_on` (discovery, list or watch)."""

    runs: dict[str, int] = field(default_factory=dict)
    version: int = 1
    fault: Fault | None = None
    misbehaves_on: str = ""
    hidden: str = ""
    answered_badly: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)
    streams: set[socket.socket] = field(default_factory=set)

    def create(self, name: str) -> None:
        """One more run, which lists and open watches show."""
        with self.changed:
            self.version += 1
            self.runs[name] = self.version
            self.changed.notify_all()

    def misbehave(self, on: str, fault: Fault) -> None:
        """From now on; watches that are open end."""
        with self.changed:
            self.misbehaves_on, self.fault, self.answered_badly = on, fault, 0
        self.cut()

    def behave(self) -> None:
        with self.changed:
            self.fault = None
            self.changed.notify_all()

    def until_answered_badly(self, times: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.answered_badly >= times, LONG), (
                f"{self.answered_badly} of {times}"
            )

    def cut(self) -> None:
        """Ends every watch that is open, in the middle."""
        with self.changed:
            for stream in self.streams:
                with contextlib.suppress(OSError):
                    # kopf may have hung up before.
                    stream.shutdown(socket.SHUT_RDWR)
            self.streams.clear()


def run_object(name: str, version: int) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "ns", "uid": name, "resourceVersion": str(version)}
    return {"apiVersion": "mira.constellation.dev/v1alpha1", "kind": "TrainingRun", "metadata": metadata}


class Answering(BaseHTTPRequestHandler):
    """One connection of kopf."""

    peer: ClassVar[Peer]
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base
        """Nothing: what the peer answers is no news."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        plurals = [kind for kind in WATCHED if url.path.endswith("/" + TYPES[kind].plural)]
        what = "discovery" if not plurals else "watch" if "watch" in query else "list"
        with self.peer.changed:
            fault = self.peer.fault if self.peer.misbehaves_on == what else None
            if fault is not None:
                self.peer.answered_badly += 1
                self.peer.changed.notify_all()
        if fault is not None:
            fault(self)
        elif what == "discovery":
            self.answer(200, discovery(url.path, self.peer.hidden))
        elif what == "list":
            self._list(plurals[0])
        else:
            self._watch(plurals[0], int(query["resourceVersion"][0]))

    def answer(self, code: int, body: object, **headers: str) -> None:
        """A whole answer; text is sent as it is."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(raw)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def begin_stream(self) -> None:
        """The head of a watch; what follows ends with the connection."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()

    def _list(self, kind: str) -> None:
        with self.peer.changed:
            runs, version = dict(self.peer.runs), self.peer.version
        items = [run_object(name, each) for name, each in runs.items()] if kind == "TrainingRun" else []
        self.answer(200, {"kind": f"{kind}List", "metadata": {"resourceVersion": str(version)}, "items": items})

    def _watch(self, kind: str, since: int) -> None:
        peer = self.peer
        with peer.changed:
            peer.streams.add(self.connection)
        self.begin_stream()
        while (news := self._news(since)) is not None:
            for name, version in news.items() if kind == "TrainingRun" else ():
                event = {"type": "ADDED", "object": run_object(name, version)}
                self.wfile.write(json.dumps(event).encode() + b"\n")
            since = max(since, *news.values())

    def _news(self, since: int) -> dict[str, int] | None:
        """What was created after this version, waited for; None once this watch is cut."""
        peer = self.peer

        def something_happened() -> bool:
            return peer.version > since or self.connection not in peer.streams

        with peer.changed:
            happened = peer.changed.wait_for(something_happened, LONG)
            if not happened or self.connection not in peer.streams:
                return None
            return {name: version for name, version in peer.runs.items() if version > since}


class Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """Nothing: that kopf hangs up on a misbehaving peer is expected."""


@contextmanager
def listening(peer: Peer, port: int = 0) -> Iterator[str]:
    """The address at which this peer answers."""
    server = Quiet(("127.0.0.1", port), type("AnsweringForOne", (Answering,), {"peer": peer}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        peer.cut()
        with peer.changed:
            peer.changed.notify_all()
        server.shutdown()
        server.server_close()
