"""A team's own suite of Great Expectations: held against the training rows, told in counts, recorded in the version."""

import json
import logging

import pandas as pd
import pytest

from mira.registry.document import sha256
from mira_training.expectations import judging
from mira_training.expectations.suite import Suite, Wanted
from mira_training.refusal import Refused
from tests.training.bad_suites import expect, suite
from tests.training.workbench import csv, customers

URI = "s3://data/suite.json"
GOOD = (
    expect("column_values_to_not_be_null", column="age"),
    expect("column_values_to_be_between", column="age", min_value=18, max_value=89),
    expect("table_row_count_to_be_between", min_value=100),
)
TOO_OLD = expect("column_values_to_be_between", column="age", max_value=30)
SECRET = "only-in-a-cell"


@pytest.fixture
def asking(bench):
    """The workbench and an order whose suite has these expectations."""

    def order(*expectations, version="v1", **data):
        bench.data.objects[URI] = suite(*expectations)
        checks = {"expectations": {"uri": URI}} | data.pop("checks", {})
        return bench.order(version, parameters={"max_iter": 2}, data={"checks": checks, **data})

    return bench, order


def test_a_suite_that_is_met_stands_in_manifest_and_model_card(asking):
    bench, order = asking
    assert bench.run(order(*GOOD)).code == 0
    suite_ = bench.manifest("v1").validation.suite
    assert (suite_.place, suite_.sha256, suite_.passed) == (URI, sha256(bench.data.objects[URI]), 3)
    card = bench.file("v1", "model-card.html").decode()
    assert "3 expectations of" in card
    assert URI in card


def test_an_expectation_that_may_fail_is_a_warning(asking):
    bench, order = asking
    end = bench.run(order(*GOOD, TOO_OLD | {"severity": "warning"}))
    assert end.code == 0
    validation = bench.manifest("v1").validation
    assert validation.suite.passed == 3
    (warned,) = (each for each in validation.warnings if each.check.startswith("expect_"))
    assert (warned.column, warned.message.partition(" is ")[2]) == (
        "age",
        f"not met by {int((customers()['age'] > 30).sum())} of 600 values",
    )
    assert warned.message in bench.file("v1", "model-card.html").decode().replace("&#39;", "'")


def test_columns_and_suite_are_told_in_one_pass_and_the_spec_of_columns_gives_the_reason(asking):
    bench, order = asking
    checks = {"columns": [{"name": "plan", "allowed": ["free"]}]}
    end = bench.run(order(TOO_OLD, *GOOD, checks=checks))
    assert end.outcome.reason == "ChecksFailed"
    assert [each.check for each in end.outcome.failed_checks] == ["allowed", "expect_column_values_to_be_between"]


def test_what_fails_is_told_in_the_order_of_the_suite(asking):
    bench, order = asking
    wanted = [
        expect("column_values_to_be_in_set", column=column, value_set=["x"]) for column in ("plan", "band", "customer")
    ]
    end = bench.run(order(*wanted))
    assert [each.column for each in end.outcome.failed_checks] == ["plan", "band", "customer"]


# Each of these tells values of cells in its own result, or in the exception that it raises.
TALKATIVE = [
    expect("column_values_to_be_in_set", column="plan", value_set=["free"]),
    expect("column_distinct_values_to_be_in_set", column="plan", value_set=["free"]),
    expect("column_most_common_value_to_be_in_set", column="plan", value_set=["free"]),
    expect("column_values_to_be_unique", column="plan"),
    expect("column_pair_values_to_be_equal", column_A="plan", column_B="band"),
    expect("compound_columns_to_be_unique", column_list=["plan", "band"]),
    expect("column_values_to_be_between", column="plan", max_value=3),
    expect("column_value_lengths_to_equal", column="plan", value=3),
    expect("column_mean_to_be_between", column="plan", max_value=3),
    expect("column_values_to_match_strftime_format", column="plan", strftime_format="%Y"),
    expect("column_values_to_be_dateutil_parseable", column="plan"),
    expect("column_values_to_match_regex", column="plan", regex="^f"),
]


def test_no_value_of_a_cell_is_told_anywhere(asking, caplog, capfd):
    bench, order = asking
    rows = customers().assign(plan=SECRET)
    bench.data.objects["s3://data/rows.csv"] = csv(rows)
    with caplog.at_level(logging.DEBUG):
        end = bench.run(order(*TALKATIVE))
    assert end.outcome.reason == "ExpectationsFailed", end.outcome.message
    assert len(end.outcome.failed_checks) == len(TALKATIVE)
    out, err = capfd.readouterr()
    for place in (end.outcome.model_dump_json(), end.termination.model_dump_json(), caplog.text, out, err):
        assert SECRET not in place
    assert not any(SECRET.encode() in body for key, body in bench.store.objects.items()), (
        "nothing of it in the registry"
    )


