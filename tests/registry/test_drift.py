"""Profiles and drifts, written by whoever may write a namespace's models, are read as hostile."""

import json
from typing import Any

import pytest

from mira.registry.document import DocumentInvalid
from mira.registry.drift import Drift
from mira.registry.manifest import Manifest
from mira.registry.profile import MOST_COLUMNS, Profile
from tests.registry.examples import a_drift, a_manifest, a_profile

AGE = json.loads(a_profile().render())["columns"][0]
PLAN = json.loads(a_profile().render())["columns"][1]
PROFILES: dict[str, dict[str, Any]] = {
    "an edge that is no number": {"edges": ["NaN", "1", "2"]},
    "an edge that no double holds": {"edges": ["1", "2", "1e999"]},
    "an edge as a float": {"edges": [1.0, "2", "3"]},
    "edges that do not ascend": {"edges": ["1", "3", "2"]},
    "the same edge twice": {"edges": ["1", "1.0", "2"]},
    "fewer counts than bins": {"counts": [6, 66]},
    "no counts": {"edges": [], "counts": []},
    "a negative count": {"counts": [-1, 4, 3, 66]},
    "counts beyond what a double holds": {"counts": [2**53, 2, 3, 66]},
    "counts that are not those of its rows": {"counts": [2, 2, 3, 66]},
    "edges and categories": {"categories": ["0" * 16], "counts": [1, 2, 3, 60, 6]},
    "a name of nothing": {"name": ""},
    "a thousand edges": {"edges": [str(n) for n in range(1000)], "counts": [0] * 1000 + [72]},
}
CATEGORIES: dict[str, dict[str, Any]] = {
    "a category in plain text": {"categories": ["alice@example.com"]},
    "the same category twice": {"categories": ["0" * 16, "0" * 16], "counts": [60, 10, 10]},
}


@pytest.mark.parametrize("fields", PROFILES.values(), ids=PROFILES.keys())
def test_a_profile_is_refused_with(fields: dict[str, Any]) -> None:
    with pytest.raises(DocumentInvalid, match=r"^columns|^mira.profile"):
        Profile.parse(json.dumps(json.loads(a_profile().render()) | {"columns": [AGE | fields]}).encode())


@pytest.mark.parametrize("fields", CATEGORIES.values(), ids=CATEGORIES.keys())
def test_a_profile_of_text_is_refused_with(fields: dict[str, Any]) -> None:
    with pytest.raises(DocumentInvalid, match=r"^columns"):
        Profile.parse(json.dumps(json.loads(a_profile().render()) | {"columns": [PLAN | fields]}).encode())


def test_a_profile_is_refused_that_lists_a_column_twice() -> None:
    with pytest.raises(DocumentInvalid, match="the same column twice"):
        Profile.parse(json.dumps(json.loads(a_profile().render()) | {"columns": [AGE, AGE]}).encode())


def test_the_largest_profile_fits_into_its_limit() -> None:
    wide = a_profile().columns[0].model_copy(
        update={
            "edges": [repr(-1.2345678901234567e-300 * (64 - n)) for n in range(64)],
            "missing": 0,
            "counts": [2**40] * 65,
        }
    )  # fmt: skip
    columns = [wide.model_copy(update={"name": f"{n:0253d}"}) for n in range(MOST_COLUMNS)]
    profile = a_profile(rows=65 * 2**40, columns=columns)
    assert Profile.parse(profile.render()) == profile


AGED, STABLE, _, GONE, NEW = json.loads(a_drift().render())["columns"]
DRIFTS: dict[str, dict[str, Any]] = {
    "a verdict that the share contradicts": {"verdict": "Stable"},
    "a verdict without a share": {"driftedShare": None},
    "no verdict with a share": {"verdict": "NotMeasured"},
    "a limit that is no share": {"limit": "1.5"},
    "a share that is a float": {"driftedShare": 0.75},
    "a column that is listed twice": {"columns": [AGED, AGED]},
    "a column that drifted below its threshold": {"columns": [AGED | {"psi": "0.3"}]},
    "a column that is stable above its threshold": {"columns": [STABLE | {"psi": "0.5"}]},
    "a column without a distance": {"columns": [{k: v for k, v in STABLE.items() if k != "psi"}]},
    "a column with an unknown verdict": {"columns": [GONE | {"verdict": "Odd"}]},
    "a distance that is infinite": {"columns": [AGED | {"psi": "Infinity"}]},
    "a version that is none": {"reference": {"version": "../v", "digest": "sha256:" + "0" * 64}},
    "a digest that is none": {"reference": {"version": "v", "digest": "x"}},
    "more columns than it may have": {"columns": [NEW | {"name": str(n)} for n in range(2 * MOST_COLUMNS + 1)]},
}


@pytest.mark.parametrize("fields", DRIFTS.values(), ids=DRIFTS.keys())
def test_a_drift_is_refused_with(fields: dict[str, Any]) -> None:
    content = {k: v for k, v in (json.loads(a_drift().render()) | fields).items() if v is not None}
    with pytest.raises(DocumentInvalid) as refusal:
        Drift.parse(json.dumps(content).encode())
    assert len(str(refusal.value)) <= 300


def test_a_summary_names_first_what_cannot_be_compared_any_more_then_the_farthest() -> None:
    assert a_drift().summary.columns == ["spend", "active", "age"]


def test_a_manifest_from_before_there_was_drift_is_read_and_written_as_it_was() -> None:
    old = a_manifest(drift=None)
    assert "drift" not in json.loads(old.render())
    assert Manifest.parse(old.render()).drift is None
