"""Who may log in: people, components and nodes, by token, with a kubeconfig for each."""

import base64
import csv
import secrets
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

# Tools that change a cluster can refuse every other context.
CONTEXT = "mira-dev"


@dataclass(frozen=True)
class User:
    """Somebody with a token; what a user or group may do is for RBAC to say."""

    name: str
    groups: tuple[str, ...] = ()
    token: str = field(default_factory=secrets.token_urlsafe, repr=False)


def all_users(nodes: Iterable[str]) -> dict[str, User]:
    """Every user by name, each with a new token. Of the people, only `admin` may do anything without a binding."""
    users = [
        User("admin", ("system:masters",)),
        User("alice", ("data-scientists",)),
        User("dan", ("data-scientists",)),
        User("bob", ("approvers",)),
        User("erin", ("approvers",)),
        User("carol", ("platform-team",)),
        User("system:kube-controller-manager"),
        User("system:kube-scheduler"),
        *(User(f"system:node:{node}", ("system:nodes",)) for node in nodes),
    ]
    return {user.name: user for user in users}


def write_tokens(path: Path, users: Iterable[User]) -> Path:
    """The file for `--token-auth-file`, readable only by us."""
    path.touch(mode=0o600)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([user.token, user.name, user.name, ",".join(user.groups)] for user in users)
    return path


def write_kubeconfig(path: Path, *, server: str, authority: Path, user: str, token: str) -> Path:
    """A kubeconfig that stands alone, with one context, readable only by us."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ca = base64.b64encode(authority.read_bytes()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": {"server": server, "certificate-authority-data": ca}}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": user, "namespace": "default"}}],
        "current-context": CONTEXT,
    }
    return _written(path, config)


def in_namespace(kubeconfig: Path, namespace: str) -> Path:
    """The same kubeconfig, where a command without a namespace means this one."""
    config = yaml.safe_load(kubeconfig.read_text())
    for each in config["contexts"]:
        each["context"]["namespace"] = namespace
    return _written(kubeconfig, config)


def _written(path: Path, config: dict[str, Any]) -> Path:
    # Replaced as a whole: somebody may be reading it.
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        yaml.safe_dump(config, file, sort_keys=False)
    return Path(file.name).replace(path)
