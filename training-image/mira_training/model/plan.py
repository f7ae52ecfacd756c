"""Everything of the user's that will be called, found and checked before any data is read."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from mira.api.reasons import Reason
from mira.api.trainingrun import TrainingRunSpec
from mira_training.model.code import load
from mira_training.model.parameters import GIVEN, Declared, Function, Share, arguments, declared, filled, must_fit
from mira_training.refusal import Refused
from mira_training.search.space import Trial, trials_of

DEFAULT_ESTIMATOR = "mira_training.model.gradient_boosting:gradient_boosting"
GIVEN_TO_TRAIN = ("training", "evaluation", "columns", "folder", "seed", "progress")
GIVEN_TO_INGEST = ("inputs", "uri", "folder", "seed")


@dataclass(frozen=True)
class Call:
    """A function with its parameters, to be called by name with what it asks of Mira."""

    function: Function
    takes: Declared
    parameters: BaseModel

    def __call__(self, offered: Mapping[str, Any]) -> Any:
        """What the function returns, given of `offered` what it asks for. Raises what it raises."""
        return self.function(**arguments(self.takes, self.parameters, offered))


@dataclass(frozen=True)
class Plan:
    """The functions to call, with their parameters. `make` gives the estimator, or is the whole of `hooks.train`.

    `trials` are the other parameters to try, where the run searches for the best ones.
    """

    make: Call
    estimator_name: str
    features: Function | None = None
    feature_parameters: Any = None
    metrics: Function | None = None
    ingest: Call | None = None
    trials: tuple[Trial, ...] = ()

    @property
    def parameters(self) -> BaseModel:
        """The parameters of what is trained."""
        return self.make.parameters


def plan(spec: TrainingRunSpec) -> Plan:
    """The run's code and parameters.

    Raises Refused: `CodeNotFound`, `CodeImportFailed`, `CodeInvalid`, `InvalidParameters`, `OrderInvalid`.

    What `hooks.ingest` declares, and what `features` declares by a pydantic model, are their own; all other parameters
    are the estimator's or those of `hooks.train`. A key that several declare goes to each of them.
    """
    name, function, takes = _maker(spec)
    features = load(spec.features, "features") if spec.features else None
    ingest = load(spec.hooks.ingest, "hooks.ingest") if spec.hooks and spec.hooks.ingest else None
    own: dict[str, Declared] = {}
    if ingest is not None and spec.hooks is not None:
        own["hooks.ingest"] = declared(ingest, GIVEN_TO_INGEST)
        _must_tell_tables_apart(spec, own["hooks.ingest"])
    if (by_features := _declared_by_features(features)) is not None:
        own["features"] = by_features
    claimed = set().union(*(each.names for each in own.values()))
    rest = {k: v for k, v in spec.parameters.items() if k not in claimed or k in takes.names}
    parts = {field: _part(each, spec.parameters) for field, each in own.items()}
    references = {"features": spec.features, "hooks.ingest": spec.hooks and spec.hooks.ingest}
    shown = name.rpartition(":")[2] if name == DEFAULT_ESTIMATOR else name
    shares = [Share(own[field], parts[field], str(references[field])) for field in sorted(own)]
    trials = trials_of(spec.search, rest, takes, shown, spec.seed) if spec.search else ()
    made_with = dict(trials[0].parameters) if trials else rest
    must_fit([Share(takes, made_with, shown), *shares])
    metrics = spec.hooks.metrics if spec.hooks else None
    return Plan(
        make=Call(function, takes, filled(takes, made_with)),
        estimator_name=name,
        features=features,
        feature_parameters=filled(by_features, parts["features"]) if by_features else dict(rest),
        metrics=load(metrics, "hooks.metrics") if metrics else None,
        ingest=Call(ingest, own["hooks.ingest"], filled(own["hooks.ingest"], parts["hooks.ingest"]))
        if ingest
        else None,
        trials=trials,
    )


def _maker(spec: TrainingRunSpec) -> tuple[str, Function, Declared]:
    """What trains: `hooks.train`, or what gives the estimator."""
    if spec.hooks and spec.hooks.train:
        function = load(spec.hooks.train, "hooks.train")
        return spec.hooks.train, function, declared(function, GIVEN_TO_TRAIN)
    name = spec.estimator or DEFAULT_ESTIMATOR
    function = load(name, "estimator")
    return name, function, declared(function, GIVEN)


def _part(wanted: Declared, values: Mapping[str, Any]) -> dict[str, Any]:
    return dict(values) if wanted.takes_anything else {k: v for k, v in values.items() if k in wanted.names}


def _must_tell_tables_apart(spec: TrainingRunSpec, ingest: Declared) -> None:
    if spec.data.holdout is not None and "uri" not in ingest.given:
        raise Refused(
            Reason.CODE_INVALID,
            f"hooks.ingest: {spec.hooks and spec.hooks.ingest} does not take uri, by which it would tell data.holdout "
            "from data.training; take it, or remove data.holdout",
        )


def _declared_by_features(features: Function | None) -> Declared | None:
    if features is None or not inspect.isfunction(features):
        return None
    found = declared(features, GIVEN)
    return found if found.argument is not None else None
