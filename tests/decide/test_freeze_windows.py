"""When a freeze window is open: to the second, in its own time zone, also when clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mira.api.modelstage import FreezeWindow
from mira.decide.freeze_windows import frozen_until
from mira.registry.deciding import Waiting
from tests.registry.lineages import a_world
from tests.support.world import NOON, promotion, publish, stage


def window(schedule: str, seconds: int, zone: str = "UTC") -> FreezeWindow:
    return FreezeWindow.model_validate({"schedule": schedule, "durationSeconds": seconds, "timeZone": zone})


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def until(windows: list[FreezeWindow], now: datetime) -> str | None:
    found = frozen_until(tuple(windows), now)
    return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if found else None


FRIDAY = window("0 16 * * 5", 64 * 3600)  # until Monday 08:00
EDGES = [
    ("2026-11-27T15:59:59", None),
    ("2026-11-27T16:00:00", "2026-11-30T08:00:00Z"),
    ("2026-11-27T16:00:01", "2026-11-30T08:00:00Z"),
    ("2026-11-29T00:00:00", "2026-11-30T08:00:00Z"),
    ("2026-11-30T07:59:59", "2026-11-30T08:00:00Z"),
    ("2026-11-30T08:00:00", None),
    ("2026-11-30T08:00:01", None),
    ("2026-12-03T12:00:00", None),
]


@pytest.mark.parametrize(("now", "end"), EDGES)
def test_a_window_is_open_from_its_first_second_and_closed_from_its_last(now: str, end: str | None) -> None:
    assert until([FRIDAY], at(now)) == end


def test_fractions_of_a_second_make_no_difference() -> None:
    assert until([FRIDAY], at("2026-11-27T15:59:59.999999")) is None
    assert until([FRIDAY], at("2026-11-27T16:00:00.000001")) is not None
    assert until([FRIDAY], at("2026-11-30T07:59:59.999999")) is not None


def test_a_window_is_not_overlooked_in_the_last_fraction_before_it_opens_again() -> None:
    hourly = window("0 * * * *", 2 * 3600)
    assert until([hourly], at("2026-11-25T12:59:59.500000")) == "2026-11-25T14:00:00Z"


def test_nothing_is_frozen_without_windows() -> None:
    assert until([], at("2026-11-27T16:00:00")) is None


def test_of_several_open_windows_the_last_to_close_counts() -> None:
    windows = [window("0 12 * * *", 3600), window("30 12 * * *", 7200), window("0 13 * * *", 60)]
    assert until(windows, at("2026-11-25T12:00:00")) == "2026-11-25T13:00:00Z"
    assert until(windows, at("2026-11-25T12:45:00")) == "2026-11-25T14:30:00Z"
    assert until(windows, at("2026-11-25T14:30:00")) is None


def test_a_window_that_opens_again_before_it_closes_stays_open() -> None:
    hourly = window("0 * * * *", 2 * 3600)
    assert until([hourly], at("2026-11-25T12:30:00")) == "2026-11-25T14:00:00Z"


def test_the_longest_window_is_open_for_31_days() -> None:
    month = window("0 0 1 12 *", 2_678_400)
    assert until([month], at("2026-12-31T23:59:59")) == "2027-01-01T00:00:00Z"
    assert until([month], at("2027-01-01T00:00:00")) is None
    assert until([month], at("2026-11-30T23:59:59")) is None


ZONES = [
    # 16:00 on Friday in the zone, in UTC
    ("UTC", "2026-11-27T16:00:00"),
    ("Europe/Berlin", "2026-11-27T15:00:00"),
    ("America/New_York", "2026-11-27T21:00:00"),
    ("Asia/Kolkata", "2026-11-27T10:30:00"),
    ("Asia/Kathmandu", "2026-11-27T10:15:00"),
    ("Pacific/Kiritimati", "2026-11-27T02:00:00"),
    ("Pacific/Pago_Pago", "2026-11-28T03:00:00"),
    ("Etc/GMT+5", "2026-11-27T21:00:00"),
]


@pytest.mark.parametrize(("zone", "opens"), ZONES)
def test_the_schedule_is_in_the_windows_own_zone(zone: str, opens: str) -> None:
    friday = window("0 16 * * 5", 3600, zone)
    assert until([friday], at(opens) - timedelta(seconds=1)) is None
    end = (at(opens) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert until([friday], at(opens)) == end
    assert until([friday], at(opens) + timedelta(hours=1)) is None


# Clocks in Berlin: on 2026-10-25 03:00 CEST becomes 02:00 CET; on 2027-03-28 02:00 CET becomes 03:00 CEST.
# In New York: on 2026-11-01 02:00 EDT becomes 01:00 EST; on 2027-03-14 02:00 EST becomes 03:00 EDT.
CHANGES = [
    ("over the hour that comes twice it is as long as it says",
     window("0 0 * * *", 6 * 3600, "Europe/Berlin"), "2026-10-24T22:00:00", "2026-10-25T04:00:00"),
    ("over the hour that is left out too",
     window("0 0 * * *", 6 * 3600, "Europe/Berlin"), "2027-03-27T23:00:00", "2027-03-28T05:00:00"),
    ("over a weekend in autumn",
     window("0 16 * * 5", 64 * 3600, "Europe/Berlin"), "2026-10-23T14:00:00", "2026-10-26T06:00:00"),
    ("over a weekend in New York",
     window("0 16 * * 5", 64 * 3600, "America/New_York"), "2026-10-30T20:00:00", "2026-11-02T12:00:00"),
    ("before the change, on the day",
     window("0 1 * * *", 1800, "Europe/Berlin"), "2026-10-24T23:00:00", "2026-10-24T23:30:00"),
    ("after the change, on the day",
     window("0 4 * * *", 1800, "Europe/Berlin"), "2026-10-25T03:00:00", "2026-10-25T03:30:00"),
    ("after the change in spring, on the day",
     window("0 4 * * *", 1800, "Europe/Berlin"), "2027-03-28T02:00:00", "2027-03-28T02:30:00"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("freeze", "opens", "closes"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES]
)
def test_when_clocks_change_a_window(freeze: FreezeWindow, opens: str, closes: str) -> None:
    second = timedelta(seconds=1)
    end = at(closes).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert until([freeze], at(opens) - second) is None
    assert until([freeze], at(opens)) == end
    moment = at(opens)
    while moment < at(closes):
        assert until([freeze], moment) == end, moment
        moment += timedelta(minutes=10)
    assert until([freeze], at(closes) - second) == end
    assert until([freeze], at(closes)) is None


def test_a_window_in_the_hour_that_comes_twice_is_open_at_least_once() -> None:
    """02:30 is twice that night; a freeze that was asked for must not be left out, nor go on for ever."""
    freeze = window("30 2 * * *", 600, "Europe/Berlin")
    night = [at("2026-10-24T22:00:00") + timedelta(minutes=10 * step) for step in range(60)]
    open_at = [moment for moment in night if until([freeze], moment)]
    assert at("2026-10-25T00:30:00") in open_at or at("2026-10-25T01:30:00") in open_at
    assert set(open_at) <= {at("2026-10-25T00:30:00"), at("2026-10-25T01:30:00")}


def test_a_window_in_the_hour_that_is_left_out_is_open_or_not_but_decided() -> None:
    freeze = window("30 2 * * *", 600, "Europe/Berlin")
    night = [at("2027-03-27T22:00:00") + timedelta(minutes=10 * step) for step in range(60)]
    open_at = [moment for moment in night if until([freeze], moment)]
    assert all(at("2027-03-28T00:30:00") <= moment <= at("2027-03-28T02:00:00") for moment in open_at)


UNREADABLE = {
    "a minute that does not exist": window("99 * * * *", 60),
    "a day that does not exist": window("0 0 31 2 *", 60),
    "a name that is none": window("0 0 * * Foo", 60),
    "a minute at random": window("R * * * *", 60),
    "a minute by hash": window("H/5 * * * *", 60),
    "a zone that does not exist": window("0 0 * * *", 60, "Mars/Olympus"),
    "a zone that is a folder": window("0 0 * * *", 60, "Europe"),
}


@pytest.mark.parametrize("freeze", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_promotion_waits_and_says_so_for(freeze: FreezeWindow) -> None:
    """The API takes what looks like a schedule. One that cannot be read is no reason to promote, nor to be silent."""
    world = a_world()
    digest = publish(world.store, "v9")
    mine = promotion("mine", "v9", created=NOON + timedelta(minutes=1), approvals={"bob": digest})
    world.stage = stage(freezeWindows=[freeze.wire()])
    end = world.decide(world.put(mine))
    assert isinstance(end, Waiting)
    assert end.seen.ruling is not None
    assert (end.seen.ruling.final, end.seen.ruling.reason) == (False, "FreezeWindowInvalid")
    assert "freezeWindows" in end.seen.ruling.message
    assert (freeze.schedule if freeze.time_zone == "UTC" else freeze.time_zone) in end.seen.ruling.message
