"""What staff book by hand, and what they write about it, on both databases."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from booking.desk.by_hand import ByHand, book_by_hand
from booking.desk.notes import LONGEST, add_note, notes_of
from booking.ledger import UnknownVisit
from booking.patients import register_patient
from booking.queries import history, visit, visits_of_patient
from booking.rules import TooSoon
from booking.sessions import participants
from booking.values import AppointmentStatus, Catalogue, GroupSize, ServiceInfo, Source
from kernel.work import Database
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.visits import NOW, book

pytestmark = pytest.mark.integration

NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)
STAFF = "staff:kim"


def a_patient(database: Database, catalogue: Catalogue, name: str) -> str:
    with database.begin() as work:
        return register_patient(
            work, clinic_id=catalogue.clinic_id, name=name, birth_date=None, phone=None, language="en", now=NOW
        ).id


def by_hand(database: Database, catalogue: Catalogue, asked: ByHand) -> str:
    with database.begin() as work:
        return book_by_hand(work, catalogue, asked, now=NOW, actor=STAFF)


def with_service(catalogue: Catalogue, key: str, **changes: object) -> Catalogue:
    services = tuple(
        dataclasses.replace(one, **changes) if one.key == key else one  # type: ignore[arg-type]  # a builder of tests
        for one in catalogue.services
    )
    return dataclasses.replace(catalogue, services=services, _by_id={})


def asked_for(catalogue: Catalogue, service: ServiceInfo, patient_id: str, **others: object) -> ByHand:
    place = next(one for one in catalogue.locations if one.key == "main")
    return ByHand(service.id, place.id, NINE, patient_id, **others)  # type: ignore[arg-type]  # a builder of tests


def test_one_visit_is_booked_by_staff_and_rules_are_set_aside_with_a_reason(database: Database, catalogue: Catalogue):
    cleaning = next(one for one in catalogue.services if one.key == "cleaning")
    asked = asked_for(catalogue, cleaning, a_patient(database, catalogue, "Ann Smith"))
    soon = dataclasses.replace(asked, starts_at=NOW + timedelta(hours=1), practitioner_ids=("practitioner-lee",))
    with pytest.raises(TooSoon):
        by_hand(database, catalogue, soon)

    made = [
        by_hand(database, catalogue, asked),
        by_hand(database, catalogue, dataclasses.replace(soon, override_reason="in pain")),
    ]

    with database.read() as session:
        first, second = (visit(session, appointment_id=one) for one in made)
        assert (first.status, first.source) == (AppointmentStatus.BOOKED, Source.STAFF)
        assert second.overridden == ("too-soon",)
        assert [line.actor for line in history(session, appointment_id=made[1])] == [STAFF]


def test_a_group_is_opened_for_the_first_who_comes_and_joined_by_the_next(database: Database):
    catalogue = with_service(elm_catalogue(), "cleaning", group=GroupSize(1, 2))
    cleaning = next(one for one in catalogue.services if one.key == "cleaning")
    with database.begin() as work:
        store_catalogue(work, catalogue)
    first, second = (a_patient(database, catalogue, name) for name in ("Ann Smith", "Bo Reed"))

    session_id = by_hand(database, catalogue, asked_for(catalogue, cleaning, first))
    joined = by_hand(database, catalogue, asked_for(catalogue, cleaning, second, session_id=session_id))

    assert joined == session_id
    with database.read() as session:
        seats = participants(session, catalogue, session_id=session_id, now=NOW)
    assert {(seat.patient_id, seat.status) for seat in seats} == {
        (first, AppointmentStatus.BOOKED),
        (second, AppointmentStatus.BOOKED),
    }


def test_all_parts_of_a_package_are_booked_one_after_the_other(database: Database):
    catalogue = elm_catalogue()
    ids = {one.key: one.id for one in catalogue.services}
    steps = (ids["dental-exam"], ids["cleaning"])
    catalogue = with_service(catalogue, "urgent-dental", steps=steps, step_gap=timedelta(minutes=30))
    package = next(one for one in catalogue.services if one.key == "urgent-dental")
    with database.begin() as work:
        store_catalogue(work, catalogue)
    ann = a_patient(database, catalogue, "Ann Smith")

    first = by_hand(database, catalogue, asked_for(catalogue, package, ann))

    with database.read() as session:
        visits = visits_of_patient(session, patient_id=ann)
    assert [one.service_id for one in visits] == list(steps)
    assert {one.status for one in visits} == {AppointmentStatus.BOOKED}
    assert visits[0].id == first


def test_a_note_is_kept_for_staff_and_the_history_tells_only_that_there_is_one(
    database: Database, catalogue: Catalogue
):
    one = book(database, catalogue, practitioner="lee", starts_at=NINE)
    with database.begin() as work:
        for text in (" brings her own x-rays\n", "   ", "x" * (LONGEST + 1)):
            add_note(work, clinic_id=catalogue.clinic_id, appointment_id=one.id, text=text, now=NOW, actor=STAFF)
    with database.begin() as work, pytest.raises(UnknownVisit):
        add_note(work, clinic_id="another", appointment_id=one.id, text="hello", now=NOW, actor=STAFF)

    with database.read() as session:
        latest, first = notes_of(session, appointment_id=one.id)
        lines = history(session, appointment_id=one.id)
    assert (first.text, first.written_by, len(latest.text)) == ("brings her own x-rays", STAFF, LONGEST)
    assert [(line.what, line.after) for line in lines[-2:]] == [("note-written", {}), ("note-written", {})]
