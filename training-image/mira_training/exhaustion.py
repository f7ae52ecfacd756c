"""What the pod did not have enough of, memory or disk: no fault of the data, and none of the user's code."""

import errno
import shutil
import tempfile
from collections.abc import Iterator

from mira.api.reasons import Reason

FULL = (errno.ENOSPC, errno.EDQUOT)
GIB = 2**30


def exhausted(error: BaseException) -> tuple[Reason, str] | None:
    """`OutOfMemory` or `DiskFull`, and what to do, if that lies behind the error; None if nothing was lacking."""
    for each in _behind(error):
        if isinstance(each, MemoryError):
            said = f" ({str(each).splitlines()[0][:200]})" if str(each) else ""
            return Reason.OUT_OF_MEMORY, (
                f"more memory was asked for than there is{said}; raise job.resources.limits.memory, or read less data"
            )
        if isinstance(each, OSError) and each.errno in FULL:
            return Reason.DISK_FULL, _full(each)
    return None


def _full(error: OSError) -> str:
    folder = tempfile.gettempdir()
    disk = shutil.disk_usage(folder)
    written = f" for {error.filename}" if error.filename else ""
    room = f"{disk.free / GIB:.1f} GiB free of {disk.total / GIB:.1f}"
    return (
        f"no space is left on the disk{written}; {folder} has {room}; "
        "request more by job.resources.requests and limits ephemeral-storage, or read less data"
    )


def _behind(error: BaseException) -> Iterator[BaseException]:
    """The error and, one after the other, what it was raised from."""
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__
