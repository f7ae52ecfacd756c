"""Transformations, trainings and ingests that users bring, good and bad, named as `tests.training.own_tasks:...`."""

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

NUMBERS = ["age", "spend", "active"]


# Transformations


class Parts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    parts: int = Field(default=2, ge=1, le=3)


def components(params: Parts, seed: int):
    """A pipeline with names of columns and variance kept."""
    numbers = ColumnTransformer([("numbers", SimpleImputer(), NUMBERS)])
    return make_pipeline(numbers, StandardScaler(), PCA(params.parts, random_state=seed))


class Embedding:
    """Nothing to fit, as a model that was trained elsewhere; text in, numbers and text out."""

    def transform(self, inputs):
        lengths = inputs["plan"].str.len().astype("float32")
        return pd.DataFrame({"length": lengths, "first": inputs["plan"].str[:1]})


class Unwritable(TransformerMixin, BaseEstimator):
    """Cannot be written as skops: it holds a function that has no name."""

    def fit(self, X, y=None):
        self.own = lambda values: values * 2
        return self

    def transform(self, X):
        return X[["age"]].to_numpy() * 2


def output_metrics(target, output):
    assert target is None
    return {"spread": (float(output.std().sum()), "Higher")}


def undirected_metrics(target, found):
    return {"spread": 1.0}


class Giving:
    """Transforms into what it was made with, called with the rows."""

    def __init__(self, give):
        self.give = give

    def transform(self, inputs):
        return self.give(inputs)


def no_table():
    return Giving(lambda rows: rows.to_dict())


def three_dimensions():
    return Giving(lambda rows: np.zeros((len(rows), 2, 2)))


def fewer_rows():
    return Giving(lambda rows: rows.dropna())


def all_missing():
    return Giving(lambda rows: rows[["age"]].assign(embedding=np.nan))


def infinite():
    return Giving(lambda rows: rows[["age"]] / 0)


def lists():
    return Giving(lambda rows: pd.DataFrame({"embedding": [[1.0, 2.0]] * len(rows)}))


def no_columns():
    return Giving(lambda rows: rows[[]])


def an_identifier():
    return Giving(lambda rows: pd.DataFrame({"customer": rows["age"]}))


def by_side():
    return Giving(lambda rows: rows[["age"]].rename(columns={"age": f"of_{len(rows)}"}))


def raising():
    return Giving(lambda rows: rows["agee"])


def only_fit():
    return LogisticRegression()


# Trainings


