"""The generated CRDs keep the rules that Kubernetes' API reviewers ask for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import kubernetes_validate
import pytest
import yaml
from pydantic import Field

from mira.api import crd, reference
from mira.api.kinds import KINDS
from mira.api.meta import Kind, Model
from mira.api.scalars import CRON, ZONE
from mira.api.schema import VALIDATIONS
from mira.api.structural import NotStructuralError, structural_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)


def whole(kind: Kind) -> dict[str, Any]:
    schema: dict[str, Any] = crd.crd_manifest(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def nodes(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for keyword, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if keyword in schema:
            yield from nodes(schema[keyword], path + mark)


def fields(kind: Kind) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every node below spec and status."""
    for part in ("spec", "status"):
        yield from nodes(whole(kind)["properties"][part], part)


def test_crds_are_current() -> None:
    assert crd.main(["--check", "--root", str(ROOT)]) == 0


def test_reference_is_current() -> None:
    assert reference.main(["--check", "--root", str(ROOT)]) == 0


def test_check_names_the_stale_file_and_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert crd.main(["--root", str(tmp_path)]) == 0
    (tmp_path / "crds" / "modelstages.mira.constellation.dev.yaml").write_text("old")
    assert crd.main(["--check", "--root", str(tmp_path)]) == 1
    assert re.search(r"modelstages\S* is not current: run `python -m mira.api.crd`", capsys.readouterr().err)


@each_kind
def test_kubernetes_own_schema_takes_the_crd(kind: Kind) -> None:
    kubernetes_validate.validate(yaml.safe_load(crd.crd_yaml(kind)), "1.37", strict=True)


@each_kind
def test_every_field_has_a_description(kind: Kind) -> None:
    assert [
        path
        for path, node in fields(kind)
        if "[]" not in path[-2:] and not path.endswith("{}") and not node.get("description")
    ] == []


@each_kind
def test_every_string_list_and_map_has_a_bound(kind: Kind) -> None:
    bound = {"string": "maxLength", "array": "maxItems"}
    unbounded = [
        path
        for path, node in fields(kind)
        if (needed := bound.get(node.get("type", ""))) and needed not in node and not {"enum", "format"} & node.keys()
    ]
    maps = [
        path
        for path, node in fields(kind)
        if node.get("type") == "object" and not {"properties", "maxProperties"} & node.keys()
    ]
    assert unbounded + maps == []


@each_kind
def test_every_list_says_how_it_merges_and_has_its_keys(kind: Kind) -> None:
    for path, node in fields(kind):
        if node.get("type") != "array":
            continue
        assert node["x-kubernetes-list-type"] in ("map", "set", "atomic"), path
        for key in node.get("x-kubernetes-list-map-keys", []):
            items = node["items"]
            assert key in items.get("required", []) or "default" in items["properties"][key], f"{path} by {key}"


@each_kind
def test_no_floats_no_nulls_no_phase_no_templates(kind: Kind) -> None:
    for path, node in fields(kind):
        assert node.get("type") != "number", path
        assert "nullable" not in node, path
        assert path.rpartition(".")[2] not in {"phase", "template", "podTemplate", "namespace", "bucket"}, path


@each_kind
def test_status_is_optional_and_has_no_defaults(kind: Kind) -> None:
    assert whole(kind)["required"] == ["spec"]
    assert [path for path, node in fields(kind) if path.startswith("status") and "default" in node] == []
    status = whole(kind)["properties"]["status"]
    assert "required" not in status
    assert {"observedGeneration", "conditions"} <= status["properties"].keys()


@each_kind
def test_every_rule_has_a_message_that_is_a_sentence_for_people(kind: Kind) -> None:
    rules = [rule for _, node in nodes(whole(kind), "") for rule in node.get(VALIDATIONS, [])]
    assert rules
    for rule in rules:
        assert len(rule["message"]) > 20, rule
        assert "self" not in rule["message"].replace("itself", ""), rule


@each_kind
def test_every_pattern_of_the_spec_is_told_in_words_too(kind: Kind) -> None:
    bare = [
        path for path, node in fields(kind) if path.startswith("spec") and "pattern" in node and not told_in_words(node)
    ]
    assert bare == []


def told_in_words(node: dict[str, Any]) -> bool:
    """Whether a rule refuses what the pattern refuses; those of schedules and time zones refuse more."""
    rules = [rule["rule"] for rule in node.get(VALIDATIONS, [])]
    return f"self.matches(r'{node['pattern']}')" in rules or node["pattern"] in (CRON, ZONE)


@each_kind
def test_a_default_that_is_an_object_is_empty(kind: Kind) -> None:
    # Canonical forms rest on it: {} and absent are the same wish.
    assert [path for path, node in fields(kind) if node.get("default") and node.get("type") == "object"] == []


@each_kind
def test_columns_show_ready_and_reason_and_hide_the_message(kind: Kind) -> None:
    columns = {column.name: column for column in kind.columns}
    assert {"Ready", "Reason", "Age", "Message"} <= columns.keys()
    assert columns["Message"].priority == 1
    assert not any(re.search(r"conditions\[-?\d", column.path) for column in kind.columns)


def test_an_immutable_kind_guards_every_field_but_the_named_ones() -> None:
    for kind in KINDS:
        if kind.immutable is None:
            continue
        spec = whole(kind)["properties"]["spec"]
        guarded = {rule["fieldPath"][1:] for rule in spec[VALIDATIONS] if rule["message"] == kind.immutable.message}
        assert guarded == spec["properties"].keys() - set(kind.immutable.but)


class Floats(Model):
    share: float = Field(description="A share.")


class Unbounded(Model):
    name: str = Field(description="A name.")


class Undescribed(Model):
    name: str = Field(max_length=10)


class Union(Model):
    value: int | bool = Field(description="One or the other.")


class Pair(Model):
    pair: tuple[bool, bool] = Field(description="Two.")


class Exclusive(Model):
    share: int = Field(gt=0, le=5, description="Above 0.")


@pytest.mark.parametrize(
    "model", [Floats, Unbounded, Undescribed, Union, Pair, Exclusive], ids=lambda each: each.__name__
)
def test_the_generator_refuses_what_a_crd_cannot_say(model: type[Model]) -> None:
    with pytest.raises(NotStructuralError, match=rf"^{model.__name__}\."):
        structural_schema(model)


def test_one_literal_is_an_enum_without_const() -> None:
    class Constant(Model):
        kind: Literal["a", "b"] = Field(description="Which.")

    assert structural_schema(Constant)["properties"]["kind"]["enum"] == ["a", "b"]
