"""The object store on S3, by boto3: the only module of the registry that does I/O."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from mira.registry.store import Fingerprint, Put, Stored, StoreRefused, StoreUnavailable

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PIECE = 1024 * 1024
TRANSFER = TransferConfig(multipart_threshold=16 * PIECE, multipart_chunksize=16 * PIECE, max_concurrency=4)
ABSENT = ("NoSuchKey", "404", "NotFound")
PAGES = (".html", ".html.gz")
# 412 and 409 say that another write was there, 404 that an If-Match found nothing: none of them says by whom.
UNCLEAR = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409", "NoSuchKey", "404")


class S3Store:
    """One registry's root, such as `s3://bucket/root`. Safe to share between threads.

    Conditional writes are sent once: botocore's own resend would turn a success into a 412.
    """

    def __init__(self, root: str, *, pool: int = 32, endpoint: str | None = None, session: Any = None) -> None:
        location = urlsplit(root)
        if location.scheme != "s3" or not location.netloc:
            raise ValueError(f"registry {root!r} must look like s3://bucket/root")
        self.bucket = location.netloc
        self.prefix = f"{location.path.strip('/')}/" if location.path.strip("/") else ""
        self.root = f"s3://{self.bucket}/{self.prefix}".rstrip("/")
        # One for both clients: credentials are fetched once, and the models of S3 read once.
        session = session or boto3.session.Session()
        self._client = _client(attempts=3, pool=pool, endpoint=endpoint, session=session)
        self._once = _client(attempts=1, pool=pool, endpoint=endpoint, session=session)

    @classmethod
    def at(cls, root: str) -> Self:
        return cls(root)

    def get(self, key: str, *, limit: int) -> Stored | None:
        try:
            answer = self._client.get_object(Bucket=self.bucket, Key=self.prefix + key)
            with closing(answer["Body"]) as body:
                return Stored(body.read(limit + 1), answer["ETag"])
        except (ClientError, BotoCoreError) as error:
            if _code(error) in ABSENT:
                return None
            raise _translated(error, key) from error

    def create(self, key: str, body: bytes) -> Put:
        return self._put(key, body, {"IfNoneMatch": "*"})

    def replace(self, key: str, body: bytes, etag: str) -> Put:
        return self._put(key, body, {"IfMatch": etag})

    def _put(self, key: str, body: bytes, condition: dict[str, Any]) -> Put:
        try:
            self._once.put_object(
                Bucket=self.bucket, Key=self.prefix + key, Body=body, ContentType="application/json", **condition
            )
        except (ClientError, BotoCoreError) as error:
            if _code(error) in UNCLEAR:
                return Put.UNCLEAR
            translated = _translated(error, key)
            if isinstance(translated, StoreUnavailable):
                return Put.UNCLEAR
            raise translated from error
        return Put.WRITTEN

    def list(self, prefix: str) -> Iterator[str]:
        for page in self._pages(prefix, delimiter=""):
            yield from (item["Key"].removeprefix(self.prefix) for item in page.get("Contents", []))

    def folders(self, prefix: str) -> Iterator[str]:
        for page in self._pages(prefix, delimiter="/"):
            yield from (item["Prefix"].removeprefix(self.prefix) for item in page.get("CommonPrefixes", []))

    def _pages(self, prefix: str, *, delimiter: str) -> Iterator[Any]:
        try:
            for page in self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix + prefix, Delimiter=delimiter
            ):
                # Any other XML, a proxy's page of its own, parses as a list of nothing.
                if "IsTruncated" not in page:
                    raise StoreUnavailable(f"{prefix}: the answer is no list of objects")
                yield page
        except (ClientError, BotoCoreError) as error:
            raise _translated(error, prefix) from error

    def head(self, key: str) -> Fingerprint | None:
        try:
            answer = self._client.head_object(Bucket=self.bucket, Key=self.prefix + key)
        except (ClientError, BotoCoreError) as error:
            if _code(error) in ABSENT:
                return None
            raise _translated(error, key) from error
        return Fingerprint(answer["ContentLength"], answer["ETag"])

    def sha256(self, key: str) -> tuple[int, str] | None:
        hasher, size = hashlib.sha256(), 0
        try:
            with closing(self._client.get_object(Bucket=self.bucket, Key=self.prefix + key)["Body"]) as body:
                for piece in body.iter_chunks(PIECE):
                    hasher.update(piece)
                    size += len(piece)
        except (ClientError, BotoCoreError) as error:
            if _code(error) in ABSENT:
                return None
            raise _translated(error, key) from error
        return size, hasher.hexdigest()

    def upload(self, key: str, path: Path, *, progress: Callable[[int], None] | None = None) -> None:
        try:
            self._client.upload_file(
                str(path),
                self.bucket,
                self.prefix + key,
                Config=TRANSFER,
                Callback=progress,
                ExtraArgs={"ChecksumAlgorithm": "CRC32", **_shown(key)},
            )
        except boto3.exceptions.S3UploadFailedError as error:
            # boto3 wraps the answer that says whether it is refused.
            raise _translated(error.__context__ or error, key) from error
        except (ClientError, BotoCoreError) as error:
            raise _translated(error, key) from error

    def download(self, key: str, path: Path, *, progress: Callable[[int], None] | None = None) -> None:
        try:
            self._client.download_file(self.bucket, self.prefix + key, str(path), Config=TRANSFER, Callback=progress)
        except (ClientError, BotoCoreError, boto3.exceptions.RetriesExceededError) as error:
            raise _translated(error, key) from error

    def uri(self, key: str) -> str:
        return f"{self.root}/{key}"


def _client(*, attempts: int, pool: int, endpoint: str | None, session: Any) -> "S3Client":
    """A client whose calls end: 3 s to connect, 10 s between bytes."""
    config = Config(
        connect_timeout=3,
        read_timeout=10,
        max_pool_connections=pool,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    made: S3Client = session.client("s3", config=config, endpoint_url=endpoint)
    return made


def _shown(key: str) -> dict[str, str]:
    """What lets a browser show a page that S3 serves; nothing for what no browser opens.

    The bytes stay as they are, and so does their sha256: S3 compresses nothing, and boto3 decompresses nothing.
    """
    if not key.endswith(PAGES):
        return {}
    compressed = {"ContentEncoding": "gzip"} if key.endswith(".gz") else {}
    return {"ContentType": "text/html; charset=utf-8", **compressed}


def _code(error: BaseException) -> str:
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def _translated(error: BaseException, key: str) -> StoreUnavailable | StoreRefused:
    """Refused only for a clear client error; expired credentials, throttling and everything unknown come back later."""
    status = (
        error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) if isinstance(error, ClientError) else 0
    )
    passing = (
        status == 0
        or status >= 500
        or status in (408, 429)
        # The answer to a HEAD has no body: a bare 400 may be an expired token.
        or _code(error) in ("ExpiredToken", "SlowDown", "RequestTimeout", "400")
    )
    kind = StoreUnavailable if passing else StoreRefused
    return kind(f"{key}: {str(error)[:300]}")
