# ruff: noqa: INP001 - one module that is copied into the image
"""LightGBM with early stopping, as `hooks.train: train_lightgbm:train`; writes `model.onnx` and its own text form."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, early_stopping
from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
from pydantic import BaseModel, ConfigDict, Field
from skl2onnx import to_onnx, update_registered_converter
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

STOPS_BY = 0.1
"""The share of the training rows that says when to stop."""
OPSETS = {"": 18, "ai.onnx.ml": 3}
update_registered_converter(
    LGBMClassifier,
    "LightGbmLGBMClassifier",
    calculate_linear_classifier_output_shapes,
    convert_lightgbm,
    options={"nocl": [True, False], "zipmap": [True, False, "columns"]},
)


class Boosting(BaseModel):
    """The parameters; an unknown one is refused before any data is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rounds: int = Field(default=300, ge=1, description="The most trees that are grown.")
    learning_rate: float = Field(default=0.1, gt=0, le=1, description="How much each tree corrects.")
    leaves: int = Field(default=31, ge=2, description="The most leaves of a tree.")
    patience: int = Field(default=20, ge=1, description="Trees without gain after which it stops.")


def train(
    training: Any, columns: Sequence[Any], params: Boosting, *, folder: Path, seed: int, progress: Any
) -> tuple[Mapping[str, tuple[float, str]], Callable[[pd.DataFrame], Any]]:
    """The metrics, and a scorer by which Mira measures the usual ones and compares versions.

    It stops early by a tenth of the training rows: the evaluation rows stay unseen.
    """
    text = [column.name for column in columns if column.type == "String"]
    numbers = [column.name for column in columns if column.type != "String"]
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    prepare = make_column_transformer((codes, text), ("passthrough", numbers))
    rows, answers = prepare.fit_transform(training.inputs), np.unique(training.target, return_inverse=True)[1]
    held_out = np.random.default_rng(seed).random(len(rows)) < STOPS_BY
    model = LGBMClassifier(
        n_estimators=params.rounds, learning_rate=params.learning_rate, num_leaves=params.leaves, random_state=seed,
        verbose=-1,
    )  # fmt: skip

    def told(state: Any) -> None:
        progress((state.iteration + 1) / params.rounds, f"{state.iteration + 1} of at most {params.rounds} trees")

    stop = early_stopping(params.patience, verbose=False)
    model.fit(
        rows[~held_out], answers[~held_out], eval_X=rows[held_out], eval_y=answers[held_out], callbacks=[stop, told]
    )
    whole = make_pipeline(prepare, model)
    # One input for each column, by its name: what serves and what is compared sees the columns as they are.
    inputs = [
        (name, StringTensorType([None, 1]) if name in text else FloatTensorType([None, 1])) for name in text + numbers
    ]
    onnx = to_onnx(whole, initial_types=inputs, options={"zipmap": False}, target_opset=OPSETS)
    (folder / "model.onnx").write_bytes(onnx.SerializeToString())
    model.booster_.save_model(folder / "model.txt")
    return {"trees": (float(model.best_iteration_), "Lower")}, whole.predict_proba
