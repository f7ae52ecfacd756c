"""The reference for users: `python -m mira.api.reference` writes docs/reference/, with `--check` it compares."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from mira.api.crd import without_defaults, write_or_check
from mira.api.kinds import KINDS
from mira.api.meta import API_VERSION, Kind
from mira.api.reasons import Reason
from mira.api.schema import INT_OR_STRING, LIST_KEYS, LIST_TYPE, PRESERVE, VALIDATIONS
from mira.api.structural import structural_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.json_schema import JsonSchemaValue

COMMAND = "python -m mira.api.reference"
HEADER = f"<!-- Written by `{COMMAND}` from operator/mira/api; change that and run it again. -->\n\n"


def fields_page(kind: Kind) -> str:
    """The page of one kind: every field of spec and status, its rules and its conditions."""
    summary = " ".join((kind.resource.__doc__ or "").split())
    parts = [
        f"# {kind.kind}\n\n{summary}\n\n`{API_VERSION}`, `kubectl get {kind.short_name}`.\n",
        "## Spec\n\n" + _fields_table(structural_schema(kind.spec)),
        "## Status\n\n" + _fields_table(without_defaults(structural_schema(kind.status))),
        "## Conditions\n\nWhat True means:\n\n" + _conditions_table(kind),
        "## Rules\n\nWhat the API server refuses beyond types and bounds:\n\n" + _rules(kind),
    ]
    return HEADER + "\n".join(parts)


def reasons_page() -> str:
    """The page of all reasons: which kinds give them and when."""
    rows = [f"| `{reason}` | {', '.join(reason.kinds)} | {_cell(reason.when)} |" for reason in sorted(Reason)]
    text = "# Reasons\n\nThe `reason` of a condition, a gate or an approval; it keeps its meaning within v1alpha1.\n\n"
    return HEADER + text + "\n".join(["| Reason | Of | When |", "|---|---|---|", *rows]) + "\n"


def files() -> dict[str, str]:
    """Every file of docs/reference/ that is generated, and its text."""
    pages = {f"docs/reference/{kind.kind.lower()}.md": fields_page(kind) for kind in KINDS}
    return pages | {"docs/reference/reasons.md": reasons_page()}


def _fields_table(schema: JsonSchemaValue) -> str:
    rows = ["| Field | Type | Default | |", "|---|---|---|---|", *_rows(schema, "")]
    return "\n".join(rows) + "\n"


def _rows(schema: JsonSchemaValue, prefix: str) -> Iterator[str]:
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        default = "required" if name in required else f"`{json.dumps(field['default'])}`" if "default" in field else ""
        yield f"| `{path}` | {_type(field)} | {default} | {_cell(field['description'])} |"
        yield from _rows(field.get("items", field), f"{path}[]." if "items" in field else f"{path}.")


def _type(field: JsonSchemaValue) -> str:
    """The type in words, with its bounds."""
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    if field.get(INT_OR_STRING):
        return "quantity"
    name = str(field["type"])
    in_words = {"integer": _integer_type, "array": _list_type, "object": _object_type, "string": _string_type}
    return in_words[name](field) if name in in_words else name


def _integer_type(field: JsonSchemaValue) -> str:
    return f"integer, {field['minimum']} to {field['maximum']}"


def _string_type(field: JsonSchemaValue) -> str:
    return "time" if "format" in field else f"string, at most {field['maxLength']}"


def _object_type(field: JsonSchemaValue) -> str:
    if field.get(PRESERVE):
        return "any JSON object"
    if "additionalProperties" in field:
        return f"map of {_type(field['additionalProperties'])}, at most {field['maxProperties']}"
    return "object"


def _list_type(field: JsonSchemaValue) -> str:
    of = _type(field["items"])
    keys = ", ".join(field.get(LIST_KEYS, []))
    one = {"map": f", one for each {keys}", "set": ", each once", "atomic": ""}[field[LIST_TYPE]]
    return f"list of {of}, at most {field['maxItems']}{one}"


def _conditions_table(kind: Kind) -> str:
    rows = [f"| `{name}` | {name.means} |" for name in kind.conditions]
    return "\n".join(["| Condition | |", "|---|---|", *rows]) + "\n"


def _rules(kind: Kind) -> str:
    root = [f"- {rule.message}" for rule in kind.rules]
    if kind.immutable is not None:
        root.append(f"- {kind.immutable.message}")
    return "\n".join([*root, *_messages(structural_schema(kind.spec), "spec")]) + "\n"


def _messages(schema: JsonSchemaValue, path: str) -> Iterator[str]:
    for rule in schema.get(VALIDATIONS, []):
        yield f"- `{path}{rule.get('fieldPath', '')}`: {rule['message']}"
    for name, field in schema.get("properties", {}).items():
        yield from _messages(field, f"{path}.{name}")
    if "items" in schema:
        yield from _messages(schema["items"], f"{path}[]")


def _cell(text: str) -> str:
    """The text where a bar would end the cell and an angle bracket would begin a tag."""
    return text.replace("|", "\\|").replace("<", "&lt;")


def main(argv: list[str] | None = None) -> int:
    """Write or check docs/reference/; the exit code."""
    return write_or_check(files(), COMMAND, argv)


if __name__ == "__main__":
    sys.exit(main())
