"""A version that can be asked: its ONNX file loaded from verified bytes and tried on a row before anybody else does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mira.registry import Tampered, VerifiedVersion
from mira.registry.document import sha256
from mira.registry.manifest import Column
from mira_training.model.onnx_file import OnnxFile, Unscorable

ONNX_FILE = "model.onnx"
TASKS = ("Classification", "Regression")
TEXT = "String"


@dataclass(frozen=True)
class Predictor:
    """One loaded version."""

    version: VerifiedVersion
    file: OnnxFile

    @property
    def columns(self) -> list[Column]:
        """What it takes, in the order of the manifest."""
        return self.version.manifest.model_schema.columns

    @property
    def classes(self) -> list[str]:
        """The labels in the order of the probabilities; empty for a regression."""
        return self.version.manifest.model_schema.classes

    def scores(self, feed: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.float64]:
        """Probabilities (rows x classes) or predicted numbers (rows). Raises Unscorable."""
        return self.file.scores(feed)


def must_be_servable(version: VerifiedVersion) -> None:
    """Raises Unscorable, before anything is downloaded, for a version that this server cannot serve."""
    manifest = version.manifest
    if manifest.task not in TASKS:
        raise Unscorable(f"its task is {manifest.task}, this server serves {' and '.join(TASKS)}")
    if version.file(ONNX_FILE) is None:
        raise Unscorable(f"it was published without {ONNX_FILE}; publish with artifacts: [Skops, ONNX]")
    if manifest.task == "Classification" and not manifest.model_schema.classes:
        raise Unscorable("its manifest names no classes")


def load(version: VerifiedVersion, folder: Path, *, threads: int) -> Predictor:
    """The version from its folder of model files, after one prediction. Raises Unscorable, Tampered, OSError."""
    file = version.file(ONNX_FILE)
    content = (folder / ONNX_FILE).read_bytes()
    # Of the very bytes that are loaded: what lies on the disk may have changed since it was verified.
    if file is None or sha256(content) != file.sha256:
        raise Tampered(f"{folder / ONNX_FILE} is not the file that the manifest names")
    predictor = Predictor(version, OnnxFile(content, len(version.manifest.model_schema.classes), threads=threads))
    scores = predictor.scores(sample(predictor.columns))
    if len(scores) != 1:
        raise Unscorable(f"its ONNX file gives {len(scores)} answers for one row")
    return predictor


def sample(columns: list[Column]) -> dict[str, npt.NDArray[Any]]:
    """One row made from the schema: zeros and empty texts."""
    return {
        column.name: np.array([[""]], dtype=object) if column.type == TEXT else np.zeros((1, 1), np.float32)
        for column in columns
    }
