"""What comes to a container from outside its pod: its image, and the identity of its service account."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from dev.node.folder import PodFolder
from dev.node.references import NotReadyError

Environment = dict[str, str]

# Old builds of OpenBLAS misjudge newer processors and crash, unless told.
_KEPT = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


@dataclass(frozen=True)
class Provided:
    """The two files that say it; read anew for every pod, so that a test may change them under a running agent."""

    images: Path | None
    credentials: Path | None

    def image(self, name: str) -> Environment:
        """The environment that makes this host's folders stand for the image's content."""
        if self.images is None:
            return {}
        known: dict[str, dict[str, Environment]] = json.loads(self.images.read_text())
        for entry in (name, "*"):
            if entry in known:
                return known[entry].get("env", {})
        raise NotReadyError("ImagePullBackOff", f'Back-off pulling image "{name}": {self.images.name} does not name it')

    def identity(self, namespace: str, service_account: str) -> Environment:
        """The environment that the service account brings."""
        if self.credentials is None:
            return {}
        known: dict[str, Environment] = json.loads(self.credentials.read_text())
        return known.get(f"{namespace}/{service_account}") or known.get(f"*/{service_account}") or {}


def bare_environment(folder: PodFolder) -> Environment:
    """All that a container's process has of this host."""
    # Not resolved: a virtual environment's python is a link out of it.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {"PATH": path, "HOME": str(folder.home), "TMPDIR": str(folder.temporary), "LANG": "C.UTF-8"} | kept
