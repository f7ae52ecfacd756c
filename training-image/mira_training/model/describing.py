"""What a function takes, for people and for CI: its parameters as JSON Schema, or as YAML to begin with."""

import inspect
import json
import math
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from typing_extensions import override

from mira_training.model.parameters import GIVEN, Declared, declared
from mira_training.model.wording import in_words

DIALECT = "https://json-schema.org/draft/2020-12/schema"
WIDTH = 110
SENTENCE_END = re.compile(r"(?<!i\.e)(?<!e\.g)\. ")
PARAMETER = re.compile(r"^(\w+) : .*\n((?:\n?    .+)+)", re.MULTILINE)
"""One parameter of a docstring in numpydoc's style: its name, and the indented lines below."""


class _Generator(GenerateJsonSchema):
    """pydantic's schema, where a type that JSON does not have is any value instead of an error."""

    @override
    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:
        return {}


def described(function: Callable[..., Any], name: str, *, is_features: bool = False) -> JsonSchemaValue:
    """The JSON Schema of `spec.parameters` for the function: by it they are checked before any data is read."""
    takes = declared(function)
    if is_features and takes.argument is None:
        said = f"{name} declares no parameters: it is given all of them, unchecked. A pydantic model declares them."
        return {"$schema": DIALECT, "title": name, "description": said, "type": "object"}
    schema = _schema_of(takes.model)
    properties = schema.get("properties", {})
    if takes.argument is None:
        properties = {field: each for field, each in properties.items() if field not in GIVEN}
    texts = _texts(function)
    for field, each in properties.items():
        each.pop("title", None)
        if isinstance(each.get("default"), float) and not math.isfinite(each["default"]):
            del each["default"]
        if field in texts:
            each.setdefault("description", texts[field])
    required = [field for field in schema.get("required", []) if field in properties]
    return {
        "$schema": DIALECT,
        "title": name,
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": _takes_more(takes),
        **({"$defs": schema["$defs"]} if "$defs" in schema else {}),
    }


def as_yaml(schema: JsonSchemaValue) -> str:
    """The parameters with their defaults as a block of a TrainingRun's spec; a default of null is left to the code."""
    lines = [f"# The parameters of {schema['title']}; what is left out has its default."]
    if description := schema.get("description"):
        lines += _comment(description, "")
    properties = schema.get("properties", {})
    if not properties:
        return "\n".join([*lines, "parameters: {}", ""])
    lines.append("parameters:")
    for name, each in properties.items():
        lines += _entry(name, each, schema, required=name in schema.get("required", []))
    if all(line.lstrip().startswith("#") for line in lines[lines.index("parameters:") + 1 :]):
        lines[lines.index("parameters:")] = "parameters: {}"
    return "\n".join([*lines, ""])


def _entry(name: str, schema: JsonSchemaValue, whole: JsonSchemaValue, *, required: bool) -> Iterator[str]:
    words = in_words(schema, whole.get("$defs"))
    about = schema.get("description", "")
    yield from _comment(f"{about} " * bool(about) + f"{words[0].upper()}{words[1:]}.{' Required.' * required}", "  ")
    if schema.get("not") == {}:
        return
    if required:
        yield f"  {name}: {json.dumps(_example(schema, whole.get('$defs', {})))}"
    elif schema.get("default") is None:
        yield f"  # {name}: null"
    else:
        yield f"  {name}: {_written(schema['default'], schema)}"


def _written(value: Any, schema: JsonSchemaValue) -> str:
    """The value in YAML; in quotes where a bare number could be read in two ways."""
    two_meanings = "not" in schema and isinstance(value, int | float) and not isinstance(value, bool)
    return json.dumps(str(value) if two_meanings else value, ensure_ascii=False)


def _example(schema: JsonSchemaValue, definitions: dict[str, Any]) -> Any:
    """Something that fits, for a parameter that has no default."""
    schema = definitions.get(str(schema.get("$ref", "")).removeprefix("#/$defs/"), schema)
    for alternative in schema.get("anyOf", []):
        return _example(alternative, definitions)
    if "enum" in schema:
        return schema["enum"][0]
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    examples = {"integer": low, "number": low, "string": "...", "boolean": True, "array": [], "object": {}}
    return examples.get(str(schema.get("type")), "...")


def _comment(text: str, indent: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def _takes_more(takes: Declared) -> bool:
    return takes.open_ended or takes.model.model_config.get("extra") == "allow"


def _schema_of(model: type[BaseModel]) -> JsonSchemaValue:
    with warnings.catch_warnings(action="ignore"):
        # A default that JSON does not have, such as NaN or a function, is left out.
        return model.model_json_schema(schema_generator=_Generator)


def _texts(function: Callable[..., Any]) -> dict[str, str]:
    """What a docstring in numpydoc's style says of each parameter, its first sentence."""
    found = PARAMETER.findall(inspect.getdoc(function) or "")
    texts = {name: " ".join(text.split("\n\n")[0].split()) for name, text in found}
    return {name: f"{SENTENCE_END.split(text)[0].rstrip('.:')}." for name, text in texts.items() if text}
