"""Hold, confirm, move, cancel: what stands in the diary afterwards, on both databases."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from booking.cancel import cancel_appointment
from booking.confirm import NotHeld, confirm_hold, note_patient_confirmed
from booking.events import AppointmentBooked, AppointmentCancelled, AppointmentMoved, HoldExpired
from booking.expiry import expire_holds
from booking.guard import SlotTaken
from booking.hold import place_hold, release_hold
from booking.ledger import UnknownVisit, VisitClosed
from booking.model.appointment import Allocation
from booking.model.patient import Patient
from booking.model.schedule import BusyInterval
from booking.queries import find_slots, history, past_visits, upcoming_visits, visit
from booking.reschedule import reschedule
from booking.rules import (
    AlreadyOver,
    InThePast,
    NotOffered,
    OutsideHours,
    PatientBlocked,
    PatientDailyMaximum,
    PatientOverlap,
    PractitionerDailyMaximum,
    TooFar,
    TooLateToChange,
    TooSoon,
)
from booking.tasks import open_tasks
from booking.values import AppointmentStatus, BookedVisit, BookingRules, Catalogue, SlotQuery, Source, TaskKind
from kernel.errors import Refused
from kernel.interval import Interval
from kernel.work import Database, OutboxEntry

pytestmark = pytest.mark.integration

MONDAY_NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)
FRIDAY_TEN = datetime(2027, 3, 19, 14, 0, tzinfo=UTC)
LEE, RUIZ, BEN, ITO = (f"practitioner-{key}" for key in ("lee", "ruiz", "ben-carter", "ito"))
CLEANING, FLU_SHOT, FILLING = "service-cleaning", "service-flu-shot", "service-filling"
MINUTE = timedelta(minutes=1)


class Diary:
    """The diary of one clinic as a conversation uses it; each call is a transaction of its own."""

    def __init__(self, database: Database, catalogue: Catalogue, now: datetime) -> None:
        self.database, self.catalogue, self.now = database, catalogue, now

    def hold(self, starts_at: datetime = MONDAY_NINE, **changes: Any) -> BookedVisit:
        details = {
            "service_id": CLEANING,
            "location_id": "location-main",
            "practitioner_ids": (LEE,),
            "conversation_id": "conversation-1",
            "source": Source.SMS,
        } | changes
        with self.database.begin() as work:
            return place_hold(work, self.catalogue, starts_at=starts_at, now=self.now, **details)

    def confirm(self, hold: BookedVisit, patient_id: str) -> BookedVisit:
        with self.database.begin() as work:
            return confirm_hold(
                work, self.catalogue, appointment_id=hold.id, patient_id=patient_id, now=self.now, actor="patient"
            )

    def book(self, patient_id: str, starts_at: datetime = MONDAY_NINE, **changes: Any) -> BookedVisit:
        changes = {"conversation_id": f"conversation-{starts_at}-{patient_id}", "patient_id": patient_id} | changes
        return self.confirm(self.hold(starts_at, **changes), patient_id)

    def move(self, appointment: BookedVisit, hold: BookedVisit, *, actor: str = "patient") -> BookedVisit:
        with self.database.begin() as work:
            return reschedule(
                work,
                self.catalogue,
                appointment_id=appointment.id,
                hold_id=hold.id,
                now=self.now,
                actor=actor,
                source=Source.SMS,
            )

    def cancel(self, appointment: BookedVisit, *, actor: str = "patient") -> BookedVisit:
        with self.database.begin() as work:
            return cancel_appointment(
                work,
                self.catalogue,
                appointment_id=appointment.id,
                reason="changed plans",
                now=self.now,
                actor=actor,
                source=Source.SMS,
            )

    def expire(self) -> int:
        with self.database.begin() as work:
            return expire_holds(work, now=self.now)

    def wait(self, length: timedelta) -> None:
        self.now += length

    def rule(self, **changes: Any) -> None:
        rules = dataclasses.replace(self.catalogue.rules, **changes)
        self.catalogue = dataclasses.replace(self.catalogue, rules=rules)

    def free(self, practitioner_id: str = LEE, service_id: str = CLEANING, **others: Any) -> set[datetime]:
        span = Interval(self.now, self.now + timedelta(days=14))
        query = SlotQuery(service_id, span, (practitioner_id,))
        with self.database.read() as session:
            return {slot.starts_at for slot in find_slots(session, self.catalogue, query=query, now=self.now, **others)}

    def look(self, appointment: BookedVisit) -> BookedVisit:
        with self.database.read() as session:
            return visit(session, appointment_id=appointment.id)

    def taken(self, appointment: BookedVisit) -> list[tuple[str, datetime, datetime]]:
        with self.database.read() as session:
            rows = session.execute(
                select(Allocation.schedule_id, Allocation.starts_at, Allocation.ends_at)
                .where(Allocation.appointment_id == appointment.id, Allocation.live)
                .order_by(Allocation.schedule_id, Allocation.starts_at)
            )
            return [(row[0], row[1], row[2]) for row in rows]

    def events(self) -> list[tuple[str, str, int]]:
        with self.database.read() as session:
            entries = session.scalars(select(OutboxEntry).order_by(OutboxEntry.id))
            return [(entry.name, entry.aggregate_id, entry.payload["sequence"]) for entry in entries]


@pytest.fixture
def diary(database: Database, catalogue: Catalogue, now: datetime) -> Diary:
    return Diary(database, catalogue, now)


@pytest.fixture
def ann(a_patient: Callable[..., str]) -> str:
    return a_patient("Ann Smith")


@pytest.fixture
def bob(a_patient: Callable[..., str]) -> str:
    return a_patient("Bob Jones")


def test_a_hold_takes_the_practitioner_and_a_chair_with_its_buffers(diary: Diary):
    hold = diary.hold()

    around = (MONDAY_NINE - 5 * MINUTE, MONDAY_NINE + 55 * MINUTE)
    assert hold.status is AppointmentStatus.PENDING
    assert hold.hold_expires_at == diary.now + 5 * MINUTE
    assert diary.taken(hold) == [("schedule-chair-1", *around), ("schedule-lee", *around)]
    assert MONDAY_NINE not in diary.free()


def test_a_held_time_is_refused_to_others_and_free_to_the_conversation_that_holds_it(diary: Diary):
    diary.hold()

    with pytest.raises(SlotTaken):
        diary.hold(conversation_id="conversation-2")
    assert MONDAY_NINE in diary.free(conversation_id="conversation-1")


def test_another_hold_of_the_same_conversation_replaces_the_first(diary: Diary):
    first = diary.hold()

    second = diary.hold(MONDAY_NINE + 60 * MINUTE)

    assert diary.look(first).status is AppointmentStatus.CANCELLED
    assert diary.taken(first) == []
    assert diary.look(second).is_hold
    assert MONDAY_NINE in diary.free()


def test_a_refused_hold_leaves_the_earlier_one_as_it_was(diary: Diary):
    diary.hold(MONDAY_NINE + 60 * MINUTE, conversation_id="conversation-2")
    mine = diary.hold()

    with pytest.raises(SlotTaken):
        diary.hold(MONDAY_NINE + 60 * MINUTE)

    assert diary.look(mine).is_hold
    assert len(diary.taken(mine)) == 2


def test_a_released_hold_gives_its_time_back(diary: Diary, database: Database):
    hold = diary.hold()

    with database.begin() as work:
        release_hold(work, conversation_id="conversation-1", now=diary.now)

    assert diary.look(hold).status is AppointmentStatus.CANCELLED
    assert MONDAY_NINE in diary.free()


def test_a_confirmed_hold_is_booked_once_however_often_it_is_confirmed(diary: Diary, ann: str):
    hold = diary.hold()

    booked = diary.confirm(hold, ann)
    again = diary.confirm(hold, ann)

    assert booked == again
    assert (booked.id, booked.status, booked.patient_id) == (hold.id, AppointmentStatus.BOOKED, ann)
    assert booked.hold_expires_at is None
    assert diary.events() == [(AppointmentBooked.name, hold.id, 0)]


def test_a_booked_time_does_not_expire(diary: Diary, ann: str):
    diary.book(ann)
    diary.wait(timedelta(hours=1))

    assert diary.expire() == 0
    assert MONDAY_NINE not in diary.free()


def test_a_hold_that_ran_out_is_free_to_others_even_before_anybody_cleared_it(diary: Diary, ann: str):
    first = diary.hold()
    diary.wait(5 * MINUTE)

    assert MONDAY_NINE in diary.free()
    second = diary.hold(conversation_id="conversation-2", patient_id=ann)

    assert diary.taken(first) == []
    assert len(diary.taken(second)) == 2
    assert diary.events() == [(HoldExpired.name, first.id, 0)]


def test_a_hold_that_ran_out_is_claimed_anew_when_its_time_is_still_free(diary: Diary, ann: str):
    hold = diary.hold()
    diary.wait(6 * MINUTE)
    assert diary.expire() == 1
    assert diary.expire() == 0

    booked = diary.confirm(hold, ann)

    assert (booked.id, booked.status) == (hold.id, AppointmentStatus.BOOKED)
    assert len(diary.taken(booked)) == 2


def test_a_hold_that_ran_out_is_refused_when_somebody_else_has_the_time(diary: Diary, ann: str, bob: str):
    late = diary.hold()
    diary.wait(6 * MINUTE)
    diary.book(bob)

    with pytest.raises(SlotTaken):
        diary.confirm(late, ann)

    assert diary.look(late).status is AppointmentStatus.PENDING
    assert diary.taken(late) == []


def test_a_hold_is_confirmed_by_claiming_anew_when_a_faster_clock_let_it_lapse(diary: Diary, ann: str, bob: str):
    hold = diary.hold()
    diary.wait(6 * MINUTE)
    diary.expire()
    diary.wait(-5 * MINUTE)

    diary.confirm(hold, ann)

    with pytest.raises(SlotTaken):
        diary.hold(conversation_id="conversation-2")


def test_a_released_hold_and_another_patients_hold_cannot_be_confirmed(diary: Diary, ann: str, bob: str):
    released = diary.hold()
    anns = diary.hold(MONDAY_NINE + 60 * MINUTE, patient_id=ann)

    with pytest.raises(NotHeld):
        diary.confirm(released, ann)
    with pytest.raises(NotHeld):
        diary.confirm(anns, bob)
    with pytest.raises(UnknownVisit):
        diary.confirm(dataclasses.replace(anns, id="nothing"), ann)  # type: ignore[arg-type]  # no such id


def test_a_hold_is_no_visit_that_could_be_moved(diary: Diary):
    held = diary.hold(MONDAY_NINE, conversation_id="conversation-1")
    other = diary.hold(
        FRIDAY_TEN, practitioner_ids=(BEN,), conversation_id="conversation-2", replaces_appointment_id=held.id
    )

    with pytest.raises(VisitClosed):
        diary.move(held, other)


def test_a_service_that_needs_a_yes_of_staff_stays_pending_and_makes_a_task(diary: Diary, ann: str):
    services = tuple(dataclasses.replace(one, needs_confirmation=True) for one in diary.catalogue.services)
    diary.catalogue = dataclasses.replace(diary.catalogue, services=services)

    requested = diary.book(ann)
    diary.wait(timedelta(hours=1))

    assert (requested.status, requested.hold_expires_at) == (AppointmentStatus.PENDING, None)
    assert MONDAY_NINE not in diary.free()
    with diary.database.read() as session:
        tasks = open_tasks(session, clinic_id=diary.catalogue.clinic_id)
    assert [(task.kind, task.appointment_id) for task in tasks] == [(TaskKind.BOOKING_REQUEST, requested.id)]
    assert "Dental cleaning with Dr. Mina Lee, Monday, March 15, 2027, 9:00 AM" in tasks[0].text


@pytest.mark.parametrize(
    ("refusal", "changes"),
    [
        (TooSoon, {"starts_at": datetime(2027, 3, 10, 16, 45, tzinfo=UTC)}),
        (InThePast, {"starts_at": datetime(2027, 3, 9, 14, 0, tzinfo=UTC)}),
        (TooFar, {"starts_at": datetime(2027, 6, 14, 13, 0, tzinfo=UTC)}),
        (OutsideHours, {"starts_at": MONDAY_NINE - 60 * MINUTE}),
        (OutsideHours, {"starts_at": MONDAY_NINE + 7 * MINUTE}),
        (OutsideHours, {"starts_at": MONDAY_NINE + 150 * MINUTE}),  # would run into the lunch break
        (OutsideHours, {"starts_at": datetime(2027, 3, 17, 13, 0, tzinfo=UTC)}),  # a day off
        (NotOffered, {"starts_at": MONDAY_NINE, "practitioner_ids": (RUIZ,)}),
        (NotOffered, {"starts_at": MONDAY_NINE, "location_id": "location-riverside"}),
    ],
)
def test_a_rule_refuses_a_hold(diary: Diary, refusal: type[Refused], changes: dict[str, Any]):
    with pytest.raises(refusal):
        diary.hold(**changes)


def test_a_blocked_patient_is_refused(diary: Diary, ann: str):
    with diary.database.begin() as work:
        work.session.execute(update(Patient).where(Patient.id == ann).values(blocked=True))

    with pytest.raises(PatientBlocked):
        diary.hold(patient_id=ann)
    with pytest.raises(PatientBlocked):
        diary.confirm(diary.hold(), ann)


def test_nobody_has_two_visits_at_once_but_two_of_a_household_may(diary: Diary, ann: str, bob: str):
    diary.book(ann)
    other = {"service_id": FLU_SHOT, "practitioner_ids": (RUIZ,)}

    with pytest.raises(PatientOverlap):
        diary.book(ann, MONDAY_NINE + 30 * MINUTE, **other)

    diary.book(bob, MONDAY_NINE + 30 * MINUTE, **other)
    diary.book(ann, MONDAY_NINE + 45 * MINUTE, **other)


def test_a_patients_and_a_practitioners_day_can_be_limited(diary: Diary, ann: str, bob: str):
    diary.rule(max_per_patient_per_day=1, max_per_practitioner_per_day=2)
    diary.book(ann)

    with pytest.raises(PatientDailyMaximum):
        diary.book(ann, MONDAY_NINE + 60 * MINUTE)
    diary.book(bob, MONDAY_NINE + 60 * MINUTE)
    with pytest.raises(PractitionerDailyMaximum):
        diary.hold(MONDAY_NINE + 120 * MINUTE)
    assert {at.date() for at in diary.free()} == {
        datetime(2027, 3, day, tzinfo=UTC).date() for day in (10, 11, 16, 18, 22, 23, 24)
    }


def test_time_taken_in_a_calendar_elsewhere_is_not_given(diary: Diary, catalogue: Catalogue):
    with diary.database.begin() as work:
        work.session.add(
            BusyInterval(
                schedule_id="schedule-lee",
                starts_at=MONDAY_NINE + 50 * MINUTE,
                ends_at=MONDAY_NINE + 60 * MINUTE,
                origin="a calendar",
            )
        )

    with pytest.raises(SlotTaken):
        diary.hold()
    assert MONDAY_NINE not in diary.free()


def test_without_a_wish_the_one_seen_before_is_chosen_then_the_one_with_least_to_do(diary: Diary, ann: str, bob: str):
    anybody = {"service_id": FLU_SHOT, "practitioner_ids": ()}
    thursday = datetime(2027, 3, 11, 15, 0, tzinfo=UTC)
    diary.book(ann, thursday, service_id=FLU_SHOT, practitioner_ids=(ITO,))
    diary.wait(timedelta(days=2))

    seen_before = diary.hold(FRIDAY_TEN, patient_id=ann, **anybody)
    first = diary.book(bob, FRIDAY_TEN, **anybody)
    later = diary.hold(FRIDAY_TEN + 60 * MINUTE, conversation_id="conversation-3", **anybody)
    only = diary.hold(FRIDAY_TEN - 120 * MINUTE, conversation_id="conversation-4", **anybody)

    assert (seen_before.practitioner_id, seen_before.reason) == (ITO, "seen-before")
    assert (first.practitioner_id, first.reason) == (BEN, "clinic-order")
    assert (later.practitioner_id, later.reason) == (RUIZ, "fewest-that-day")
    assert (only.practitioner_id, only.reason) == (RUIZ, "only-one-free")
    assert diary.hold(FRIDAY_TEN, patient_id=ann, service_id=FLU_SHOT, practitioner_ids=(RUIZ,)).reason == "asked-for"


def test_a_visit_takes_the_first_chair_that_is_free_and_is_refused_when_none_is(diary: Diary):
    with diary.database.begin() as work:
        work.session.add(
            BusyInterval(
                schedule_id="schedule-chair-1", starts_at=MONDAY_NINE, ends_at=MONDAY_NINE + MINUTE, origin="repair"
            )
        )

    lee = diary.hold()

    assert [schedule for schedule, _, _ in diary.taken(lee)] == ["schedule-chair-2", "schedule-lee"]
    with pytest.raises(SlotTaken):
        diary.hold(practitioner_ids=(BEN,), conversation_id="conversation-2")


def test_a_moved_visit_keeps_its_id_and_uid_and_gives_back_its_old_time(diary: Diary, ann: str):
    booked = diary.book(ann)
    hold = diary.hold(MONDAY_NINE + 60 * MINUTE, replaces_appointment_id=booked.id, patient_id=ann)

    moved = diary.move(booked, hold)

    assert (moved.id, moved.uid, moved.sequence) == (booked.id, booked.uid, booked.sequence + 1)
    assert moved.starts_at == MONDAY_NINE + 60 * MINUTE
    assert diary.look(hold).status is AppointmentStatus.CANCELLED
    assert MONDAY_NINE in diary.free()
    assert MONDAY_NINE + 60 * MINUTE not in diary.free()
    assert diary.events()[-1] == (AppointmentMoved.name, booked.id, 1)
    assert diary.move(booked, hold) == moved


def test_a_visit_can_move_by_a_quarter_of_an_hour_over_its_own_time(diary: Diary, ann: str, bob: str):
    booked = diary.book(ann)
    later = MONDAY_NINE + 15 * MINUTE
    assert later in diary.free(replaces_appointment_id=booked.id)
    hold = diary.hold(later, replaces_appointment_id=booked.id, patient_id=ann)

    # While it is held, nobody else gets the time before, the time after, or what is in both.
    for at in (MONDAY_NINE, later, MONDAY_NINE + 60 * MINUTE):
        with pytest.raises(SlotTaken):
            diary.hold(at, conversation_id="conversation-2")
    moved = diary.move(booked, hold)

    around = (later - 5 * MINUTE, later + 55 * MINUTE)
    assert diary.taken(moved) == [("schedule-chair-1", *around), ("schedule-lee", *around)]


def test_a_move_loses_to_somebody_who_took_the_time_after_the_hold_ran_out(diary: Diary, ann: str, bob: str):
    booked = diary.book(ann)
    hold = diary.hold(MONDAY_NINE + 60 * MINUTE, replaces_appointment_id=booked.id, patient_id=ann)
    diary.wait(10 * MINUTE)
    diary.book(bob, MONDAY_NINE + 60 * MINUTE)

    with pytest.raises(SlotTaken):
        diary.move(booked, hold)

    assert diary.look(booked) == booked
    assert len(diary.taken(booked)) == 2


def test_a_hold_that_is_for_moving_cannot_be_confirmed_as_a_visit_of_its_own(diary: Diary, ann: str):
    booked = diary.book(ann)
    hold = diary.hold(MONDAY_NINE + 15 * MINUTE, replaces_appointment_id=booked.id, patient_id=ann)

    with pytest.raises(NotHeld):
        diary.confirm(hold, ann)


def test_a_hold_for_one_visit_does_not_move_another(diary: Diary, ann: str):
    booked = diary.book(ann)
    other = diary.book(ann, MONDAY_NINE + 60 * MINUTE)
    hold = diary.hold(MONDAY_NINE + 120 * MINUTE, replaces_appointment_id=booked.id, patient_id=ann)

    with pytest.raises(NotHeld):
        diary.move(other, hold)


def test_a_cancelled_visit_gives_its_time_back_and_stays_cancelled(diary: Diary, ann: str):
    booked = diary.book(ann)

    cancelled = diary.cancel(booked)
    again = diary.cancel(booked)

    assert cancelled == again
    assert (cancelled.status, cancelled.sequence) == (AppointmentStatus.CANCELLED, 1)
    assert MONDAY_NINE in diary.free()
    assert [name for name, _, _ in diary.events()] == [AppointmentBooked.name, AppointmentCancelled.name]
    hold = diary.hold(MONDAY_NINE + 60 * MINUTE, replaces_appointment_id=booked.id, patient_id=ann)
    with pytest.raises(VisitClosed):
        diary.move(booked, hold)


def test_patients_change_visits_up_to_the_notice_and_staff_up_to_the_end(diary: Diary, ann: str):
    booked = diary.book(ann)
    diary.rule(cancel_notice=timedelta(days=1))
    diary.now = MONDAY_NINE - timedelta(hours=23)

    with pytest.raises(TooLateToChange):
        diary.cancel(booked)
    diary.rule(cancel_notice=timedelta(0))
    diary.now = MONDAY_NINE
    with pytest.raises(AlreadyOver):
        diary.cancel(booked)

    assert diary.cancel(booked, actor="staff:mary").status is AppointmentStatus.CANCELLED


def test_what_is_ahead_and_what_has_been_is_listed_without_holds_and_cancelled_visits(diary: Diary, ann: str, bob: str):
    first = diary.book(ann)
    second = diary.book(ann, MONDAY_NINE + 60 * MINUTE)
    diary.cancel(diary.book(ann, MONDAY_NINE + 120 * MINUTE))
    diary.hold(MONDAY_NINE + 120 * MINUTE, patient_id=ann)
    diary.book(bob, MONDAY_NINE + 240 * MINUTE)

    with diary.database.read() as session:
        ahead = upcoming_visits(session, patient_ids=(ann,), now=diary.now)
        later = upcoming_visits(session, patient_ids=(ann,), now=first.ends_at)
        been = past_visits(session, patient_ids=(ann,), now=first.ends_at)

    assert [one.id for one in ahead] == [first.id, second.id]
    assert [one.id for one in later] == [second.id]
    assert [one.id for one in been] == [first.id]


def test_the_history_tells_who_did_what_before_and_after(diary: Diary, ann: str):
    booked = diary.book(ann)
    with diary.database.begin() as work:
        note_patient_confirmed(work, appointment_id=booked.id, now=diary.now)
    diary.cancel(booked, actor="staff:mary")

    with diary.database.read() as session:
        lines = history(session, appointment_id=booked.id)

    assert [(line.what, line.actor) for line in lines] == [
        ("held", "patient"),
        ("booked", "patient"),
        ("patient-confirmed", "patient"),
        ("cancelled", "staff:mary"),
    ]
    assert (lines[1].before or {})["status"] == "pending"
    assert lines[1].after["status"] == "booked"
    assert lines[3].after["cancel_reason"] == "changed plans"


def test_the_default_rules_are_those_of_the_requirements():
    rules = BookingRules()

    assert (rules.minimum_notice, rules.maximum_advance) == (timedelta(hours=2), timedelta(days=90))
