"""Predictions of a published version by its ONNX file alone: what serves is what is judged."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mira.api.data import ColumnType
from mira.registry.manifest import Column
from mira_training.data.columns import model_input
from mira_training.model.onnx_file import OnnxFile, Unscorable
from mira_training.model.trained import Scores

__all__ = ["OnnxScorer", "Unscorable"]
AT_ONCE = 50_000


class OnnxScorer:
    """One ONNX file, the columns that it takes and the number of classes that it tells apart (0: a regression)."""

    def __init__(self, model: Path | bytes, columns: Sequence[Column], classes: int) -> None:
        self._file = OnnxFile(model, classes)
        self._columns = list(columns)

    @property
    def takes(self) -> list[str]:
        """The names of the inputs that the file asks for."""
        return self._file.takes

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
        return self._file.outputs(self._feed(inputs))

    def _run(self, inputs: pd.DataFrame) -> Scores:
        return self._file.scores(self._feed(inputs))

    def _feed(self, inputs: pd.DataFrame) -> dict[str, Any]:
        return {column.name: _tensor(inputs, column) for column in self._columns}


def _tensor(inputs: pd.DataFrame, column: Column) -> Any:
    values = inputs[column.name].to_numpy(object if column.type == ColumnType.STRING else np.float32)
    return values.reshape(-1, 1)
