"""When a stage's freeze windows are open: to the second, each in its own time zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

from mira.api.modelstage import FreezeWindow


class UnreadableWindow(Exception):
    """A window of which nobody can say whether it is open: the API takes some that no calendar or zone file has."""


def frozen_until(windows: tuple[FreezeWindow, ...], now: datetime) -> datetime | None:
    """When the last of the windows that are open now closes, None if none is. Raises UnreadableWindow."""
    moment = now.replace(microsecond=0)
    return max((end for window in windows if (end := _open_until(window, moment)) is not None), default=None)


def unreadable(windows: tuple[FreezeWindow, ...], now: datetime) -> str:
    """What is wrong with the windows, in a sentence; empty if each can be read."""
    try:
        frozen_until(windows, now)
    except UnreadableWindow as error:
        return f"spec.freezeWindows of the ModelStage: {error}"
    return ""


def _open_until(window: FreezeWindow, now: datetime) -> datetime | None:
    try:
        opened = _last_opened(window, now)
    except (ValueError, KeyError, OSError) as error:
        raise UnreadableWindow(
            f"{window.schedule!r} in {window.time_zone} is no schedule ({error}); nothing is promoted until it is one"
        ) from error
    # In UTC: between two times of one zone Python counts the hands of the clock, also over the night they are moved.
    end = opened.astimezone(UTC) + timedelta(seconds=window.duration_seconds)
    return end if now < end else None


def _last_opened(window: FreezeWindow, now: datetime) -> datetime:
    if {field.partition("/")[0].upper() for field in window.schedule.split()} & {"H", "R"}:
        raise ValueError("H and R stand for any time")
    # A window that opens in this very second is open: get_prev looks strictly before.
    local = (now + timedelta(seconds=1)).astimezone(ZoneInfo(window.time_zone))
    opened: datetime = croniter(window.schedule, local).get_prev(datetime)
    return opened
