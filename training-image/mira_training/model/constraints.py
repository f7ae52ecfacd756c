"""scikit-learn's own constraints of a class's parameters, as annotations: its signatures have no types.

`_parameter_constraints` is what scikit-learn itself holds values against in `fit`, after the data was read; here the
same objects say it before. They are not public API: a constraint that is not known here is asked, and described by the
words that scikit-learn gives it.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import TYPE_CHECKING, Annotated, Any

from pydantic_core import PydanticCustomError, core_schema

from mira_training.model.wording import in_words, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

REFUSED = "not_allowed"
"""The type of the errors whose message is whole: it names value and what is allowed."""
QUOTED = 'in quotes, where "1" is how many and "1.0" a share'
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
WHOLE = re.compile(r"[-+]?\d+")


def constrained(function: Callable[..., Any]) -> dict[str, Any]:
    """An annotation for each parameter that scikit-learn constrains; empty for what is no scikit-learn class."""
    found = getattr(function, "_parameter_constraints", None)
    if not isinstance(found, dict):
        return {}
    # Who has such constraints has imported scikit-learn already.
    from sklearn.utils._param_validation import make_constraint  # noqa: PLC0415

    return {
        name: Annotated[Any, Allowed(tuple(make_constraint(each) for each in alternatives))]
        for name, alternatives in found.items()
        if not isinstance(alternatives, str)  # "no_validation"
    }


@dataclass(frozen=True)
class Allowed:
    """What one parameter may be: any of scikit-learn's constraints."""

    constraints: "Sequence[Any]"
    schema: dict[str, Any] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        found = [schema for each in self.constraints for schema in _schemas(each)]
        unique = [one for number, one in enumerate(found) if one not in found[:number]]
        several: dict[str, Any] = {"anyOf": unique} if unique else {"not": {}}
        object.__setattr__(self, "schema", unique[0] if len(unique) == 1 else several)

    def __get_pydantic_core_schema__(self, _: Any, __: "GetCoreSchemaHandler") -> core_schema.CoreSchema:
        """Validation by `taken`."""
        return core_schema.no_info_plain_validator_function(self.taken)

    def __get_pydantic_json_schema__(self, _: Any, __: "GetJsonSchemaHandler") -> "JsonSchemaValue":
        """The alternatives that JSON can say; numbers of two meanings also as text."""
        if not self.two_meanings:
            return dict(self.schema)
        text = {"type": "string", "pattern": f"^{NUMBER.pattern}$", "description": QUOTED}
        unclear = [_interval(each) | {"type": "integer"} for each in self._intervals(whole=False)]
        return {"anyOf": [*self.schema["anyOf"], text], "not": unclear[0] if len(unclear) == 1 else {"anyOf": unclear}}

    @property
    def two_meanings(self) -> bool:
        """Whether a whole number (how many) and a fraction (which share) mean different things."""
        return bool(self._intervals(whole=True)) and bool(self._intervals(whole=False))

    def taken(self, value: Any) -> Any:
        """The value as scikit-learn is given it: 1.0 and 1 are the same, but where they have different meanings.

        There an unquoted number is refused that could be either, because the API server stores 1.0 as 1; `"1"` and
        `"1.0"` are the two ways to write it. Raises PydanticCustomError.
        """
        if self.two_meanings and isinstance(value, str) and not self._fits(value) and NUMBER.fullmatch(value):
            return self._fitting(value, int(value) if WHOLE.fullmatch(value) else float(value))
        if isinstance(value, bool) or not isinstance(value, int | float) or not float(value).is_integer():
            return self._fitting(value, value)
        whole, fraction = int(value), float(value)
        if self.two_meanings and any(each.is_satisfied_by(fraction) for each in self._intervals(whole=False)):
            raise self._ambiguous(whole)
        return fraction if not self._fits(whole) and self._fits(fraction) else self._fitting(value, whole)

    def _fitting(self, written: Any, value: Any) -> Any:
        if not self._fits(value):
            raise PydanticCustomError(REFUSED, "{said}", {"said": f"{shown(written)} is not allowed; {self._words()}"})
        return value

    def _fits(self, value: Any) -> bool:
        # To Python true is a number; to whoever writes `max_iter: true` it is not.
        return any(
            each.is_satisfied_by(value) for each in self.constraints if not (isinstance(value, bool) and _counts(each))
        )

    def _ambiguous(self, whole: int) -> PydanticCustomError:
        counts = [_interval(each) for each in self._intervals(whole=True)]
        count = f'"{whole}" (how many)' if self._fits(whole) else " or ".join(in_words(each) for each in counts)
        said = f'{whole} can be read in two ways, because 1.0 is stored as 1; write "{whole}.0" (a share) or {count}'
        return PydanticCustomError(REFUSED, "{said}", {"said": said})

    def _intervals(self, *, whole: bool) -> list[Any]:
        kinds = ("Integral",) if whole else ("Real", "RealNotInt")
        return [each for each in self.constraints if _is_interval(each) and each.type.__name__ in kinds]

    def _words(self) -> str:
        return f"allowed: {in_words(self.schema)}"


def _is_interval(constraint: Any) -> bool:
    return type(constraint).__name__ == "Interval"


def _counts(constraint: Any) -> bool:
    return _is_interval(constraint) or getattr(constraint, "type", None) in (Integral, Real, int, float)


def _schemas(constraint: Any) -> Iterator[dict[str, Any]]:
    """The JSON Schema of the values that JSON can say; nothing for objects, functions and what is not documented."""
    kind = type(constraint).__name__
    if kind == "Interval":
        yield _interval(constraint)
    elif kind in ("StrOptions", "Options"):
        options = sorted(constraint.options - getattr(constraint, "deprecated", set()), key=str)
        # JSON has no infinity.
        if options := [each for each in options if not isinstance(each, float) or math.isfinite(each)]:
            yield {"enum": options}
    elif kind == "_InstancesOf":
        yield from _INSTANCES.get(constraint.type.__name__, ())
    else:
        yield from _KINDS.get(kind, ())


_SEED = {"type": "integer", "minimum": 0, "maximum": 4_294_967_295}
_INSTANCES: dict[str, tuple[dict[str, Any], ...]] = {
    "Integral": ({"type": "integer"},),
    "int": ({"type": "integer"},),
    "Real": ({"type": "number"},),
    "float": ({"type": "number"},),
    "bool": ({"type": "boolean"},),
    "str": ({"type": "string"},),
    "dict": ({"type": "object"},),
    "MutableMapping": ({"type": "object"},),
    "list": ({"type": "array"},),
}
_KINDS: dict[str, tuple[dict[str, Any], ...]] = {
    "_NoneConstraint": ({"type": "null"},),
    "_Booleans": ({"type": "boolean"},),
    "_VerboseHelper": ({"type": "boolean"}, {"type": "integer", "minimum": 0}),
    "_RandomStates": (_SEED, {"type": "null"}),
    "_ArrayLikes": ({"type": "array"},),
    "_CVObjects": ({"type": "integer", "minimum": 2}, {"type": "null"}),
}


def _interval(constraint: Any) -> dict[str, Any]:
    closed, whole = constraint.closed, constraint.type is Integral
    limits: dict[str, Any] = {}
    for name, value, is_closed in (
        ("Minimum", constraint.left, closed in ("left", "both")),
        ("Maximum", constraint.right, closed in ("right", "both")),
    ):
        if value is not None and abs(value) != float("inf"):
            limits[name.lower() if is_closed else f"exclusive{name}"] = int(value) if whole else float(value)
    return {"type": "integer" if whole else "number"} | limits
