"""What Watching has to outlive: each trouble in a function that fails unless what happens afterwards is told.

Run as a program it does all at once and prints the traceback of each that fails, for kopf takes its time to end, and
leaves sessions and tasks behind that would complain in the process of other tests.
"""

import json
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import kopf

from dev.ports import free_ports
from mira.controller import watching
from mira.controller.watching import Watching
from tests.controller.misbehaving_peer import LONG, Answering, Fault, Peer, listening


class Told:
    """The names of the runs that were told, and how often kopf was started again."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.names: list[str] = []
        self.restarts: list[float] = []

    def tell(self, kind: str, event: str, body: dict[str, Any]) -> None:
        if body["metadata"]["name"] == "poison":
            raise ValueError("poison")
        with self.changed:
            self.names.append(body["metadata"]["name"])
            self.changed.notify_all()

    def restarted(self) -> None:
        with self.changed:
            self.restarts.append(time.monotonic())
            self.changed.notify_all()

    def until(self, name: str) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: name in self.names, LONG), f"{name} was not told, only {self.names}"

    def until_restarted(self) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.restarts, LONG), "kopf was not started again"


@contextmanager
def started(told: Told, login: watching.Login) -> Iterator[Watching]:
    """It must be alive to the end, and stop when it is told to."""
    watch = Watching(told.tell, login, restarted=told.restarted)
    watch.start()
    try:
        yield watch
    finally:
        alive = watch.alive()
        watch.stop(seconds=LONG)
    assert (alive, watch.alive()) == (True, False)


@contextmanager
def watched(peer: Peer, told: Told) -> Iterator[Watching]:
    """Watching this peer."""
    with listening(peer) as server, started(told, lambda: kopf.ConnectionInfo(server=server)) as watch:
        yield watch


def status(code: int, **headers: str) -> Fault:
    """As the API server refuses: a Status object."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": "x", "message": "no"}
    return lambda answering: answering.answer(code, body, **headers)


def text(body: bytes) -> Fault:
    return lambda answering: answering.answer(200, body)


def lines(*sent: bytes) -> Fault:
    """A watch that sends this and ends."""

    def fault(answering: Answering) -> None:
        answering.begin_stream()
        for line in sent:
            answering.wfile.write(line)

    return fault


def reset(answering: Answering) -> None:
    """The connection is reset instead of an answer."""
    answering.close_connection = True
    answering.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    answering.connection.close()


def cut_off(answering: Answering) -> None:
    """The answer is shorter than its head promises."""
    answering.close_connection = True
    answering.send_response(200)
    answering.send_header("Content-Length", "1000")
    answering.end_headers()
    answering.wfile.write(b'{"items": [')


def hang(answering: Answering) -> None:
    """Nothing is answered for as long as the peer misbehaves."""
    answering.close_connection = True
    with answering.peer.changed:
        answering.peer.changed.wait_for(lambda: answering.peer.fault is None, LONG)


def error_event(code: int) -> bytes:
    return b'{"type": "ERROR", "object": {"kind": "Status", "code": %d, "message": "no"}}\n' % code


NO_METADATA = b'{"type": "ADDED", "object": {"kind": "TrainingRun"}}\n'
FAULTS: dict[str, tuple[str, Fault]] = {
    "500 on a list": ("list", status(500)),
    "503 on a list": ("list", status(503)),
    "410 on a list": ("list", status(410)),
    "403 on a list": ("list", status(403)),
    "404 on a list": ("list", status(404)),
    "401 on a list": ("list", status(401)),
    "429 on a list": ("list", status(429, **{"Retry-After": "1"})),
    "a list that is no JSON": ("list", text(b"<html>a proxy's error page</html>")),
    "a list that is no list": ("list", text(b"[]")),
    "a list that is cut off": ("list", cut_off),
    "a list that is reset": ("list", reset),
    "a list that hangs": ("list", hang),
    "500 on a watch": ("watch", status(500)),
    "410 on a watch": ("watch", status(410)),
    "403 on a watch": ("watch", status(403)),
    "404 on a watch": ("watch", status(404)),
    "401 on a watch": ("watch", status(401)),
    "a watch that is reset": ("watch", reset),
    "a watch that ends at once": ("watch", lines()),
    "a watch that hangs": ("watch", hang),
    "an error event 410": ("watch", lines(error_event(410))),
    "an error event 500": ("watch", lines(error_event(500))),
    "an error event without a code": ("watch", lines(b'{"type": "ERROR", "object": {}}\n')),
    "a line that is no JSON": ("watch", lines(b'{"type": "ADD\n')),
    "a line that is no event": ("watch", lines(b"{}\n")),
    "a line that is cut off": ("watch", lines(b'{"type": "ADDED", "object": {"meta')),
    "an event of an unknown type": ("watch", lines(b'{"type": "RENAMED", "object": {"metadata": {}}}\n')),
    "an event without metadata": ("watch", lines(NO_METADATA)),
    "500 on discovery": ("discovery", status(500)),
    "403 on discovery": ("discovery", status(403)),
    "discovery that is no JSON": ("discovery", text(b"<html></html>")),
}


