"""Every example manifest is one that the models and the schemas take."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from mira.api.kinds import KINDS
from mira.api.meta import Kind
from mira.api.structural import structural_schema

MANIFESTS = sorted((Path(__file__).parents[2] / "examples" / "manifests").glob("*.yaml"))
BY_NAME = {kind.kind: kind for kind in KINDS}


def read(path: Path) -> tuple[Kind, dict[str, Any]]:
    """The example as the API server sees it: on Kubernetes 1.36 and later requestedBy is filled in."""
    manifest: dict[str, Any] = yaml.safe_load(path.read_text())
    if manifest["kind"] == "ModelPromotion":
        manifest["spec"].setdefault("requestedBy", "alice")
    return BY_NAME[manifest["kind"]], manifest


def test_there_are_examples_of_every_kind() -> None:
    assert {read(path)[0].kind for path in MANIFESTS} == BY_NAME.keys()


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_example_is_taken_without_an_unknown_field(path: Path) -> None:
    kind, manifest = read(path)
    assert kind.resource.strictly(manifest).metadata.name == manifest["metadata"]["name"]
    jsonschema.validate(manifest["spec"], structural_schema(kind.spec))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_example_survives_reading_and_writing(path: Path) -> None:
    kind, manifest = read(path)
    written = kind.resource.model_validate(manifest).wire()
    assert kind.resource.model_validate(written) == kind.resource.model_validate(manifest)
    jsonschema.validate(written["spec"], structural_schema(kind.spec))
