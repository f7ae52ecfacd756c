# ruff: noqa: PLC0415 - each form of file has a library of its own, imported only when it is asked for
"""The files a model is published as: skops, ONNX, joblib; ONNX only if it says what the estimator says."""

import importlib.metadata
import platform
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import mira
from mira.api.data import ColumnType
from mira.api.reasons import Reason
from mira.api.trainingrun import Artifact
from mira_training.model.fitted import Fitted
from mira_training.model.onnx_scorer import OnnxScorer, Unscorable
from mira_training.model.trained import Scorer
from mira_training.refusal import Refused

FILES = {Artifact.ONNX: "model.onnx", Artifact.SKOPS: "model.skops", Artifact.JOBLIB: "model.joblib"}
CHECKED_ROWS = 2000
TOLERANCE = 1e-4
"""ONNX computes with 32 bits, the estimator with 64."""
GRAPH_NAME = "model"
"""Without a name the converter makes one up, and the same training would give another file each time."""
LEAVE_ONNX_OUT = "leave ONNX out: artifacts: [Skops]"
OPSETS = {"": 18, "ai.onnx.ml": 3}
LIBRARIES = ("scikit-learn", "numpy", "pandas", "scipy", "skops", "skl2onnx", "onnxruntime", "pyarrow")
BROUGHT = ("xgboost", "lightgbm", "catboost", "torch", "onnxmltools")
"""Libraries that only user code uses: told where it has imported them."""


def write(fitted: Fitted, artifacts: Sequence[Artifact], folder: Path, rows: pd.DataFrame) -> list[Path]:
    """The model's files in the folder. `rows` are model inputs on which ONNX file and estimator must agree.

    Raises Refused (`CodeInvalid`) if the estimator cannot be written so, or the ONNX file disagrees.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for artifact in artifacts:
        match artifact:
            case Artifact.ONNX:
                written.append(_onnx(fitted, folder / FILES[artifact], rows))
            case Artifact.SKOPS:
                written.append(skops_file(fitted.pipeline, folder))
            case Artifact.JOBLIB:
                written.append(joblib_file(fitted.pipeline, folder))
            case Artifact.DIRECTORY:
                raise AssertionError("an estimator is no directory; the order's rules refuse it")
    return written


def libraries() -> dict[str, str]:
    """The versions that matter for loading the model."""
    ours = {"python": platform.python_version(), "mira-mlops": mira.__version__}
    ours |= {name: importlib.metadata.version(name) for name in LIBRARIES}
    brought = {name: str(getattr(sys.modules[name], "__version__", "?")) for name in BROUGHT if name in sys.modules}
    return ours | brought


def skops_file(estimator: Any, folder: Path) -> Path:
    """The estimator as skops. Raises Refused (`CodeInvalid`) if it cannot be written so."""
    import skops.io

    path = folder / FILES[Artifact.SKOPS]
    try:
        skops.io.dump(estimator, path)
    except Exception as error:
        raise _cannot(Artifact.SKOPS, estimator, error) from error
    return path


def loadable_skops_file(estimator: Any, folder: Path) -> Path:
    """The same, sure to load: skops writes some things, such as a function without a name, that it cannot read."""
    import skops.io

    path = skops_file(estimator, folder)
    try:
        skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    except Exception as error:
        raise _cannot(Artifact.SKOPS, estimator, error) from error
    return path


def joblib_file(estimator: Any, folder: Path) -> Path:
    """The estimator as joblib. Raises Refused (`CodeInvalid`) if it cannot be pickled."""
    import joblib

    path = folder / FILES[Artifact.JOBLIB]
    try:
        joblib.dump(estimator, path, compress=3)
    except Exception as error:
        raise _cannot(Artifact.JOBLIB, estimator, error) from error
    return path


def _onnx(fitted: Fitted, path: Path, rows: pd.DataFrame) -> Path:
    content = converted(fitted)
    must_agree(fitted, content, rows.head(CHECKED_ROWS), "artifacts: the ONNX file", LEAVE_ONNX_OUT)
    path.write_bytes(content)
    return path


def converted(fitted: Fitted) -> bytes:
    """The pipeline as ONNX: one input per column (float32 or text, rows x 1); label and scores come out."""
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    inputs = [
        (column.name, (StringTensorType if column.type == ColumnType.STRING else FloatTensorType)([None, 1]))
        for column in fitted.columns
    ]
    options: dict[Any, Any] = {id(fitted.pipeline): {"zipmap": False}} if fitted.classes else {}
    try:
        # What the converter's authors tell each other is no news for whoever reads the log of a training.
        with warnings.catch_warnings(action="ignore"):
            model = convert_sklearn(fitted.pipeline, GRAPH_NAME, inputs, options=options, target_opset=OPSETS)
    except Exception as error:
        raise _cannot(Artifact.ONNX, fitted.pipeline, error) from error
    _name_inputs(model, [name for name, _ in inputs])
    content: bytes = model.SerializeToString()
    return content


def _name_inputs(model: Any, names: Sequence[str]) -> None:
    """Gives the inputs the columns' own names: the converter has put `_` for everything that is no letter of C."""
    renamed = {given.name: name for given, name in zip(model.graph.input, names, strict=True)}
    for given in model.graph.input:
        given.name = renamed[given.name]
    for node in model.graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = renamed.get(name, name)


def must_agree(scorer: Scorer, content: bytes, rows: pd.DataFrame, what: str, cure: str) -> None:
    """Raises Refused (`CodeInvalid`) unless the ONNX file scores these rows as the model does.

    The sentence begins with `what` and ends with `cure`.
    """
    expected = scorer.scores(rows)
    try:
        found = OnnxScorer(content, scorer.columns, len(scorer.classes)).scores(rows)
    except Unscorable as error:
        raise Refused(Reason.CODE_INVALID, f"{what.partition(':')[0]}: {error}; {cure}") from error
    difference = np.abs(found - expected).reshape(len(rows), -1).max(axis=1)
    # A probability is near 1; a predicted number may be of any size.
    scale = np.float64(1.0) if scorer.classes else np.abs(expected) + expected.std()
    wrong = int((~(difference <= TOLERANCE * scale)).sum())
    if wrong:
        raise Refused(
            Reason.CODE_INVALID,
            f"{what} disagrees with the model in {wrong} of {len(rows)} rows, by up to {np.nanmax(difference):.3g}; "
            f"{cure}",
        )


def _cannot(artifact: Artifact, estimator: Any, error: Exception) -> Refused:
    said = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
    kind = type(estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator).__name__
    return Refused(
        Reason.CODE_INVALID, f"artifacts: {kind} cannot be written as {artifact}: {said}; list other artifacts"
    )
