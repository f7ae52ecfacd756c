"""Missing values, where the estimator or its ONNX file cannot take them: said before anything is fitted."""

from collections.abc import Container
from typing import Any

import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import Pipeline
from sklearn.tree import BaseDecisionTree
from sklearn.utils import get_tags

from mira.api.reasons import Reason
from mira.api.trainingrun import Artifact
from mira_training.refusal import Refused, listed

# These learn for each split where a missing value goes; their ONNX files do not tell it.
TREES = (
    BaseDecisionTree,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
MOST_NAMED = 5


def must_take_missing(estimator: Any, inputs: pd.DataFrame, artifacts: Container[Artifact]) -> None:
    """Raises Refused (`CodeInvalid`) for missing values that the estimator would refuse, or its ONNX file mistake.

    Only of scikit-learn's own estimators it is known; a Pipeline prepares its columns itself.
    """
    if isinstance(estimator, Pipeline) or not type(estimator).__module__.startswith("sklearn."):
        return
    name = type(estimator).__name__
    # What is made of other estimators says no more than they do.
    alone = not (hasattr(estimator, "estimator") or hasattr(estimator, "estimators"))
    refuses = alone and not get_tags(estimator).input_tags.allow_nan
    mistakes = Artifact.ONNX in artifacts and isinstance(estimator, TREES)
    if not (refuses or mistakes):
        return
    missing = [str(column) for column in inputs.columns if inputs[column].isna().any()]
    if not missing:
        return
    some = f"{len(missing)} {'column has' if len(missing) == 1 else 'columns have'} some: {listed(missing, MOST_NAMED)}"
    if refuses:
        raise Refused(
            Reason.CODE_INVALID,
            f"estimator: {name} takes no missing values, and {some}; fill them in features, or use one that takes "
            "them, e.g. sklearn.ensemble:HistGradientBoostingClassifier",
        )
    raise Refused(
        Reason.CODE_INVALID,
        f"artifacts: an ONNX file cannot say where {name} puts missing values, and {some}; fill them in features, or "
        "leave ONNX out: artifacts: [Skops]",
    )
