"""Keywords of a Kubernetes schema that pydantic does not know, as annotations for fields and models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

VALIDATIONS = "x-kubernetes-validations"
LIST_TYPE = "x-kubernetes-list-type"
LIST_KEYS = "x-kubernetes-list-map-keys"
PRESERVE = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"


@dataclass(frozen=True, slots=True)
class Rule:
    """One CEL rule and what its refusal says: the field, what is allowed, what to do."""

    rule: str
    message: str
    field: str = ""
    """The refused field, relative to the schema that carries the rule, e.g. `.data.target`."""
    reason: Literal["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired"] = "FieldValueInvalid"
    message_expression: str = ""
    """CEL that gives the message, where it must show a value of the object."""

    def wire(self) -> dict[str, str]:
        """The rule as an item of x-kubernetes-validations."""
        item = {"rule": self.rule, "message": self.message, "reason": self.reason}
        if self.message_expression:
            item["messageExpression"] = self.message_expression
        if self.field:
            item["fieldPath"] = self.field
        return item


# Without eq it is hashed by identity: typing hashes annotations, and a mapping cannot be hashed.
@dataclass(frozen=True, slots=True, eq=False)
class Keywords:
    """An annotation that adds keywords to the schema of what it annotates."""

    added: Mapping[str, Any]

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema of the annotated type with the keywords added; rules accumulate."""
        generated = handler(schema)
        added = dict(self.added)
        if VALIDATIONS in added:
            added[VALIDATIONS] = [*generated.get(VALIDATIONS, []), *added[VALIDATIONS]]
        return {**generated, **added}


def rules(*wanted: Rule) -> dict[str, Any]:
    """The rules as `json_schema_extra` of a model."""
    return {VALIDATIONS: [rule.wire() for rule in wanted]}


def cel(*wanted: Rule) -> Keywords:
    """The rules as an annotation of a field."""
    return Keywords(rules(*wanted))


def in_words(pattern: str, message: str) -> Keywords:
    """A pattern in words: the API server's own refusal shows the bare expression, and this rule's message beside it."""
    return cel(Rule(f"self.matches(r'{pattern}')", message))


def list_map(*keys: str) -> Keywords:
    """A list whose items are named by these keys; server-side apply merges it item by item."""
    return Keywords({LIST_TYPE: "map", LIST_KEYS: list(keys)})


LIST_SET = Keywords({LIST_TYPE: "set"})
LIST_ATOMIC = Keywords({LIST_TYPE: "atomic"})
FREE_FORM = Keywords({PRESERVE: True})


def stated_default(value: Any) -> Keywords:
    """A default of a list or object that the API server itself fills in (a scalar's always is)."""
    return Keywords({"default": value})
