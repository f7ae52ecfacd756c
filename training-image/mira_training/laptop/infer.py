"""`mira-training infer`: a first `data.checks` for data, as YAML to read and to correct."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mira.api.data import ColumnType, Format
from mira.api.reasons import Reason
from mira_training.data.columns import type_of
from mira_training.data.files import SCHEME, FilesOrElse
from mira_training.data.first_checks import MOST_COLUMNS, FirstCheck, can_be_named, first_checks, first_min_rows
from mira_training.data.objects import DataObjects, S3Objects
from mira_training.data.tables import format_of, read_table
from mira_training.laptop.places import data_uri
from mira_training.refusal import Refused, listed

ZEROS_IN_FRONT = r"\s*[-+]?0\d+\s*"


def infer(written: str, target: str | None = None, form: str | None = None) -> str:
    """The YAML. Raises Refused if there is no such data, it cannot be read, or it has no such target."""
    uri = data_uri("DATA", written, Path.cwd())
    frame, disguised = _read(uri, form)
    if target is not None and target not in frame.columns:
        have = listed([str(name) for name in frame.columns], most=20)
        raise Refused(Reason.COLUMNS_MISSING, f"--target: column {target!r} is missing (have: {have})")
    checks = first_checks(frame, texts_in_disguise=disguised, target=target)
    unnamed = [str(name) for name in frame.columns if not can_be_named(str(name))]
    return "\n".join([*_head(uri, frame, unnamed), *(line for each in checks for line in _column(each)), ""])


def _read(uri: str, form: str | None) -> tuple[pd.DataFrame, set[str]]:
    """The rows as a training reads them, and the columns that are text though they look like numbers."""
    kind = format_of(uri, Format(form) if form else None)
    if kind is None:
        raise Refused(
            Reason.DATA_INVALID, f"--format: is required for {uri}, whose suffix is not .csv, .csv.gz or .parquet"
        )
    objects = FilesOrElse(_s3)
    found = None if uri.endswith("/") else objects.find(uri)
    with tempfile.TemporaryDirectory(prefix="mira-infer-") as folder:
        path = Path(folder) / "data"
        if found is None or objects.read(found, path) is None:
            name = uri.removeprefix(SCHEME)
            raise Refused(Reason.DATA_NOT_FOUND, f"DATA: {name} does not exist; name one .csv, .csv.gz or .parquet")
        frame = read_table(path, uri, kind)
        disguised = _disguised(path, uri, frame) if kind is Format.CSV else set()
        return (read_table(path, uri, kind, sorted(disguised)) if disguised else frame), disguised


def _disguised(path: Path, uri: str, frame: pd.DataFrame) -> set[str]:
    """Columns of whole numbers some of which begin with a zero: read as numbers they would lose it."""
    whole = [name for name in frame.columns if type_of(frame[name]) in (ColumnType.INTEGER, ColumnType.NUMBER)]
    raw = read_table(path, uri, Format.CSV, whole) if whole else frame
    return {name for name in whole if raw[name].dropna().astype("str").str.fullmatch(ZEROS_IN_FRONT).any()}


def _s3() -> DataObjects:
    import boto3  # noqa: PLC0415 - half a second that files need not wait

    return S3Objects.with_session(boto3.session.Session())


def _head(uri: str, frame: pd.DataFrame, unnamed: Sequence[str]) -> Iterator[str]:
    yield f"# What holds for the {len(frame)} rows of {uri.rsplit('/', 1)[-1]}. Correct it, and put it under spec.data."
    for name in unnamed:
        yield f"# Left out: {json.dumps(name[:80])}, which no check can name."
    if len(frame.columns) - len(unnamed) > MOST_COLUMNS:
        yield f"# Left out: all columns after the first {MOST_COLUMNS}."
    yield "checks:"
    yield f"  minRows: {first_min_rows(len(frame))}  # half of these rows, rounded down"
    yield "  columns:"


def _column(check: FirstCheck) -> Iterator[str]:
    yield f"  - name: {_written(check.name)}{_comment(check.why)}"
    for rule in check.rules:
        yield f"    {rule.field}: {_written(rule.value)}{_comment(rule.why)}"


def _comment(why: str) -> str:
    return f"  # {why}" if why else ""


def _written(value: Any) -> str:
    """The value in YAML: JSON is YAML, and only words that could be nothing else go without quotes."""
    if isinstance(value, str) and value in set(ColumnType):
        return value
    # ASCII: what YAML forbids in a text is escaped.
    return json.dumps(value)
