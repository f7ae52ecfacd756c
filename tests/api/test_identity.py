"""Identities are hashes that S3 keeps for ever: they never move, and only meaning moves them."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mira.api.canonical import NotCanonicalError
from mira.api.identity import DETERMINING, canonical, op, policy_digest, spec_hash
from mira.api.modelpromotion import ModelPromotionSpec
from mira.api.modelstage import ModelStageSpec
from mira.api.structural import structural_schema
from mira.api.trainingrun import TrainingRunSpec
from tests.api.test_models_and_schemas_agree import SPECS, exchanged, paths

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "golden" / "hashes.json").read_text())
RUN_SCHEMA = structural_schema(TrainingRunSpec)
STAGE_SCHEMA = structural_schema(ModelStageSpec)
PROMOTION_SCHEMA = structural_schema(ModelPromotionSpec)
NOT_DETERMINING = {"version", "description", "promotion", "job", "suspend", "requestedBy"}
RUN: dict[str, Any] = SPECS["TrainingRun"][1]
STAGE: dict[str, Any] = SPECS["ModelStage"][0]
PROMOTION: dict[str, Any] = SPECS["ModelPromotion"][0]


def with_defaults(value: Any, schema: dict[str, Any]) -> Any:
    """The value as the API server stores it: with every default of the schema filled in."""
    if isinstance(value, list):
        return [with_defaults(each, schema.get("items", {})) for each in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    filled = copy.deepcopy(value)
    for name, child in schema["properties"].items():
        if "default" in child:
            filled.setdefault(name, copy.deepcopy(child["default"]))
        if name in filled:
            filled[name] = with_defaults(filled[name], child)
    return filled


def shuffled(value: Any, seed: int) -> Any:
    if isinstance(value, list):
        return [shuffled(each, seed) for each in value]
    if not isinstance(value, dict):
        return value
    keys = list(value)
    random.Random(seed).shuffle(keys)  # noqa: S311 - an order, no secret
    return {key: shuffled(value[key], seed) for key in keys}


def test_golden_hashes() -> None:
    for name, case in GOLDEN["specHash"].items():
        assert spec_hash(case["spec"]) == case["hash"], name
    for name, case in GOLDEN["op"].items():
        assert op(case["namespace"], case["name"], case["spec"]) == case["hash"], name
    for name, case in GOLDEN["policyDigest"].items():
        assert policy_digest(case["spec"]) == case["hash"], name


def test_golden_canonical_forms() -> None:
    for name, case in GOLDEN["canonical"].items():
        assert canonical(case["spec"], RUN_SCHEMA).decode() == case["bytes"], name


def test_every_field_of_a_run_is_decided_to_determine_its_result_or_not() -> None:
    assert set(DETERMINING) | NOT_DETERMINING == RUN_SCHEMA["properties"].keys()
    assert not set(DETERMINING) & NOT_DETERMINING


@pytest.mark.parametrize(
    ("spec", "schema"),
    [(spec, RUN_SCHEMA) for spec in SPECS["TrainingRun"]] + [(STAGE, STAGE_SCHEMA), (PROMOTION, PROMOTION_SCHEMA)],
)
def test_defaults_and_the_order_of_keys_change_nothing(spec: dict[str, Any], schema: dict[str, Any]) -> None:
    expected = canonical(spec, schema)
    assert canonical(with_defaults(spec, schema), schema) == expected
    assert canonical(shuffled(with_defaults(spec, schema), 7), schema) == expected
    assert canonical(json.loads(expected), schema) == expected


def test_defaults_written_out_and_objects_of_nothing_change_nothing() -> None:
    plain = {"model": "m", "task": "Classification", "data": {"training": {"uri": "s3://bkt/x.csv"}, "target": "t"}}
    wordy = plain | {
        "seed": 0,
        "parameters": {},
        "hooks": {"metrics": None},
        "drift": {"method": "Summary"},
        "data": plain["data"]
        | {"drop": [], "checks": {"schemaDrift": "Warn", "columns": []}, "split": {"method": "Hash"}},
    }
    assert spec_hash(wordy) == spec_hash(plain)


def test_what_does_not_determine_the_result_changes_nothing() -> None:
    for field in NOT_DETERMINING:
        assert spec_hash({name: value for name, value in RUN.items() if name != field}) == spec_hash(RUN)


def test_every_value_that_determines_the_result_changes_the_hash() -> None:
    before = spec_hash(RUN)
    for path in paths(RUN):
        if path[0] in DETERMINING:
            assert spec_hash(exchanged(RUN, path, "something else")) != before, path


def test_lists_keep_their_order_and_free_form_fields_their_nulls() -> None:
    for one, other in (
        ({"data": {"drop": ["a", "b"]}}, {"data": {"drop": ["b", "a"]}}),
        ({"parameters": {"depth": None}}, {"parameters": {}}),
        ({"parameters": {"depth": 0}}, {"parameters": {"depth": False}}),
        ({"parameters": {"names": []}}, {"parameters": {"names": [""]}}),
        ({"search": {"space": {"a": [None]}}}, {"search": {"space": {"a": []}}}),
    ):
        assert spec_hash(one) != spec_hash(other)


def test_a_number_that_the_api_server_writes_out_in_digits_is_the_same_number() -> None:
    assert spec_hash({"parameters": {"a": 1e16}}) == spec_hash({"parameters": {"a": 10_000_000_000_000_000}})
    assert spec_hash({"parameters": {"a": 2**60}}) != spec_hash({"parameters": {"a": 2**60 + 2**10}})


def test_a_field_from_the_future_makes_a_difference() -> None:
    assert spec_hash(RUN | {"data": RUN["data"] | {"sample": "0.1"}}) != spec_hash(RUN)


def test_an_intention_is_the_same_whoever_asks_and_approves() -> None:
    before = op("team-a", "p", PROMOTION)
    assert op("team-a", "p", PROMOTION | {"requestedBy": "carol", "approvals": []}) == before
    assert op("team-a", "p", {**PROMOTION, "action": "Promote"}) != before
    assert op("team-b", "p", PROMOTION) != before
    assert op("team-a", "q", PROMOTION) != before
    plain = {name: PROMOTION[name] for name in ("model", "stage", "version")}
    assert op("team-a", "p", plain) == op("team-a", "p", plain | {"action": "Promote", "justification": ""})


def test_a_policy_is_the_same_whichever_version_git_asks_for() -> None:
    assert policy_digest(STAGE | {"version": "other", "requestedBy": "carol"}) == policy_digest(STAGE)
    assert policy_digest(STAGE | {"onRefreshFailure": "Hold"}) != policy_digest(STAGE)


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "value",
    [2**53 + 1, -(2**53) - 1, 10**400, "\ud800", float("nan"), float("inf"), deep(20_000), b"bytes"],
    ids=lambda v: type(v).__name__,
)
def test_what_has_no_canonical_form_is_said_and_not_guessed(value: Any) -> None:
    with pytest.raises(NotCanonicalError):
        spec_hash({"parameters": {"a": value}})


def test_a_field_from_the_future_that_is_nested_too_deeply() -> None:
    with pytest.raises(NotCanonicalError, match="nested"):
        spec_hash({"data": {"sample": deep(20_000)}})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(parameters=st.dictionaries(st.text(max_size=5), JSON, max_size=5), seed=st.integers(0, 9))
def test_parameters_come_back_from_the_api_server_with_the_same_hash(parameters: dict[str, Any], seed: int) -> None:
    spec = {"model": "m", "parameters": parameters}
    stored = json.loads(json.dumps(shuffled(spec, seed)))
    assert spec_hash(stored) == spec_hash(spec)


def test_the_examples_are_in_the_golden_file() -> None:
    manifests = [yaml.safe_load(path.read_text()) for path in (HERE.parents[1] / "examples/manifests").glob("*.yaml")]
    runs = {each["metadata"]["name"]: each["spec"] for each in manifests if each["kind"] == "TrainingRun"}
    assert {name: case["spec"] for name, case in GOLDEN["specHash"].items() if name in runs} == runs
