"""What users bring, good and bad, for the tests to name as `tests.training.own_code:...`."""

import signal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier

NOT_CALLABLE = 7


class Trees(BaseModel):
    model_config = ConfigDict(extra="forbid")

    depth: int = Field(default=3, ge=1, le=12)


class Price(BaseModel):
    factor: int = 1


def trees(params: Trees, seed: int):
    return HistGradientBoostingClassifier(max_depth=params.depth, max_iter=5, random_state=seed)


def with_price(df, inputs, params: Price):
    return df.merge(inputs["plans"].assign(price=lambda f: f["price"] * params.factor), on="plan", how="left")


def own_metrics(target, scores):
    return {"cost": (float((scores[:, 1] * (target == 0)).mean()), "Lower"), "rows": len(target)}


def infinite_metrics(target, scores):
    return {"cost": float("inf")}


def fails():
    raise RuntimeError("out of luck")


def no_estimator():
    return object()


def lists(df, inputs, params):
    return df.to_dict()


def misspelt(df, inputs, params):
    return df["agee"]


def without_rows(df, inputs, params):
    return df.head(3)


class Disagrees(HistGradientBoostingClassifier):
    """Converts to ONNX as its parent does, and predicts something else."""

    def predict_proba(self, X):
        return 1 - super().predict_proba(X)


def disagrees():
    return Disagrees(max_iter=3)


class Unconvertible(ClassifierMixin, BaseEstimator):
    """An estimator of one's own, which no converter knows."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)


def unconvertible():
    return Unconvertible()


def doubled(df, inputs, params):
    return df.rename(columns={"spend": "age"})


def divided_by_zero(df, inputs, params):
    return df.assign(share=df["customer"].abs().add(1) / 0)


def told_to_stop(df, inputs, params):
    signal.raise_signal(signal.SIGTERM)
    return df
