"""Objects as their kinds' models."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

R = TypeVar("R", bound=BaseModel)

# As much of a value as a message shows.
LONGEST_VALUE = 100


class Unreadable(Exception):
    """An object that its CRD let pass and this version's model does not: a newer version of Mira wrote it."""


def read(kind: type[R], raw: dict[str, Any]) -> R:
    """The object. Raises Unreadable, which names object, field and value; the cure is in the object, not in waiting."""
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        value = repr(first["input"])
        shown = value if len(value) <= LONGEST_VALUE else value[: LONGEST_VALUE - 3] + "..."
        raise Unreadable(
            f"{kind.__name__} {raw['metadata']['name']}: {where}: {first['msg']}, not {shown}; this version of Mira "
            "cannot read it, a newer one wrote it: install that version again, or change the field"
        ) from error
