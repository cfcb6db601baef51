"""Our statuses in the words that other systems use, and back."""

from datetime import UTC, datetime, timedelta

import pytest

from booking.values import (
    AppointmentId,
    AppointmentStatus,
    BookedVisit,
    OtherWord,
    Slot,
    Source,
    in_other_words,
)

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
STATUS = AppointmentStatus


def a_visit(status: AppointmentStatus, hold_expires_at: datetime | None = None) -> BookedVisit:
    return BookedVisit(
        id=AppointmentId("visit"),
        uid="visit@frontdesk",
        sequence=0,
        status=status,
        service_id="service-cleaning",
        practitioner_id="practitioner-lee",
        location_id="location-main",
        patient_id=None,
        starts_at=NOW + timedelta(days=5),
        ends_at=NOW + timedelta(days=5, hours=1),
        hold_expires_at=hold_expires_at,
        source=Source.API,
    )


def test_a_free_time_is_available():
    slot = Slot(NOW, "practitioner-lee", "location-main", "service-cleaning", NOW + timedelta(hours=1))

    assert in_other_words(slot, now=NOW) == "available"


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (STATUS.PROPOSED, "requested"),
        (STATUS.PENDING, "scheduled"),
        (STATUS.BOOKED, "confirmed"),
        (STATUS.ARRIVED, "arrived"),
        (STATUS.FULFILLED, "completed"),
        (STATUS.CANCELLED, "cancelled"),
        (STATUS.NOSHOW, "no-show"),
        (STATUS.WAITLIST, "waiting"),
        (STATUS.ENTERED_IN_ERROR, "removed"),
    ],
)
def test_every_status_has_a_word_that_leads_back_to_it(status: AppointmentStatus, word: str):
    assert in_other_words(a_visit(status), now=NOW) == word
    assert OtherWord(word).status is status


@pytest.mark.parametrize(("left", "word"), [(timedelta(seconds=1), "scheduled"), (timedelta(0), "expired")])
def test_a_hold_is_scheduled_until_the_instant_it_runs_out(left: timedelta, word: str):
    assert in_other_words(a_visit(STATUS.PENDING, NOW + left), now=NOW) == word


def test_a_hold_that_came_to_something_is_called_by_what_it_is_now():
    assert in_other_words(a_visit(STATUS.CANCELLED, NOW - timedelta(days=1)), now=NOW) == "cancelled"


def test_every_word_can_be_read_back():
    assert {word: word.status for word in (OtherWord.AVAILABLE, OtherWord.EXPIRED)} == {
        OtherWord.AVAILABLE: None,
        OtherWord.EXPIRED: STATUS.PENDING,
    }
    assert all(word.status in STATUS for word in OtherWord if word is not OtherWord.AVAILABLE)


def test_every_status_is_named():
    assert {word.status for word in OtherWord} == {None, *STATUS}
