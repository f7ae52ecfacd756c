"""Every bad input of the table ends with its exact outcome, exit code and sentence; and what is no bad input."""

import gzip
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mira.registry.outcome import Result
from mira.registry.store import StoreUnavailable
from mira_training.refusal import Refused
from tests.training.bad_inputs import CASES, OWN, ROWS
from tests.training.bad_suites import FILES
from tests.training.workbench import STAGE, csv, customers, parquet


@pytest.fixture
def full_bench(bench):
    frame = customers()
    bench.data.objects |= FILES | {
        "s3://data/plans.csv": b"plan,price\nfree,0\n",
        "s3://data/no.parquet": b"plan,price\n",
        "s3://data/cut.csv.gz": gzip.compress(csv(frame))[:2000],
        "s3://data/empty.csv": b"",
        "s3://data/logs/a.txt": b"x",
        "s3://data/mixed/1.csv": csv(frame),
        "s3://data/mixed/2.csv": csv(frame.drop(columns="age")),
        "s3://data/twice.csv": b"age,churned,churned\n" + b"31,0,0\n42,1,1\n" * 300,
        "s3://data/twice.parquet": doubled_in_parquet(),
        "s3://data/cp1252.csv": csv(frame.assign(plan="größer")).decode().encode("cp1252"),
        "s3://data/semicolons.csv": csv(frame).replace(b",", b";"),
        "s3://data/decimal-commas.csv": b"age;churned\n" + b"31,5;0\n42,5;1\n" * 300,
        "s3://data/longer.csv": b"age,churned\n" + b"31,0,\n42,1,\n" * 300,
        "s3://data/alike.csv": b"age,churned\n" + b"31,0\n33,1\n31,1\n" * 200,
        "s3://data/given-away.csv": b"age,churned\n" + b"".join(b"1%d,%d\n" % (i, i > 4) for i in range(10)) * 60,
        "s3://data/target-only.csv": b"churned\n" + b"0\n1\n" * 300,
        "s3://data/infinite.csv": csv(with_infinities(frame)),
    }
    bench.data.denied["s3://secret/rows.csv"] = Refused("DataAccessDenied", "s3://secret/rows.csv: S3 answers 403")
    return bench


def doubled_in_parquet():
    buffer = io.BytesIO()
    columns = [pa.array([31, 42] * 300), pa.array([0, 1] * 300), pa.array([0, 1] * 300)]
    pq.write_table(pa.table(columns, names=["age", "churned", "churned"]), buffer)
    return buffer.getvalue()


def with_infinities(frame):
    """Infinite on both sides of the split, and a number that 32 bits cannot hold."""
    made = frame.astype({"age": "float64"})
    made.loc[[5, 17], "age"] = [np.inf, -np.inf]
    made.loc[3, "spend"] = 1e39
    return made


