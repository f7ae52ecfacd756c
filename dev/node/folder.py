"""A pod's folder: what stands for its container's root, and what the agent notes down about it."""

import json
import shutil
from pathlib import Path

from dev.node.api import Json


class PodFolder:
    """One pod's places on this host."""

    def __init__(self, path: Path) -> None:
        """Touches nothing yet: see `build`."""
        self.path = path
        self.root = path / "root"
        self.home = path / "home"
        self.temporary = path / "tmp"
        self.log = path / "log"
        self._started = path / "started"
        self._end = path / "end.json"

    def build(self) -> None:
        """Makes the folder anew, empty."""
        self.remove()
        for folder in (self.root, self.home, self.temporary):
            folder.mkdir(parents=True)

    def remove(self) -> None:
        """Removes everything."""
        shutil.rmtree(self.path, ignore_errors=True)

    def volume(self, name: str) -> Path:
        """The content of a volume."""
        return self.path / "volumes" / name

    def real(self, path: str) -> Path:
        """The place on this host of a path inside the container."""
        return self.root / path.lstrip("/")

    def note_start(self) -> None:
        """Notes, before it happens, that the container's process is started: no later agent may start it again."""
        self._started.touch(exist_ok=False)

    def note_end(self, status: Json) -> None:
        """Notes the pod's last status, in case this agent dies before the API server knows it."""
        draft = self._end.with_suffix(".draft")
        draft.write_text(json.dumps(status))
        draft.rename(self._end)

    @property
    def was_started(self) -> bool:
        """Whether an agent has started the container's process, or meant to."""
        return self._started.exists()

    @property
    def end(self) -> Json | None:
        """The pod's last status, if an agent has seen its end."""
        try:
            status: Json = json.loads(self._end.read_text())
        except FileNotFoundError:
            return None
        return status
