"""Metrics of the user's own: those of `hooks.metrics`, and those that `hooks.train` measures itself."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mira.api.reasons import Reason
from mira.api.scalars import MetricName
from mira.registry.document import LARGEST_DECIMAL, decimal_text
from mira.registry.manifest import Direction, Metric
from mira_training.model.code import running
from mira_training.model.parameters import Function
from mira_training.refusal import Refused, listed

MOST = 64
"""As many as a run's status holds."""
EITHER = 'a number, or (number, "Higher" | "Lower")'
DIRECTED = '(number, "Higher" | "Lower"): which values are the better ones'
_NAMES: TypeAdapter[str] = TypeAdapter(MetricName)


def own_metrics(function: Function, reference: str, target: Any, found: Any, *, directed: bool = False) -> list[Metric]:
    """What `metrics(target, found)` returns: a mapping from name to a number, or to (number, "Higher" | "Lower").

    `target` holds the answers as they are in the data (None without data.target), `found` the probabilities (rows x
    classes) or predictions, or the output of a transformation. With `directed` each must state its direction.
    Raises Refused: `CodeFailed` if it raises, `CodeInvalid` if it returns something else.
    """
    with running(f"hooks.metrics {reference}"):
        returned = function(target, found)
    who = f"hooks.metrics: {reference}"
    if not isinstance(returned, Mapping):
        raise Refused(Reason.CODE_INVALID, f"{who} returns a {type(returned).__name__}; it must return a dict")
    return directed_metrics(returned, who) if directed else _metrics(returned, who, EITHER)


def directed_metrics(found: Mapping[Any, Any], who: str) -> list[Metric]:
    """The metrics, each with its direction. Raises Refused (`CodeInvalid`), its sentence beginning with `who`."""
    return _metrics(found, who, DIRECTED)


def must_differ(own: Sequence[Metric], known: Sequence[str]) -> None:
    """Raises Refused (`CodeInvalid`) if a name has two values: a gate would not know which one to judge."""
    names = [one.name for one in own]
    twice = sorted({name for name in names if name in known or names.count(name) > 1})
    if twice:
        raise Refused(
            Reason.CODE_INVALID,
            f"hooks: {listed(twice)} is measured twice, by Mira and by user code or by two hooks; use another name",
        )


def _metrics(found: Mapping[Any, Any], who: str, must_be: str) -> list[Metric]:
    if len(found) > MOST:
        raise Refused(Reason.CODE_INVALID, f"{who} gives {len(found)} metrics; at most {MOST} are allowed")
    return [_metric(str(name), value, who, must_be) for name, value in found.items()]


def _metric(name: str, found: Any, who: str, must_be: str) -> Metric:
    try:
        _NAMES.validate_python(name)
    except ValidationError as error:
        said = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise Refused(Reason.CODE_INVALID, f"{who} gives a metric named {name[:80]!r}: {said}") from error
    number, direction = found if isinstance(found, tuple) and len(found) == 2 else (found, None)
    if direction is None and must_be is DIRECTED:
        raise Refused(Reason.CODE_INVALID, f"{who} gives {name} without a direction; it must be {DIRECTED}")
    try:
        value = float(number)
        better = None if direction is None else Direction(direction)
    except (TypeError, ValueError) as error:
        raise Refused(
            Reason.CODE_INVALID, f"{who} gives {name} as a {type(found).__name__}; it must be {must_be}"
        ) from error
    if not math.isfinite(value):
        raise Refused(Reason.CODE_INVALID, f"{who} gives {name} as {value}; it must be a finite number")
    if abs(value) >= LARGEST_DECIMAL:
        raise Refused(Reason.CODE_INVALID, f"{who} gives {name} as {value:g}; it must be below {LARGEST_DECIMAL:g}")
    return Metric(name=name, value=decimal_text(value), direction=better)
