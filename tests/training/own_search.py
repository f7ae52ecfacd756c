"""An estimator whose parameters never go together."""

from sklearn.base import BaseEstimator, ClassifierMixin


class NeverFits(ClassifierMixin, BaseEstimator):
    """Has everything that a classifier has, and learns nothing."""

    def fit(self, X, y):
        raise ValueError("these two do not go together")

    def predict(self, X):
        return X

    predict_proba = predict


def never_fits(size: int = 1):
    return NeverFits()
