"""Invitations and feeds as other people's programs read them: two libraries, and the clock of the zone database."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import vobject
from dateutil.tz import tzical
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from calendar_sync.entry import CalendarEntry
from calendar_sync.ical import Method, to_feed, to_invitation
from kernel.interval import Interval
from kernel.mail import Mailbox

pytestmark = pytest.mark.unit

AT = datetime(2027, 3, 14, 6, 30, tzinfo=UTC)  # 1:30 in Albany, half an hour before the clocks go forward
NEW_YORK = ZoneInfo("America/New_York")
HOUR = timedelta(hours=1)
VISIT = CalendarEntry(
    uid="5c0f@frontdesk",
    sequence=2,
    starts_at=AT,
    ends_at=AT + HOUR,
    summary="Cita en Clínica Olmo; planta 2, puerta B",
    location='Main "Street", 1 Main Street\nAlbany',
    is_confirmed=True,
)
CLINIC = Mailbox("desk@elm.example", 'Elm: Street "Clinic"')
ANN = Mailbox("ann+visits@example.org", "Smith, Ann")


def invitation(entry: CalendarEntry = VISIT, *, method: Method = Method.REQUEST, zone: ZoneInfo = NEW_YORK) -> str:
    return to_invitation(entry, method=method, organizer=CLINIC, attendee=ANN, zone=zone, stamped_at=AT - HOUR)


def read_strictly(text: str) -> Calendar:
    """Read a text with two libraries, both of which must find nothing wrong with it."""
    calendar = Calendar.from_ical(text)
    assert calendar.errors == []
    assert all(part.errors == [] for part in calendar.walk())
    assert vobject.readOne(text).validate(raiseException=True)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert "\n" not in text.replace("\r\n", "")
    return calendar


def test_an_invitation_asks_the_patient_on_behalf_of_the_clinic() -> None:
    calendar = read_strictly(invitation())

    [event] = calendar.events
    attendee = event["ATTENDEE"]
    assert calendar["METHOD"] == "REQUEST"
    assert (str(event["UID"]), int(event["SEQUENCE"]), str(event["STATUS"])) == ("5c0f@frontdesk", 2, "CONFIRMED")
    assert str(event["ORGANIZER"]) == "mailto:desk@elm.example"
    assert str(attendee) == "mailto:ann+visits@example.org"
    assert (attendee.params["CN"], attendee.params["RSVP"]) == ("Smith, Ann", "TRUE")
    assert event.stamp == AT - HOUR
    assert (str(event["SUMMARY"]), str(event["LOCATION"])) == (VISIT.summary, VISIT.location)


def test_a_visit_that_is_off_is_taken_out_again() -> None:
    calendar = read_strictly(invitation(replace(VISIT, sequence=3), method=Method.CANCEL))

    [event] = calendar.events
    assert (calendar["METHOD"], str(event["STATUS"])) == ("CANCEL", "CANCELLED")
    assert (str(event["UID"]), int(event["SEQUENCE"])) == (VISIT.uid, 3)
    assert str(event["ATTENDEE"]) == "mailto:ann+visits@example.org"


def test_a_visit_that_waits_for_staff_is_tentative() -> None:
    assert "STATUS:TENTATIVE" in invitation(replace(VISIT, is_confirmed=False))


def test_an_invitation_says_nothing_that_was_not_meant_to_be_said() -> None:
    [event] = read_strictly(invitation()).events

    assert set(event) == {
        *("UID", "DTSTAMP", "DTSTART", "DTEND", "SEQUENCE", "SUMMARY", "LOCATION", "STATUS", "TRANSP", "CLASS"),
        *("ORGANIZER", "ATTENDEE"),
    }


def test_the_same_invitation_is_the_same_text() -> None:
    assert invitation() == invitation()


def test_line_breaks_in_names_begin_no_property() -> None:
    text = to_invitation(
        VISIT,
        method=Method.REQUEST,
        organizer=Mailbox("desk@elm.example", "Elm\r\nATTENDEE:mailto:eve@example.org"),
        attendee=Mailbox("ann@example.org", "Ann\nEND:VEVENT"),
        zone=NEW_YORK,
        stamped_at=AT,
    )

    [event] = read_strictly(text).events
    assert str(event["ATTENDEE"]) == "mailto:ann@example.org"


def times_as_explained(text: str) -> tuple[datetime, ...]:
    """Read when it is from the zone as the text explains it, without asking the zone database."""
    [event] = Calendar.from_ical(text).events
    found = []
    for at in (event["DTSTART"], event["DTEND"]):
        zone = tzical(io.StringIO(text)).get() if "TZID" in at.params else UTC
        found.append(at.dt.replace(tzinfo=zone).astimezone(UTC))
    return tuple(found)


ZONES = (
    *("America/New_York", "Europe/Madrid", "Europe/Dublin", "Australia/Lord_Howe", "America/Sao_Paulo"),
    *("Asia/Kolkata", "Africa/Casablanca", "Pacific/Chatham", "America/St_Johns", "Asia/Gaza", "UTC"),
)


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    starts_at=st.integers(0, 800 * 24 * 4).map(lambda quarters: AT + quarters * timedelta(minutes=15)),
    length=st.integers(1, 96).map(lambda quarters: quarters * timedelta(minutes=15)),
)
def test_whoever_knows_no_zones_reads_the_right_instants_from_the_text(
    zone: ZoneInfo, starts_at: datetime, length: timedelta
) -> None:
    text = invitation(replace(VISIT, starts_at=starts_at, ends_at=starts_at + length), zone=zone)

    assert times_as_explained(text) == (starts_at, starts_at + length)


@pytest.mark.parametrize(
    "starts_at",
    [
        datetime(2027, 3, 14, 6, 0, tzinfo=UTC),  # the clocks go forward at its end
        datetime(2027, 3, 14, 6, 30, tzinfo=UTC),  # and in its middle
        datetime(2027, 3, 14, 7, 0, tzinfo=UTC),  # and at its beginning
        datetime(2027, 11, 7, 5, 30, tzinfo=UTC),  # 1:30 for the first time
        datetime(2027, 11, 7, 6, 30, tzinfo=UTC),  # and for the second
        datetime(2028, 1, 1, 4, 30, tzinfo=UTC),
    ],
)
def test_clock_changes_are_right_to_the_minute(starts_at: datetime) -> None:
    text = invitation(replace(VISIT, starts_at=starts_at, ends_at=starts_at + HOUR))

    [event] = read_strictly(text).events
    assert times_as_explained(text) == (starts_at, starts_at + HOUR)
    assert event.start.astimezone(UTC) == starts_at


def test_a_visit_is_shown_on_the_clock_of_the_place() -> None:
    text = invitation()

    assert "DTSTART;TZID=America/New_York:20270314T013000" in text
    assert "DTEND;TZID=America/New_York:20270314T033000" in text
    assert "DTSTART:20270314T020000" in text, "the change itself, by the clock that was set"


def test_the_second_of_two_equal_times_is_told_in_utc() -> None:
    text = invitation(replace(VISIT, starts_at=datetime(2027, 11, 7, 6, 30, tzinfo=UTC), ends_at=AT + 365 * 24 * HOUR))

    assert "DTSTART:20271107T063000Z" in text


def feed(entries: list[tuple[CalendarEntry, datetime]]) -> str:
    return to_feed(entries, name="Dr. Mina Lee\r\nX-A:b", zone=NEW_YORK, within=Interval(AT, AT + 365 * 24 * HOUR))


def test_a_feed_without_visits_is_still_a_calendar() -> None:
    calendar = read_strictly(feed([]))

    assert (calendar["METHOD"], calendar.events) == ("PUBLISH", [])
    assert len(calendar.walk("VTIMEZONE")) == 1


def test_a_feed_has_every_visit_at_its_instant() -> None:
    other = replace(VISIT, uid="6d@frontdesk", starts_at=AT + 300 * 24 * HOUR, ends_at=AT + 301 * 24 * HOUR)

    calendar = read_strictly(feed([(VISIT, AT), (other, AT)]))

    assert [event.start for event in calendar.events] == [VISIT.starts_at, other.starts_at]
    assert feed([(VISIT, AT)]) == feed([(VISIT, AT)])
