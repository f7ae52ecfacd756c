"""Everything of the user's that will be called, found and checked before any data is read."""

import inspect
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from mira.api.trainingrun import TrainingRunSpec
from mira_training.model.code import load
from mira_training.model.parameters import Declared, Function, Share, declared, filled, must_fit

DEFAULT_ESTIMATOR = "mira_training.model.gradient_boosting:gradient_boosting"


@dataclass(frozen=True)
class Plan:
    """The functions to call, with their parameters."""

    estimator: Function
    estimator_name: str
    takes: Declared
    parameters: BaseModel
    features: Function | None = None
    feature_parameters: Any = None
    metrics: Function | None = None


def plan(spec: TrainingRunSpec) -> Plan:
    """The run's code and parameters.

    Raises Refused: `CodeNotFound`, `CodeImportFailed`, `CodeInvalid`, `InvalidParameters`.

    If `features` declares its parameters by a pydantic model, those keys are its own; all others are the estimator's,
    and a key that both declare goes to both.
    """
    name = spec.estimator or DEFAULT_ESTIMATOR
    estimator = load(name, "estimator")
    takes = declared(estimator)
    features = load(spec.features, "features") if spec.features else None
    own = _declared_by_features(features)
    for_features = for_estimator = spec.parameters
    if own is not None:
        for_features = {k: v for k, v in spec.parameters.items() if k in own.names}
        for_estimator = {k: v for k, v in spec.parameters.items() if k not in own.names or k in takes.names}
    shares = [Share(takes, for_estimator, name if spec.estimator else name.rpartition(":")[2])]
    must_fit(shares if own is None else [*shares, Share(own, for_features, str(spec.features))])
    metrics = spec.hooks.metrics if spec.hooks else None
    return Plan(
        estimator=estimator,
        estimator_name=name,
        takes=takes,
        parameters=filled(takes, for_estimator),
        features=features,
        feature_parameters=dict(for_features) if own is None else filled(own, for_features),
        metrics=load(metrics, "hooks.metrics") if metrics else None,
    )


def _declared_by_features(features: Function | None) -> Declared | None:
    if features is None or not inspect.isfunction(features):
        return None
    found = declared(features)
    return found if found.argument is not None else None
