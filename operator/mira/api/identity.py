"""Identities of specs: the same wish has the same one, whoever wrote it and whichever defaults were filled in.

They are hashes of canonical bytes, kept in S3 for ever: this module and every schema default stay as they are within
v1alpha1. `tests/api/golden/hashes.json` holds them to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mira.api.canonical import NotCanonicalError, canonical_bytes
from mira.api.modelpromotion import ModelPromotionSpec
from mira.api.modelstage import ModelStageSpec
from mira.api.schema import PRESERVE
from mira.api.structural import structural_schema
from mira.api.trainingrun import TrainingRunSpec

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue

DETERMINING = (
    "model",
    "task",
    "image",
    "estimator",
    "hooks",
    "parameters",
    "features",
    "seed",
    "data",
    "search",
    "evaluation",
    "artifacts",
    "drift",
)
"""The fields of a TrainingRun that determine its result."""


def canonical(spec: Mapping[str, Any], schema: JsonSchemaValue) -> bytes:
    """RFC 8785 JSON of a stored spec without null, without empty and without what equals its schema default.

    It works from the inside out, so that an object disappears of which nothing is left. Lists keep their order and
    length, maps their keys. Free-form fields are kept as they are: there a null is a value. Raises NotCanonicalError.
    """
    return canonical_bytes(_without_defaults(spec, schema))


def spec_hash(run_spec: Mapping[str, Any]) -> str:
    """`sha256:<hex>` of what determines a run's result: equal for two runs that would train the same model."""
    determining = {name: value for name, value in run_spec.items() if name in DETERMINING}
    return _digest(canonical(determining, structural_schema(TrainingRunSpec)))


def op(namespace: str, name: str, spec: Mapping[str, Any]) -> str:
    """The identity of one intention, as hex: a promotion's name and spec without who asked and who approved.

    A resource that is created again with the same name and spec is the same intention.
    """
    intention = {field: value for field, value in spec.items() if field not in ("approvals", "requestedBy")}
    stripped = _without_defaults(intention, structural_schema(ModelPromotionSpec))
    return hashlib.sha256(canonical_bytes({"namespace": namespace, "name": name, "spec": stripped})).hexdigest()


def policy_digest(stage_spec: Mapping[str, Any]) -> str:
    """`sha256:<hex>` of the rules of a stage: its spec without the version that Git asks for and who asked."""
    policy = {field: value for field, value in stage_spec.items() if field not in ("version", "requestedBy")}
    return _digest(canonical(policy, structural_schema(ModelStageSpec)))


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _without_defaults(spec: Mapping[str, Any], schema: JsonSchemaValue) -> Any:
    try:
        return _stripped(spec, schema)
    except RecursionError as error:
        raise NotCanonicalError("values are nested too deeply") from error


def _stripped(value: Any, schema: JsonSchemaValue) -> Any:
    if schema.get(PRESERVE):
        return value
    if isinstance(value, Mapping):
        if "properties" in schema:
            return _stripped_fields(value, schema["properties"])
        entries = schema.get("additionalProperties", {})
        return {key: _stripped(each, entries) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_stripped(each, schema.get("items", {})) for each in value]
    return value


def _stripped_fields(value: Mapping[str, Any], properties: Mapping[str, JsonSchemaValue]) -> dict[str, Any]:
    # A field that this version does not know is kept: what it means is not known, so it makes a difference.
    stripped = {
        name: (_stripped(each, properties.get(name, {})), properties.get(name, {})) for name, each in value.items()
    }
    return {name: each for name, (each, schema) in stripped.items() if not _is_absent(each, schema)}


def _is_absent(value: Any, schema: JsonSchemaValue) -> bool:
    """Whether a stripped value says the same as no value. Empty does not where the default is something else."""
    if value is None:
        return True
    if "default" in schema:
        # As bytes: in Python 1 equals True.
        return canonical_bytes(value) == canonical_bytes(_stripped(schema["default"], schema))
    return isinstance(value, str | list | dict) and not value
