# ruff: noqa: PLC0415 - boto3 is loaded by who reads from S3, and by nobody else
"""Where a registry lies: a uri becomes the store that can read it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mira.registry.reader import ReadableStore


def store_at(uri: str) -> "ReadableStore":
    """The store under `s3://bucket/root` (credentials: the usual AWS variables) or `file:///folder`.

    Raises ValueError for any other uri.
    """
    if uri.startswith("s3://"):
        from mira.registry.s3 import S3Store

        return S3Store(uri)
    if uri.startswith("file://"):
        from mira.registry.folder import FolderStore

        return FolderStore(uri)
    raise ValueError(f"registry {uri!r} must look like s3://bucket/root or file:///folder")
