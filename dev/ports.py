"""Ports on loopback for the servers that we start."""

import contextlib
import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
# A server's port lies below the range from which the kernel gives ports to clients: while the server is down, a client
# that keeps trying to reach it could otherwise be given that very port, reach itself, and keep the server from coming
# back (TCP allows a socket to connect to itself).
LOWEST, CLIENTS = 10_000, 32_768
CLIENT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_ports(count: int) -> list[int]:
    """`count` different ports on loopback on which nothing listens; none of them can become a client's port."""
    # The system's randomness: a seeded one would give processes that run side by side the same ports.
    candidates = random.SystemRandom().sample(_servers_range(), 100 + count)
    ports: list[int] = []
    with contextlib.ExitStack() as held:
        while len(ports) < count:
            probe = held.enter_context(socket.socket())
            port = candidates.pop()
            with contextlib.suppress(OSError):
                probe.bind((LOOPBACK, port))
                ports.append(port)
    return ports


def _servers_range() -> range:
    try:
        clients = int(CLIENT_RANGE.read_text().split()[0])
    except OSError:  # not Linux
        clients = CLIENTS
    return range(LOWEST, clients if clients > LOWEST + 1000 else CLIENTS)
