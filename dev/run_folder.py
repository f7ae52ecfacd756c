"""The folder in which something runs: empty at the start, ours alone, gone at the end."""

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

MARK = ".mira-dev"


@contextlib.contextmanager
def run_folder(folder: Path, *, keep: bool = False) -> Iterator[Path]:
    """`folder`, empty; at the end it is removed, or with `keep` at the next start.

    What a run that was killed has left there goes first. A FileExistsError if something runs there, or if there is
    anything that is not such a run's.
    """
    mark = folder / MARK
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise FileExistsError(f"{folder} has something in it that is not ours: choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    with mark.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileExistsError(f"something runs in {folder} already: stop it, or choose another folder") from None
        _empty(folder)
        try:
            yield folder
        finally:
            if not keep:
                shutil.rmtree(folder)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name == MARK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
