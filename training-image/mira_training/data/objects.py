# ruff: noqa: PLC0415 - whoever reads files only never waits for boto3
"""The objects that hold the data: the port, and S3 behind it. What is read is pinned and hashed while it is read."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mira.api.reasons import Reason
from mira.registry.inputs import Listed
from mira.registry.manifest import MOST_FILES
from mira.registry.store import StoreUnavailable
from mira_training.refusal import Refused

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PIECE = 4 * 1024 * 1024
ABSENT = ("NoSuchKey", "NoSuchVersion", "404", "NotFound")
NO_BUCKET = ("NoSuchBucket",)
CHANGED = ("PreconditionFailed", "412")
DENIED = (401, 403)


@dataclass(frozen=True)
class Read:
    """An object that now lies in a file, with the size and sha256 of exactly these bytes."""

    path: Path
    size: int
    sha256: str
    version_id: str | None


class DataObjects(Protocol):
    """Where data is read from. Every method may raise StoreUnavailable, and Refused with `DataAccessDenied`."""

    def find(self, uri: str, version_id: str | None = None) -> Listed | None:
        """The object at the uri as it is now, or its given version; None if there is none."""
        ...

    def under(self, prefix: str) -> list[Listed]:
        """Every object under the prefix that holds data, in the order of keys."""
        ...

    def read(self, listed: Listed, path: Path) -> Read | None:
        """Exactly the listed object in the file; None if it is gone. Raises Refused if it has changed since."""
        ...


class S3Objects:
    """Data in S3, in any bucket that the pod's credentials may read. Safe to share between threads."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    @classmethod
    def with_session(cls, session: Any) -> "S3Objects":
        """A reader whose calls end: 3 s to connect, 30 s between bytes, 4 tries."""
        from botocore.config import Config

        config = Config(connect_timeout=3, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 4})
        return cls(session.client("s3", config=config))

    def find(self, uri: str, version_id: str | None = None) -> Listed | None:
        """The object at the uri as it is now, or its given version; None if there is none."""
        bucket, key = bucket_and_key(uri)
        pin: Any = {"VersionId": version_id} if version_id else {}
        with _translated(uri) as answer:
            answer.value = self._client.head_object(Bucket=bucket, Key=key, **pin)
        if answer.value is None:
            return None
        found = answer.value
        return Listed(uri=uri, size=found["ContentLength"], etag=found["ETag"], version_id=_version(found))

    def under(self, prefix: str) -> list[Listed]:
        """Every object under the prefix that holds data: none that is empty or hidden (`_SUCCESS`, `.tmp`)."""
        bucket, key = bucket_and_key(prefix)
        found: list[Listed] = []
        with _translated(prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
                found += [
                    Listed(uri=f"s3://{bucket}/{item['Key']}", size=item["Size"], etag=item["ETag"])
                    for item in page.get("Contents", [])
                    if item["Size"] and not _hidden(item["Key"].removeprefix(key))
                ]
                if len(found) > MOST_FILES:
                    raise Refused(
                        Reason.DATA_INVALID,
                        f"{prefix}: holds more than {MOST_FILES} objects; merge them into fewer and larger ones",
                    )
        return found

    def read(self, listed: Listed, path: Path) -> Read | None:
        """Exactly the listed object in the file; None if it is gone. Raises Refused if it has changed since."""
        bucket, key = bucket_and_key(listed.uri)
        pin: Any = {"VersionId": listed.version_id} if listed.version_id else {"IfMatch": listed.etag}
        with _translated(listed.uri) as answer:
            answer.value = self._client.get_object(Bucket=bucket, Key=key, **pin)
            size, sha256 = _written(answer.value["Body"], path)
            return Read(path, size, sha256, _version(answer.value))
        return None


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`; the key as it is, because in S3 `?`, `#` and `%` are letters like others."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _hidden(below: str) -> bool:
    return any(part.startswith(("_", ".")) for part in below.split("/"))


def _version(answer: Any) -> str | None:
    # A bucket that was never versioned says nothing, one whose versioning is suspended says "null".
    version: str | None = answer.get("VersionId")
    return None if version == "null" else version


def _written(body: Any, path: Path) -> tuple[int, str]:
    hasher, size = hashlib.sha256(), 0
    with body, path.open("wb") as file:
        for piece in body.iter_chunks(PIECE):
            hasher.update(piece)
            size += len(piece)
            file.write(piece)
    return size, hasher.hexdigest()


@dataclass
class _Answer:
    value: Any = None


@contextmanager
def _translated(uri: str) -> Iterator[_Answer]:
    """Errors of boto3 in our words; where there is nothing the block ends early and the answer's value stays None."""
    from botocore.exceptions import BotoCoreError, ClientError

    answer = _Answer()
    try:
        yield answer
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        answer.value = None
        if code in ABSENT:
            return
        if code in NO_BUCKET:
            raise Refused(Reason.DATA_NOT_FOUND, f"{uri}: there is no such bucket") from error
        if code in CHANGED:
            raise Refused(
                Reason.DATA_INVALID,
                f"{uri}: has changed since this run's first attempt listed it; create a new run",
            ) from error
        if status in DENIED and code != "ExpiredToken":
            raise Refused(
                Reason.DATA_ACCESS_DENIED,
                f"{uri}: S3 answers {code or status}; allow the run's service account to read it",
            ) from error
        if 400 <= status < 500 and status not in (408, 429) and code != "ExpiredToken":
            raise Refused(Reason.DATA_NOT_FOUND, f"{uri}: S3 answers {code or status}: {str(error)[:200]}") from error
        raise StoreUnavailable(f"{uri}: {str(error)[:300]}") from error
    except BotoCoreError as error:
        raise StoreUnavailable(f"{uri}: {str(error)[:300]}") from error
