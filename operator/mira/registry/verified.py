"""Files whose bytes are those that a digest promised; what is not verified has no name that anybody would open."""

import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path

PIECE = 1024 * 1024


class Tampered(Exception):
    """Bytes that are not those whose digest was promised."""


def sha256_of(path: Path) -> str:
    """The sha256 of the file's bytes as bare hex, read in pieces. Raises OSError."""
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            hasher.update(piece)
    return hasher.hexdigest()


def fetched(path: Path, sha256: str, fetch: Callable[[Path], object], *, what: str) -> Path:
    """The path, holding what `fetch` wrote to a temporary name beside it, once its sha256 is right. Raises Tampered."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{uuid.uuid4().hex}.partial")
    try:
        fetch(partial)
        if sha256_of(partial) != sha256:
            raise Tampered(f"{what} does not have the sha256 {sha256}")
        return partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
