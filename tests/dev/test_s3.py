"""The S3 server that tests and the demo stand on: its roles, its conditions, its outages."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from dev.processes import Supervisor
from dev.s3 import DATA_BUCKET, REGISTRY_BUCKET, REGISTRY_PREFIX, Role, SeaweedFS
from dev.s3.credentials import write_credentials

VERSION = f"{REGISTRY_PREFIX}/models/team-a/churn/versions/v1/manifest.json"
ENTRY = f"{REGISTRY_PREFIX}/lineage/team-a/churn/production/000000000001.json"
IDENTITY = f"{REGISTRY_PREFIX}/registry.json"
FLIGHTS = "2013/01.parquet"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    with Supervisor() as supervisor, SeaweedFS(supervisor, tmp_path_factory.mktemp("s3")) as server:
        admin = server.client(Role.ADMIN)
        admin.put_object(Bucket=DATA_BUCKET, Key=FLIGHTS, Body=b"flights")
        for key in (VERSION, ENTRY):
            admin.put_object(Bucket=REGISTRY_BUCKET, Key=key, Body=b"{}")
        yield server


def refusal(call: Callable[[], object]) -> str | None:
    """The code with which S3 refuses the call, None if it does not."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


@pytest.mark.parametrize(
    ("role", "bucket", "key", "may"),
    [
        (Role.TRAINER, DATA_BUCKET, FLIGHTS, "read"),
        (Role.TRAINER, REGISTRY_BUCKET, VERSION, "read, write"),
        (Role.TRAINER, REGISTRY_BUCKET, ENTRY, "nothing"),
        (Role.OPERATOR, DATA_BUCKET, FLIGHTS, "nothing"),
        (Role.OPERATOR, REGISTRY_BUCKET, VERSION, "read"),
        (Role.OPERATOR, REGISTRY_BUCKET, ENTRY, "read, write"),
        (Role.READER, DATA_BUCKET, FLIGHTS, "nothing"),
        (Role.READER, REGISTRY_BUCKET, VERSION, "read"),
        (Role.READER, REGISTRY_BUCKET, ENTRY, "read"),
    ],
)
def test_each_role_reads_and_writes_its_own_prefixes_only(
    s3: SeaweedFS, role: Role, bucket: str, key: str, may: str
) -> None:
    client = s3.client(role)
    read = refusal(lambda: client.get_object(Bucket=bucket, Key=key))
    write = refusal(lambda: client.put_object(Bucket=bucket, Key=f"{key}.new"))
    delete = refusal(lambda: client.delete_object(Bucket=bucket, Key=f"{key}.new"))
    assert read == (None if "read" in may else "AccessDenied")
    assert write == delete == (None if "write" in may else "AccessDenied")


def test_a_missing_key_is_told_from_a_forbidden_one(s3: SeaweedFS) -> None:
    reader = s3.client(Role.READER)
    assert refusal(lambda: reader.get_object(Bucket=REGISTRY_BUCKET, Key=f"{ENTRY}.none")) == "NoSuchKey"
    assert refusal(lambda: reader.head_object(Bucket=REGISTRY_BUCKET, Key=f"{ENTRY}.none")) == "404"


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.TRAINER, Role.READER])
def test_only_admin_makes_buckets(s3: SeaweedFS, role: Role) -> None:
    assert refusal(lambda: s3.client(role).create_bucket(Bucket=f"new-{role}")) == "AccessDenied"


def test_create_only_and_compare_and_swap(s3: SeaweedFS) -> None:
    operator = s3.client(Role.OPERATOR)
    bucket, key = REGISTRY_BUCKET, IDENTITY
    first = operator.put_object(Bucket=bucket, Key=key, Body=b"1", IfNoneMatch="*")["ETag"]
    again = refusal(lambda: operator.put_object(Bucket=bucket, Key=key, Body=b"2", IfNoneMatch="*"))
    operator.put_object(Bucket=bucket, Key=key, Body=b"2", IfMatch=first)
    stale = refusal(lambda: operator.put_object(Bucket=bucket, Key=key, Body=b"3", IfMatch=first))
    assert again == stale == "PreconditionFailed"


def test_an_outage_keeps_endpoint_and_data(s3: SeaweedFS) -> None:
    reader, endpoint = s3.client(Role.READER), s3.endpoint
    s3.stop()
    with pytest.raises(EndpointConnectionError):
        reader.get_object(Bucket=REGISTRY_BUCKET, Key=VERSION)
    s3.start()
    assert s3.endpoint == endpoint
    assert reader.get_object(Bucket=REGISTRY_BUCKET, Key=VERSION)["Body"].read() == b"{}"


def test_the_credentials_file_is_a_secret_by_service_account(s3: SeaweedFS, tmp_path: Path) -> None:
    path = write_credentials(tmp_path / "credentials.json", s3, {"*/mira-training": Role.TRAINER})
    assert path.stat().st_mode & 0o077 == 0
    environment = json.loads(path.read_text())["*/mira-training"]
    assert environment == s3.credentials(Role.TRAINER)
    assert environment["AWS_ENDPOINT_URL_S3"] == s3.endpoint
