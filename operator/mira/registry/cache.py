"""What a reader keeps on its own disk: files by their sha256, and what each pointer last said, for when S3 is away."""

import fcntl
import os
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mira.registry.keys import hex_of
from mira.registry.verified import fetched, sha256_of

READ_ONLY = 0o444


def default_folder() -> Path | None:
    """`$MIRA_CACHE`, else `mira` in the user's cache folder, else None: a user without a home keeps nothing."""
    if named := os.environ.get("MIRA_CACHE"):
        return Path(named)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "mira"
    try:
        return Path.home() / ".cache" / "mira"
    except RuntimeError:
        return None


@dataclass(frozen=True)
class Remembered:
    """What lay under a key when the store last told it."""

    body: bytes
    since: datetime


class Cache:
    """A folder that threads and processes may share. Every file is verified again whenever it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def remembered(self, key: str) -> Remembered | None:
        """What the key last held, None if that is not known."""
        path = self.folder / "answers" / key
        try:
            return Remembered(path.read_bytes(), datetime.fromtimestamp(path.stat().st_mtime, UTC))
        except OSError:
            return None

    def remember(self, key: str, body: bytes) -> None:
        """Keeps what the key holds now. Raises OSError."""
        path = self.folder / "answers" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{uuid.uuid4().hex}.partial")
        partial.write_bytes(body)
        partial.replace(path)

    def file(self, sha256: str, fetch: Callable[[Path], object], *, what: str) -> Path:
        """A file with this sha256, fetched only if it is not here. Raises Tampered, OSError and what `fetch` raises."""
        path = self.folder / "files" / sha256
        with self._lock(sha256):
            if not path.exists() or sha256_of(path) != sha256:
                fetched(path, sha256, fetch, what=what).chmod(READ_ONLY)
        return path

    def show(self, file: Path, digest: str, name: str) -> None:
        """Gives a cached file its name in the folder of the version with this digest, without a copy."""
        path = self.version(digest) / name
        if path.exists() and path.samefile(file):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not beside it: a rename between two names of one file does nothing, and the folder would hold both.
        partial = self.folder / "files" / f".{uuid.uuid4().hex}.partial"
        partial.hardlink_to(file)
        partial.replace(path)
        partial.unlink(missing_ok=True)

    def version(self, digest: str) -> Path:
        """The folder of the version with this digest."""
        return self.folder / "versions" / hex_of(digest)

    def keep_only(self, digests: Collection[str]) -> None:
        """Removes every other version's folder, and the files that no folder shows; for who shares it with nobody."""
        kept = {hex_of(digest) for digest in digests}
        for folder in _inside(self.folder / "versions"):
            if folder.name not in kept:
                shutil.rmtree(folder)
        for file in _inside(self.folder / "files"):
            if file.stat().st_nlink == 1:
                file.unlink()
                (self.folder / "locks" / file.name).unlink(missing_ok=True)

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        """Lets one at a time fetch this file: whoever comes second finds it."""
        path = self.folder / "locks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # A description of its own for each call: flock then also keeps threads of one process apart.
        with path.open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _inside(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
