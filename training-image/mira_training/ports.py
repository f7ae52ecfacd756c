"""What a training needs of the world; tests give it others."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mira.registry.reader import ReadableStore
from mira_training.data.objects import DataObjects


@dataclass(frozen=True)
class Ports:
    """The registry, the data, the clock, and a folder of our own for files on their way."""

    registry: ReadableStore
    data: DataObjects
    now: Callable[[], datetime]
    folder: Path

    @property
    def version_folder(self) -> Path:
        """Everything below it becomes a file of the version."""
        return self.folder / "version"

    @property
    def model_folder(self) -> Path:
        """Where the files of `model/` are written."""
        return self.version_folder / "model"
