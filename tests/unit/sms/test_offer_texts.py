"""The text that offers freed time says when, where and until when, and can be answered by one key."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from booking.values import AppointmentId, AppointmentStatus, BookedVisit, Catalogue, PatientId, Source
from sms import keywords, segments
from sms.offer_texts import OfferedTime, compose_offer
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
NINE = datetime(2027, 3, 16, 13, 0, tzinfo=UTC)


def a_visit(starts_at: datetime = NINE, location: str = "main") -> BookedVisit:
    return BookedVisit(
        id=AppointmentId("visit"),
        uid="visit@frontdesk",
        sequence=0,
        status=AppointmentStatus.PENDING,
        service_id="service-skin-check",
        practitioner_id="practitioner-carter",
        location_id=f"location-{location}",
        patient_id=PatientId("ann"),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=30),
        hold_expires_at=NOW + timedelta(minutes=30),
        source=Source.SMS,
    )


def text(
    *,
    catalogue: Catalogue | None = None,
    replaces: BookedVisit | None = None,
    is_shared: bool = False,
    expires_at: datetime = NOW + timedelta(minutes=30),
    location: str = "main",
) -> str:
    offered = OfferedTime(a_visit(location=location), expires_at, replaces, is_shared)
    return compose_offer(catalogue or elm_catalogue(), offered, now=NOW)


def test_an_offer_says_when_where_until_when_and_how_to_answer():
    assert text() == (
        "Elm Street Clinic: Tue Mar 16, 9:00 AM EDT at Main Street, 1 Main Street, Albany has come free. Reply 1 to take it, "
        "2 to pass, by 10:30 AM. Questions: +1 212-555-0100."
    )


def test_whoever_has_a_visit_is_told_which_one_it_would_replace():
    later = a_visit(NINE + timedelta(days=7))

    assert "has come free, instead of Tue Mar 23, 9:00 AM EDT. Reply 1" in text(replaces=later)


def test_whoever_is_not_the_only_one_is_told_so():
    assert "The first to reply gets it." in text(is_shared=True)


def test_a_deadline_on_another_day_has_its_date():
    assert "by Thu Mar 11, 8:30 AM EST." in text(expires_at=datetime(2027, 3, 11, 13, 30, tzinfo=UTC))


LONG = "The Very Long Name of a Centre for Everything That Can Be Done About Teeth and Skin, North-East"


@pytest.mark.parametrize("name", ["Elm Street Clinic", LONG])
@pytest.mark.parametrize("location", ["main", "riverside"])
@pytest.mark.parametrize("is_shared", [True, False])
def test_it_is_two_parts_of_the_basic_alphabet_at_most(name: str, location: str, is_shared: bool):
    catalogue = replace(elm_catalogue(), name=name, _by_id={})
    longest = text(
        catalogue=catalogue,
        location=location,
        is_shared=is_shared,
        replaces=a_visit(NINE + timedelta(days=300)),
        expires_at=NOW + timedelta(days=2),
    )

    counted = segments.count(longest)

    assert counted.encoding is segments.Encoding.GSM_7
    assert counted.count <= 2


def test_neither_service_nor_practitioner_is_in_it_and_no_answer_is_a_word_of_the_network():
    assert not {"Skin", "Carter"} & set(text().replace(",", " ").split())
    for answer in ("1", "2"):
        assert keywords.read(answer, opt_out_type="", is_opted_out=False) is keywords.Action.CONVERSE
