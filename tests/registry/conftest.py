"""The S3 servers on which a store is tried, one of each for a test process."""

from collections.abc import Iterator

import pytest

from dev.processes import Supervisor
from dev.s3 import Role, SeaweedFS
from mira.registry.s3 import S3Store
from tests.registry.servers import MOTO_ROOT, in_role, moto, session, store_at


@pytest.fixture(scope="session")
def on_moto() -> Iterator[S3Store]:
    with moto() as endpoint:
        session().client("s3", endpoint_url=endpoint).create_bucket(Bucket="mira")
        yield store_at(endpoint, MOTO_ROOT)


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    with Supervisor() as supervisor, SeaweedFS(supervisor, tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def on_seaweedfs(seaweedfs: SeaweedFS) -> S3Store:
    return in_role(seaweedfs, Role.ADMIN)
