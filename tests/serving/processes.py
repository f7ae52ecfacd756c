"""A real server in a process of its own, and how to ask it."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from dev.ports import LOOPBACK, free_ports
from dev.processes import Process, Supervisor
from dev.waiting import wait_until
from tests.training.workbench import MODEL, NAMESPACE, STAGE


@dataclass
class Served:
    """One server; `client` talks to it."""

    process: Process
    client: httpx.Client

    def wait_until_ready(self) -> None:
        wait_until(lambda: self.code("/v2/health/ready") == 200, timeout=60, what=f"it is ready: {self.process.log}")

    def wait_for_version(self, version: str) -> None:
        wait_until(lambda: self.state().get("version") == version, timeout=30, what=f"{version} is served")

    def code(self, path: str) -> int:
        try:
            return self.client.get(path).status_code
        except httpx.TransportError:
            return 0

    def state(self) -> dict[str, Any]:
        """What it says of itself, `error` included."""
        found: dict[str, Any] = self.client.get(f"/v2/models/{MODEL}/ready").json()
        return found

    def infer(self, request: Any) -> httpx.Response:
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        return self.client.post(f"/v2/models/{MODEL}/infer", content=body)


@contextmanager
def running(supervisor: Supervisor, folder: Path, registry: str, **settings: Any) -> Iterator[Served]:
    """A server that is alive; by default it follows the workbench's stage, and looks ten times a second."""
    (port,) = free_ports(1)
    wanted = {
        "registry": registry,
        "namespace": NAMESPACE,
        "model": MODEL,
        "stage": STAGE,
        "refresh_seconds": 0.1,
        "listen_port": port,
        "listen_host": LOOPBACK,
        "cache": folder / "cache",
        "drain_seconds": 0.5,
        **settings,
    }
    variables = {f"MIRA_{name.upper()}": str(value) for name, value in wanted.items() if value is not None}
    process = supervisor.start(
        "serving", [sys.executable, "-m", "mira_training.serve"], log=folder / "log", env=os.environ | variables
    )
    with httpx.Client(base_url=f"http://{LOOPBACK}:{port}", timeout=20, trust_env=False) as client:
        served = Served(process, client)
        wait_until(lambda: served.code("/v2/health/live") == 200, timeout=60, what=f"it answers: {process.log}")
        try:
            yield served
        finally:
            process.kill()


def a_row(**changed: Any) -> dict[str, Any]:
    """A request for one customer; `changed` replaces fields of a column's tensor, or leaves it out (None)."""
    tensors = {
        "age": {"datatype": "INT64", "data": [40]},
        "spend": {"datatype": "FP64", "data": [12.5]},
        "plan": {"datatype": "BYTES", "data": ["pro"]},
        "active": {"datatype": "BOOL", "data": [True]},
    }
    for name, fields in changed.items():
        tensors[name] = tensors.get(name, {}) | fields if fields is not None else {}
    return {"inputs": [{"name": name, "shape": [1]} | fields for name, fields in tensors.items() if fields]}