@pytest.mark.parametrize(
    ("spec", "reason", "step", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_is_refused_for_good_with_one_sentence(full_bench, spec, reason, step, message):
    end = full_bench.run(
        full_bench.order(**({"parameters": {"max_iter": 2}} | spec if "estimator" not in spec else spec))
    )
    assert end.code == 64
    assert (end.outcome.result, end.outcome.reason, end.outcome.step) == (Result.FAILED, reason, step), (
        end.outcome.message
    )
    assert end.outcome.retryable is False
    if message is not None:
        assert end.outcome.message == message
    assert end.termination.message == end.outcome.message[:1024]
    assert full_bench.body("v1") is None, "nothing is published"


def test_all_failed_checks_are_told_in_one_pass_in_counts_and_never_in_values(bench):
    checks = {
        "minRows": 601,
        "columns": [
            {"name": "country"},
            {"name": "age", "type": "Integer", "minimum": "20", "maximum": "80"},
            {
                "name": "plan",
                "type": "String",
                "maxNullShare": "0.01",
                "allowed": ["free", "pro"],
                "pattern": "[a-z]{3,4}",
            },
            {"name": "spend", "type": "Integer"},
            # A CSV has no types of its own: what is declared as text is read as text.
            {"name": "active", "type": "String"},
            {"name": "since", "type": "Timestamp", "unique": True},
        ],
    }
    bench.data.objects[ROWS] = csv(customers().assign(since=lambda f: f["since"].where(f.index > 1, "secret value")))
    end = bench.run(bench.order(data={"checks": checks}))
    assert end.outcome.reason == "ColumnsMissing", "the gravest gives the reason"
    assert end.outcome.message.endswith("(and 7 more)")
    found = [(check.check, check.column) for check in end.outcome.failed_checks]
    assert found == [
        ("minRows", ""),
        ("required", "country"),
        ("minimum", "age"),
        ("maximum", "age"),
        ("maxNullShare", "plan"),
        ("allowed", "plan"),
        ("type", "spend"),
        ("type", "since"),
    ]
    said = " ".join(check.message for check in end.outcome.failed_checks)
    assert "secret" not in said
    assert "column 'plan': 47 of 600 values are missing (7.83%), at most 1.00% are allowed" in said
    assert "column 'since': 2 of 600 values are no date or time such as 2026-10-01T12:00:00Z" in said


@pytest.mark.parametrize(("on", "code"), [("Fail", 64), ("Warn", 0), ("Ignore", 0)])
def test_schema_drift_against_the_current_version(bench, on, code):
    rest = {"drop": ["customer", "since", "loss", "band"]}
    bench.run(bench.order("v1", data=rest, parameters={"max_iter": 2}))
    bench.make_current("v1")
    bench.data.objects[ROWS] = csv(customers().drop(columns="age").assign(spend="much", country="DE"))
    order = bench.order("v2", against=STAGE, data=rest | {"checks": {"schemaDrift": on}}, parameters={"max_iter": 2})
    end = bench.run(order)
    assert end.code == code
    said = [
        "1 column of the current version v1 is missing: age",
        "1 column is new since the current version v1: country",
        "1 column has another type than in the current version v1: spend (was Number, is String)",
    ]
    if on == "Fail":
        assert (end.outcome.reason, [check.message for check in end.outcome.failed_checks]) == ("SchemaDrift", said)
    else:
        card = bench.file("v2", "model-card.html").decode()
        assert all((each in card) == (on == "Warn") for each in said)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "order: not JSON"),
        (b'{"schema": "mira.order/v9"}', "order: schema is 'mira.order/v9', must be 'mira.order/v1'"),
        (b"[" * 100, "order: nested deeper than 20 levels"),
    ],
)
def test_an_order_that_cannot_be_read_leaves_a_termination_message(bench, raw, message):
    end = bench.run(raw)
    assert (end.code, end.termination.reason, end.termination.step) == (64, "OrderInvalid", "start")
    assert end.termination.message.startswith(message)
    assert end.termination.message.endswith("operator and image must be of the same version")


def test_an_order_whose_uid_is_none_is_refused(bench):
    end = bench.run(bench.order(uid="zzzzzzzz-1").render())
    assert (end.code, end.termination.reason) == (64, "OrderInvalid")


def test_data_that_does_not_answer_is_worth_another_try(bench):
    bench.data.denied[ROWS] = StoreUnavailable(f"{ROWS}: SlowDown")
    end = bench.run(bench.order())
    assert (end.code, end.outcome.reason, end.outcome.retryable) == (1, "RegistryUnavailable", True)
    assert end.outcome.message == f"S3 does not answer: {ROWS}: SlowDown"


def test_an_object_that_changed_between_two_attempts_is_refused(bench):
    order = bench.order(estimator=f"{OWN}:fails")
    bench.run(order)
    bench.data.objects[ROWS] = csv(customers(seed=2))
    end = bench.run(order)
    assert (end.code, end.outcome.reason, end.outcome.step) == (64, "DataInvalid", "ingest")
    assert "has changed since this run's first attempt listed it" in end.outcome.message


def test_a_failed_run_that_is_created_anew_reads_the_repaired_object(bench):
    bench.data.objects[ROWS] = csv(customers().drop(columns="churned"))
    assert bench.run(bench.order()).outcome.reason == "ColumnsMissing"
    bench.data.objects[ROWS] = csv(customers())
    assert bench.run(bench.order(parameters={"max_iter": 2})).code == 0


def test_unused_parquet_is_no_matter(bench):
    bench.data.objects["s3://data/rows.parquet"] = parquet(customers())
    end = bench.run(bench.order(data={"training": {"uri": "s3://data/rows.parquet"}}, parameters={"max_iter": 2}))
    assert end.code == 0
