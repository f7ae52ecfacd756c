"""The gates of a stage: every threshold, both directions, and what is said of it."""

from typing import Any

import pytest

from mira.api import modelstage
from mira.api.reasons import Reason
from mira.decide.gates import describe, failed, inconclusive, judge_gates, threshold
from mira.registry.comparison import Comparison, Difference, Verdict
from mira.registry.entry import Gate, Version
from mira.registry.manifest import Direction, Manifest, Metric
from tests.registry.examples import DIGEST, OTHER, a_comparison, a_manifest

CURRENT = Version(version="v0", digest=OTHER)
HIGHER, LOWER = Direction.HIGHER, Direction.LOWER


def metric(value: str, direction: Direction | None = HIGHER, slice_: str = "", name: str = "m") -> Metric:
    return Metric(name=name, value=value, direction=direction, slice=slice_)


def measured(*metrics: Metric) -> Manifest:
    return a_manifest(metrics=list(metrics))


def compared(lower: str, direction: Direction = HIGHER, slice_: str = "", name: str = "m") -> Comparison:
    difference = Difference(
        metric=name, slice=slice_, direction=direction, candidate="0.8", current="0.7", lower=lower, upper="9"
    )
    return a_comparison(differences=[difference])


def judged(
    gate: dict[str, Any], manifest: Manifest, current: Version | None = None, comparison: Comparison | None = None
) -> Gate:
    [row] = judge_gates([modelstage.Gate.model_validate({"metric": "m"} | gate)], manifest, current, comparison)
    return row


ABSOLUTE = [
    # what is asked, what was measured, what the gate says
    ({"minimum": "0.75"}, "0.75", "Passed"),
    ({"minimum": "0.75"}, "0.750000", "Passed"),
    ({"minimum": "0.75"}, "0.7499999", "BelowMinimum"),
    ({"minimum": "0.3"}, "0.30000000000000004", "Passed"),
    ({"minimum": "0.30000000000000004"}, "0.3", "BelowMinimum"),
    ({"minimum": "-1"}, "-1.0", "Passed"),
    ({"minimum": "-1"}, "-1.000001", "BelowMinimum"),
    ({"minimum": "0"}, "-0.0", "Passed"),
    ({"minimum": "9"}, "10", "Passed"),  # as numbers, not as text
    ({"maximum": "0.2"}, "0.2", "Passed"),
    ({"maximum": "0.2"}, "0.2000001", "AboveMaximum"),
    ({"maximum": "10"}, "9", "Passed"),
    ({"maximum": "-0.5"}, "-0.4", "AboveMaximum"),
    ({"minimum": "0.5", "maximum": "0.9"}, "0.7", "Passed"),
    ({"minimum": "0.5", "maximum": "0.9"}, "0.4", "BelowMinimum"),
    ({"minimum": "0.5", "maximum": "0.9"}, "0.91", "AboveMaximum"),
    ({"minimum": "0.5", "maximum": "0.5"}, "0.5", "Passed"),
]


@pytest.mark.parametrize(("gate", "value", "reason"), ABSOLUTE)
@pytest.mark.parametrize("direction", [HIGHER, LOWER, None])
def test_minimum_and_maximum_look_at_the_value_alone(
    gate: dict[str, Any], value: str, reason: str, direction: Direction | None
) -> None:
    row = judged(gate, measured(metric(value, direction)))
    assert (row.reason, row.result == "Pass", row.measured) == (reason, reason == "Passed", value)


RELATIVE = [
    # maxRegression, the lower end of the interval in the good direction, what the gate says
    ("0.002", "0.001", "Passed"),
    ("0.002", "0", "Passed"),
    ("0.002", "-0.001999", "Passed"),
    ("0.002", "-0.002", "Passed"),
    ("0.002", "-0.0020", "Passed"),
    ("0.002", "-0.002001", "Regressed"),
    ("0", "0", "Passed"),
    ("0", "-0.0", "Passed"),
    ("0", "-0.000001", "Regressed"),
    ("0.1", "-0.10000000000000001", "Regressed"),
    ("100", "-99.5", "Passed"),
]


@pytest.mark.parametrize(("allowed", "lower", "reason"), RELATIVE)
@pytest.mark.parametrize("direction", [HIGHER, LOWER])
def test_the_lower_end_of_the_interval_decides_and_the_edge_passes(
    allowed: str, lower: str, reason: str, direction: Direction
) -> None:
    """The interval is turned by the comparison already: positive is better, whatever the direction."""
    gate = {"maxRegression": allowed}
    row = judged(gate, measured(metric("0.8", direction)), CURRENT, compared(lower, direction))
    assert (row.reason, row.lower, row.current) == (reason, lower, "0.7")


