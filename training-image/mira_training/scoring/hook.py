"""Metrics of the user's own: `hooks.metrics`."""

import math
from collections.abc import Mapping
from typing import Any

from mira.api.reasons import Reason
from mira.registry.document import decimal_text
from mira.registry.manifest import Direction, Metric
from mira_training.model.code import running
from mira_training.model.parameters import Function
from mira_training.refusal import Refused


def own_metrics(function: Function, reference: str, target: Any, scores: Any) -> list[Metric]:
    """What `metrics(target, scores)` returns: a mapping from name to a number, or to (number, "Higher" | "Lower").

    `target` holds the answers as they are in the data, `scores` the probabilities (rows x classes) or predictions.
    Raises Refused: `CodeFailed` if it raises, `CodeInvalid` if it returns something else.
    """
    with running(f"hooks.metrics {reference}"):
        found = function(target, scores)
    if not isinstance(found, Mapping):
        raise Refused(
            Reason.CODE_INVALID, f"hooks.metrics: {reference} returns a {type(found).__name__}; it must return a dict"
        )
    return [_metric(str(name), value, reference) for name, value in found.items()]


def _metric(name: str, found: Any, reference: str) -> Metric:
    number, direction = found if isinstance(found, tuple) and len(found) == 2 else (found, None)
    try:
        value = float(number)
        better = None if direction is None else Direction(direction)
    except (TypeError, ValueError) as error:
        raise Refused(
            Reason.CODE_INVALID,
            f"hooks.metrics: {reference} gives {name} as a {type(found).__name__}; it must be a number, "
            'or (number, "Higher" | "Lower")',
        ) from error
    if not math.isfinite(value):
        raise Refused(
            Reason.CODE_INVALID, f"hooks.metrics: {reference} gives {name} as {value}; it must be a finite number"
        )
    return Metric(name=name, value=decimal_text(value), direction=better)
