"""Bad suites of Great Expectations, and data that fails good ones: each with its reason, its step and the sentence."""

import json

FOLDER = "s3://data/suites/"
SECRET = "only-in-a-cell"
FIELD = "data.checks.expectations"


def suite(*expectations, **more):
    return json.dumps({"name": "customers", "expectations": list(expectations)} | more).encode()


def expect(what, severity=None, **kwargs):
    return {"type": f"expect_{what}", "kwargs": kwargs} | ({"severity": severity} if severity else {})


def named(name):
    return {"data": {"checks": {"expectations": {"uri": f"{FOLDER}{name}.json"}}}}


INVALID, FAILED = ("ExpectationsInvalid", "start"), ("ExpectationsFailed", "validate")
AGE = expect("column_values_to_not_be_null", column="age")
# name, what is in the file (None: there is no file), reason, step, the sentence after the field
SUITES = [
    (
        "no suite",
        None,
        *INVALID,
        ".uri: {uri} does not exist; write the uri of a suite's JSON file",
    ),
    ("no JSON", b"{", *INVALID, None),
    (
        "no list",
        b"[]",
        *INVALID,
        ": {uri}: expectations must be a list of at least one expectation",
    ),
    (
        "no expectations",
        suite(),
        *INVALID,
        ": {uri}: expectations must be a list of at least one expectation",
    ),
    ("the same key twice", b'{"expectations": [], "expectations": []}', *INVALID, None),
    (
        "more than there may be",
        suite(*[AGE] * 1001),
        *INVALID,
        ": {uri}: 1001 expectations are more than the 1000 allowed",
    ),
    (
        "an expectation that is none",
        suite("age"),
        *INVALID,
        ": {uri}: expectations[0] must be an object with type and kwargs",
    ),
    (
        "a suite of the old version",
        suite({"expectation_type": "expect_column_to_exist", "kwargs": {"column": "age"}}),
        *INVALID,
        ": {uri}: expectations[0]: expectation_type is of Great Expectations 0.x; write type instead of it",
    ),
    (
        "an unknown expectation",
        suite(AGE, expect("column_values_to_be_nul", column="age")),
        *INVALID,
        (
            ": {uri}: expectations[1].type: there is no expectation 'expect_column_values_to_be_nul'; did you mean "
            "expect_column_values_to_be_null?"
        ),
    ),
    (
        "an argument that is mistyped",
        suite(expect("column_values_to_not_be_null", colum="age")),
        *INVALID,
        ": {uri}: expectations[0].kwargs: expect_column_values_to_not_be_null: column: field required",
    ),
    (
        "no bounds",
        suite(expect("column_values_to_be_between", column="age")),
        *INVALID,
        (
            ": {uri}: expectations[0].kwargs: expect_column_values_to_be_between: min_value and max_value cannot "
            "both be None"
        ),
    ),
    (
        "an unknown severity",
        suite(expect("column_to_exist", "fatal", column="age")),
        *INVALID,
        ": {uri}: expectations[0].severity: 'fatal' is not one of critical, warning, info",
    ),
    (
        "a parameter of the suite",
        suite(expect("column_values_to_be_between", column="age", min_value={"$PARAMETER": "least"})),
        *INVALID,
        ": {uri}: expectations[0]: $PARAMETER is not filled in here; write the value itself",
    ),
    (
        "values out of bounds",
        suite(expect("column_values_to_be_between", column="age", min_value=18, max_value=80, mostly=0.99)),
        *FAILED,
        (
            "column 'age': expect_column_values_to_be_between(min_value=18, max_value=80, mostly=0.99) is not met by "
            "89 of 600 values"
        ),
    ),
    (
        "missing values",
        suite(expect("column_values_to_not_be_null", column="spend")),
        *FAILED,
        "column 'spend': expect_column_values_to_not_be_null() is not met by 55 of 600 values",
    ),
    (
        "a column that is not there",
        suite(expect("column_values_to_be_unique", column="country")),
        *FAILED,
        "column 'country': expect_column_values_to_be_unique() cannot be looked at: column 'country' is missing",
    ),
    (
        "an argument of another type",
        suite(expect("column_values_to_be_between", column="plan", min_value=2)),
        *FAILED,
        (
            "column 'plan': expect_column_values_to_be_between(min_value=2) cannot be looked at: an argument does not "
            "fit values of type str"
        ),
    ),
    (
        "a regular expression that is none",
        suite(expect("column_values_to_match_regex", column="plan", regex="(")),
        *FAILED,
        (
            "column 'plan': expect_column_values_to_match_regex(regex='(') cannot be looked at: an argument does not "
            "fit values of type str"
        ),
    ),
    (
        "a query, for which there is no database",
        suite({"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": "SELECT * FROM {batch}"}}),
        *INVALID,
        (
            ": {uri}: expectations[0].type: 'unexpected_rows_expectation' is none for tables; write one that begins "
            "with expect_"
        ),
    ),
    (
        "too few rows",
        suite(expect("table_row_count_to_be_between", min_value=1000)),
        *FAILED,
        "expect_table_row_count_to_be_between(min_value=1000) is not met: it is 600",
    ),
    (
        "a mean elsewhere",
        suite(expect("column_mean_to_be_between", column="age", max_value=20)),
        *FAILED,
        None,
    ),
    (
        "a largest value, which is a cell's and not told",
        suite(expect("column_max_to_be_between", column="age", max_value=20)),
        *FAILED,
        "column 'age': expect_column_max_to_be_between(max_value=20) is not met",
    ),
    (
        "two columns of which one must be larger",
        suite(expect("column_pair_values_a_to_be_greater_than_b", column_A="spend", column_B="age")),
        *FAILED,
        None,
    ),
]


def _told(name, reason, said):
    if said is None:
        return None
    before = FIELD if reason == "ExpectationsInvalid" else "data.training: "
    return before + said.replace("{uri}", f"{FOLDER}{name}.json")


CASES = [
    (f"a suite: {name}", named(name), reason, step, _told(name, reason, said))
    for name, _, reason, step, said in SUITES
]  # fmt: skip
FILES = {f"{FOLDER}{name}.json": content for name, content, *_ in SUITES if content is not None}
