"""The first spec that `infer` writes passes on the data that it was written from, whatever the data is."""

import string
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mira.api.data import Checks, ColumnType, Format
from mira_training.data.checks import failed_checks
from mira_training.data.tables import read_table
from mira_training.laptop.infer import infer
from tests.training.workbench import csv, customers, parquet

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=12)
CELLS = {
    "integers": st.integers(-(2**40), 2**40),
    "small": st.integers(0, 3),
    "floats": st.floats(allow_nan=True, allow_infinity=True),
    "text": TEXT,
    "few": st.sampled_from(["free", "pro", "", "007", "yes", "null"]),
    "truths": st.booleans(),
    "dates": st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.isoformat()),  # noqa: DTZ001
    "codes": st.from_regex(r"0?[0-9]{2,4}", fullmatch=True),
    "none": st.none(),
}


@st.composite
def frames(draw):
    rows = draw(st.integers(1, 40))
    columns = {}
    for number in range(draw(st.integers(1, 4))):
        cells = CELLS[draw(st.sampled_from(sorted(CELLS)))]
        cells = draw(st.sampled_from([cells, st.one_of(cells, st.none())]))
        name = draw(st.text(string.ascii_letters + string.digits + " :#'\"-ü", min_size=1, max_size=8))
        columns[f"{number}{name}"] = draw(st.lists(cells, min_size=rows, max_size=rows))
    return pd.DataFrame(columns)


def found_in(body, suffix):
    """What the inferred checks find in the data that they were inferred from."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rows{suffix}"
        path.write_bytes(body)
        checks = Checks.strictly(yaml.safe_load(infer(str(path)))["checks"])
        texts = [column.name for column in checks.columns if column.type is ColumnType.STRING]
        frame = read_table(path, path.name, Format.CSV if suffix == ".csv" else Format.PARQUET, texts)
    assert len(checks.columns) == len(frame.columns)
    return failed_checks(frame, checks)


INFINITE = pd.DataFrame({"a": [1.0, None, float("inf")]})


@given(frames())
@example(INFINITE)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_check_fails_on_the_csv_that_it_comes_from(frame):
    assert found_in(csv(frame), ".csv") == []


@given(frames())
@example(INFINITE)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_check_fails_on_the_parquet_that_it_comes_from(frame):
    assert found_in(parquet(frame), ".parquet") == []


@pytest.fixture
def inferred(laptop):
    """The columns that `infer` writes about 600 customers, by name, and the text."""
    rows = customers().assign(zip=lambda f: (f["customer"] % 100).astype(str).str.zfill(5), at=datetime.now(UTC))
    laptop.write("customers.csv", csv(rows))
    said = laptop.types("infer", "customers.csv", "--target", "churned")
    assert (said.code, said.err) == (0, "")
    return {column["name"]: column for column in yaml.safe_load(said.out)["checks"]["columns"]}, said.out


def test_types_bounds_values_and_shares_are_found(inferred):
    columns, _ = inferred
    assert columns["age"] == {
        "name": "age", "type": "Integer", "required": True, "maxNullShare": "0", "minimum": "0", "maximum": "130",
    }  # fmt: skip
    assert columns["plan"]["allowed"] == ["free", "pro", "team"]
    assert columns["plan"]["maxNullShare"] == "0.08", "47 of 600, rounded up"
    assert columns["customer"]["unique"] is True
    assert "maximum" not in columns["customer"], "identifiers grow"
    assert (columns["since"]["type"], columns["at"]["type"]) == ("Timestamp", "Timestamp")
    assert columns["loss"]["minimum"].startswith("-")
    assert columns["active"] == {"name": "active", "type": "Boolean", "required": True, "maxNullShare": "0"}


def test_numbers_with_zeros_in_front_are_text(inferred):
    columns, text = inferred
    assert columns["zip"]["type"] == "String"
    assert '- name: "zip"  # numbers with zeros in front: text, such as a postal code\n' in text


def test_every_bound_says_why(inferred):
    _, text = inferred
    assert 'maxNullShare: "0.08"  # 47 of 600 are missing\n' in text
    assert "minRows: 300  # half of these rows, rounded down\n" in text
    assert '- name: "churned"  # the target\n' in text


def test_a_column_that_no_check_can_name_is_left_out_and_said(laptop):
    laptop.write("rows.csv", csv(pd.DataFrame({"a\nb": [1, 2], "c": [1, 2], "x" * 257: [1, 2]})))
    said = laptop.types("infer", "rows.csv")
    assert [column["name"] for column in yaml.safe_load(said.out)["checks"]["columns"]] == ["c"]
    assert '# Left out: "a\\nb", which no check can name.' in said.out


def test_columns_that_no_type_names_are_required_alone(laptop):
    laptop.write("rows.parquet", parquet(pd.DataFrame({"embedding": [[1.0, 2.0]] * 3, "n": np.arange(3)})))
    said = laptop.types("infer", "rows.parquet")
    columns = yaml.safe_load(said.out)["checks"]["columns"]
    assert columns[0] == {"name": "embedding", "required": True, "maxNullShare": "0"}
