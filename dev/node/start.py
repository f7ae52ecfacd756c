"""Starting a node agent as a process of its own."""

import time
from collections.abc import Mapping
from datetime import datetime

from dev.node.api import ApiServer
from dev.node.registration import lease_path, node_path
from dev.node.settings import NodeSettings
from dev.processes import CHECKOUT, Process, Supervisor
from dev.waiting import wait_until

_READY_SECONDS = 30.0


def start_node(supervisor: Supervisor, settings: NodeSettings, *, env: Mapping[str, str] | None = None) -> Process:
    """The agent's process, as soon as its node takes pods; `env` is the agent's environment, not its pods'."""
    begin = time.time()
    process = supervisor.start(
        f"node {settings.name}",
        settings.argv(),
        log=settings.folder / "agent.log",
        env=env,
        cwd=CHECKOUT,
    )
    api = ApiServer(settings.kubeconfig)
    # A node may still look ready from an earlier agent: the new one's first lease is its sign of life.
    wait_until(
        lambda: _lives(api, settings.name, begin) and _takes_pods(api, settings.name),
        timeout=_READY_SECONDS,
        what=f"node {settings.name} to be ready (see {process.log})",
    )
    return process


def _lives(api: ApiServer, name: str, since: float) -> bool:
    lease = api.get(lease_path(name))
    return lease is not None and datetime.fromisoformat(lease["spec"]["renewTime"]).timestamp() > since


def _takes_pods(api: ApiServer, name: str) -> bool:
    # The control plane creates every node with a taint, and takes it away when it has seen it ready.
    node = api.get(node_path(name))
    return node is not None and "taints" not in node["spec"]
