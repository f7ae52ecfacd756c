# ruff: noqa: INP001 - one module that is copied into the image
"""XGBoost with early stopping, as `hooks.train: train_xgboost:train`; writes `model.onnx`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
from pydantic import BaseModel, ConfigDict, Field
from skl2onnx import to_onnx, update_registered_converter
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from typing_extensions import override
from xgboost import XGBClassifier
from xgboost.callback import TrainingCallback

STOPS_BY = 0.1
"""The share of the training rows that says when to stop."""
OPSETS = {"": 18, "ai.onnx.ml": 3}
update_registered_converter(
    XGBClassifier,
    "XGBoostXGBClassifier",
    calculate_linear_classifier_output_shapes,
    convert_xgboost,
    options={"nocl": [True, False], "zipmap": [True, False, "columns"]},
)


class Boosting(BaseModel):
    """The parameters; an unknown one is refused before any data is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rounds: int = Field(default=300, ge=1, description="The most trees that are grown.")
    learning_rate: float = Field(default=0.1, gt=0, le=1, description="How much each tree corrects.")
    max_depth: int = Field(default=6, ge=1, le=20, description="The deepest a tree may be.")
    patience: int = Field(default=20, ge=1, description="Trees without gain after which it stops.")


class Told(TrainingCallback):
    """Tells Mira after each tree how far it is."""

    def __init__(self, progress: Callable[[float, str], None], rounds: int) -> None:
        self.progress, self.rounds = progress, rounds

    @override
    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        self.progress((epoch + 1) / self.rounds, f"{epoch + 1} of at most {self.rounds} trees")
        return False


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
    model = XGBClassifier(
        n_estimators=params.rounds, learning_rate=params.learning_rate, max_depth=params.max_depth,
        early_stopping_rounds=params.patience, random_state=seed, callbacks=[Told(progress, params.rounds)],
    )  # fmt: skip
    model.fit(rows[~held_out], answers[~held_out], eval_set=[(rows[held_out], answers[held_out])], verbose=False)
    whole = make_pipeline(prepare, model)
    # One input for each column, by its name: what serves and what is compared sees the columns as they are.
    inputs = [
        (name, StringTensorType([None, 1]) if name in text else FloatTensorType([None, 1])) for name in text + numbers
    ]
    onnx = to_onnx(whole, initial_types=inputs, options={"zipmap": False}, target_opset=OPSETS)
    (folder / "model.onnx").write_bytes(onnx.SerializeToString())
    return {"trees": (float(model.best_iteration + 1), "Lower")}, whole.predict_proba
