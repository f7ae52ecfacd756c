"""Values and what they may be, in words: for messages, and for the comments of an example."""

import json
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]
_NAMES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "a map",
}


def in_words(schema: Schema, definitions: Mapping[str, Schema] | None = None) -> str:
    """What a value may be. Anything at all: `any value`."""
    known = definitions or {}
    schema = _resolved(schema, known)
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        # First what people write most: null last.
        said = sorted((in_words(each, known) for each in alternatives), key=lambda words: words == "null")
        return ", or ".join(dict.fromkeys(said))
    if schema.get("not") == {}:
        return "nothing that a manifest can say; set it in a function of your own, which returns the estimator"
    if "const" in schema:
        return json.dumps(schema["const"], ensure_ascii=False)
    if "enum" in schema:
        return ", ".join(json.dumps(each, ensure_ascii=False) for each in schema["enum"])
    if schema.get("pattern") and schema.get("description"):
        return str(schema["description"])
    name = _NAMES.get(str(schema.get("type")), "any value")
    return f"{name}{_range(schema)}{_length(schema)}"


def shown(value: Any) -> str:
    """The value as a message shows it: JSON, cut."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _resolved(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    reference = str(schema.get("$ref", "")).removeprefix("#/$defs/")
    return {**definitions.get(reference, {}), **schema} if reference else schema


def _range(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    over, under = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f" from {_number(low)} to {_number(high)}"
    said = (("at least", low), ("above", over), ("at most", high), ("below", under))
    words = " and ".join(f"{word} {_number(limit)}" for word, limit in said if limit is not None)
    return f"{' of' if words.startswith('at') else ''} {words}" if words else ""


def _number(limit: float) -> str:
    return str(int(limit)) if float(limit).is_integer() else str(limit)


def _length(schema: Schema) -> str:
    least, most = schema.get("minLength"), schema.get("maxLength")
    if least is None and most is None:
        return f" that matches {schema['pattern']}" if schema.get("pattern") else ""
    return f" of {least or 0} to {most} characters" if most is not None else f" of at least {least} characters"
