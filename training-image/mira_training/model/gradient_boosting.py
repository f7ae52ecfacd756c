"""The default estimator: histogram gradient boosting, which takes numbers, text, booleans and missing values."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from mira.api.trainingrun import Task

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


class GradientBoosting(BaseModel):
    """The parameters of the default estimator, by scikit-learn's names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_iter: int = Field(default=150, ge=1, le=10_000, description="How many trees (per class) are grown.")
    learning_rate: float = Field(default=0.1, gt=0, le=1, description="How much each tree corrects.")
    max_leaf_nodes: int = Field(default=31, ge=2, le=10_000, description="The most leaves of a tree.")
    max_depth: int | None = Field(default=None, ge=1, le=100, description="The deepest a tree may be. Default: any.")
    min_samples_leaf: int = Field(default=20, ge=1, description="The fewest rows in a leaf.")
    l2_regularization: float = Field(default=0.0, ge=0, description="How strongly leaves are drawn to zero.")
    max_features: float = Field(default=1.0, gt=0, le=1, description="The share of columns looked at for each split.")
    early_stopping: bool = Field(default=False, description="Whether to stop when a tenth of the rows gets no better.")


def gradient_boosting(params: GradientBoosting, task: Task, seed: int) -> "BaseEstimator":
    """An unfitted estimator; text columns are coded by Mira's own preparation."""
    # Not at the top: parameters are checked before anybody waits for scikit-learn.
    from sklearn.ensemble import (  # noqa: PLC0415
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    )

    kinds: dict[Task, Any] = {
        Task.CLASSIFICATION: HistGradientBoostingClassifier,
        Task.REGRESSION: HistGradientBoostingRegressor,
    }
    made: BaseEstimator = kinds[task](**params.model_dump(), random_state=seed)
    return made
