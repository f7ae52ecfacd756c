"""Kubernetes' structural schema of a model; what Kubernetes would refuse, drop or price too high is an error.

pydantic writes JSON Schema, Kubernetes takes a part of it. What lies outside that part raises here, with its path, so
that a CRD never says less than its model.
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from typing_extensions import override

from mira.api.schema import INT_OR_STRING, LIST_KEYS, LIST_TYPE, PRESERVE, VALIDATIONS

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import core_schema

# The keywords of JSONSchemaProps that Mira uses, in the order in which people like to read them.
_KEYWORDS = (
    "description",
    "type",
    "format",
    "default",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "required",
    LIST_TYPE,
    LIST_KEYS,
    PRESERVE,
    INT_OR_STRING,
    VALIDATIONS,
    "properties",
    "items",
    "additionalProperties",
)


# What each type must say of its size.
_BOUNDS: dict[str, tuple[str, ...]] = {
    "string": ("maxLength",),
    "integer": ("minimum", "maximum"),
    "boolean": (),
    "array": ("items", "maxItems", LIST_TYPE),
    "object": ("additionalProperties", "maxProperties"),
}


class NotStructuralError(TypeError):
    """A model says something that a CRD cannot say, or leaves out what a CRD must say."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")


class _Generator(GenerateJsonSchema):
    """pydantic's schema without nulls and without defaults that only the code knows."""

    @override
    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """The schema of the value alone: absent is how Kubernetes says null."""
        return self.generate_inner(schema["schema"])

    @override
    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """The schema with its default if that is a scalar; `stated_default` states the others."""
        inner = self.generate_inner(schema["schema"])
        default = self.get_default_value(schema)
        value = default.value if isinstance(default, Enum) else default
        if isinstance(value, str | int):
            return {**inner, "default": value}
        return inner


@cache
def structural_schema(model: type[BaseModel]) -> JsonSchemaValue:
    """The structural schema of the model; raises NotStructuralError. Shared, so do not change it."""
    generated = model.model_json_schema(schema_generator=_Generator)
    return _convert(generated, generated.get("$defs", {}), model.__name__)


def _convert(node: Any, definitions: dict[str, Any], path: str) -> JsonSchemaValue:
    if not isinstance(node, dict):
        raise NotStructuralError(path, f"no schema: {node!r}")
    node = _resolved(node, definitions)
    if node.get(PRESERVE) and node.get("additionalProperties") is True:
        node.pop("additionalProperties")
    if node.get(INT_OR_STRING):
        node.pop("type")
    unknown = sorted(node.keys() - set(_KEYWORDS))
    if unknown:
        raise NotStructuralError(path, f"a CRD has no {', '.join(unknown)}")
    if VALIDATIONS in node:
        # pydantic sorts keys; people look for the rule first.
        node[VALIDATIONS] = [{"rule": each["rule"], **each} for each in node[VALIDATIONS]]
    if "description" in node:
        node["description"] = " ".join(node["description"].split())
    if "properties" in node:
        node["properties"] = {
            name: _property(child, definitions, f"{path}.{name}") for name, child in node["properties"].items()
        }
    for keyword, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if keyword in node:
            node[keyword] = _convert(node[keyword], definitions, path + mark)
    _check(node, path)
    return {keyword: node[keyword] for keyword in _KEYWORDS if keyword in node}


def _property(node: Any, definitions: dict[str, Any], path: str) -> JsonSchemaValue:
    converted = _convert(node, definitions, path)
    if not converted.get("description"):
        raise NotStructuralError(path, "a field needs a description")
    return converted


def _resolved(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The node without $ref and titles; what stands beside the $ref wins, rules accumulate."""
    reference = node.get("$ref")
    if reference is None:
        return {key: value for key, value in node.items() if key not in ("title", "$defs")}
    target = _resolved(definitions[reference.removeprefix("#/$defs/")], definitions)
    beside = {key: value for key, value in node.items() if key not in ("$ref", "title")}
    if VALIDATIONS in beside and VALIDATIONS in target:
        beside[VALIDATIONS] = [*target[VALIDATIONS], *beside[VALIDATIONS]]
    return {**target, **beside}


def _check(node: JsonSchemaValue, path: str) -> None:
    """Raises unless the node says its type and its bounds: without bounds CEL cannot be priced."""
    if node.get(INT_OR_STRING):
        needed = _BOUNDS["string"]
    elif node.get("type") not in _BOUNDS:
        raise NotStructuralError(path, f"{node.get('type', 'no type')} is not for an API: one type, decimals as text")
    elif "properties" in node or "enum" in node or node.get("format") == "date-time":
        needed = ()
    elif PRESERVE in node:
        needed = ("maxProperties",)
    else:
        needed = _BOUNDS[node["type"]]
    for keyword in needed:
        if keyword not in node:
            raise NotStructuralError(path, f"a {node.get('type', 'value')} needs {keyword}")