def judge(*expectations):
    wanted = [Wanted("here", each["type"], each["kwargs"], "critical") for each in expectations]
    return judging.Judge(Suite("s3://data/suite.json", "0" * 64, tuple(wanted)))


def test_values_that_great_expectations_cannot_write_as_json_are_judged_as_others_are():
    rows = pd.DataFrame({"took": pd.to_timedelta(["1s", "1s", None])})
    failed, _ = judge(
        expect("column_values_to_be_unique", column="took"), expect("column_values_to_not_be_null", column="took")
    ).judged(rows)
    said = [each.message.rpartition(" is ")[2] for each in failed]
    assert said == ["not met by 2 of 2 values", "not met by 1 of 3 values"]


def test_an_error_of_great_expectations_is_told_by_its_kind_alone(monkeypatch):
    def fails(_):
        raise ValueError(SECRET)

    monkeypatch.setattr(judging, "_batch", fails)
    with pytest.raises(Refused) as refused:
        judge(*GOOD).judged(customers())
    assert refused.value.message == (
        "data.checks.expectations: s3://data/suite.json: Great Expectations failed with ValueError on this data"
    )
    assert refused.value.__cause__ is None


def test_a_condition_on_rows_chooses_the_rows_that_are_counted(asking):
    bench, order = asking
    condition = {"row_condition": 'plan=="free"', "condition_parser": "pandas"}
    end = bench.run(order(expect("column_values_to_be_between", column="age", max_value=1, **condition)))
    count = int((customers()["plan"] == "free").sum())
    assert f"is not met by {count} of {count} values" in end.outcome.message


def test_a_suite_with_equal_expectations_twice_is_taken_whole(asking):
    bench, order = asking
    assert bench.run(order(GOOD[0], GOOD[0])).code == 0
    assert bench.manifest("v1").validation.suite.passed == 2


def test_a_suite_that_is_wrong_is_told_before_any_data_is_read(asking):
    bench, order = asking
    bench.data.objects.pop("s3://data/rows.csv")
    assert bench.run(order(expect("nothing"))).outcome.reason == "ExpectationsInvalid"


def test_a_config_map_is_read_from_where_it_is_mounted(bench, tmp_path):
    bench.suite_file = tmp_path / "suite.json"
    asked = {"parameters": {"max_iter": 2}, "data": {"checks": {"expectations": {"configMap": "churn-suite"}}}}
    end = bench.run(bench.order(**asked))
    assert end.outcome.reason == "ExpectationsInvalid"
    assert end.outcome.message == (
        "data.checks.expectations.configMap: the run's namespace had no ConfigMap churn-suite with the key suite.json "
        "when the pod started; create it, then create the run again"
    )
    bench.suite_file.write_bytes(suite(*GOOD))
    assert bench.run(bench.order("v2", **asked)).code == 0
    assert bench.manifest("v2").validation.suite.place == "configmap:churn-suite/suite.json"


def test_the_slim_image_says_at_start_that_it_is_without(asking, monkeypatch):
    bench, order = asking
    monkeypatch.setattr(judging, "find_spec", lambda _: None)
    bench.data.objects.pop("s3://data/rows.csv")
    end = bench.run(order(*GOOD))
    assert (end.code, end.outcome.reason, end.outcome.step) == (64, "ExtraNotInstalled", "start")
    assert "built without Great Expectations" in end.outcome.message


def test_on_a_laptop_the_suite_is_a_file_beside_the_manifest(laptop):
    laptop.write("suite.json", suite(*GOOD, TOO_OLD))
    laptop.manifest(data={"checks": {"expectations": {"uri": "suite.json"}}})
    typed = laptop.types("run", "run.yaml")
    assert typed.code == 64
    assert "expect_column_values_to_be_between" in typed.err
    laptop.write("suite.json", json.dumps({"expectations": list(GOOD)}))
    assert laptop.types("run", "run.yaml").code == 0


def test_without_a_suite_great_expectations_is_not_even_looked_for(bench, monkeypatch):
    monkeypatch.setattr(judging, "find_spec", None)
    assert bench.run(bench.order(parameters={"max_iter": 2})).code == 0
