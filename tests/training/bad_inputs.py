"""Every bad input with its reason, its step and the sentence shown: the orders, and here what is wrong with data."""

from tests.training.bad_orders import ORDERS, OWN, data
from tests.training.bad_suites import CASES as SUITES
from tests.training.bad_tasks import TASKS

ROWS = "s3://data/rows.csv"
CSV_IS = "it must be UTF-8 text with a header line and commas between the columns (or Parquet)"
HAVE = "have: customer, age, spend, plan, active, since, churned, loss, band"


def column(name, **rules):
    return {"data": {"checks": {"columns": [{"name": name, **rules}]}}}


def split(**fields):
    return {"data": {"split": fields}}


DATA = [
    # Where the data lies
    (
        "an object that is not there",
        data(training={"uri": "s3://data/row.csv"}),
        "DataNotFound",
        "ingest",
        "data.training.uri: s3://data/row.csv does not exist; write an object's uri, or a prefix that ends in /",
    ),
    (
        "a prefix with nothing below",
        data(training={"uri": "s3://data/months/", "format": "CSV"}),
        "DataNotFound",
        "ingest",
        "data.training.uri: s3://data/months/ holds no object with data; check the prefix",
    ),
    (
        "no format for a prefix",
        data(training={"uri": "s3://data/logs/"}),
        "DataInvalid",
        "ingest",
        (
            "data.training.format: is required for s3://data/logs/a.txt, whose suffix is not .csv, .csv.gz or .parquet; "
            "set it to CSV or Parquet"
        ),
    ),
    (
        "a bucket that may not be read",
        data(training={"uri": "s3://secret/rows.csv"}),
        "DataAccessDenied",
        "ingest",
        "s3://secret/rows.csv: S3 answers 403",
    ),
    ("text that says it is Parquet", data(training={"uri": "s3://data/no.parquet"}), "DataUnreadable", "ingest", None),
    ("a compressed file that is cut", data(training={"uri": "s3://data/cut.csv.gz"}), "DataUnreadable", "ingest", None),
    (
        "an empty file",
        data(training={"uri": "s3://data/empty.csv"}),
        "DataUnreadable",
        "ingest",
        f"s3://data/empty.csv: cannot be read as CSV: No columns to parse from file; {CSV_IS}",
    ),
    (
        "a header that names a column twice",
        data(training={"uri": "s3://data/twice.csv"}),
        "DataUnreadable",
        "ingest",
        "s3://data/twice.csv: has more than one column named churned; rename them",
    ),
    (
        "a Parquet schema that names a column twice",
        data(training={"uri": "s3://data/twice.parquet"}),
        "DataUnreadable",
        "ingest",
        "s3://data/twice.parquet: has more than one column named churned; rename them",
    ),
    (
        "an input that names a column twice",
        {"features": f"{OWN}:with_price"} | data(inputs=[{"name": "plans", "uri": "s3://data/twice.csv"}]),
        "DataUnreadable",
        "ingest",
        "s3://data/twice.csv: has more than one column named churned; rename them",
    ),
    (
        "a file of Windows's encoding",
        data(training={"uri": "s3://data/cp1252.csv"}),
        "DataUnreadable",
        "ingest",
        f"s3://data/cp1252.csv: cannot be read as CSV: byte 0xf6 is not UTF-8; {CSV_IS}",
    ),
    (
        "a file with semicolons",
        data(training={"uri": "s3://data/semicolons.csv"}),
        "DataUnreadable",
        "ingest",
        f"s3://data/semicolons.csv: its header looks as if semicolons separated its columns; {CSV_IS}",
    ),
    (
        "a file with semicolons and decimal commas",
        data(training={"uri": "s3://data/decimal-commas.csv"}),
        "DataUnreadable",
        "ingest",
        f"s3://data/decimal-commas.csv: its header looks as if semicolons separated its columns; {CSV_IS}",
    ),
    (
        "rows that are longer than the header",
        data(training={"uri": "s3://data/longer.csv"}),
        "DataUnreadable",
        "ingest",
        (
            "s3://data/longer.csv: its rows have more values than its header has names (2); name every column, or remove "
            "commas at the ends of lines"
        ),
    ),
    (
        "objects of a prefix that differ",
        data(training={"uri": "s3://data/mixed/"}),
        "DataInvalid",
        "ingest",
        (
            "s3://data/mixed/2.csv: has no column age, which s3://data/mixed/1.csv has; all objects of a prefix must have the same "
            "columns"
        ),
    ),
    # The split
    (
        "a split by a column that is not there",
        split(method="Group", column="shop"),
        "ColumnsMissing",
        "ingest",
        f"data.split.column: column 'shop' is missing ({HAVE})",
    ),
    (
        "a split by a time that is none",
        split(method="Time", column="plan", evaluationFrom="2024-01-10"),
        "DataInvalid",
        "ingest",
        (
            "data.split.column: 600 of 600 values of 'plan' are no date or time; they must look like 2026-10-01 or "
            "2026-10-01T12:00:00Z"
        ),
    ),
    (
        "a time after which there is nothing",
        split(method="Time", column="since", evaluationFrom="2030-01-01"),
        "NotEnoughRows",
        "validate",
        "data: 0 rows are left for evaluation, at least 10 are needed; bring more data or change data.split",
    ),
    (
        "rows that are all alike",
        data(training={"uri": "s3://data/alike.csv"}),
        "NotEnoughRows",
        "validate",
        (
            "data: 0 rows are left for evaluation, at least 10 are needed; rows with the same values in all columns but "
            "churned go to the same side, and the 600 rows have 2 different ones; bring more data or change data.split"
        ),
    ),
    (
        "features that give the answer away, row by row",
        data(training={"uri": "s3://data/given-away.csv"}),
        "DataInvalid",
        "validate",
        (
            "data.target: all rows for evaluation have the same 'churned'; two classes are needed; rows with the same "
            "values in all columns but churned go to the same side, and the 600 rows have 10 different ones"
        ),
    ),
    (
        "nothing but the target",
        data(training={"uri": "s3://data/target-only.csv"}),
        "DataInvalid",
        "validate",
        "data: no column is left to learn from beside churned",
    ),
    # What the data holds
    (
        "a target that is not there",
        data(target="churn"),
        "ColumnsMissing",
        "validate",
        f"data.target: column 'churn' is missing ({HAVE})",
    ),
    (
        "a column to drop that is not there",
        data(drop=["id"]),
        "ColumnsMissing",
        "validate",
        f"data.drop: column 'id' is missing ({HAVE})",
    ),
    (
        "a slice that is not there",
        {"evaluation": {"slices": ["country"]}},
        "ColumnsMissing",
        "validate",
        f"evaluation.slices: column 'country' is missing ({HAVE})",
    ),
    ("a target with missing values", data(target="plan"), "DataInvalid", "validate", None),
    (
        "a classification of fractions",
        data(target="loss"),
        "DataInvalid",
        "validate",
        (
            "data.target: 'loss' holds fractions; with task Classification it must hold whole numbers, text or booleans (or use "
            "task Regression)"
        ),
    ),
    (
        "a regression of text",
        {"task": "Regression"} | data(target="band"),
        "DataInvalid",
        "validate",
        "data.target: 'band' is String, must be a number for task Regression",
    ),
    ("as many classes as rows", data(target="customer"), "DataInvalid", "validate", None),
    (
        "numbers that are infinite or too large",
        data(training={"uri": "s3://data/infinite.csv"}),
        "DataInvalid",
        "validate",
        (
            "data: columns with infinite values, or values beyond 3.4e+38: age (2 of 600), spend (1 of 600); leave these "
            "cells empty, e.g. in features, or list the columns in data.drop"
        ),
    ),
    ("a weight that is text", data(weight="band"), "DataInvalid", "validate", "data.weight: 'band' must hold numbers"),
    (
        "too few rows",
        data(checks={"minRows": 1000}),
        "NotEnoughRows",
        "validate",
        "data.training: 600 rows, at least 1000 are required",
    ),
    (
        "a column that the checks require",
        column("country"),
        "ColumnsMissing",
        "validate",
        f"data.training: column 'country' is missing ({HAVE})",
    ),
    ("a value out of bounds", column("age", type="Integer", minimum="21"), "ChecksFailed", "validate", None),
    ("a value that is not allowed", column("plan", allowed=["free", "pro"]), "ChecksFailed", "validate", None),
    (
        "a column that nobody listed",
        data(checks={"extraColumns": "Fail", "columns": [{"name": "age"}]}),
        "ChecksFailed",
        "validate",
        (
            "data.training: 8 columns are not listed in data.checks.columns: customer, spend, plan, active, since, churned, loss, "
            "band"
        ),
    ),
]

CASES = ORDERS + DATA + SUITES + TASKS
