"""Objects as their kinds' models."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

R = TypeVar("R", bound=BaseModel)


class Unreadable(Exception):
    """An object that its CRD let pass and this version's model does not: a newer version of Mira wrote it."""


def read(kind: type[R], raw: dict[str, Any]) -> R:
    """The object. Raises Unreadable; what is wrong is in the object, and looking again would not help."""
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        raise Unreadable(str(error)) from error
