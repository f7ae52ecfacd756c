"""Tables against profiles of other tables: what counts as drift, what does not, and what has no answer."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.flights.data import write_months
from mira.registry.manifest import DriftVerdict
from mira.registry.profile import MOST_COLUMNS
from mira_training.drift.comparing import measure
from mira_training.drift.distance import ks, psi, psi_threshold
from mira_training.drift.profiling import profile
from tests.training.workbench import customers

LIMIT = "0.3"


def verdicts(before, now, **options):
    measured = measure(now, profile(before), limit=LIMIT, **options)
    return {column.name: column.verdict.value for column in measured.columns}


def one(before, now):
    """The column `x` of both sides, compared."""
    (column,) = measure(pd.DataFrame({"x": now}), profile(pd.DataFrame({"x": before})), limit=LIMIT).columns
    return column


DRAW = np.random.default_rng(7)
NORMAL, MORE = DRAW.normal(0, 1, 2000), DRAW.normal(0, 1, 2000)
PLANS, SAME_PLANS = DRAW.choice(["free", "pro"], 2000, p=[0.7, 0.3]), DRAW.choice(["free", "pro"], 2000, p=[0.7, 0.3])
KEYS = np.array([f"key {n}" for n in range(4000)])
DAY = np.datetime64("2026-01-01T00:00:00")
HOURS = DAY + np.arange(2000).astype("timedelta64[h]")
NONE = [None] * 2000

STABLE = {
    "the same numbers": (NORMAL, NORMAL),
    "other numbers of the same distribution": (NORMAL, MORE),
    "numbers in another order": (NORMAL, NORMAL[::-1]),
    "whole numbers as fractions": (np.arange(2000), np.arange(2000.0)),
    "whole numbers as nullable ones": (np.arange(2000), pd.array(range(2000), dtype="Int64")),
    "numbers as decimals": (np.arange(2000), [Decimal(n) for n in range(2000)]),
    "a constant": ([5] * 2000, [5] * 300),
    "a constant of the smallest number": ([-1.7976931348623157e308] * 2000, [-1.7976931348623157e308] * 300),
    "infinities as before": ([np.inf, -np.inf, 1.0, 2.0] * 500, [np.inf, -np.inf, 1.0, 2.0] * 100),
    "only infinities": ([np.inf] * 2000, [np.inf] * 300),
    "tiny numbers": (NORMAL * 1e-12, MORE * 1e-12),
    "huge numbers": (NORMAL * 1e300, MORE * 1e300),
    "booleans": (NORMAL > 1, MORE > 1),
    "booleans, some of them missing": ([True, False, None, True] * 500, [True, False, None, True] * 100),
    "nullable booleans": (pd.array(NORMAL > 1, dtype="boolean"), MORE > 1),
    "text": (PLANS, SAME_PLANS),
    "text as categories": (PLANS, pd.Categorical(SAME_PLANS)),
    "text with as many missing": ([*PLANS[:1000], *NONE[:1000]], [*NONE[:1000], *SAME_PLANS[:1000]]),
    "keys, each of them once": (KEYS[:2000], KEYS[2000:]),
    "times, which go on by themselves": (HOURS, HOURS + np.timedelta64(365, "D")),
    "times with a zone": (pd.Series(HOURS).dt.tz_localize("UTC"), pd.Series(HOURS).dt.tz_localize("Europe/Berlin")),
    "dates": ([dt.date(2026, 1, 1)] * 2000, [dt.date(2027, 1, 1)] * 2000),
    "nothing, and nothing again": (NONE, NONE[:300]),
    "lists": ([[1]] * 2000, [[2]] * 2000),
    "one row from the middle": (NORMAL, [0.1]),
    "one row from far away, which proves nothing": (NORMAL, [99.0]),
    "one row before": ([0.1], NORMAL),
    "two rows and two": ([1, 2], [3, 4]),
}
DRIFTED = {
    "numbers that moved up": (NORMAL, MORE + 1),
    "numbers that moved down": (NORMAL, MORE - 1),
    "numbers that spread": (NORMAL, MORE * 3),
    "numbers that shrank": (NORMAL, MORE / 3),
    "a constant that rose": ([2013] * 2000, [2014] * 2000),
    "a constant that fell": ([2013] * 2000, [2012] * 2000),
    "a constant below the smallest": ([0.0] * 2000, [-5e-324] * 2000),
    "what was mostly zero and is no more": ([0] * 1900 + [1] * 100, [0] * 1000 + [1] * 1000),
    "what was mostly zero and falls below": ([0] * 1900 + [1] * 100, [-1] * 1900 + [1] * 100),
    "numbers that turn infinite": (NORMAL, np.where(np.arange(2000) % 2, NORMAL, np.inf)),
    "infinities that are gone": ([*NORMAL[:1000], *[np.inf] * 1000], NORMAL),
    "booleans that turned": (NORMAL > 1, MORE < 1),
    "numbers that went missing": (NORMAL, np.where(np.arange(2000) % 2, NORMAL, np.nan)),
    "numbers that are all missing": (NORMAL, NONE),
    "numbers that were all missing": (NONE, NORMAL),
    "text that is all missing": (PLANS, NONE),
    "text that was all missing": (NONE, PLANS),
    "text that is empty": (PLANS, [""] * 2000),
    "times that are all missing": (HOURS, NONE),
    "other shares of the same texts": (PLANS, np.where(DRAW.random(2000) < 0.4, "free", "pro")),
    "other texts": (PLANS, np.where(PLANS == "free", "gratis", "pro")),
    "texts that become keys": (PLANS, KEYS[:2000]),
}
RETYPED = {
    "numbers that became text": (NORMAL, PLANS, "Number", "String"),
    "text that became numbers": (PLANS, NORMAL, "String", "Number"),
    "numbers among text": (np.arange(2000), ["x", *range(1999)], "Integer", "String"),
    "booleans that became text": (NORMAL > 1, PLANS, "Boolean", "String"),
    "text that became times": (HOURS.astype(str), HOURS, "String", "Timestamp"),
    "numbers that became lists": (NORMAL, [[1]] * 2000, "Number", "Other"),
}


@pytest.mark.parametrize(("before", "now"), STABLE.values(), ids=STABLE.keys())
def test_is_no_drift(before, now):
    column = one(before, now)
    assert (column.verdict.value, float(column.psi) < float(column.threshold)) == ("Stable", True), column


@pytest.mark.parametrize(("before", "now"), DRIFTED.values(), ids=DRIFTED.keys())
def test_is_drift(before, now):
    column = one(before, now)
    assert column.verdict.value == "Drifted", column
    assert 0.2 < float(column.psi) < 19


@pytest.mark.parametrize(("before", "now", "was", "is_now"), RETYPED.values(), ids=RETYPED.keys())
def test_is_another_type_and_not_compared(before, now, was, is_now):
    column = one(before, now)
    assert (column.verdict.value, column.type, column.current_type, column.psi) == ("Retyped", was, is_now, None)


def test_columns_that_are_gone_count_and_those_that_are_new_do_not():
    before = customers()
    now = before.drop(columns=["age", "spend", "churned"]).assign(country="DE")
    measured = measure(now, profile(before, without={"customer"}), limit="0.25", without={"customer"})
    found = {column.name: column.verdict.value for column in measured.columns}
    assert {name for name, verdict in found.items() if verdict == "Missing"} == {"age", "spend", "churned"}
    assert (found["country"], "customer" in found) == ("Extra", False)
    assert (measured.share, measured.verdict) == ("0.375", DriftVerdict.DRIFTED), "3 of 8: the new one is not counted"


def test_answers_that_have_not_come_yet_are_no_drift():
    before = customers()
    assert "churned" not in verdicts(before, before.drop(columns="churned"), may_lack={"churned"})
    assert verdicts(before, before, may_lack={"churned"})["churned"] == "Stable"


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        (customers(), customers()[:0], "the data has no rows"),
        (customers()[:0], customers(), "the training data had no rows"),
        (customers()[:0], customers()[:0], "the training data had no rows"),
        (customers()[[]], customers(), "no column is left to compare"),
    ],
    ids=["no rows", "no rows before", "no rows at all", "no columns"],
)
def test_what_cannot_be_compared_is_not_measured_and_says_why(before, now, reason):
    measured = measure(now, profile(before), limit=LIMIT)
    assert (measured.verdict, measured.share, measured.reason) == (DriftVerdict.NOT_MEASURED, None, reason)


@pytest.mark.parametrize("rows", [10, 30, 100, 1000, 10_000])
def test_two_halves_of_one_table_do_not_drift_apart_however_small(rows):
    found = [
        verdicts(customers(rows, seed), customers(rows, seed + 500), without={"since", "customer"})
        for seed in range(20)
    ]  # fmt: skip
    drifted = sum(verdict == "Drifted" for each in found for verdict in each.values())
    assert drifted == 0, f"of {sum(map(len, found))}"


@pytest.mark.parametrize("rows", [300, 1000, 10_000])
def test_a_shift_by_one_standard_deviation_is_seen_from_300_rows_on(rows):
    draw = np.random.default_rng(1)
    assert one(draw.normal(0, 1, rows), draw.normal(1, 1, rows)).verdict.value == "Drifted"


def test_the_same_rows_give_the_same_bytes_in_whatever_order_they_are_read():
    frame = customers(2000)
    assert profile(frame).render() == profile(frame).render()
    assert profile(frame).render() == profile(frame.sample(frac=1, random_state=3).reset_index(drop=True)).render()


def test_a_profile_names_no_value_of_a_text_and_neither_does_a_comparison():
    frame = pd.DataFrame({"plan": ["alice@example.com", "bob@example.com"] * 500})
    made = profile(frame)
    assert made.columns[0].counts == [500, 500, 0]
    said = made.render() + str(measure(frame, made, limit=LIMIT)).encode()
    assert b"example" not in said


def test_rare_texts_are_not_told_apart():
    made = profile(pd.DataFrame({"name": ["often"] * 996 + ["seldom"] * 4}))
    assert made.columns[0].counts == [996, 4]


def test_a_table_of_any_width_has_a_bounded_profile():
    wide = pd.DataFrame(0, index=range(2), columns=[f"c{n}" for n in range(MOST_COLUMNS + 5)])
    made = profile(wide)
    assert (len(made.columns), made.left_out) == (MOST_COLUMNS, 5)
    assert len(measure(wide, made, limit=LIMIT).columns) == MOST_COLUMNS, "what was left out is not called new"


def test_the_kolmogorov_smirnov_statistic_is_that_of_the_rows_to_a_bin():
    before, now = NORMAL, MORE + 0.5
    at = np.sort(np.concatenate([before, now]))
    shares = [np.searchsorted(np.sort(side), at, side="right") / len(side) for side in (before, now)]
    assert float(np.abs(shares[0] - shares[1]).max()) - 0.05 < float(one(before, now).ks) < 0.3


counts = st.lists(st.integers(0, 10**9), min_size=3, max_size=12).filter(any)


@given(counts, counts)
@settings(max_examples=300, derandomize=True, deadline=None)
def test_distances_are_bounded_and_symmetric_and_nothing_for_equal_shares(one_side, other):
    length = min(len(one_side), len(other))
    a, b = np.array(one_side[:length]), np.array(other[:length])
    if not (a.any() and b.any()):
        return
    assert 0 <= psi(a, b) < 19
    assert psi(a, b) == pytest.approx(psi(b, a))
    assert 0 <= ks(a, b) <= 1.0000001
    assert psi(a, a) == ks(a, a) == 0
    assert psi_threshold(a, b) >= 0.2


@pytest.fixture(scope="module")
def months(tmp_path_factory):
    """January, July and the weather of 2013, as the flights example makes features of them."""
    folder = tmp_path_factory.mktemp("seven-months")
    write_months(folder, months=7)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend("examples/flights")
        from flights.features import LateFlights, features

        weather = pd.read_csv(folder / "weather.csv")
        return {
            month: features(
                pd.read_parquet(folder / "flights" / f"2013-0{month}.parquet"), {"weather": weather}, LateFlights()
            )
            for month in (1, 7)
        }


def test_flights_in_july_drift_from_those_of_january(months):
    measured = measure(months[7], profile(months[1]), limit=LIMIT)
    drifted = {column.name for column in measured.columns if column.verdict.value == "Drifted"}
    assert {"temp", "dewp", "pressure"} <= drifted, "the seasons"
    assert not drifted & {"carrier", "origin", "dest", "distance", "departure_minute"}, "the timetable"
    assert measured.verdict is DriftVerdict.DRIFTED


def test_one_half_of_januarys_flights_does_not_drift_from_the_other(months):
    mixed = months[1].sample(frac=1, random_state=0)
    measured = measure(mixed[1::2], profile(mixed[::2]), limit=LIMIT)
    assert (measured.share, measured.verdict) == ("0.0", DriftVerdict.STABLE)
