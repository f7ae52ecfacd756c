"""Ports on loopback for the servers that we start."""

import contextlib
import fcntl
import functools
import os
import random
import socket
from pathlib import Path

from dev.processes import CHECKOUT

LOOPBACK = "127.0.0.1"
# A server's port lies below the range from which the kernel gives ports to clients: while the server is down, a client
# that keeps trying to reach it could otherwise be given that very port, reach itself, and keep the server from coming
# back (TCP allows a socket to connect to itself).
LOWEST, CLIENTS = 10_000, 32_768
CLIENT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
# One byte for each port, locked by the process of ours that has chosen it: a server needs up to seconds from the choice
# until it listens, and many processes choose side by side. The locks end with their process.
_CLAIMS = CHECKOUT / ".cache" / "ports"


def free_ports(count: int) -> list[int]:
    """`count` different ports on loopback on which nothing listens; none of them can become a client's port.

    As long as this process lives, no other process of this checkout gets them.
    """
    # The system's randomness: a seeded one would give processes that run side by side the same ports.
    candidates = random.SystemRandom().sample(_servers_range(), 100 + count)
    ports: list[int] = []
    with contextlib.ExitStack() as held:
        while len(ports) < count:
            probe = held.enter_context(socket.socket())
            port = candidates.pop()
            with contextlib.suppress(OSError):
                _claim(port)
                probe.bind((LOOPBACK, port))
                ports.append(port)
    return ports


def _claim(port: int) -> None:
    """Makes it ours among the processes of this checkout; a BlockingIOError if it is another one's."""
    fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)


@functools.cache
def _claims() -> int:
    """The file with the claims. Never closed: with any descriptor of it a process closes, all its locks are gone."""
    _CLAIMS.parent.mkdir(exist_ok=True)
    return os.open(_CLAIMS, os.O_RDWR | os.O_CREAT, 0o600)


def _servers_range() -> range:
    try:
        clients = int(CLIENT_RANGE.read_text().split()[0])
    except OSError:  # not Linux
        clients = CLIENTS
    return range(LOWEST, clients if clients > LOWEST + 1000 else CLIENTS)
