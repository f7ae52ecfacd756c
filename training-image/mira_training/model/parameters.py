"""`spec.parameters`, checked against what the user's function declares, before any data is read."""

import contextlib
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from mira.api.reasons import Reason
from mira_training.model.constraints import REFUSED, constrained
from mira_training.model.wording import shown
from mira_training.refusal import Refused, listed

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Function = Callable[..., Any]
UNDECLARED = "params"
GIVEN = ("task", "columns", "seed", "random_state")
"""What Mira gives to an estimator that asks for it by name; a parameter of the same name in the spec wins."""


@dataclass(frozen=True)
class Declared:
    """What a function takes: a model of its parameters, and the argument in which it wants them (None: one by one).

    `given` is what it asks of Mira, `offers` what it could ask for.
    """

    model: type[BaseModel]
    argument: str | None
    given: tuple[str, ...]
    open_ended: bool
    offers: tuple[str, ...] = GIVEN

    @property
    def takes_anything(self) -> bool:
        """Whether it wants the parameters as a dict, whatever they are."""
        return self.model is Anything

    @property
    def names(self) -> set[str]:
        """The names, as they stand in the spec."""
        return {field.alias or name for name, field in self.model.model_fields.items()}


class Anything(BaseModel):
    """Parameters that nobody has declared."""

    model_config = ConfigDict(extra="allow")


def declared(function: Function, offers: tuple[str, ...] = GIVEN) -> Declared:
    """What the function takes, from a pydantic model in its signature or from the signature itself.

    A hook (of which Mira offers something else than GIVEN) cannot have parameters named as what it is given; it may
    also take all parameters as a dict in an argument `params`.
    """
    parameters = _parameters(function)
    hints = constrained(function) | _hints(function)
    given = tuple(name for name in offers if name in parameters)
    for name in parameters:
        hint = hints.get(name)
        if isinstance(hint, type) and issubclass(hint, BaseModel):
            return Declared(hint, name, given, open_ended=False, offers=offers)
    hook = offers is not GIVEN
    if hook and UNDECLARED in parameters:
        return Declared(Anything, UNDECLARED, given, open_ended=True, offers=offers)
    variadic = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
    open_to_spec = {name: one for name, one in parameters.items() if not (hook and name in given)}
    model = _from_signature(function, open_to_spec, hints, open_ended=variadic)
    return Declared(model, None, given, variadic, offers)


@dataclass(frozen=True)
class Share:
    """The part of the spec's parameters that one function is given; `field` is how a message names the function."""

    wanted: Declared
    values: Mapping[str, Any]
    field: str


def must_fit(shares: Sequence[Share]) -> None:
    """Raises Refused (`InvalidParameters`) naming every value that does not fit and every name that is unknown."""
    said = [each for share in shares for each in _misfits(share)]
    unknown = sorted({name for share in shares for name in _unknown(share)})
    if unknown:
        allowed = sorted(set().union(*(share.wanted.names for share in shares)) - set(GIVEN))
        said.append(
            f"{listed([f'parameters.{name}' for name in unknown])}: {'is' if len(unknown) == 1 else 'are'} unknown to "
            f"{' and '.join(share.field for share in shares)}; allowed: {listed(allowed, most=40) or 'none'}"
        )
    if said:
        raise Refused(Reason.INVALID_PARAMETERS, "; ".join(said))


def _unknown(share: Share) -> list[str]:
    # A model that does not forbid what it does not know would drop a misspelt parameter without a word.
    if share.wanted.open_ended or share.wanted.model.model_config.get("extra") == "allow":
        return []
    return [name for name in share.values if name not in share.wanted.names]


def _misfits(share: Share) -> list[str]:
    unknown = _unknown(share)
    try:
        filled(share.wanted, {name: value for name, value in share.values.items() if name not in unknown})
    except ValidationError as error:
        said = [_misfit(each) for each in error.errors(include_url=False)]
        hook = share.wanted.offers is not GIVEN
        offers = f"; Mira gives it {listed(share.wanted.offers)}, by these names" if hook else ""
        return [*said[:-1], f"{said[-1]} (declared by {share.field}{offers})"]
    return []


def _misfit(each: "ErrorDetails") -> str:
    """Field, value, what is allowed: in pydantic's words, or in those of the constraint itself."""
    place = f"parameters.{'.'.join(str(part) for part in each['loc'])}"
    if each["type"] in (REFUSED, "missing"):
        return f"{place}: {each['msg']}"
    return f"{place}: {shown(each['input'])} is not allowed: {each['msg']}"


def filled(wanted: Declared, values: Mapping[str, Any]) -> BaseModel:
    """The values as the function's model. Raises ValidationError."""
    return wanted.model.model_validate(dict(values))


def arguments(wanted: Declared, values: BaseModel, offered: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of the call: the parameters as the function wants them, and what it asks of Mira."""
    given = {name: offered[name] for name in wanted.given if name in offered}
    if wanted.argument is not None and wanted.takes_anything:
        return given | {wanted.argument: dict(values.model_extra or {})}
    if wanted.argument is not None:
        return given | {wanted.argument: values}
    chosen = {name: getattr(values, name) for name in values.model_fields_set}
    return given | chosen | (values.model_extra or {})


def _parameters(function: Function) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return {}


def _hints(function: Function) -> dict[str, Any]:
    """The annotation of each argument, one by one.

    One that cannot be read, such as a name that only the type checker imports, does not hide the others.
    """
    target: Any = function.__init__ if inspect.isclass(function) else function
    found: dict[str, Any] = {}
    for name, annotation in getattr(target, "__annotations__", {}).items():
        one = SimpleNamespace(__annotations__={name: annotation})
        with contextlib.suppress(NameError, TypeError, AttributeError, SyntaxError):
            found |= get_type_hints(one, getattr(target, "__globals__", {}), include_extras=True)
    return found


def _from_signature(
    function: Function, parameters: Mapping[str, inspect.Parameter], hints: Mapping[str, Any], *, open_ended: bool
) -> type[BaseModel]:
    """A model with one field per argument that a parameter can fill; what Mira gives is optional."""
    fields: dict[str, Any] = {}
    for name, parameter in parameters.items():
        if parameter.kind in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL):
            continue
        optional = parameter.default is not inspect.Parameter.empty or name in GIVEN
        default = parameter.default if parameter.default is not inspect.Parameter.empty else None
        fields[name] = (hints.get(name, Any), Field(default=default if optional else ...))
    config = ConfigDict(
        extra="allow" if open_ended else "forbid", arbitrary_types_allowed=True, protected_namespaces=()
    )
    with warnings.catch_warnings():
        # A parameter named `copy` hides a method of the model that nobody calls.
        warnings.filterwarnings("ignore", message="Field name .* shadows an attribute")
        return create_model(getattr(function, "__name__", "parameters"), __config__=config, **fields)
