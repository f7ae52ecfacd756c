"""The CustomResourceDefinitions: `python -m mira.api.crd` writes crds/, with `--check` it says what is not current."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from typing_extensions import override

from mira.api.kinds import KINDS
from mira.api.meta import CATEGORY, GROUP, VERSION, Kind
from mira.api.schema import VALIDATIONS, Rule
from mira.api.structural import structural_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.json_schema import JsonSchemaValue

COMMAND = "python -m mira.api.crd"
HEADER = f"# Written by `{COMMAND}` from operator/mira/api; change that and run it again.\n"


def crd_manifest(kind: Kind) -> dict[str, Any]:
    """The CustomResourceDefinition of the kind, as it is applied."""
    singular = kind.kind.lower()
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": singular,
                "shortNames": [kind.short_name],
                "categories": [CATEGORY],
            },
            "scope": "Namespaced",
            "versions": [_version(kind)],
        },
    }


def _version(kind: Kind) -> dict[str, Any]:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [column.wire() for column in kind.columns],
        "selectableFields": [{"jsonPath": path} for path in kind.selectable],
        "schema": {"openAPIV3Schema": _whole(kind)},
    }


def _whole(kind: Kind) -> JsonSchemaValue:
    """The schema of the whole object; apiVersion, kind and metadata are the API server's own."""
    schema: JsonSchemaValue = {
        "description": " ".join((kind.resource.__doc__ or "").split()),
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": f"{GROUP}/{VERSION}."},
            "kind": {"type": "string", "description": f"{kind.kind}."},
            "metadata": {"type": "object"},
            "spec": _with_immutability(structural_schema(kind.spec), kind),
            "status": without_defaults(structural_schema(kind.status)),
        },
    }
    if kind.rules:
        schema[VALIDATIONS] = [rule.wire() for rule in kind.rules]
    return schema


def _with_immutability(spec: JsonSchemaValue, kind: Kind) -> JsonSchemaValue:
    """The spec's schema with one rule for each field that must not change, be added or be removed."""
    if kind.immutable is None:
        return spec
    required = spec.get("required", [])
    fixed = [
        Rule(_unchanged(name, required=name in required), kind.immutable.message, field=f".{name}").wire()
        for name in spec["properties"]
        if name not in kind.immutable.but
    ]
    return {**spec, VALIDATIONS: [*spec.get(VALIDATIONS, []), *fixed]}


def _unchanged(name: str, *, required: bool) -> str:
    """CEL that says the field is as it was."""
    # `self.?name == oldSelf.?name` says the same, but the API server cannot estimate its cost.
    same = f"self.{name} == oldSelf.{name}"
    return same if required else f"has(self.{name}) == has(oldSelf.{name}) && (!has(self.{name}) || {same})"


def without_defaults(schema: JsonSchemaValue) -> JsonSchemaValue:
    """The schema without defaults: in a status only what the operator wrote is true."""
    bare = {keyword: value for keyword, value in schema.items() if keyword != "default"}
    if "properties" in bare:
        bare["properties"] = {name: without_defaults(child) for name, child in bare["properties"].items()}
    if "items" in bare:
        bare["items"] = without_defaults(bare["items"])
    return bare


class _Dumper(yaml.SafeDumper):
    """YAML without anchors: the same model in two places is written twice."""

    @override
    def ignore_aliases(self, data: Any) -> bool:
        """True: never an anchor."""
        return True


def crd_yaml(kind: Kind) -> str:
    """The text of the kind's file in crds/: the same models give the same text."""
    return HEADER + yaml.dump(crd_manifest(kind), Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


def files() -> dict[str, str]:
    """Every file of crds/ and its text."""
    return {f"crds/{kind.plural}.{GROUP}.yaml": crd_yaml(kind) for kind in KINDS}


def write_or_check(wanted: Mapping[str, str], command: str, argv: list[str] | None) -> int:
    """0 if the files hold their texts (without `--check` in argv they do afterwards), else 1 and what to run."""
    parser = argparse.ArgumentParser(prog=command, description="Write what is generated from operator/mira/api.")
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 if a file is not current")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: here)")
    arguments = parser.parse_args(argv)
    texts = {arguments.root / name: text for name, text in wanted.items()}
    stale = [path for path, text in texts.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if arguments.check:
            sys.stderr.write(f"{path} is not current: run `{command}`\n")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[path], encoding="utf-8")
    return 1 if arguments.check and stale else 0


def main(argv: list[str] | None = None) -> int:
    """Write or check crds/; the exit code."""
    return write_or_check(files(), COMMAND, argv)


if __name__ == "__main__":
    sys.exit(main())
