"""The port to an object store: what the registry needs of S3, and how its answers are told apart."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol


class StoreUnavailable(Exception):
    """No answer, or one that says nothing about the key (5xx, throttled, lost): ask again later."""


class StoreRefused(Exception):
    """The store will not do this, however often it is asked (400, 401, 403): rights or settings must change."""


@dataclass(frozen=True)
class Stored:
    """The bytes under a key and the ETag of exactly these bytes."""

    body: bytes
    etag: str


class Put(Enum):
    """What a conditional write's answer says.

    There is no "lost": a 412 may be the echo of one's own write (S3's own resend, a proxy's), so everything but a clear
    200 is UNCLEAR, and the caller reads before it decides.
    """

    WRITTEN = "written"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Fingerprint:
    """What a HEAD tells: enough to see that an object is still the one that was hashed."""

    size: int
    etag: str


class ObjectStore(Protocol):
    """One registry's root in one bucket; keys are relative to it.

    Every method may raise StoreUnavailable or StoreRefused.
    """

    def get(self, key: str, *, limit: int) -> Stored | None:
        """The object, None if there is none. Of a body larger than limit only limit + 1 bytes: no parser takes them."""
        ...

    def create(self, key: str, body: bytes) -> Put:
        """Writes the object if the key is free (`If-None-Match: *`)."""
        ...

    def replace(self, key: str, body: bytes, etag: str) -> Put:
        """Writes the object if the key still holds what has this ETag (`If-Match`)."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """The keys that begin with the prefix, in order."""
        ...

    def folders(self, prefix: str) -> Iterator[str]:
        """The folders right below a prefix that ends in `/`, each ending in `/` (LIST with a delimiter)."""
        ...

    def head(self, key: str) -> Fingerprint | None:
        """Size and ETag of the object, None if there is none."""
        ...

    def sha256(self, key: str) -> tuple[int, str] | None:
        """Size and sha256 of the object's bytes, read in pieces; None if there is none."""
        ...


class FileStore(Protocol):
    """How model files go up and down; the operator needs neither."""

    def upload(self, key: str, path: Path, *, progress: Callable[[int], None] | None = None) -> None:
        """Writes the file's bytes under a key that nobody else writes."""
        ...

    def download(self, key: str, path: Path, *, progress: Callable[[int], None] | None = None) -> None:
        """Writes the object's bytes to the path."""
        ...
