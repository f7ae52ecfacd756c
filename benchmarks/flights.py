"""The data of the benchmarks: flights of 2013 with the weather, 21 columns, as many rows as asked for."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from examples.flights.data import write_months

SEED = 2013
TARGET = "late"
DROP = ("arr_delay", "arr_time", "air_time")
"""Known only when the answer is."""


def write(folder: Path, rows: int) -> Path:
    """The Parquet file of so many rows; once made it is kept.

    The rows are drawn from the 327,346 flights that arrived: without replacement as long as there are enough.
    """
    path = folder / f"flights-{rows}.parquet"
    if path.exists():
        return path
    flights = _arrived(folder / "source")
    drawn = np.random.default_rng(SEED).choice(len(flights), rows, replace=rows > len(flights))
    part = path.with_suffix(".part")
    flights.iloc[drawn].reset_index(drop=True).to_parquet(part, index=False)
    part.rename(path)
    return path


def _arrived(folder: Path) -> pd.DataFrame:
    weather, *months = write_months(folder)
    hours = pd.read_csv(weather, usecols=["origin", "time_hour", "temp", "wind_speed"])
    hours["time_hour"] = pd.to_datetime(hours["time_hour"], utc=True)
    flights = pd.concat([pd.read_parquet(month) for month in months], ignore_index=True)
    flights["time_hour"] = pd.to_datetime(flights["time_hour"], utc=True)
    joined = flights.drop(columns="year").merge(hours, on=["origin", "time_hour"], how="left")
    arrived = joined.dropna(subset="arr_delay").reset_index(drop=True)
    return arrived.assign(late=arrived["arr_delay"] > 15)


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
