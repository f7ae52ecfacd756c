"""The object store in a folder of this machine, for laptops: S3's promises, kept by hard links and a lock."""

import errno
import fcntl
import hashlib
import io
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self
from urllib.parse import unquote, urlsplit

from mira.registry.keys import InvalidKey, checked_path
from mira.registry.store import Fingerprint, Put, Stored, StoreRefused, StoreUnavailable

PIECE = 1024 * 1024
WRITING = ".writing"
"""The folder of files that are not complete yet, beside the keys and none of them."""
ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
NEVER = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ENOENT)


class FolderStore:
    """One registry's root, such as `file:///home/alice/registry`; each object is the file of its key's name.

    Safe to share between threads and between processes of one machine. A file appears under its key when all of its
    bytes are on the disk: by a hard link, which fails if the name is taken, or by a rename under a lock.
    """

    def __init__(self, root: str) -> None:
        location = urlsplit(root)
        path = unquote(location.path)
        if location.scheme != "file" or location.netloc or not path.startswith("/"):
            raise ValueError(f"registry {root!r} must look like file:///folder")
        self.folder = Path(path)
        self.root = root.rstrip("/")

    @classmethod
    def at(cls, root: str) -> Self:
        return cls(root)

    def get(self, key: str, *, limit: int) -> Stored | None:
        with _told(key):
            try:
                with self._path(key).open("rb") as file:
                    body = file.read(limit + 1)
                    file.seek(0)
                    return Stored(body, _etag(_hashed(file)[1]))
            except ABSENT:
                return None

    def create(self, key: str, body: bytes) -> Put:
        path = self._path(key)
        return _put(key, lambda: self._link(path, body))

    def replace(self, key: str, body: bytes, etag: str) -> Put:
        path = self._path(key)
        return _put(key, lambda: self._exchange(path, body, etag))

    def _link(self, path: Path, body: bytes) -> bool:
        with self._complete(io.BytesIO(body)) as new:
            _make(path.parent)
            try:
                path.hardlink_to(new)
            except FileExistsError:
                return False
            _sync(path.parent)
        return True

    def _exchange(self, path: Path, body: bytes, etag: str) -> bool:
        with self._complete(io.BytesIO(body)) as new, self._lock():
            try:
                with path.open("rb") as file:
                    found = _etag(_hashed(file)[1])
            except ABSENT:
                return False
            if found != etag:
                return False
            new.replace(path)
            _sync(path.parent)
        return True

    def list(self, prefix: str) -> Iterator[str]:
        with _told(prefix):
            start = self._path(prefix.rpartition("/")[0]) if "/" in prefix else self.folder
            return iter(sorted(key for key in self._keys(start) if key.startswith(prefix)))

    def folders(self, prefix: str) -> Iterator[str]:
        below = (key.removeprefix(prefix) for key in self.list(prefix))
        return iter(sorted({f"{prefix}{rest.split('/')[0]}/" for rest in below if "/" in rest}))

    def _keys(self, start: Path) -> Iterator[str]:
        for folder, names, files in os.walk(start):
            if Path(folder) == self.folder and WRITING in names:
                names.remove(WRITING)
            for name in files:
                yield (Path(folder) / name).relative_to(self.folder).as_posix()

    def head(self, key: str) -> Fingerprint | None:
        found = self.sha256(key)
        return None if found is None else Fingerprint(found[0], _etag(found[1]))

    def sha256(self, key: str) -> tuple[int, str] | None:
        with _told(key):
            try:
                with self._path(key).open("rb") as file:
                    return _hashed(file)
            except ABSENT:
                return None

    def upload(self, key: str, path: Path, *, progress: Callable[[int], None] | None = None) -> None:
        target = self._path(key)
        with _told(key), path.open("rb") as source, self._complete(source, progress) as new:
            _make(target.parent)
            new.replace(target)
            _sync(target.parent)

    def download(self, key: str, path: Path, *, progress: Callable[[int], None] | None = None) -> None:
        with _told(key), self._path(key).open("rb") as source, path.open("wb") as target:
            _copy(source, target, progress)

    def uri(self, key: str) -> str:
        return f"{self.root}/{key}"

    def _path(self, key: str) -> Path:
        try:
            path = self.folder / checked_path(key)
        except InvalidKey as error:
            raise StoreRefused(str(error)) from error
        if path.parts[len(self.folder.parts)] == WRITING:
            raise StoreRefused(f"{key}: keys that begin with {WRITING} are the store's own")
        return path

    @contextmanager
    def _complete(self, source: BinaryIO, progress: Callable[[int], None] | None = None) -> Iterator[Path]:
        """A file outside of all keys that holds the bytes, on the disk; gone when the context ends, unless moved."""
        folder = self.folder / WRITING
        _make(folder)
        path = folder / uuid.uuid4().hex
        try:
            with path.open("xb") as file:
                _copy(source, file, progress)
                file.flush()
                os.fsync(file.fileno())
            yield path
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        # A description of its own for each call: flock then also keeps threads of one process apart.
        with (self.folder / WRITING / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _put(key: str, write: Callable[[], bool]) -> Put:
    try:
        with _told(key):
            return Put.WRITTEN if write() else Put.UNCLEAR
    except StoreUnavailable:
        return Put.UNCLEAR


@contextmanager
def _told(key: str) -> Iterator[None]:
    """Tells the disk's errors apart: refused is what never works; a full disk and everything unknown may pass."""
    try:
        yield
    except OSError as error:
        kind = StoreRefused if error.errno in NEVER else StoreUnavailable
        raise kind(f"{key}: {error.strerror or error}") from error


def _copy(source: BinaryIO, target: BinaryIO, progress: Callable[[int], None] | None) -> None:
    while piece := source.read(PIECE):
        target.write(piece)
        if progress:
            progress(len(piece))


def _hashed(file: BinaryIO) -> tuple[int, str]:
    hasher, size = hashlib.sha256(), 0
    while piece := file.read(PIECE):
        hasher.update(piece)
        size += len(piece)
    return size, hasher.hexdigest()


def _etag(sha256: str) -> str:
    return f'"{sha256}"'


def _make(folder: Path) -> None:
    """Makes the folder and those above it; their names survive a power cut too."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
