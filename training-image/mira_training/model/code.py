"""The user's code, found by `module:attr` or by a registered name."""

import importlib
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import SequenceMatcher
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from mira.api.reasons import Reason
from mira_training.refusal import Refused, listed

GROUP = "mira.estimators"
OURS = Path(__file__).parents[1]


def load(reference: str, field: str) -> Callable[..., Any]:
    """What `module:attr` or a name of the entry-point group `mira.estimators` refers to; it can be called.

    Raises Refused: `CodeNotFound`, `CodeImportFailed` with the last line of the traceback, `CodeInvalid`.
    """
    module_name, _, attribute = reference.partition(":")
    found = _attribute(module_name, attribute, field) if attribute else _registered(reference, field)
    if not callable(found):
        raise Refused(Reason.CODE_INVALID, f"{field}: {reference} is a {type(found).__name__}; it must be callable")
    return found  # type: ignore[no-any-return]  # callable() has narrowed it to Callable[..., object]


def _registered(name: str, field: str) -> Any:
    points = entry_points(group=GROUP)
    if name not in points.names:
        known = listed(sorted(points.names)) or "none"
        raise Refused(
            Reason.CODE_NOT_FOUND,
            f"{field}: {name!r} is not registered in this image (registered: {known}); write module:attr",
        )
    point = points[name]
    return _attribute(point.module, point.attr, field)


def _attribute(module_name: str, attribute: str, field: str) -> Any:
    found: Any = _imported(module_name, field)
    for name in attribute.split("."):
        if not hasattr(found, name):
            public = listed(_own_names(found, module_name, name))
            raise Refused(
                Reason.CODE_NOT_FOUND, f"{field}: {module_name} has no {name!r} (it has: {public or 'nothing'})"
            )
        found = getattr(found, name)
    return found


def _own_names(found: Any, module_name: str, wanted: str) -> list[str]:
    """Public names that come from this module, not those that it imports; the likest to the wanted one first."""
    own = [
        name
        for name, value in vars(found).items()
        if not name.startswith("_") and str(getattr(value, "__module__", "")).startswith(module_name)
    ]
    return sorted(own, key=lambda name: (-SequenceMatcher(None, name, wanted).ratio(), name))


def _imported(name: str, field: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise Refused(
                Reason.CODE_NOT_FOUND, f"{field}: the image has no module {name!r}; build it in, or correct the name"
            ) from error
        raise _import_failed(name, field, error) from error
    except Exception as error:
        raise _import_failed(name, field, error) from error


def _import_failed(name: str, field: str, error: Exception) -> Refused:
    return Refused(Reason.CODE_IMPORT_FAILED, f"{field}: importing {name} raises {_said(error)}")


@contextmanager
def running(what: str) -> Iterator[None]:
    """Turns what user code raises in the block into Refused (`CodeFailed`) with its last line and where it was."""
    try:
        yield
    except Refused:
        raise
    except MemoryError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = next((frame for frame in reversed(frames) if "site-packages" not in frame.filename), frames[-1])
        place = f"{own.filename.rsplit('/', 1)[-1]}:{own.lineno}"
        raise Refused(Reason.CODE_FAILED, f"{what} raises {_said(error)} ({place})") from error


def raised_by_user_code(error: BaseException) -> BaseException | None:
    """What user code raised to cause this refusal, its traceback cut to begin in that code; None if it did not."""
    if not isinstance(error, Refused) or error.reason not in (Reason.CODE_FAILED, Reason.CODE_IMPORT_FAILED):
        return None
    raised = error.__cause__
    if raised is None:
        return None
    place = raised.__traceback__
    while place is not None and _is_on_the_way(place.tb_frame.f_code.co_filename):
        place = place.tb_next
    return raised.with_traceback(place or raised.__traceback__)


def _is_on_the_way(filename: str) -> bool:
    """Whether the file is Mira's or of Python's import machinery: neither tells a user anything of their own code."""
    return filename.startswith((str(OURS), "<frozen importlib")) or filename == importlib.__file__


def _said(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:500]}" if text else type(error).__name__
