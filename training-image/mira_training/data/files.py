"""Data in files of this machine, for a person on a laptop; never for an order in a pod."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mira.api.reasons import Reason
from mira.registry.inputs import Listed
from mira.registry.manifest import MOST_FILES
from mira_training.data.objects import PIECE, DataObjects, Read
from mira_training.refusal import Refused

SCHEME = "file://"


class Files:
    """Objects at `file:///...`, pinned by sha256 and time of change: what is read is what was found."""

    def find(self, uri: str, version_id: str | None = None) -> Listed | None:
        """The file at the uri as it is now; None if there is none, or if a version is asked for: files have none."""
        path = path_of(uri)
        if version_id is not None or not path.is_file():
            return None
        with _told(uri):
            return _listed(uri, path)

    def under(self, prefix: str) -> list[Listed]:
        """Every file under the folder that holds data: none that is empty or hidden (`_SUCCESS`, `.tmp`)."""
        folder = path_of(prefix)
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _hidden(path, folder)]
        if len(paths) > MOST_FILES:
            raise Refused(Reason.DATA_INVALID, f"{prefix}: holds more than {MOST_FILES} files; merge them")
        with _told(prefix):
            return [_listed(path.as_uri(), path) for path in paths if path.stat().st_size]

    def read(self, listed: Listed, path: Path) -> Read | None:
        """A copy of exactly the listed file; None if it is gone. Raises Refused if it has changed since."""
        source = path_of(listed.uri)
        if not source.is_file():
            return None
        hasher, size = hashlib.sha256(), 0
        with _told(listed.uri), source.open("rb") as file, path.open("wb") as copy:
            while piece := file.read(PIECE):
                hasher.update(piece)
                size += len(piece)
                copy.write(piece)
            changed = source.stat().st_mtime_ns
        if listed.etag != _pin(hasher.hexdigest(), changed):
            raise Refused(Reason.DATA_INVALID, f"{listed.uri}: has changed while this run read it; run again")
        return Read(path, size, hasher.hexdigest(), None)


class FilesOrElse:
    """Files for `file://` uris, and for all others what `others` makes when it is first needed."""

    def __init__(self, others: Callable[[], DataObjects]) -> None:
        self._files = Files()
        self._make_others = others
        self._others: DataObjects | None = None

    def find(self, uri: str, version_id: str | None = None) -> Listed | None:
        """The object at the uri as it is now, or its given version; None if there is none."""
        return self._for(uri).find(uri, version_id)

    def under(self, prefix: str) -> list[Listed]:
        """Every object under the prefix that holds data, in the order of keys."""
        return self._for(prefix).under(prefix)

    def read(self, listed: Listed, path: Path) -> Read | None:
        """Exactly the listed object in the file; None if it is gone. Raises Refused if it has changed since."""
        return self._for(listed.uri).read(listed, path)

    def _for(self, uri: str) -> DataObjects:
        if uri.startswith(SCHEME):
            return self._files
        if self._others is None:
            self._others = self._make_others()
        return self._others


def path_of(uri: str) -> Path:
    """The path that a `file:///...` uri names."""
    return Path(unquote(urlsplit(uri).path))


def _listed(uri: str, path: Path) -> Listed:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    changed = path.stat()
    return Listed(uri=uri, size=changed.st_size, etag=_pin(sha256, changed.st_mtime_ns))


def _pin(sha256: str, changed_ns: int) -> str:
    return f"sha256:{sha256} changed:{changed_ns}"


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """Turns a file that may not be read into Refused, with what to do."""
    try:
        yield
    except PermissionError as error:
        raise Refused(
            Reason.DATA_ACCESS_DENIED, f"{uri}: may not be read; ask its owner for the right to read it"
        ) from error
