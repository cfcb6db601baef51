"""A text about a visit says when and where, and nothing a stranger should read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from booking.values import AppointmentId, AppointmentStatus, BookedVisit, Catalogue, PatientId, Source
from sms import keywords, segments
from sms.model import SmsKind
from sms.notices import compose
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)


def a_visit(starts_at: datetime = datetime(2027, 3, 16, 13, 0, tzinfo=UTC), location: str = "main") -> BookedVisit:
    return BookedVisit(
        id=AppointmentId("visit"),
        uid="visit@frontdesk",
        sequence=0,
        status=AppointmentStatus.BOOKED,
        service_id="service-skin-check",
        practitioner_id="practitioner-carter",
        location_id=f"location-{location}",
        patient_id=PatientId("ann"),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=30),
        hold_expires_at=None,
        source=Source.PHONE,
    )


def text(
    kind: SmsKind = SmsKind.BOOKED, *, visit: BookedVisit | None = None, catalogue: Catalogue | None = None
) -> str:
    return compose(catalogue or elm_catalogue(), visit or a_visit(), kind=kind, now=NOW)


def test_a_booking_is_told_with_day_time_zone_place_and_number():
    assert text() == (
        "Elm Street Clinic: your appointment is booked for Tue Mar 16, 9:00 AM EDT at Main Street, 1 Main Street, Albany. "
        "To change it, reply or call +1 212-555-0100."
    )


@pytest.mark.parametrize("kind", [SmsKind.BOOKED, SmsKind.MOVED, SmsKind.CANCELLED])
@pytest.mark.parametrize("location", ["main", "riverside"])
def test_a_text_of_the_demo_clinic_is_one_part(kind: SmsKind, location: str):
    counted = segments.count(text(kind, visit=a_visit(location=location)))

    assert (counted.encoding, counted.count) == (segments.Encoding.GSM_7, 1)


@pytest.mark.parametrize("kind", [SmsKind.BOOKED, SmsKind.MOVED, SmsKind.CANCELLED])
def test_neither_service_nor_practitioner_nor_a_word_of_the_network_is_in_it(kind: SmsKind):
    written = text(kind)

    assert "skin" not in written.lower()
    assert "Carter" not in written
    assert not {"STOP", "CANCEL", "END", "YES"} & set(written.split())
    assert keywords.as_word(written) == ""


def test_the_time_is_that_of_the_clinic_on_both_sides_of_the_clock_change():
    before = text(visit=a_visit(datetime(2027, 3, 12, 14, 0, tzinfo=UTC)))
    after = text(visit=a_visit(datetime(2027, 3, 15, 13, 0, tzinfo=UTC)))

    assert "Fri Mar 12, 9:00 AM EST" in before
    assert "Mon Mar 15, 9:00 AM EDT" in after


@pytest.mark.parametrize(
    ("starts_at", "said"),
    [
        (datetime(2027, 3, 16, 16, 0, tzinfo=UTC), "12:00 PM"),
        (datetime(2027, 3, 16, 4, 30, tzinfo=UTC), "12:30 AM"),
        (datetime(2027, 3, 16, 19, 5, tzinfo=UTC), "3:05 PM"),
        (datetime(2028, 1, 3, 14, 0, tzinfo=UTC), "Mon Jan 3 2028, 9:00 AM EST"),
    ],
)
def test_times_are_written_as_people_read_them(starts_at: datetime, said: str):
    assert said in text(visit=a_visit(starts_at))


def test_a_long_address_gives_way_to_one_part():
    elm = elm_catalogue()
    far = replace(elm.locations[0], address="Suite 4200, " * 8)

    written = text(catalogue=replace(elm, locations=(far, *elm.locations[1:])))

    assert segments.count(written).count == 1
    assert "at Main Street. To change" in written


def test_a_clinic_without_a_number_names_none():
    elm = elm_catalogue()
    silent = replace(elm, phone=None, locations=tuple(replace(one, phone=None) for one in elm.locations))

    assert text(catalogue=silent).endswith("To change it, reply.")