def outlive(on: str, fault: Fault) -> None:
    """Fails unless Watching tells what happens after the peer has misbehaved like this."""
    peer, told = Peer({"first": 1}), Told()
    if on != "watch":
        peer.misbehave(on, fault)
    with watched(peer, told) as watch:
        if on == "watch":
            told.until("first")
            peer.misbehave(on, fault)
        peer.until_answered_badly(2)
        assert watch.alive()
        peer.behave()
        peer.create("afterwards")
        told.until("afterwards")


def a_server_that_is_not_there_yet_is_waited_for() -> None:
    told, asked, (port,) = Told(), threading.Event(), free_ports(1)

    def login() -> kopf.ConnectionInfo:
        asked.set()
        return kopf.ConnectionInfo(server=f"http://127.0.0.1:{port}")

    with started(told, login):
        assert asked.wait(LONG)
        with listening(Peer({"first": 1}), port):
            told.until("first")


def a_login_that_raises_is_tried_again_within_seconds() -> None:
    """By itself kopf would wait a minute, and for ever after an error that it calls permanent."""
    told, logins = Told(), iter([OSError("the token's file is not there"), KeyError("token")])

    with listening(Peer({"first": 1})) as server:

        def login() -> kopf.ConnectionInfo:
            for error in logins:
                raise error
            return kopf.ConnectionInfo(server=server)

        with started(told, login):
            told.until("first")


def a_kind_that_discovery_does_not_show_yet_is_watched_once_it_does() -> None:
    """By itself kopf would never look again, and seem well: right after CRDs are installed discovery may be late."""
    peer, told = Peer({"first": 1}, hidden="TrainingRun"), Told()
    with watched(peer, told):
        told.until_restarted()
        peer.hidden = ""
        told.until("first")


def an_event_that_cannot_be_taken_in_takes_no_other_with_it() -> None:
    peer, told = Peer({"poison": 1, "first": 2}, version=2), Told()
    with watched(peer, told):
        told.until("first")
        peer.create("poison")
        peer.create("afterwards")
        told.until("afterwards")
    assert told.restarts == []


def a_stop_does_not_wait_for_a_peer_that_hangs() -> None:
    peer, told = Peer(), Told()
    peer.misbehave("list", hang)
    with watched(peer, told):
        peer.until_answered_badly(1)
        began = time.monotonic()
    assert time.monotonic() - began < LONG / 2


OTHERS = (
    a_server_that_is_not_there_yet_is_waited_for,
    a_login_that_raises_is_tried_again_within_seconds,
    a_kind_that_discovery_does_not_show_yet_is_watched_once_it_does,
    an_event_that_cannot_be_taken_in_takes_no_other_with_it,
    a_stop_does_not_wait_for_a_peer_that_hangs,
)
TROUBLES: dict[str, Callable[[], None]] = {
    **{name: partial(outlive, on, fault) for name, (on, fault) in FAULTS.items()},
    **{other.__name__.replace("_", " "): other for other in OTHERS},
}


def failure(trouble: Callable[[], None]) -> str:
    """Empty if it was outlived, else the traceback."""
    try:
        trouble()
    except BaseException:  # noqa: BLE001 - whatever it is, it is printed
        return traceback.format_exc()
    return ""


if __name__ == "__main__":
    with ThreadPoolExecutor(len(TROUBLES)) as pool:
        outcomes = dict(zip(TROUBLES, pool.map(failure, TROUBLES.values()), strict=True))
    sys.stdout.write(json.dumps(outcomes))
