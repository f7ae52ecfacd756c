"""What a training needs of the world; tests give it others."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mira.registry.reader import ReadableStore
from mira_training.data.objects import DataObjects

if TYPE_CHECKING:
    from mira.registry.signing import SigningKey


@dataclass(frozen=True)
class Ports:
    """The registry, the data, the clock, a folder of our own for files on their way; what else the environment says.

    `signing_key` signs the version; `revision` is the commit of the code in the image; `suite_file` is where a
    ConfigMap's Great Expectations suite is mounted, if one is.
    """

    registry: ReadableStore
    data: DataObjects
    now: Callable[[], datetime]
    folder: Path
    signing_key: "SigningKey | None" = None
    revision: str | None = None
    suite_file: Path | None = None

    @property
    def version_folder(self) -> Path:
        """Everything below it becomes a file of the version."""
        return self.folder / "version"

    @property
    def model_folder(self) -> Path:
        """Where the files of `model/` are written."""
        return self.version_folder / "model"
