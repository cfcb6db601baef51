"""Intervals obey the laws of sets, and wall clocks are read right on every night of the year."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.interval import (
    Interval,
    day_interval,
    exists,
    merged,
    subtracted,
    wall_interval,
    wall_to_instant,
)

pytestmark = pytest.mark.unit

EPOCH = datetime(2027, 3, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)
ZONES = [
    "America/New_York",
    "Europe/Madrid",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Havana",
    "Africa/Cairo",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "UTC",
]


def an_interval(start: int, length: int) -> Interval:
    return Interval(EPOCH + HOUR * start, EPOCH + HOUR * (start + length))


intervals = st.builds(an_interval, st.integers(0, 30), st.integers(1, 10))
lists = st.lists(intervals, max_size=7)
walls = st.datetimes(datetime(2005, 1, 1), datetime(2030, 1, 1))  # noqa: DTZ001 -- wall times
zones = st.sampled_from(ZONES).map(ZoneInfo)


def hours_of(some: list[Interval]) -> set[datetime]:
    return {EPOCH + HOUR * hour for hour in range(60) if any(one.contains(an_interval(hour, 1)) for one in some)}


@given(lists)
def test_merged_intervals_are_the_same_time_sorted_and_apart(some: list[Interval]):
    found = merged(some)

    assert hours_of(found) == hours_of(some)
    assert all(before.end < after.start for before, after in itertools.pairwise(found))


@given(lists, lists)
def test_cutting_out_leaves_what_is_in_one_and_not_in_the_other(some: list[Interval], holes: list[Interval]):
    assert hours_of(subtracted(some, holes)) == hours_of(some) - hours_of(holes)


@given(intervals, intervals)
def test_two_intervals_overlap_when_they_have_time_in_common(one: Interval, other: Interval):
    assert one.overlaps(other) == other.overlaps(one) == (one.intersection(other) is not None)
    assert one.contains(other) == (one.intersection(other) == other)


def test_intervals_that_touch_do_not_overlap():
    assert not an_interval(0, 1).overlaps(an_interval(1, 1))


@pytest.mark.parametrize(
    ("start", "end"),
    [(EPOCH, EPOCH), (EPOCH, EPOCH - HOUR), (EPOCH.replace(tzinfo=None), EPOCH.replace(tzinfo=None) + HOUR)],
)
def test_an_interval_needs_a_zone_and_some_time(start: datetime, end: datetime):
    with pytest.raises(ValueError, match="an interval"):
        Interval(start, end)


@given(walls, zones)
def test_a_wall_time_that_exists_is_read_back_from_its_instant(wall: datetime, zone: ZoneInfo):
    instant = wall_to_instant(wall, zone)

    if exists(wall, zone):
        assert instant.astimezone(zone).replace(tzinfo=None) == wall
    else:
        assert (instant - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None) < wall
        assert instant.astimezone(zone).replace(tzinfo=None) > wall


@given(walls, st.integers(1, 180), zones)
def test_later_on_the_wall_is_never_earlier(wall: datetime, minutes: int, zone: ZoneInfo):
    later = wall + timedelta(minutes=minutes)

    assert wall_to_instant(wall, zone) <= wall_to_instant(later, zone)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", date(2027, 3, 14), 23),
        ("America/New_York", date(2027, 11, 7), 25),
        ("Australia/Lord_Howe", date(2027, 10, 3), 23.5),
        ("Australia/Lord_Howe", date(2027, 4, 4), 24.5),
        ("America/Havana", date(2027, 3, 14), 23),
        ("Asia/Kathmandu", date(2027, 3, 14), 24),
    ],
)
def test_a_day_is_as_long_as_its_clocks_make_it(zone: str, day: date, hours: float):
    assert day_interval(day, ZoneInfo(zone)).duration == HOUR * hours


def test_a_day_that_a_country_skipped_has_no_time():
    apia = ZoneInfo("Pacific/Apia")

    assert wall_interval(date(2011, 12, 30), HOUR * 9, HOUR * 17, apia) is None
    with pytest.raises(ValueError, match="does not exist"):
        day_interval(date(2011, 12, 30), apia)


def test_hours_over_the_night_the_clocks_change_are_an_hour_shorter_or_longer():
    new_york = ZoneInfo("America/New_York")
    night = (HOUR, HOUR * 4)

    lengths = [wall_interval(date(2027, *day), *night, new_york) for day in ((3, 14), (11, 7), (6, 1))]

    assert [one.duration for one in lengths if one] == [HOUR * 2, HOUR * 4, HOUR * 3]


def test_a_skipped_wall_time_gives_the_instant_of_the_change_and_a_repeated_one_the_first():
    new_york = ZoneInfo("America/New_York")

    skipped = wall_to_instant(datetime.combine(date(2027, 3, 14), time(2, 30)), new_york)
    repeated = wall_to_instant(datetime.combine(date(2027, 11, 7), time(1, 30)), new_york)

    assert skipped == datetime(2027, 3, 14, 7, 0, tzinfo=UTC)
    assert repeated == datetime(2027, 11, 7, 5, 30, tzinfo=UTC)
