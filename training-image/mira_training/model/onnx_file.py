"""An ONNX file that gives scores; numpy and the ONNX runtime are all it needs, so that a server stays small."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime


class Unscorable(Exception):
    """The model cannot be asked about these rows; the text says why, as the end of a sentence."""


class OnnxFile:
    """One ONNX file and the number of classes that it tells apart (0: a regression). Safe to share between threads.

    `threads`: how many a single call may use; 0: one for each core of the machine.
    """

    def __init__(self, model: Path | bytes, classes: int, *, threads: int = 0) -> None:
        self._session = _session(model, threads)
        self._classes = classes
        self._takes = {given.name for given in self._session.get_inputs()}

    def scores(self, feed: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.float64]:
        """Probabilities (rows x classes) or predicted numbers (rows) for columns of rows x 1. Raises Unscorable."""
        if self._takes - feed.keys():
            raise Unscorable(
                f"its ONNX file takes {min(self._takes - feed.keys())!r}, which its manifest does not name"
            )
        try:
            outputs = self._session.run(None, {name: feed[name] for name in self._takes})
        except Exception as error:
            raise Unscorable(f"its ONNX file fails: {_first_line(error)}") from error
        return self._shaped(outputs)

    def _shaped(self, outputs: list[Any]) -> npt.NDArray[np.float64]:
        last = np.asarray(outputs[-1])
        if not self._classes:
            return last.reshape(-1).astype(np.float64)
        if last.ndim != 2 or last.shape[1] != self._classes:
            raise Unscorable(f"its ONNX file does not give {self._classes} probabilities per row")
        return last.astype(np.float64)


def _session(model: Path | bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    try:
        content = model if isinstance(model, bytes) else str(model)
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise Unscorable(f"its ONNX file cannot be loaded: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
