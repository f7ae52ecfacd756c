"""What a node agent has to be told: the same thing as a value in Python and as a command line."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self


@dataclass(frozen=True, kw_only=True)
class NodeSettings:
    """A node agent's settings; every field is a flag of `python -m dev.node`."""

    name: str
    kubeconfig: Path
    folder: Path
    """Where everything lies that the agent and its pods write."""
    kubelet_cert: Path
    """The certificate of the endpoint that `kubectl logs` reads from."""
    kubelet_key: Path
    client_ca: Path
    """Whose clients that endpoint serves: the authority that signed the API server's `--kubelet-client-certificate`."""
    credentials: Path | None = None
    """JSON: "<namespace or *>/<service account>" to the environment that it gives. Read anew for every pod."""
    images: Path | None = None
    """JSON: an image's name (or *) to {"env": {...}}. Read anew for every pod; without it every image is empty."""
    cpu: str = "16"
    memory: str = "64Gi"
    pods: str = "110"

    def argv(self) -> list[str]:
        """The command that runs an agent with these settings; its working directory is the checkout."""
        argv = [sys.executable, "-m", "dev.node"]
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                text = value.absolute() if isinstance(value, Path) else value
                argv.append(f"--{field.name.replace('_', '-')}={text}")
        return argv

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> Self:
        """The settings that these command line arguments spell."""
        parser = argparse.ArgumentParser(prog="python -m dev.node")
        parser.add_argument("--name", required=True)
        for flag in ("kubeconfig", "folder", "kubelet-cert", "kubelet-key", "client-ca"):
            parser.add_argument(f"--{flag}", required=True, type=_absolute)
        for flag in ("credentials", "images"):
            parser.add_argument(f"--{flag}", type=_absolute)
        for flag, default in (("cpu", cls.cpu), ("memory", cls.memory), ("pods", cls.pods)):
            parser.add_argument(f"--{flag}", default=default)
        return cls(**vars(parser.parse_args(arguments)))


def _absolute(path: str) -> Path:
    return Path(path).absolute()