class Rounds(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rounds: int = Field(default=5, ge=1)


def train(training, evaluation, params: Rounds, *, folder, seed, progress):
    """Metrics and a scorer; a file of its own."""
    model = HistGradientBoostingClassifier(max_iter=params.rounds, random_state=seed)
    names = NUMBERS
    model.fit(training.inputs[names], training.target.astype(int), sample_weight=training.weights)
    progress(1.0, f"{params.rounds} rounds")
    (folder / "trees").mkdir()
    (folder / "trees" / "rounds.txt").write_text(str(params.rounds))
    right = model.score(evaluation.inputs[names], evaluation.target.astype(int))
    return {"hits": (right, "Higher")}, lambda inputs: model.predict_proba(inputs[names])


def train_numbers(training, evaluation, folder):
    """A scorer of numbers, and no metric of its own."""
    (folder / "mean.txt").write_text("mean")
    mean = float(training.target.mean())
    return {}, lambda inputs: mean + 0 * inputs["age"].to_numpy()


def train_alone(training, evaluation, folder, columns):
    """Metrics only: no target, nothing to ask."""
    (folder / "columns.txt").write_text("\n".join(column.name for column in columns))
    return {"coverage": (0.5, "Higher"), "size": (len(training.table), "Lower")}


def train_onnx(training, evaluation, folder, columns, seed):
    """An ONNX file with one input for each column, and the scorer that it must agree with."""
    return _as_onnx(training, folder, columns, seed, shift=0.0)


def train_onnx_that_disagrees(training, folder, columns, seed):
    return _as_onnx(training, folder, columns, seed, shift=0.1)


def _as_onnx(training, folder, columns, seed, *, shift):
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    numbers = [column.name for column in columns if column.type != "String"]
    chosen = ColumnTransformer([("numbers", SimpleImputer(), numbers)])
    model = make_pipeline(chosen, StandardScaler(), LogisticRegression(random_state=seed))
    model.fit(training.inputs[numbers], training.target.astype(int))
    inputs = [(name, FloatTensorType([None, 1])) for name in numbers]
    onnx = to_onnx(model, initial_types=inputs, options={"zipmap": False}, target_opset=18)
    (folder / "model.onnx").write_bytes(onnx.SerializeToString())
    return {}, lambda rows: np.abs(model.predict_proba(rows[numbers]) - shift)


def train_onnx_of_one_tensor(training, folder):
    """What most converters give when nobody asks otherwise: one input of all columns."""
    from skl2onnx import to_onnx

    model = make_pipeline(SimpleImputer(), LogisticRegression())
    rows = training.inputs[NUMBERS].to_numpy()
    model.fit(rows, training.target.astype(int))
    (folder / "model.onnx").write_bytes(to_onnx(model, rows[:1], target_opset=18).SerializeToString())
    return {"hits": (1.0, "Higher")}


def train_no_onnx(folder):
    (folder / "model.onnx").write_bytes(b"not a model")
    return {"hits": (1.0, "Higher")}


def train_more_than_listed(folder):
    (folder / "model.joblib").write_bytes(b"")
    (folder / "notes.txt").write_text("notes")
    return {"hits": (1.0, "Higher")}


def train_no_file(folder):
    return {"hits": (1.0, "Higher")}


def train_link(folder):
    (folder / "hosts").symlink_to("/etc/hosts")
    return {"hits": (1.0, "Higher")}


def train_no_skops(folder):
    (folder / "model.skops").write_bytes(b"not a model")
    return {"hits": (1.0, "Higher")}


def train_undirected(folder):
    return {"hits": 1.0}


def train_badly_named(folder):
    return {"hits of the model": (1.0, "Higher")}


def train_that_says_nothing(folder):
    pass


def train_that_measures_nothing(folder):
    return {}


def train_that_raises(folder):
    raise RuntimeError("out of luck")


def train_twice_measured(training, folder):
    (folder / "a.txt").write_text("a")
    return {"roc_auc": (1.0, "Higher")}, lambda rows: np.full((len(rows), 2), 0.5)


def train_half_scores(training, folder):
    return {}, lambda rows: np.full(len(rows), 0.5)


def train_three_classes(training, folder):
    return {}, lambda rows: np.full((len(rows), 3), 1 / 3)


def train_missing_scores(training, folder):
    return {}, lambda rows: np.full((len(rows), 2), np.nan)


def train_positional(train_df, test_df):
    return {}


# Ingests

CALLS: list[str] = []
"""The uris that an ingest was called with: how often it was, and for what."""


class Query(BaseModel):
    model_config = ConfigDict(extra="forbid")

    table: str = "customers"


def query(inputs, uri, params: Query):
    """Another result each time, as of a table that others write to."""
    from tests.training.workbench import customers

    CALLS.append(f"{uri} {params.table}")
    rows = customers(600, seed=len(CALLS))
    return rows.merge(inputs["plans"], on="plan", how="left") if "plans" in inputs else rows


def query_without_uri(params):
    return pd.DataFrame({"a": [1]})


def query_fails():
    raise ConnectionError("no route to the warehouse")


def query_list():
    return [1, 2]


def query_nothing():
    return pd.DataFrame({"age": []})


def query_twice():
    return pd.DataFrame([[1, 2]], columns=["age", "age"])


def query_mixed():
    return pd.DataFrame({"age": [1, "two", {"three": 3}]})
