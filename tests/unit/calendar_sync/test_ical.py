"""An appointment as an event, and what is read back from a calendar."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from calendar_sync.busy import Reader
from calendar_sync.entry import CalendarEntry, content_hash
from calendar_sync.ical import to_ical

pytestmark = pytest.mark.unit

AT = datetime(2027, 3, 14, 6, 30, tzinfo=UTC)  # 1:30 in Albany, half an hour before the clocks go forward
VISIT = CalendarEntry(
    uid="5c0f@frontdesk",
    sequence=2,
    starts_at=AT,
    ends_at=AT + timedelta(hours=1),
    summary="Dental cleaning",
    location="Main Street, 1 Main Street, Albany",
    is_confirmed=True,
)


def read_entry(text: str) -> CalendarEntry | None:
    return Reader(zone=ZoneInfo("America/New_York")).read(text, within=None).entry


def test_what_is_written_is_read_back() -> None:
    assert read_entry(to_ical(VISIT, stamped_at=AT)) == VISIT


def test_the_same_visit_gives_the_same_text() -> None:
    assert to_ical(VISIT, stamped_at=AT) == to_ical(VISIT, stamped_at=AT)


def test_times_are_written_in_utc_so_that_no_zone_has_to_be_described() -> None:
    local = VISIT.starts_at.astimezone(ZoneInfo("America/New_York"))

    text = to_ical(replace(VISIT, starts_at=local), stamped_at=AT)

    assert "DTSTART:20270314T063000Z" in text
    assert "VTIMEZONE" not in text


def test_the_event_is_private_and_blocks_the_time() -> None:
    event = Calendar.from_ical(to_ical(VISIT, stamped_at=AT)).events[0]

    assert (str(event["CLASS"]), str(event["TRANSP"]), int(event["SEQUENCE"])) == ("PRIVATE", "OPAQUE", 2)


def test_a_visit_that_waits_for_staff_is_tentative() -> None:
    assert "STATUS:TENTATIVE" in to_ical(replace(VISIT, is_confirmed=False), stamped_at=AT)


@pytest.mark.parametrize(
    "change",
    [
        {"starts_at": AT + timedelta(minutes=15)},
        {"ends_at": AT + timedelta(hours=2)},
        {"summary": "Filling"},
        {"location": "Riverside"},
        {"sequence": 3},
        {"is_confirmed": False},
    ],
)
def test_any_change_that_people_see_changes_the_hash(change: dict[str, Any]) -> None:
    assert content_hash(replace(VISIT, **change)) != content_hash(VISIT)


def test_a_client_that_names_its_own_zone_does_not_change_the_hash() -> None:
    text = to_ical(VISIT, stamped_at=AT)

    read = read_entry(text.replace("DTSTART:20270314T063000Z", "DTSTART;TZID=America/New_York:20270314T013000"))

    assert read is not None
    assert content_hash(read) == content_hash(VISIT)


def test_a_server_that_folds_and_reorders_the_text_does_not_change_the_hash() -> None:
    lines = to_ical(VISIT, stamped_at=AT).splitlines()
    begin, end = lines.index("BEGIN:VEVENT"), lines.index("END:VEVENT")
    shuffled = [*lines[: begin + 1], *reversed(lines[begin + 1 : end]), *lines[end:]]

    read = read_entry("\r\n".join(shuffled) + "\r\n")

    assert read is not None
    assert content_hash(read) == content_hash(VISIT)


@pytest.mark.parametrize(
    "text",
    [
        "not a calendar",
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20270314\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        (
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20270314T063000Z\r\nDTEND:20270314T073000Z\r\n"
            "RRULE:FREQ=DAILY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        ),
        (
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20270314T063000Z\r\nDTEND:20270314T073000Z\r\n"
            "STATUS:CANCELLED\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        ),
    ],
    ids=["rubbish", "empty", "all day", "a series", "cancelled"],
)
def test_what_is_not_one_of_ours_is_not_read_as_one(text: str) -> None:
    assert read_entry(text) is None
