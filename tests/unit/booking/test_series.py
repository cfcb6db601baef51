"""The dates of a series: wall time of the Location, bounded, and nothing that is not understood."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.several.series import MOST_DATES, InvalidRule, SeriesTooLong, series_dates
from booking.values import BookingRules
from kernel.interval import exists, wall_to_instant

pytestmark = pytest.mark.unit

ZONES = ("America/New_York", "Europe/Madrid", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")
DAY = timedelta(days=1)
NOW = datetime(2027, 1, 1, 12, 0, tzinfo=UTC)
A_YEAR = BookingRules(maximum_advance=365 * DAY)
NEW_YORK = ZoneInfo("America/New_York")
# Wall times.
THURSDAY_TEN = datetime(2027, 3, 11, 10, 0)  # noqa: DTZ001
BEFORE_THE_CHANGE = datetime(2027, 11, 6, 1, 30)  # noqa: DTZ001
FIRST, LAST = datetime(2027, 1, 2), datetime(2027, 12, 1)  # noqa: DTZ001


def walls(rule: str, first: datetime, zone: ZoneInfo = NEW_YORK, rules: BookingRules = A_YEAR) -> list[str]:
    dates = series_dates(rule, first_at=wall_to_instant(first, zone), zone=zone, rules=rules, now=NOW)
    return [f"{at.astimezone(zone):%a %d %b %H:%M}" for at in dates.starts_at]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY;COUNT=3", ["Thu 11 Mar 10:00", "Fri 12 Mar 10:00", "Sat 13 Mar 10:00"]),
        ("RRULE:FREQ=WEEKLY;COUNT=2", ["Thu 11 Mar 10:00", "Thu 18 Mar 10:00"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=2", ["Thu 11 Mar 10:00", "Thu 25 Mar 10:00"]),
        ("FREQ=WEEKLY;BYDAY=MO,TH;COUNT=3", ["Thu 11 Mar 10:00", "Mon 15 Mar 10:00", "Thu 18 Mar 10:00"]),
        ("freq=weekly;until=20270318", ["Thu 11 Mar 10:00", "Thu 18 Mar 10:00"]),
        ("FREQ=WEEKLY;UNTIL=20270318T135959Z", ["Thu 11 Mar 10:00"]),
        ("FREQ=WEEKLY;UNTIL=20270318T140000Z", ["Thu 11 Mar 10:00", "Thu 18 Mar 10:00"]),
        ("FREQ=MONTHLY;COUNT=2", ["Thu 11 Mar 10:00", "Sun 11 Apr 10:00"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=2", ["Wed 31 Mar 10:00", "Mon 31 May 10:00"]),
        ("FREQ=MONTHLY;BYDAY=2TU;COUNT=2", ["Tue 13 Apr 10:00", "Tue 11 May 10:00"]),
        ("FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1;COUNT=2", ["Fri 26 Mar 10:00", "Fri 30 Apr 10:00"]),
        ("FREQ=DAILY;UNTIL=20270101", []),
    ],
)
def test_dates_keep_their_wall_time(rule: str, expected: list[str]):
    assert walls(rule, THURSDAY_TEN) == expected


def test_a_wall_time_that_clocks_skip_is_told_and_one_that_comes_twice_is_the_first():
    spring = series_dates(
        "FREQ=DAILY;COUNT=3",
        first_at=datetime(2027, 3, 13, 7, 30, tzinfo=UTC),  # 02:30
        zone=NEW_YORK,
        rules=A_YEAR,
        now=NOW,
    )
    autumn = walls("FREQ=DAILY;COUNT=3", BEFORE_THE_CHANGE)

    assert [at.astimezone(NEW_YORK).day for at in spring.starts_at] == [13, 15]
    assert spring.skipped == (datetime(2027, 3, 14, 7, 0, tzinfo=UTC),)
    assert autumn == ["Sat 06 Nov 01:30", "Sun 07 Nov 01:30", "Mon 08 Nov 01:30"]


def test_a_rule_without_an_end_is_cut_and_says_so():
    first = datetime(2027, 1, 4, 15, 0, tzinfo=UTC)
    by_advance = series_dates("FREQ=WEEKLY", first_at=first, zone=NEW_YORK, rules=BookingRules(), now=NOW)
    by_number = series_dates("FREQ=DAILY", first_at=first, zone=NEW_YORK, rules=A_YEAR, now=NOW)
    whole = series_dates("FREQ=DAILY;COUNT=100", first_at=first, zone=NEW_YORK, rules=A_YEAR, now=NOW)

    assert (len(by_advance.starts_at), by_advance.ends_early) == (13, True)
    assert (len(by_number.starts_at), by_number.ends_early) == (MOST_DATES, True)
    assert (len(whole.starts_at), whole.ends_early) == (100, False)


@pytest.mark.parametrize("rule", ["FREQ=DAILY;COUNT=101", "FREQ=WEEKLY;COUNT=10000", "FREQ=DAILY;COUNT=999999"])
def test_a_rule_for_too_many_dates_is_refused(rule: str):
    with pytest.raises(SeriesTooLong):
        walls(rule, THURSDAY_TEN)


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "every Tuesday",
        "COUNT=3",
        "FREQ=HOURLY;COUNT=3",
        "FREQ=YEARLY;COUNT=3",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=-1",
        "FREQ=DAILY;COUNT=99999999999999999999",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=400",
        "FREQ=DAILY;COUNT=3;COUNT=4",
        "FREQ=DAILY;COUNT=3;UNTIL=20270401",
        "FREQ=DAILY;UNTIL=soon",
        "FREQ=DAILY;UNTIL=00010101T000000Z",  # before there were clocks in the clinic's zone
        "FREQ=DAILY;BYHOUR=9",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=WEEKLY;BYDAY=2MO",
        "FREQ=WEEKLY;BYDAY=",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=30;BYDAY=MO",
        "FREQ=MONTHLY;BYDAY=6MO",
        "FREQ=MONTHLY;BYDAY=5MO;BYSETPOS=2",
        "FREQ=WEEKLY;COUNT=3\nFREQ=DAILY",
    ],
)
def test_a_rule_that_is_not_understood_is_refused(rule: str):
    with pytest.raises(InvalidRule):
        walls(rule, THURSDAY_TEN)


@settings(max_examples=60)
@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    first=st.datetimes(FIRST, LAST).map(lambda at: at.replace(second=0, microsecond=0)),
    every=st.integers(1, 30),
    count=st.integers(1, 40),
)
def test_every_date_of_a_daily_rule_is_there_once_or_told(zone: ZoneInfo, first: datetime, every: int, count: int):
    rule = f"FREQ=DAILY;INTERVAL={every};COUNT={count}"
    if not exists(first, zone):
        return
    dates = series_dates(rule, first_at=wall_to_instant(first, zone), zone=zone, rules=A_YEAR, now=NOW)

    asked = [first + number * every * DAY for number in range(count)]
    ahead = [wall for wall in asked if wall_to_instant(wall, zone) <= NOW + 365 * DAY]
    assert list(dates.starts_at) == [wall_to_instant(wall, zone) for wall in ahead if exists(wall, zone)]
    assert list(dates.skipped) == [wall_to_instant(wall, zone) for wall in ahead if not exists(wall, zone)]
    assert dates.ends_early == (len(ahead) < count)
