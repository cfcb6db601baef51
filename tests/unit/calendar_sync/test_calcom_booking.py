"""What a booking that Cal.com tells of means here."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calendar_sync.adapters.calcom_booking import Booking, Stand, metadata_of
from calendar_sync.adapters.calcom_client import ConnectedCalendar
from calendar_sync.adapters.calcom_reading import Position
from calendar_sync.entry import CalendarEntry
from kernel.interval import Interval

pytestmark = pytest.mark.unit

AT = datetime(2027, 10, 31, 0, 30, tzinfo=UTC)  # half past two in Berlin, in the hour that comes twice
LENGTH = timedelta(minutes=45)
VISIT = CalendarEntry(
    uid="visit-1@frontdesk",
    sequence=3,
    starts_at=AT,
    ends_at=AT + LENGTH,
    summary="Zahnreinigung",
    location="Hauptstraße 1",
    is_confirmed=True,
)


def a_booking(**changes: Any) -> Booking:
    told = {
        "id": 7,
        "uid": "uid-1",
        "title": "Check-up between Mina Lee and Ann Smith",
        "status": "accepted",
        "start": "2027-10-31T00:30:00.000Z",
        "end": "2027-10-31T01:15:00.000Z",
        "eventTypeId": 12,
        "eventType": {"id": 12, "slug": "check-up"},
        "hosts": [{"id": 1, "name": "Mina Lee", "email": "lee@clinic.example"}],
        "attendees": [
            {"name": "Ann Smith", "email": "ann@example.com", "phoneNumber": "+12125550123", "language": "de"}
        ],
        "metadata": {},
        "bookingFieldsResponses": {},
        "icsUid": "uid-1@Cal.com",
        "updatedAt": "2027-10-01T00:00:00.000Z",
    }
    return Booking.model_validate(told | changes)


def of_ours(**changes: Any) -> Booking:
    attends = [{"name": VISIT.summary, "email": "visits@clinic.example"}]
    return a_booking(attendees=attends, metadata=metadata_of(VISIT, name="visit-1"), **changes)


def test_our_own_visit_is_read_as_it_was_written() -> None:
    booking = of_ours()

    assert booking.entry() == VISIT
    assert booking.our_name == "visit-1"
    assert booking.remote_booking() is None


def test_who_booked_there_is_read_with_number_and_address() -> None:
    found = a_booking().remote_booking()

    assert found is not None
    assert (found.name, found.phone, found.email, found.language) == (
        "Ann Smith",
        "+12125550123",
        "ann@example.com",
        "de",
    )
    assert (found.starts_at, found.ends_at, found.is_confirmed) == (AT, AT + LENGTH, True)
    assert found.kinds == ("check-up", "Check-up")


def test_nobody_is_named_where_a_booking_is_shown_or_compared() -> None:
    event = a_booking().event(href="uid-1", within=None)

    assert event.entry is not None
    assert event.entry.summary == ""
    assert not {"Ann", "Smith", "ann@example.com", "+12125550123"} & set(event.version.split())
    assert "Smith" not in repr(event)
    assert "ann@example.com" not in repr(event)


@pytest.mark.parametrize("field", ["attendeePhoneNumber", "phone", "smsReminderNumber"])
def test_a_number_may_stand_among_the_answers(field: str) -> None:
    who = {"name": "Ann Smith", "email": "ann@example.com"}

    found = a_booking(attendees=[who], bookingFieldsResponses={field: "+12125550177"}).remote_booking()

    assert found is not None
    assert found.phone == "+12125550177"


def test_an_address_that_cal_com_made_up_of_a_number_is_none() -> None:
    who = {"name": "Ann Smith", "email": "12125550123@sms.cal.com", "phoneNumber": "+12125550123"}

    found = a_booking(attendees=[who]).remote_booking()

    assert found is not None
    assert (found.email, found.phone) == (None, "+12125550123")


@pytest.mark.parametrize(
    "attendees", [[], [{"name": "Ann", "email": "a@x.example"}, {"name": "Bob", "email": "b@x.example"}]]
)
def test_a_booking_for_nobody_or_for_several_only_takes_time(attendees: list[dict[str, str]]) -> None:
    event = a_booking(attendees=attendees).event(href="uid-1", within=Interval(AT, AT + timedelta(hours=1)))

    assert event.booking is None
    assert event.busy == (Interval(AT, AT + LENGTH),)


@pytest.mark.parametrize(
    ("status", "is_live", "is_confirmed"),
    [("accepted", True, True), ("pending", True, False), ("cancelled", False, False), ("rejected", False, False)],
)
def test_what_waits_for_a_yes_takes_time_and_what_got_a_no_does_not(
    status: str, is_live: bool, is_confirmed: bool
) -> None:
    booking = a_booking(status=status)

    assert (booking.is_live, booking.is_confirmed) == (is_live, is_confirmed)


@pytest.mark.parametrize(
    "changes",
    [
        {"uid": "uid-2"},
        {"start": "2027-10-31T00:31:00.000Z"},
        {"end": "2027-10-31T01:16:00.000Z"},
        {"status": "pending"},
        {"eventTypeId": 13},
        {"attendees": [{"name": "Ann Smyth", "email": "ann@example.com"}]},
    ],
)
def test_a_change_that_matters_is_another_version(changes: dict[str, Any]) -> None:
    assert Stand.of(a_booking(**changes)) != Stand.of(a_booking())


def test_a_change_that_does_not_matter_is_the_same_version() -> None:
    changed = a_booking(updatedAt="2027-10-30T00:00:00.000Z", rating=5, absentHost=True, title="Other words")

    assert Stand.of(changed) == Stand.of(a_booking())


def test_a_version_says_which_booking_it_is_and_when() -> None:
    stand = Stand.of(a_booking())

    assert Stand.read(str(stand)) == stand
    assert (stand.uid, stand.time) == ("uid-1", Interval(AT, AT + LENGTH))


@pytest.mark.parametrize("version", ["", '"etag"', "a b c d", "uid 20271031T003000Z 20271031T011500Z", "uid x y z"])
def test_what_is_no_version_of_a_booking_is_not_read_as_one(version: str) -> None:
    assert Stand.read(version) is None


@pytest.mark.parametrize(
    ("addresses", "concerns"),
    [
        ((), True),
        (("LEE@clinic.example",), True),
        (("ann@example.com",), True),
        (("other@clinic.example",), False),
    ],
)
def test_a_booking_concerns_who_hosts_or_attends_it(addresses: tuple[str, ...], concerns: bool) -> None:
    assert a_booking().concerns(addresses) is concerns


def test_what_is_kept_with_a_booking_fits_into_cal_coms_limits() -> None:
    kept = metadata_of(
        CalendarEntry("u" * 60, 9, AT, AT + LENGTH, "s" * 900, "l" * 900, is_confirmed=True), name="n" * 60
    )

    assert len(kept) <= 50
    assert all(len(key) <= 40 and len(value) <= 500 for key, value in kept.items())


def test_a_position_is_read_as_it_was_written() -> None:
    position = Position(AT, (ConnectedCalendar(3, 'lee "home" <lee@example.com>'),))

    assert Position.read(str(position)) == position


@pytest.mark.parametrize(
    "token", [None, "", "7", "[]", "{}", "null", '["yesterday", []]', '["2027-10-31T00:30:00+00:00", [1]]', "memory-3"]
)
def test_what_is_no_position_is_not_read_as_one(token: str | None) -> None:
    assert Position.read(token) is None
