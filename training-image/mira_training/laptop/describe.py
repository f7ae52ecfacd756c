"""`mira-training describe`: the parameters that an estimator or a features hook takes."""

import json

from mira_training.model.code import load
from mira_training.model.describing import as_yaml, described
from mira_training.model.plan import DEFAULT_ESTIMATOR


def describe(reference: str | None, *, is_features: bool = False, in_yaml: bool = False) -> str:
    """The text to print. Raises Refused if the reference names nothing that can be called."""
    name = reference or DEFAULT_ESTIMATOR
    function = load(name, "features" if is_features else "estimator")
    schema = described(function, name, is_features=is_features)
    return as_yaml(schema) if in_yaml else f"{json.dumps(schema, indent=2, ensure_ascii=False)}\n"
