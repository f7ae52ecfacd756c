# ruff: noqa: T201, PLR2004 - a script, as somebody without Mira would write it
"""The floor: the same steps as a training by Mira, in a plain script with the same libraries.

It reads one Parquet file, splits it at random, fits the same estimator behind the same coding of text, predicts,
measures, and writes joblib and ONNX. It checks nothing, records nothing and draws nothing.
"""

import json
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    f1_score,
    log_loss,
    roc_auc_score,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from benchmarks.flights import DROP, TARGET


def fetched(where: str, folder: Path) -> Path:
    """The file, downloaded if it lies in S3."""
    if not where.startswith("s3://"):
        return Path(where)
    import boto3  # noqa: PLC0415 - only for S3

    bucket, _, key = where.removeprefix("s3://").partition("/")
    boto3.client("s3").download_file(bucket, key, str(folder / "data.parquet"))
    return folder / "data.parquet"


def main(where: str, folder: Path) -> None:
    """The whole training, its files written to the folder."""
    frame = pd.read_parquet(fetched(where, folder))
    target = frame.pop(TARGET).to_numpy().astype(int)
    frame = frame.drop(columns=[*DROP, "time_hour"])
    text = frame.select_dtypes(include=["object", "str"]).columns.tolist()
    numbers = [name for name in frame.columns if name not in text]
    frame[numbers] = frame[numbers].astype("float32")
    frame[text] = frame[text].fillna("").astype(object)
    held_out = np.random.default_rng(0).random(len(frame)) < 0.2
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, min_frequency=20, max_categories=60)
    model = Pipeline(
        [
            ("columns", ColumnTransformer([("text", codes, text), ("numbers", "passthrough", numbers)])),
            ("model", HistGradientBoostingClassifier(max_iter=150, early_stopping=False, random_state=0)),
        ]
    )
    model.fit(frame[~held_out], target[~held_out])
    truth, found = target[held_out], model.predict_proba(frame[held_out])[:, 1]
    metrics = {
        "roc_auc": roc_auc_score(truth, found),
        "average_precision": average_precision_score(truth, found),
        "log_loss": log_loss(truth, found),
        "brier": brier_score_loss(truth, found),
        "accuracy": accuracy_score(truth, found > 0.5),
        "f1": f1_score(truth, found > 0.5),
    }
    joblib.dump(model, folder / "model.joblib", compress=3)
    inputs = [(name, (StringTensorType if name in text else FloatTensorType)([None, 1])) for name in frame.columns]
    onnx = convert_sklearn(
        model, "model", inputs, options={id(model): {"zipmap": False}}, target_opset={"": 18, "ai.onnx.ml": 3}
    )
    (folder / "model.onnx").write_bytes(onnx.SerializeToString())
    (folder / "metrics.json").write_text(json.dumps(metrics))
    print(json.dumps(metrics))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
