"""Places to train on, and real flights."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from dev.processes import Supervisor
from dev.s3 import SeaweedFS
from examples.flights.data import write_months
from tests.training.laptop import Laptop
from tests.training.workbench import Workbench, csv, customers


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """A workbench with 600 customers in s3://data/rows.csv."""
    made = Workbench(tmp_path)
    made.data.objects["s3://data/rows.csv"] = csv(customers())
    return made


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    """A laptop with 600 customers in customers.csv and the manifest run.yaml."""
    made = Laptop(tmp_path)
    made.write("customers.csv", csv(customers()))
    made.manifest()
    return made


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """An S3 server with the buckets and the roles of the demo."""
    with Supervisor() as supervisor, SeaweedFS(supervisor, tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def flights_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two months of flights and the weather, as files."""
    folder = tmp_path_factory.mktemp("flights")
    write_months(folder, months=2)
    return folder


@pytest.fixture(scope="session")
def january(flights_folder: Path) -> pd.DataFrame:
    """The first 5,000 flights of 2013."""
    return pd.read_parquet(flights_folder / "flights" / "2013-01.parquet").head(5000)
