"""Whatever a text says, it is read in bounded time, blocks what can be known, and tells what can't."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st

from calendar_sync.busy import Reader
from kernel.interval import Interval

pytestmark = pytest.mark.unit

READER = Reader(zone=ZoneInfo("America/New_York"))
WITHIN = Interval(datetime(2027, 3, 8, tzinfo=UTC), datetime(2027, 4, 5, tzinfo=UTC))
NINE = datetime(2027, 3, 16, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
START = "DTSTART:20270316T090000Z"
END = "DTEND:20270316T100000Z"


def event(*lines: str, newline: str = "\r\n") -> str:
    return newline.join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:one", *lines, "END:VEVENT", "END:VCALENDAR", ""])


@pytest.mark.parametrize(
    "text",
    [
        event(START, END, newline="\n"),
        event(START, END, newline="\r"),
        "\ufeff" + event(START, END),
        event("DTSTART:2027", " 0316T09\r\n\t0000Z", END),
        event("dtstart:20270316t090000z", "dtend:20270316T100000Z"),
        event(START, END).removesuffix("END:VEVENT\r\nEND:VCALENDAR\r\n"),
        event("DESCRIPTION:a line that", "was broken off without: a blank", START, END),
        event("ATTACH;ENCODING=BASE64;VALUE=BINARY:" + "QUJD" * 1_000_000, START, END),
        event('X-NOTE;CN="a:b;c":DTSTART', START, END, "END:VALARM"),
    ],
    ids=["LF", "CR", "BOM", "folded", "small letters", "not closed", "badly folded", "with a picture", "odd"],
)
def test_a_badly_written_event_takes_its_time_all_the_same(text: str) -> None:
    read = READER.read(text, within=WITHIN)

    assert (read.uid, read.busy, read.faults) == ("one", (Interval(NINE, NINE + HOUR),), ())


@pytest.mark.parametrize("text", ["", "not a calendar", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "\0" * 1000])
def test_what_is_no_event_is_told(text: str) -> None:
    read = READER.read(text, within=WITHIN)

    assert (read.entry, read.busy, read.faults) == (None, (), ("unreadable",))


def test_an_event_that_says_too_much_is_told_by_its_name() -> None:
    dates = ",".join(["20270316T090000Z"] * 80_000)

    read = READER.read(event(START, END, f"RDATE:{dates}"), within=WITHIN)

    assert (read.uid, read.busy, read.faults) == ("one", (), ("too-large",))


def test_more_single_dates_than_anybody_has_are_told() -> None:
    dates = ",".join(f"{NINE + timedelta(minutes=number):%Y%m%dT%H%M%S}Z" for number in range(20_001))

    read = READER.read(event(START, END, f"RDATE:{dates}"), within=WITHIN)

    assert read.faults == ("too-many",)
    assert read.busy[0].start == NINE


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("FREQ=SECONDLY", "too-many"),
        ("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "too-many"),
        ("FREQ=MINUTELY;COUNT=999999999", "too-many"),
        (f"FREQ=DAILY;BYHOUR={','.join(map(str, range(24)))};BYMINUTE={','.join(map(str, range(60)))}", "too-many"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", None),
        ("FREQ=YEARLY;BYWEEKNO=1;BYMONTH=7", None),
        ("FREQ=HOURLY;BYSETPOS=1", "repeats-unreadable"),
        ("FREQ=HOURLY;BYDAY=1MO", "repeats-unreadable"),
        ("FREQ=WEEKLY;BYDAY=XX", "repeats-unreadable"),
        ("FREQ=YEARLY;RSCALE=CHINESE;BYMONTH=1", "repeats-unreadable"),
        ("FREQ=DAILY;UNTIL=someday", "repeats-unreadable"),
        ("COUNT=3", "repeats-unreadable"),
        ("FREQ=DAILY;INTERVAL=999999999", None),
        ("nonsense", "repeats-unreadable"),
    ],
)
def test_a_rule_that_is_no_use_still_leaves_the_first_time(rule: str, fault: str | None) -> None:
    read = READER.read(event(START, END, f"RRULE:{rule}"), within=WITHIN)

    assert read.busy == (Interval(NINE, NINE + HOUR),)
    assert read.faults == ((fault,) if fault else ())


@pytest.mark.parametrize(
    "line",
    [
        "DTEND:20270316T080000Z",
        "DTEND:99990101T000000Z",
        "DTEND:",
        "DURATION:-PT1H",
        "DURATION:an hour",
        "DURATION:PT",
        "DURATION:P999999D",
    ],
)
def test_an_end_that_cannot_be_is_taken_for_an_hour(line: str) -> None:
    read = READER.read(event(START, line), within=WITHIN)

    assert (read.entry, read.busy, read.faults) == (None, (Interval(NINE, NINE + HOUR),), ("end-unreadable",))


@pytest.mark.parametrize(
    "line",
    ["DTSTART:20270230T090000Z", "DTSTART:20270316T250000Z", "DTSTART:", "DTSTART;VALUE=PERIOD:20270316T090000Z/PT1H"],
)
def test_an_event_that_does_not_say_when_is_told(line: str) -> None:
    read = READER.read(event(line, END), within=WITHIN)

    assert (read.busy, read.faults) == ((), ("unreadable",))


def test_events_at_the_ends_of_time_do_no_harm() -> None:
    first = READER.read(event("DTSTART;TZID=Asia/Tokyo:00010101T000000", "DURATION:PT1H"), within=WITHIN)
    last = READER.read(event("DTSTART:99991231T230000Z", "DURATION:P1D", "RRULE:FREQ=YEARLY"), within=WITHIN)

    assert (first.busy, last.busy, last.faults) == ((), (), ())


def test_a_zone_that_a_text_explains_means_nothing_to_the_next_text() -> None:
    explained = (
        "BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:Here\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
        "TZOFFSETFROM:+0900\r\nTZOFFSETTO:+0900\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:one\r\n"
        "DTSTART;TZID=Here:20270316T180000\r\nDURATION:PT1H\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )

    first = READER.read(explained, within=WITHIN)
    second = READER.read(event("DTSTART;TZID=Here:20270316T050000", "DURATION:PT1H"), within=WITHIN)

    assert (first.busy, first.faults) == ((Interval(NINE, NINE + HOUR),), ())
    assert (second.busy, second.faults) == ((Interval(NINE, NINE + HOUR),), ("unknown-zone",))


def test_a_zone_whose_rules_make_no_sense_is_one_that_nobody_knows() -> None:
    text = event("DTSTART;TZID=Here:20270316T050000", "DURATION:PT1H").replace(
        "BEGIN:VEVENT",
        "BEGIN:VTIMEZONE\r\nTZID:Here\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nRRULE:FREQ=SECONDLY\r\n"
        "TZOFFSETFROM:+0900\r\nTZOFFSETTO:+0900\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT",
        1,
    )

    read = READER.read(text, within=WITHIN)

    assert (read.busy, read.faults) == ((Interval(NINE, NINE + HOUR),), ("unknown-zone",))


def test_a_series_that_began_long_ago_is_read_where_it_is_asked_for() -> None:
    read = READER.read(event("DTSTART:18000101T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"), within=WITHIN)

    assert len(read.busy) == 28
    assert read.faults == ()


def test_an_occurrence_changed_twice_is_as_the_last_change_says() -> None:
    changes = [
        f"END:VEVENT\r\nBEGIN:VEVENT\r\nUID:one\r\nRECURRENCE-ID:20270316T090000Z\r\nSEQUENCE:{sequence}\r\n"
        f"DTSTART:20270317T{hour}0000Z\r\nDURATION:PT1H"
        for sequence, hour in ((2, 15), (1, 12))
    ]

    read = READER.read(event(START, END, "RRULE:FREQ=DAILY;COUNT=1", *changes), within=WITHIN)

    assert read.busy == (Interval(NINE + timedelta(hours=30), NINE + timedelta(hours=31)),)


def test_nobody_is_busy_when_no_time_is_asked_for() -> None:
    assert READER.read(event(START, END, "RRULE:FREQ=DAILY"), within=None).busy == ()


PARTS = st.fixed_dictionaries(
    {"FREQ": st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]), "INTERVAL": st.integers(1, 5)},
    optional={
        "COUNT": st.integers(1, 40),
        "BYDAY": st.lists(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, unique=True),
        "BYMONTHDAY": st.lists(st.sampled_from([-28, -3, -1, 1, 9, 15]), min_size=1, unique=True),
        "BYMONTH": st.lists(st.integers(1, 12), min_size=3, unique=True),
        "BYHOUR": st.lists(st.integers(0, 23), min_size=1, max_size=3, unique=True),
    },
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(parts=PARTS, minute=st.integers(0, 650_000))
def test_a_rule_gives_the_times_that_another_library_finds(parts: dict[str, object], minute: int) -> None:
    begins = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    said = {name: ",".join(map(str, one)) if isinstance(one, list) else one for name, one in parts.items()}
    rule = ";".join(f"{name}={value}" for name, value in said.items())
    text = event(f"DTSTART:{begins:%Y%m%dT%H%M%S}Z", "DURATION:PT1M", f"RRULE:{rule}")

    read = READER.read(text, within=WITHIN)

    expected = recurring_ical_events.of(icalendar.Calendar.from_ical(text)).between(WITHIN.start, WITHIN.end)
    assert [span.start for span in read.busy] == sorted({one.start for one in expected})
