"""Predictions of a published version by its ONNX file alone: what serves is what is judged."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd

from mira.api.data import ColumnType
from mira.registry.manifest import Column
from mira_training.data.columns import model_input
from mira_training.model.trained import Scores

AT_ONCE = 50_000


class Unscorable(Exception):
    """The model cannot be asked about these rows; the text says why, as the end of a sentence."""


class OnnxScorer:
    """One ONNX file, the columns that it takes and the number of classes that it tells apart (0: a regression)."""

    def __init__(self, model: Path | bytes, columns: Sequence[Column], classes: int) -> None:
        self._session = _session(model)
        self._columns = list(columns)
        self._classes = classes

    @property
    def takes(self) -> list[str]:
        """The names of the inputs that the file asks for."""
        return [given.name for given in self._session.get_inputs()]

    def scores(self, table: pd.DataFrame) -> Scores:
        """Probabilities (rows x classes) or predicted numbers (rows). Raises Unscorable."""
        try:
            inputs = model_input(table, self._columns)
        except KeyError as error:
            raise Unscorable(f"it takes column {error.args[0]!r}, which the data does not have") from error
        except ValueError as error:
            raise Unscorable(f"the data does not fit: {error}") from error
        pieces = [self._run(inputs.iloc[start : start + AT_ONCE]) for start in range(0, len(inputs), AT_ONCE)]
        return np.concatenate(pieces)

    def outputs(self, inputs: pd.DataFrame) -> list[Any]:
        """What the file gives for model inputs, output by output as it is. Raises Unscorable."""
        feed = {column.name: _tensor(inputs, column) for column in self._columns}
        wanted = set(self.takes)
        if wanted - feed.keys():
            raise Unscorable(f"its ONNX file takes {min(wanted - feed.keys())!r}, which its manifest does not name")
        try:
            outputs: list[Any] = self._session.run(None, {name: feed[name] for name in wanted})
        except Exception as error:
            raise Unscorable(f"its ONNX file fails: {str(error).splitlines()[0][:200]}") from error
        return outputs

    def _run(self, inputs: pd.DataFrame) -> Scores:
        last = self.outputs(inputs)[-1]
        wanted = f"{self._classes} probabilities" if self._classes else "one number"
        fits = isinstance(last, np.ndarray) and np.issubdtype(last.dtype, np.number)
        if not fits or last.size != len(inputs) * (self._classes or 1) or (self._classes and last.ndim != 2):
            raise Unscorable(f"its ONNX file does not give {wanted} per row as its last output")
        found: Scores = last.astype(np.float64)
        return found if self._classes else found.reshape(-1)


def _session(model: Path | bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        content = model if isinstance(model, bytes) else str(model)
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise Unscorable(f"its ONNX file cannot be loaded: {str(error).splitlines()[0][:200]}") from error


def _tensor(inputs: pd.DataFrame, column: Column) -> Any:
    values = inputs[column.name].to_numpy(object if column.type == ColumnType.STRING else np.float32)
    return values.reshape(-1, 1)
