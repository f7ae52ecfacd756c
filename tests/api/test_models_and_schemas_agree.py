"""What pydantic takes the schema takes, and the other way round: valid objects with one value exchanged."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from mira.api.kinds import KINDS
from mira.api.schema import INT_OR_STRING
from mira.api.structural import structural_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mira.api.meta import Kind

MANIFESTS = Path(__file__).parents[2] / "examples" / "manifests"
DIGEST = "sha256:" + "a" * 64
APPROVAL = {"approver": "bob", "decision": "Approved", "digest": DIGEST, "comment": "seen"}


def example(name: str) -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load((MANIFESTS / name).read_text())["spec"]
    return manifest


RUN = example("02-run-typical.yaml")
SPECS: dict[str, list[dict[str, Any]]] = {
    "TrainingRun": [
        RUN,
        RUN | {"version": "v1", "drift": {"method": "Evidently", "maxDriftedShare": "0.3"}, "requestedBy": "alice"},
        RUN | {"hooks": {"metrics": "a:b", "ingest": "a:b"}, "job": RUN["job"] | {"runtime": "ECS"}, "suspend": True},
    ],
    "ModelStage": [example("03-stage-full.yaml") | {"version": "v1", "requestedBy": "alice"}],
    "ModelPromotion": [
        example("05-rollback.yaml") | {"requestedBy": "alice", "digest": DIGEST, "approvals": [APPROVAL]}
    ],
}
# None is left out: the API server prunes or refuses it before the schema is asked.
VALUES: tuple[Any, ...] = (
    *("", "a", "A", "a.b", "a..b", "a/b", "a=b", "../b", "a:b", "current", "Pass", "True", "0", "0.5", "-0.5", "1.0"),
    *("1.5e3", "NaN", "2026-10-01", "0 16 * * 5", "Europe/Berlin", "s3://b/k", "s3://bucket/k", "s3://bucket/", DIGEST),
    *("x" * 64, "x" * 129, "x" * 5000, "a\0", "\u0443", 0, 1, -1, 59, 3600, 2**40, 2**60, 0.5, True, False),
    *([], [1], ["a"], ["a"] * 300, {}, {"a": 1}, {"a": "b"}, [{}]),
)


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    if isinstance(value, dict):
        for key, child in value.items():
            yield from paths(child, (*at, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from paths(child, (*at, index))


def exchanged(spec: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(spec)
    parent: Any = changed
    for step in path[:-1]:
        parent = parent[step]
    if value is ...:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return changed


def for_python(schema: Any) -> Any:
    """The schema as Kubernetes means it, in words that the Python validator knows."""
    if isinstance(schema, list):
        return [for_python(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {key: for_python(value) for key, value in schema.items()}
    if schema.get(INT_OR_STRING):
        converted["type"] = ["integer", "string"]
    if isinstance(schema.get("pattern"), str):
        converted["pattern"] = schema["pattern"].replace("$", r"\Z")  # Python's $ also matches before a last newline.
    return converted


def pydantic_takes(kind: Kind, spec: dict[str, Any]) -> bool:
    try:
        kind.spec.model_validate(spec)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_model_and_schema_agree(kind: Kind) -> None:
    validator = jsonschema.Draft202012Validator(for_python(structural_schema(kind.spec)))
    verdicts = []
    done = set()
    for spec in SPECS[kind.kind]:
        assert validator.is_valid(spec)
        for path in paths(spec):
            # A negative number is a valid int-or-string to the schema; a CEL rule refuses it on the server.
            if path in done or "resources" in path:
                continue
            done.add(path)
            for value in (*VALUES, ...):
                changed = exchanged(spec, path, value)
                taken = pydantic_takes(kind, changed)
                assert taken == validator.is_valid(changed), f"{path} = {value!r}: pydantic {taken}"
                verdicts.append(taken)
    assert verdicts.count(True) > 100
    assert verdicts.count(False) > 400
