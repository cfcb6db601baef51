"""Groups: sessions, seats and who takes part, on both databases."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from booking.asked import UnknownPatient
from booking.cancel import cancel_appointment
from booking.catalogue import stored_rules
from booking.confirm import NotHeld, confirm_hold
from booking.desk.attendance import SETTLES, complete_past
from booking.expiry import expire_holds
from booking.guard import SlotTaken, schedule_tag
from booking.hold import place_hold
from booking.ledger import UnknownVisit, VisitClosed
from booking.model.appointment import Allocation, Appointment, Participant
from booking.model.clinic import Clinic
from booking.queries import find_first_slot, find_slots, visit
from booking.rules import PatientOverlap, TooLateToChange, TooSoon
from booking.sessions import Seat, participants, seats_of_patients
from booking.several.groups import (
    NotAGroup,
    SessionByStaff,
    SessionFull,
    UnknownSeat,
    cancel_session,
    confirm_seat,
    join_session,
    leave_session,
    look_after_sessions,
    open_session,
    release_seat,
    start_session,
)
from booking.tasks import close_task, open_tasks
from booking.values import AppointmentStatus, BookedVisit, Catalogue, Slot, SlotQuery, Source
from kernel.interval import Interval
from kernel.work import Database, OutboxEntry
from tests.support.clinic_rows import store_catalogue
from tests.support.together import GROUP, elm_with_more

pytestmark = pytest.mark.integration

MONDAY_NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RIVERSIDE, NOVAK = "location-riverside", "practitioner-novak"
PHYSIO = "service-physio-followup"


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    stored = elm_with_more()
    with database.begin() as work:
        store_catalogue(work, stored)
    return stored


class Desk:
    """The clinic as a conversation uses it; each call is a transaction of its own."""

    def __init__(self, database: Database, catalogue: Catalogue, now: datetime) -> None:
        self.database, self.catalogue, self.now = database, catalogue, now

    def open(self, starts_at: datetime = MONDAY_NINE, **changes: Any) -> BookedVisit:
        details = {"service_id": GROUP, "location_id": RIVERSIDE, "actor": "staff:ann"} | changes
        with self.database.begin() as work:
            return open_session(work, self.catalogue, starts_at=starts_at, now=self.now, **details)

    def start(self, starts_at: datetime = MONDAY_NINE, **changes: Any) -> Seat:
        details = {"service_id": GROUP, "location_id": RIVERSIDE, "conversation_id": "c-0", "source": Source.SMS}
        with self.database.begin() as work:
            return start_session(work, self.catalogue, starts_at=starts_at, now=self.now, **(details | changes))

    def join(self, session: BookedVisit, patient_id: str | None = None, **changes: Any) -> Seat:
        details = {"conversation_id": f"c-{patient_id}", "source": Source.SMS, "patient_id": patient_id} | changes
        with self.database.begin() as work:
            return join_session(work, self.catalogue, session_id=session.id, now=self.now, **details)

    def confirm(self, seat: Seat, patient_id: str) -> Seat:
        with self.database.begin() as work:
            return confirm_seat(
                work, self.catalogue, seat_id=seat.id, patient_id=patient_id, now=self.now, actor="patient"
            )

    def book(self, session: BookedVisit, patient_id: str) -> Seat:
        return self.confirm(self.join(session, patient_id), patient_id)

    def leave(self, session: BookedVisit, patient_id: str, *, actor: str = "patient") -> Seat:
        with self.database.begin() as work:
            return leave_session(
                work, self.catalogue, session_id=session.id, patient_id=patient_id, now=self.now, actor=actor
            )

    def cancel(self, session: BookedVisit, *, actor: str = "staff:ann") -> BookedVisit:
        with self.database.begin() as work:
            return cancel_session(work, self.catalogue, session_id=session.id, reason="ill", now=self.now, actor=actor)

    def look_after(self) -> int:
        with self.database.begin() as work:
            return look_after_sessions(work, now=self.now)

    def who(self, session: BookedVisit) -> set[str | None]:
        with self.database.read() as reading:
            found = participants(reading, self.catalogue, session_id=session.id, now=self.now)
        assert len({seat.id for seat in found}) == len(found)
        return {seat.patient_id for seat in found}

    def found(self, **others: Any) -> list[Slot]:
        query = SlotQuery(GROUP, Interval(MONDAY_NINE, MONDAY_NINE + DAY))
        with self.database.read() as session:
            return find_slots(session, self.catalogue, query=query, now=self.now, **others)

    def told(self, name: str) -> list[str]:
        with self.database.read() as session:
            rows = session.scalars(select(OutboxEntry.payload).where(OutboxEntry.name == name))
            return [payload["seat_id"] for payload in rows]

    def look(self, appointment_id: str) -> BookedVisit:
        with self.database.read() as session:
            return visit(session, appointment_id=appointment_id)

    def count(self, row: Any) -> int:
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(row)) or 0


@pytest.fixture
def desk(database: Database, catalogue: Catalogue, now: datetime) -> Desk:
    return Desk(database, catalogue, now)


def test_a_session_takes_the_time_of_one_visit_and_is_offered_while_it_has_room(
    desk: Desk, a_patient: Callable[..., str]
):
    session = desk.open()

    assert [(slot.session_id, slot.starts_at, slot.practitioner_id) for slot in desk.found()] == [
        (session.id, MONDAY_NINE, NOVAK)
    ]
    assert desk.count(Allocation) == 1
    patients = [a_patient(f"Patient {number}") for number in range(4)]
    for patient_id in patients[:3]:
        desk.book(session, patient_id)
    assert desk.who(session) == set(patients[:3])
    with pytest.raises(SessionFull):
        desk.join(session, patients[3])
    # Nobody can join any more, so a patient could start another one.
    assert {slot.session_id for slot in desk.found()} == {None}
    assert session.starts_at not in {slot.starts_at for slot in desk.found()}
    assert len(desk.told("booking.seat.booked")) == 3
    with pytest.raises(SlotTaken), desk.database.begin() as work:
        place_hold(
            work,
            desk.catalogue,
            service_id=PHYSIO,
            location_id=RIVERSIDE,
            starts_at=MONDAY_NINE,
            conversation_id=None,
            source=Source.SMS,
            now=desk.now,
        )


def test_a_held_seat_is_taken_until_it_runs_out(desk: Desk, a_patient: Callable[..., str]):
    session = desk.open()
    ann, bea = a_patient("Ann Smith"), a_patient("Bea Smith")
    for number in range(3):
        desk.join(session, conversation_id=f"conversation-{number}")

    with pytest.raises(SessionFull):
        desk.join(session, ann)
    assert [slot.session_id for slot in desk.found(conversation_id="conversation-0")] == [session.id]

    desk.now += 6 * MINUTE
    late = desk.join(session, ann)
    desk.now += 6 * MINUTE
    assert desk.confirm(late, ann).status is AppointmentStatus.BOOKED
    lapsed = desk.join(session, bea)
    desk.now += 6 * MINUTE
    for number in range(2):
        desk.join(session, conversation_id=f"conversation-{number}")
    with pytest.raises(SessionFull):
        desk.confirm(lapsed, bea)


def test_joining_and_confirming_again_change_nothing(desk: Desk, a_patient: Callable[..., str]):
    session, ann = desk.open(), a_patient()

    first, again = desk.join(session, ann), desk.join(session, ann)
    assert first.id == again.id
    assert desk.confirm(first, ann) == desk.confirm(first, ann) == desk.join(session, ann)
    assert desk.count(Participant) == 1
    assert len(desk.told("booking.seat.booked")) == 1


def test_a_seat_held_for_nobody_yet_becomes_that_of_who_confirms_it(desk: Desk, a_patient: Callable[..., str]):
    session, ann = desk.open(), a_patient("Ann Smith")
    bea = a_patient("Bea Smith")

    seat = desk.confirm(desk.join(session, conversation_id="conversation-1"), ann)
    assert seat.patient_id == ann
    with pytest.raises(NotHeld):
        desk.confirm(seat, bea)

    # Who has a seat here already does not get a second one.
    second = desk.join(session, conversation_id="conversation-2")
    assert desk.confirm(second, ann).id == seat.id
    assert desk.who(session) == {ann}
    with pytest.raises(NotHeld):
        desk.confirm(second, bea)


def test_who_leaves_may_come_back(desk: Desk, a_patient: Callable[..., str]):
    session, ann = desk.open(), a_patient()
    desk.book(session, ann)

    assert desk.leave(session, ann) == desk.leave(session, ann)
    assert desk.who(session) == set()
    assert len(desk.told("booking.seat.cancelled")) == 1
    desk.book(session, ann)
    assert desk.who(session) == {ann}


def test_a_patient_leaves_only_as_long_as_visits_may_be_cancelled(desk: Desk, a_patient: Callable[..., str]):
    session, ann = desk.open(), a_patient()
    desk.book(session, ann)
    rules = dataclasses.replace(desk.catalogue.rules, cancel_notice=DAY)
    desk.catalogue = dataclasses.replace(desk.catalogue, rules=rules, _by_id={})
    desk.now = MONDAY_NINE - 3 * HOUR

    with pytest.raises(TooLateToChange):
        desk.leave(session, ann)
    assert desk.leave(session, ann, actor="staff:ann").status is AppointmentStatus.CANCELLED


def test_a_seat_is_a_visit_of_the_patient(desk: Desk, a_patient: Callable[..., str]):
    session, ann = desk.open(), a_patient()
    desk.book(session, ann)

    def hold() -> BookedVisit:
        with desk.database.begin() as work:
            return place_hold(
                work,
                desk.catalogue,
                service_id="service-flu-shot",
                location_id="location-main",
                starts_at=MONDAY_NINE + 30 * MINUTE,
                patient_id=ann,
                conversation_id="conversation-1",
                source=Source.SMS,
                now=desk.now,
            )

    with pytest.raises(PatientOverlap):
        hold()
    desk.leave(session, ann)
    hold()
    with pytest.raises(PatientOverlap):
        desk.join(session, ann)
    with desk.database.read() as reading:
        assert seats_of_patients(reading, desk.catalogue, patient_ids=[ann], now=desk.now) == ()


def test_every_participant_is_told_that_a_session_is_called_off(desk: Desk, a_patient: Callable[..., str]):
    session = desk.open()
    seats = [desk.book(session, a_patient(f"Patient {number}")) for number in range(2)]
    desk.join(session, conversation_id="conversation-1")

    assert desk.cancel(session) == desk.cancel(session)

    assert sorted(desk.told("booking.seat.cancelled")) == sorted(seat.id for seat in seats)
    assert desk.who(session) == set()
    with pytest.raises(VisitClosed):
        desk.join(session, a_patient("Late Comer"))


def test_participants_are_told_however_their_session_was_called_off(desk: Desk, a_patient: Callable[..., str]):
    session = desk.open()
    seat = desk.book(session, a_patient())
    with desk.database.begin() as work:
        cancel_appointment(
            work,
            desk.catalogue,
            appointment_id=session.id,
            reason=None,
            now=desk.now,
            actor="staff:ann",
            source=Source.STAFF,
        )

    assert desk.look_after() == 1
    assert desk.look_after() == 0
    assert desk.told("booking.seat.cancelled") == [seat.id]


def test_staff_are_asked_once_about_a_session_with_too_few(desk: Desk, a_patient: Callable[..., str]):
    small, enough = desk.open(), desk.open(MONDAY_NINE + 2 * HOUR)
    desk.book(small, a_patient("Only One"))
    for number in range(2):
        desk.book(enough, a_patient(f"Patient {number}"))
    desk.now = MONDAY_NINE - DAY - MINUTE
    assert desk.look_after() == 0

    desk.now += 2 * MINUTE
    assert desk.look_after() == 1
    with desk.database.begin() as work:
        [task] = open_tasks(work.session, clinic_id=desk.catalogue.clinic_id)
        close_task(work, clinic_id=desk.catalogue.clinic_id, task_id=task.id, now=desk.now, done_by="ann")
    assert task.appointment_id == small.id
    assert task.text == (
        "Call off or keep: Back school, Monday, March 15, 2027, 9:00 AM. Taking part: 1, fewer than the 2 it needs."
    )
    desk.now += HOUR
    assert desk.look_after() == 0


def test_where_nobody_opened_a_session_a_patient_starts_one(desk: Desk, a_patient: Callable[..., str]):
    ann, bea = a_patient("Ann Smith"), a_patient("Bea Smith")
    assert {slot.session_id for slot in desk.found()} == {None}

    seat = desk.start(patient_id=ann)
    # Held, it is nobody else's and not to be joined yet.
    assert MONDAY_NINE not in {slot.starts_at for slot in desk.found()}
    with pytest.raises(VisitClosed):
        desk.join(desk.look(seat.session_id), bea)

    desk.confirm(seat, ann)
    session = desk.look(seat.session_id)
    assert (session.status, session.patient_id) == (AppointmentStatus.BOOKED, None)
    assert [slot.session_id for slot in desk.found()] == [session.id]
    with desk.database.read() as reading:
        query = SlotQuery(GROUP, Interval(MONDAY_NINE, MONDAY_NINE + DAY))
        first = find_first_slot(reading, desk.catalogue, query=query, now=desk.now)
    assert first is not None
    assert first.session_id == session.id
    desk.book(session, bea)
    assert desk.who(session) == {ann, bea}


def test_a_started_session_that_ran_out_is_claimed_anew_or_gone(desk: Desk, a_patient: Callable[..., str]):
    ann = a_patient()
    kept = desk.start(patient_id=ann)
    desk.now += 6 * MINUTE
    with desk.database.begin() as work:
        assert expire_holds(work, now=desk.now) == 1
    assert desk.confirm(kept, ann).status is AppointmentStatus.BOOKED

    lost = desk.start(MONDAY_NINE + 2 * HOUR, conversation_id="c-1")
    desk.now += 6 * MINUTE
    desk.open(MONDAY_NINE + 2 * HOUR)
    with pytest.raises(SlotTaken):
        desk.confirm(lost, ann)


def test_patients_start_no_session_that_staff_must_agree_to(desk: Desk):
    service = dataclasses.replace(desk.catalogue.service(GROUP), needs_confirmation=True)
    services = tuple(service if one.id == GROUP else one for one in desk.catalogue.services)
    desk.catalogue = dataclasses.replace(desk.catalogue, services=services, _by_id={})

    assert desk.found() == []
    with pytest.raises(SessionByStaff):
        desk.start()
    assert desk.open().status is AppointmentStatus.BOOKED


def test_a_conversation_holds_one_seat_for_a_person(desk: Desk):
    first, second = desk.open(), desk.open(MONDAY_NINE + 2 * HOUR)

    desk.join(first, conversation_id="conversation-1")
    seat = desk.join(second, conversation_id="conversation-1")
    assert (desk.who(first), desk.who(second)) == (set(), {None})

    for _ in range(2):
        with desk.database.begin() as work:
            release_seat(work, desk.catalogue, seat_id=seat.id, now=desk.now)
    assert desk.who(second) == set()


def test_what_makes_no_sense_is_refused_and_nothing_is_written(desk: Desk, a_patient: Callable[..., str]):
    session = desk.open()
    others = Desk(desk.database, dataclasses.replace(desk.catalogue, clinic_id="others", _by_id={}), desk.now)  # type: ignore[arg-type]  # an id
    before = desk.count(Appointment), desk.count(Participant)

    with pytest.raises(SessionByStaff):
        desk.open(MONDAY_NINE + 2 * HOUR, actor="patient")
    with pytest.raises(SessionByStaff):
        desk.cancel(session, actor="patient")
    with pytest.raises(NotAGroup):
        desk.open(MONDAY_NINE + 2 * HOUR, service_id=PHYSIO)
    with pytest.raises(NotAGroup):
        desk.start(MONDAY_NINE + 2 * HOUR, service_id=PHYSIO)
    with pytest.raises(UnknownPatient):
        desk.join(session, "patient-of-others")
    with pytest.raises(UnknownVisit):
        others.join(session)
    with pytest.raises(UnknownVisit):
        others.cancel(session)
    with pytest.raises(UnknownSeat):
        desk.leave(session, a_patient())
    with pytest.raises(UnknownSeat):
        desk.confirm(Seat("none", session.id, None, None, AppointmentStatus.PENDING, None, Source.SMS), a_patient())
    desk.now = MONDAY_NINE - HOUR
    with pytest.raises(TooSoon):
        desk.join(session, a_patient())

    assert (desk.count(Appointment), desk.count(Participant)) == before
    assert others.who(session) == set()


def test_a_visit_is_no_session(desk: Desk, a_patient: Callable[..., str]):
    with desk.database.begin() as work:
        held = place_hold(
            work,
            desk.catalogue,
            service_id=PHYSIO,
            location_id=RIVERSIDE,
            starts_at=MONDAY_NINE,
            conversation_id=None,
            source=Source.SMS,
            now=desk.now,
        )

    with pytest.raises(NotAGroup):
        desk.join(held, a_patient())
    with pytest.raises(NotAGroup):
        desk.cancel(held)


def test_whether_there_is_room_is_not_shown_from_before_somebody_joined_or_changed_their_mind(desk: Desk):
    session = desk.open()
    other = desk.open(MONDAY_NINE + 4 * HOUR, practitioner_ids=("practitioner-carter",), override_reason="helps out")
    desk.join(other, conversation_id="conversation-1")

    with desk.database.begin() as work:
        join_session(
            work,
            desk.catalogue,
            session_id=session.id,
            conversation_id="conversation-1",
            source=Source.SMS,
            now=desk.now,
        )

        assert work.touched == {schedule_tag("schedule-novak"), schedule_tag("schedule-carter")}


def test_a_session_is_nobodys_visit_to_confirm(desk: Desk, a_patient: Callable[..., str]):
    session = desk.open()

    with desk.database.begin() as work, pytest.raises(NotHeld):
        confirm_hold(
            work, desk.catalogue, appointment_id=session.id, patient_id=a_patient(), now=desk.now, actor="patient"
        )


def test_a_session_took_place_also_where_arrivals_are_recorded(desk: Desk):
    session = desk.open()
    with desk.database.begin() as work:
        rules = dataclasses.replace(desk.catalogue.rules, records_arrival=True)
        work.session.execute(update(Clinic).values(rules=stored_rules(vars(rules))))

    with desk.database.begin() as work:
        assert complete_past(work, now=session.ends_at + SETTLES) == 1

    assert desk.look(session.id).status is AppointmentStatus.FULFILLED
