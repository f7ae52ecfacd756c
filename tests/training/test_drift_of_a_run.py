"""A run measures how far its training rows are from those of the version in place, and may be told to stop at it."""

import json

import pytest

from mira.registry.drift import Drift
from mira.registry.manifest import DriftVerdict
from mira.registry.profile import Profile
from tests.training.workbench import STAGE, csv, customers

ROWS = "s3://data/rows.csv"
DATA = {"drop": ["customer", "since", "loss", "band"]}
QUICK = {"max_iter": 2}


def older(frame):
    """Customers a generation older, who spend more; plan and activity are as they were."""
    return frame.assign(age=frame["age"] + 40, spend=frame["spend"] * 5)


@pytest.fixture
def served(bench):
    """A bench on which v1 is current, and new rows of older customers have come."""
    bench.run(bench.order("v1", data=DATA, parameters=QUICK))
    bench.make_current("v1")
    bench.data.objects[ROWS] = csv(older(customers(seed=1)))
    return bench


def second(bench, **spec):
    return bench.run(bench.order("v2", against=STAGE, **({"data": DATA, "parameters": QUICK} | spec)))


def test_the_first_version_has_a_profile_and_no_drift(bench):
    bench.run(bench.order("v1", data=DATA, parameters=QUICK))
    profile = Profile.parse(bench.file("v1", "report/profile.json"))
    assert [column.name for column in profile.columns] == ["age", "spend", "plan", "active", "churned"]
    assert profile.rows == bench.manifest("v1").rows.training
    assert bench.manifest("v1").drift is None
    assert not [file for file in bench.manifest("v1").files if file.path.endswith("drift.json")]
    assert "How the data has moved" not in bench.file("v1", "model-card.html").decode()


def test_a_later_version_tells_in_report_manifest_and_card_what_drifted(served):
    assert second(served).code == 0
    drift = Drift.parse(served.file("v2", "report/drift.json"))
    summary, current = served.manifest("v2").drift, served.manifest("v2").compared_with
    assert (drift.reference.version, drift.reference.digest) == ("v1", current.digest)
    assert summary == drift.summary
    assert (summary.verdict, summary.drifted_share) == (DriftVerdict.DRIFTED, "0.4")
    assert set(summary.columns) == {"age", "spend"}
    assert [source.uri for source in drift.sources] == [ROWS]
    card = served.file("v2", "model-card.html").decode()
    assert "How the data has moved" in card
    assert "2 of 5 columns of the training rows drifted from" in card
    assert card.index(">drifted<") < card.index(">stable<"), "the farthest first"


def test_the_same_customers_a_month_later_have_not_drifted(served):
    served.data.objects[ROWS] = csv(customers(seed=1))
    second(served, drift={"maxDriftedShare": "0"})
    assert served.manifest("v2").drift.drifted_share == "0.0"


def test_above_the_limit_nothing_is_trained_and_every_drifted_column_is_told(served):
    end = second(served, drift={"maxDriftedShare": "0.25"}, estimator="tests.training.own_code:fails", parameters={})
    assert (end.code, end.outcome.reason, end.outcome.step) == (64, "DataDrift", "validate")
    assert end.outcome.message.startswith(
        "drift.maxDriftedShare: 2 of 5 columns drifted from the training data of version v1, a share of 0.4 where "
        "0.25 is the limit: "
    )
    assert {(check.check, check.column) for check in end.outcome.failed_checks} == {
        ("drift", "age"),
        ("drift", "spend"),
    }
    assert (end.outcome.drift.drifted_share, set(end.outcome.drift.columns)) == ("0.4", {"age", "spend"})
    assert served.body("v2") is None
    kept = served.store.objects[f"{served.key('v2').attempt(end.attempt)}report/drift.json"]
    assert Drift.parse(kept).verdict is DriftVerdict.DRIFTED


@pytest.mark.parametrize("limit", ["0.4", "1"])
def test_at_the_limit_or_below_it_is_trained(served, limit):
    assert second(served, drift={"maxDriftedShare": limit}).code == 0
    assert served.manifest("v2").drift.verdict is DriftVerdict.STABLE


def published_without_profile(bench):
    """v1 as an image would have published it that knew of no profiles."""
    content = json.loads(bench.body("v1"))
    content["files"] = [file for file in content["files"] if not file["path"].endswith("profile.json")]
    bench.store.objects[bench.key("v1").manifest] = json.dumps(content).encode()


def forged(bench):
    manifest = bench.manifest("v1")
    path = next(file.path for file in manifest.files if file.path.endswith("profile.json"))
    bench.store.objects[manifest.key.file(path)] = b"{}"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (published_without_profile, "version v1 was published without a profile of its training data"),
        (forged, "profile.json does not have the sha256"),
    ],
)
def test_without_a_profile_to_trust_drift_is_not_measured_and_that_fails_nothing(bench, spoil, reason):
    bench.run(bench.order("v1", data=DATA, parameters=QUICK))
    spoil(bench)
    bench.make_current("v1")
    assert second(bench, drift={"maxDriftedShare": "0"}).code == 0
    summary = bench.manifest("v2").drift
    assert (summary.verdict, summary.drifted_share) == (DriftVerdict.NOT_MEASURED, None)
    assert reason in summary.reason
    assert reason in bench.file("v2", "model-card.html").decode()


def test_columns_with_hostile_names_are_text_in_the_card(bench):
    hostile = "<script>alert(1)</script>"
    for version, rows in (("v1", customers()), ("v2", older(customers(seed=1)))):
        bench.data.objects[ROWS] = csv(rows.rename(columns={"age": hostile}))
        bench.run(bench.order(version, against=STAGE, data=DATA, parameters=QUICK))
        if version == "v1":
            bench.make_current("v1")
    assert "<script" not in bench.file("v2", "model-card.html").decode()
    assert hostile in bench.manifest("v2").drift.columns
