"""A version that can be asked: its ONNX file loaded from verified bytes and tried on a row before anybody else does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mira.registry import Tampered, VerifiedVersion
from mira.registry.document import sha256
from mira.registry.manifest import Column, Schema
from mira_training.model.onnx_file import OnnxFile, Unscorable

ONNX_FILE = "model.onnx"
TASKS = ("Classification", "Regression")
TEXT = "String"
LARGEST = float(np.finfo(np.float32).max)


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
    scores = predictor.scores(sample(version.manifest.model_schema))
    if len(scores) != 1:
        raise Unscorable(f"its ONNX file gives {len(scores)} answers for one row")
    return predictor


def sample(schema: Schema) -> dict[str, npt.NDArray[Any]]:
    """One row: the manifest's sample; where it has no value that the column takes, zeros and empty texts."""
    given = schema.sample or {}
    return {column.name: _cell(given.get(column.name), is_text=column.type == TEXT) for column in schema.columns}


def _cell(value: bool | float | str | None, *, is_text: bool) -> npt.NDArray[Any]:
    if is_text:
        return np.array([[value if isinstance(value, str) else ""]], dtype=object)
    number = float(value) if isinstance(value, bool | int | float) else 0.0
    return np.array([[number if abs(number) <= LARGEST else 0.0]], dtype=np.float32)