NOT_COMPARABLE = a_comparison(verdict=Verdict.NOT_COMPARABLE, reason="other columns", differences=[])
Situation = tuple[dict[str, Any], Manifest, Version | None, Comparison | None, str, str]
SITUATIONS: dict[str, Situation] = {
    "a metric is not reported": ({"minimum": "0.5"}, measured(), None, None, "Fail", "MetricNotFound"),
    "another metric is reported": (
        {"minimum": "0.5"}, measured(metric("1", name="M")), None, None, "Fail", "MetricNotFound",
    ),
    "a metric is reported for a slice alone": (
        {"minimum": "0.5"}, measured(metric("1", slice_="a=b")), None, None, "Fail", "MetricNotFound",
    ),
    "a slice is not reported": (
        {"minimum": "0.5", "slice": "a=b"}, measured(metric("1")), None, None, "Fail", "MetricNotFound",
    ),
    "a slice is judged by its own value": (
        {"minimum": "0.5", "slice": "a=b"},
        measured(metric("1"), metric("0.1", slice_="a=b")), None, None, "Fail", "BelowMinimum",
    ),
    "a slice is compared by its own interval": (
        {"maxRegression": "0", "slice": "a=b"},
        measured(metric("1", slice_="a=b")), CURRENT, compared("0.1", slice_="a=b"), "Pass", "Passed",
    ),
    "a slice was not compared": (
        {"maxRegression": "0", "slice": "a=b"},
        measured(metric("1", slice_="a=b")), CURRENT, compared("0.1"), "Fail", "MetricNotFound",
    ),
    "nothing is current": ({"maxRegression": "0"}, measured(metric("1")), None, None, "Pass", "NoCurrentVersion"),
    "nothing is current and a comparison lies about": (
        {"maxRegression": "0"}, measured(metric("1")), None, compared("-9"), "Pass", "NoCurrentVersion",
    ),
    "nothing is current and the minimum is missed": (
        {"maxRegression": "0", "minimum": "2"}, measured(metric("1")), None, None, "Fail", "BelowMinimum",
    ),
    "nothing is current and the minimum is met": (
        {"maxRegression": "0", "minimum": "1"}, measured(metric("1")), None, None, "Pass", "NoCurrentVersion",
    ),
    "the direction is not known": (
        {"maxRegression": "9"}, measured(metric("1", None)), CURRENT, compared("0"), "Fail", "DirectionUnknown",
    ),
    "the direction is not known and nothing is current": (
        {"maxRegression": "9"}, measured(metric("1", None)), None, None, "Fail", "DirectionUnknown",
    ),
    "it is not compared yet": (
        {"maxRegression": "9"}, measured(metric("1")), CURRENT, None, "Inconclusive", "NotCompared",
    ),
    "it is not compared yet and the minimum is missed": (
        {"maxRegression": "9", "minimum": "2"}, measured(metric("1")), CURRENT, None, "Fail", "BelowMinimum",
    ),
    "it is not compared yet and the minimum is met": (
        {"maxRegression": "9", "minimum": "1"}, measured(metric("1")), CURRENT, None, "Inconclusive", "NotCompared",
    ),
    "it needs no comparison": ({"minimum": "1"}, measured(metric("1")), CURRENT, None, "Pass", "Passed"),
    "it cannot be compared": (
        {"maxRegression": "9"}, measured(metric("1")), CURRENT, NOT_COMPARABLE, "Fail", "NotComparable",
    ),
    "the comparison leaves the metric out": (
        {"maxRegression": "9"}, measured(metric("1")), CURRENT, compared("0", name="other"), "Fail", "MetricNotFound",
    ),
}  # fmt: skip


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS.keys())
def test_a_gate_when(situation: Situation) -> None:
    *seen, result, reason = situation
    row = judged(*seen)
    assert (row.result, row.reason) == (result, reason)
    assert Reason.known(row.reason) is not None


def test_every_gate_is_judged_and_told_apart() -> None:
    gates = [
        modelstage.Gate.model_validate(gate)
        for gate in (
            {"metric": "m", "minimum": "0.9"},
            {"metric": "m", "slice": "a=b", "minimum": "0.1"},
            {"metric": "m", "slice": "a=c", "maxRegression": "0.01"},
        )
    ]
    rows = judge_gates(
        gates, measured(metric("0.8"), metric("0.2", slice_="a=b"), metric("1", slice_="a=c")), CURRENT, None
    )
    assert [row.result for row in rows] == ["Fail", "Pass", "Inconclusive"]
    assert failed(rows) == (rows[0],)
    assert inconclusive(rows) == (rows[2],)
    assert describe(rows) == (
        "m is 0.8, needs minimum 0.9 (BelowMinimum); m[a=b] is 0.2, needs minimum 0.1 (Passed); "
        "m[a=c] is 1, needs maxRegression 0.01 (NotCompared)"
    )


def test_what_a_gate_asks_is_told_in_the_words_of_the_spec() -> None:
    gate = modelstage.Gate.model_validate({"metric": "m", "minimum": "0.75", "maximum": "1", "maxRegression": "0.002"})
    assert threshold(gate) == "minimum 0.75, maximum 1, maxRegression 0.002"


def test_a_regression_is_told_with_its_numbers() -> None:
    row = judged({"maxRegression": "0.002"}, measured(metric("0.8")), CURRENT, compared("-0.01"))
    assert describe([row]) == "m is 0.8, current 0.7, 95% interval from -0.01, needs maxRegression 0.002 (Regressed)"


def test_a_gate_without_a_threshold_lets_nothing_pass() -> None:
    """The CRD refuses it; a newer version of Mira may know a threshold that this one does not see."""
    row = judged({}, measured(metric("0.8")))
    assert (row.result, row.reason) == ("Inconclusive", "NotSupported")


def test_the_current_versions_own_comparison_is_asked_for() -> None:
    assert a_comparison().candidate == DIGEST
    assert a_comparison().difference("roc_auc", "plan=pro") is not None
    assert a_comparison().difference("roc_auc") is None
