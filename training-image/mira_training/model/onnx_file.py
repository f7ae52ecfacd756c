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
        self.takes: list[str] = [given.name for given in self._session.get_inputs()]
        """The names of the inputs that the file asks for."""

    def scores(self, feed: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.float64]:
        """Probabilities (rows x classes) or predicted numbers (rows) for columns of rows x 1. Raises Unscorable."""
        return self._shaped(self.outputs(feed)[-1], rows=len(next(iter(feed.values()))))

    def outputs(self, feed: Mapping[str, npt.NDArray[Any]]) -> list[Any]:
        """What the file gives for these columns, output by output as it is. Raises Unscorable."""
        missing = set(self.takes) - feed.keys()
        if missing:
            raise Unscorable(f"its ONNX file takes {min(missing)!r}, which its manifest does not name")
        try:
            outputs: list[Any] = self._session.run(None, {name: feed[name] for name in self.takes})
        except Exception as error:
            raise Unscorable(f"its ONNX file fails: {_first_line(error)}") from error
        return outputs

    def _shaped(self, last: Any, *, rows: int) -> npt.NDArray[np.float64]:
        wanted = f"{self._classes} probabilities" if self._classes else "one number"
        fits = isinstance(last, np.ndarray) and np.issubdtype(last.dtype, np.number)
        if not fits or last.size != rows * (self._classes or 1) or (self._classes and last.ndim != 2):
            raise Unscorable(f"its ONNX file does not give {wanted} per row as its last output")
        found: npt.NDArray[np.float64] = last.astype(np.float64)
        return found if self._classes else found.reshape(-1)


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
