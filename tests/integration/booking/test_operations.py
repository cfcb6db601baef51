"""Hold, book, confirm and move by every rule and every kind of service, and what staff may set aside: on both databases."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import func, select, update

from booking.asked import (
    ImplausibleTime,
    TimeWithoutZone,
    UnknownLocation,
    UnknownPatient,
    UnknownPractitioner,
    UnknownService,
)
from booking.book import book_visit
from booking.cancel import cancel_appointment
from booking.choice import Wish
from booking.confirm import confirm_hold
from booking.events import AppointmentBooked, AppointmentMoved, AppointmentRequested, TaskOpened
from booking.guard import SlotTaken
from booking.hold import place_hold, release_one
from booking.ledger import UnknownVisit
from booking.model.appointment import Allocation, Appointment, AppointmentChange, Bundle
from booking.model.patient import Patient
from booking.override import OverrideNotAllowed
from booking.queries import history, visit
from booking.reschedule import reschedule
from booking.rules import (
    InThePast,
    InvalidDuration,
    NotOffered,
    OutsideHours,
    PatientOverlap,
    PlaceNeeded,
    PractitionerDailyMaximum,
    PriorVisitNeeded,
    TooManyMoves,
    TooSoon,
)
from booking.tasks import open_tasks
from booking.values import AppointmentStatus, BookedVisit, BookingRules, Catalogue, Mode, Place, PriorVisit, Source
from kernel.errors import Refused
from kernel.work import Database, OutboxEntry

pytestmark = pytest.mark.integration

MONDAY_NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)
FRIDAY_TEN = datetime(2027, 3, 19, 14, 0, tzinfo=UTC)
LEE, RUIZ, BEN, ITO = (f"practitioner-{key}" for key in ("lee", "ruiz", "ben-carter", "ito"))
CLEANING, FLU_SHOT = "service-cleaning", "service-flu-shot"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MARY = {"actor": "staff:mary", "override_reason": "she is in pain"}


class Desk:
    """The clinic's diary; each call is a transaction of its own."""

    def __init__(self, database: Database, catalogue: Catalogue, now: datetime) -> None:
        self.database, self.catalogue, self.now = database, catalogue, now

    def hold(self, starts_at: datetime = MONDAY_NINE, **changes: Any) -> BookedVisit:
        details = self._details(changes) | {"conversation_id": changes.get("conversation_id")}
        with self.database.begin() as work:
            return place_hold(work, self.catalogue, starts_at=starts_at, now=self.now, **details)

    def book(self, patient_id: str, starts_at: datetime = MONDAY_NINE, **changes: Any) -> BookedVisit:
        details = {"actor": "patient"} | self._details(changes)
        with self.database.begin() as work:
            return book_visit(work, self.catalogue, starts_at=starts_at, patient_id=patient_id, now=self.now, **details)

    def _details(self, changes: dict[str, Any]) -> dict[str, Any]:
        return {
            "service_id": CLEANING,
            "location_id": "location-main",
            "practitioner_ids": (LEE,),
            "source": Source.API,
        } | changes

    def confirm(self, hold: BookedVisit, patient_id: str, **changes: Any) -> BookedVisit:
        details = {"actor": "patient"} | changes
        with self.database.begin() as work:
            return confirm_hold(
                work, self.catalogue, appointment_id=hold.id, patient_id=patient_id, now=self.now, **details
            )

    def move(self, booked: BookedVisit, starts_at: datetime, **changes: Any) -> BookedVisit:
        """Hold another time for the visit, and move it there."""
        staff = {name: changes.pop(name) for name in ("actor", "override_reason") if name in changes}
        hold = self.hold(
            starts_at,
            replaces_appointment_id=booked.id,
            patient_id=booked.patient_id,
            service_id=booked.service_id,
            **staff,
            **changes,
        )
        with self.database.begin() as work:
            return reschedule(
                work,
                self.catalogue,
                appointment_id=booked.id,
                hold_id=hold.id,
                now=self.now,
                source=Source.API,
                **({"actor": "patient"} | staff),
            )

    def rule(self, **changes: Any) -> None:
        self.catalogue = dataclasses.replace(self.catalogue, rules=dataclasses.replace(self.catalogue.rules, **changes))

    def service(self, service_id: str, **changes: Any) -> None:
        self._replace("services", service_id, changes)

    def person(self, practitioner_id: str, **changes: Any) -> None:
        self._replace("practitioners", practitioner_id, changes)

    def location(self, location_id: str, **changes: Any) -> None:
        self._replace("locations", location_id, changes)

    def _replace(self, group: str, item_id: str, changes: dict[str, Any]) -> None:
        items = tuple(
            dataclasses.replace(one, **changes) if one.id == item_id else one for one in getattr(self.catalogue, group)
        )
        self.catalogue = dataclasses.replace(self.catalogue, **{group: items}, _by_id={})

    def look(self, booked: BookedVisit) -> BookedVisit:
        with self.database.read() as session:
            return visit(session, appointment_id=booked.id)

    def taken(self, booked: BookedVisit) -> list[tuple[str, datetime, datetime]]:
        with self.database.read() as session:
            rows = session.execute(
                select(Allocation.schedule_id, Allocation.starts_at, Allocation.ends_at)
                .where(Allocation.appointment_id == booked.id, Allocation.live)
                .order_by(Allocation.schedule_id)
            )
            return [(row[0], row[1], row[2]) for row in rows]

    def rows(self) -> tuple[int, ...]:
        with self.database.read() as session:
            tables = (Appointment, Allocation, AppointmentChange, OutboxEntry)
            return tuple(session.scalar(select(func.count()).select_from(table)) or 0 for table in tables)

    def lines(self, booked: BookedVisit) -> list[tuple[str, str, str, dict[str, Any]]]:
        with self.database.read() as session:
            found = history(session, appointment_id=booked.id)
        return [(line.what, line.actor, line.source, line.after) for line in found]

    def events(self) -> list[str]:
        with self.database.read() as session:
            names = session.scalars(select(OutboxEntry.name).order_by(OutboxEntry.id))
            return [name for name in names if name != TaskOpened.name]

    def tasks(self) -> list[str]:
        with self.database.read() as session:
            return [task.text for task in open_tasks(session, clinic_id=self.catalogue.clinic_id)]


@pytest.fixture
def desk(database: Database, catalogue: Catalogue, now: datetime) -> Desk:
    return Desk(database, catalogue, now)


@pytest.fixture
def ann(a_patient: Callable[..., str]) -> str:
    return a_patient("Ann Smith")


@pytest.fixture
def bob(a_patient: Callable[..., str]) -> str:
    return a_patient("Bob Jones")


def refusal(act: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        (TimeWithoutZone, {"starts_at": datetime(2027, 3, 15, 9, 0)}),  # noqa: DTZ001 -- what is refused
        (InThePast, {"starts_at": datetime(2027, 3, 9, 14, 0, tzinfo=UTC)}),
        (ImplausibleTime, {"starts_at": datetime(2077, 3, 15, 13, 0, tzinfo=UTC)}),
        (ImplausibleTime, {"starts_at": datetime.max.replace(tzinfo=timezone(-14 * HOUR))}),
        (ImplausibleTime, {"starts_at": datetime.min.replace(tzinfo=timezone(14 * HOUR))}),
        (InvalidDuration, {"duration": timedelta(0)}),
        (InvalidDuration, {"duration": -HOUR}),  # an end before its start
        (InvalidDuration, {"duration": 10 * DAY}),
        (InvalidDuration, {"duration": 50 * MINUTE}),
        (UnknownService, {"service_id": "service-of-another-clinic"}),
        (UnknownService, {"service_id": LEE}),
        (UnknownLocation, {"location_id": "nowhere"}),
        (UnknownPractitioner, {"practitioner_ids": (LEE, "practitioner-of-another-clinic")}),
        (UnknownPatient, {"patient_id": "nobody"}),
        (OverrideNotAllowed, {"actor": "patient", "override_reason": "I am in a hurry"}),
        (OverrideNotAllowed, {"actor": "staff:mary", "override_reason": "  "}),
    ],
)
def test_what_makes_no_sense_has_a_refusal_of_its_own_and_writes_nothing(
    desk: Desk, expected: type[Refused], changes: dict[str, Any]
):
    before = desk.rows()

    with pytest.raises(expected):
        desk.hold(**changes)

    assert desk.rows() == before


def test_patients_and_visits_of_another_clinic_are_unknown(desk: Desk, ann: str):
    hold = desk.hold()
    desk.catalogue = dataclasses.replace(desk.catalogue, clinic_id="another-clinic")  # type: ignore[arg-type]  # an id

    with pytest.raises(UnknownPatient):
        desk.hold(MONDAY_NINE + HOUR, patient_id=ann)
    with pytest.raises(UnknownVisit):
        desk.confirm(hold, ann)
    with pytest.raises(UnknownVisit), desk.database.begin() as work:
        cancel_appointment(
            work,
            desk.catalogue,
            appointment_id=hold.id,
            reason=None,
            now=desk.now,
            actor="staff:mary",
            source=Source.STAFF,
        )


def test_whoever_is_refused_hears_of_every_rule_at_once(desk: Desk, ann: str):
    with desk.database.begin() as work:
        work.session.execute(update(Patient).where(Patient.id == ann).values(blocked=True))

    refused = refusal(lambda: desk.hold(desk.now + 31 * MINUTE, patient_id=ann))

    assert [refused.code, *(each.code for each in refused.also)] == ["too-soon", "outside-hours", "patient-blocked"]


def test_a_location_may_have_rules_of_its_own(desk: Desk):
    desk.location("location-main", rules=BookingRules(minimum_notice=10 * DAY, hold=HOUR))

    with pytest.raises(TooSoon):
        desk.hold()
    hold = desk.hold(MONDAY_NINE + 7 * DAY)

    assert hold.hold_expires_at == desk.now + HOUR


def test_a_visit_booked_at_once_stands_as_one_that_was_held_and_confirmed(desk: Desk, ann: str):
    at_once = desk.book(ann, source=Source.STAFF, actor="staff:mary")
    in_steps = desk.confirm(desk.hold(MONDAY_NINE + HOUR), ann)

    assert (at_once.status, at_once.hold_expires_at) == (in_steps.status, None) == (AppointmentStatus.BOOKED, None)
    assert [schedule for schedule, _, _ in desk.taken(at_once)] == [schedule for schedule, _, _ in desk.taken(in_steps)]
    assert desk.events() == [AppointmentBooked.name] * 2
    assert [(what, actor, source) for what, actor, source, _ in desk.lines(at_once)] == [
        ("booked", "staff:mary", "staff")
    ]
    assert desk.look(at_once) == at_once


def test_staff_set_rules_aside_with_a_reason_and_the_visit_and_its_history_say_so(desk: Desk, ann: str):
    early = MONDAY_NINE - 30 * MINUTE
    with pytest.raises(OutsideHours):
        desk.book(ann, early, actor="staff:mary")

    booked = desk.book(ann, early, **MARY)

    assert booked.overridden == ("outside-hours",)
    assert desk.look(booked) == booked
    what, actor, _, after = desk.lines(booked)[0]
    assert (what, actor, after["overridden"], after["override_reason"]) == (
        "booked",
        "staff:mary",
        ["outside-hours"],
        "she is in pain",
    )
    assert len(desk.taken(booked)) == 2


def test_an_override_that_was_not_needed_leaves_no_mark(desk: Desk, ann: str):
    booked = desk.book(ann, **MARY)

    assert booked.overridden == ()
    assert "override_reason" not in desk.lines(booked)[0][3]


def test_nobody_can_set_aside_that_the_time_is_taken_or_the_patient_elsewhere(desk: Desk, ann: str, bob: str):
    desk.book(ann)
    before = desk.rows()

    with pytest.raises(SlotTaken):
        desk.book(bob, **MARY)
    with pytest.raises(SlotTaken):
        desk.book(bob, MONDAY_NINE + 50 * MINUTE, **MARY)  # only its buffer meets the visit before
    with pytest.raises(PatientOverlap):
        desk.book(ann, practitioner_ids=(BEN,), **MARY)

    assert desk.rows() == before


def test_what_staff_set_aside_when_they_held_stays_so_when_the_patient_confirms(desk: Desk, ann: str):
    early = MONDAY_NINE - 30 * MINUTE
    hold = desk.hold(early, **MARY)
    desk.now += 10 * MINUTE  # it has run out, so that all rules are asked again

    booked = desk.confirm(hold, ann)

    assert (booked.status, booked.overridden) == (AppointmentStatus.BOOKED, ("outside-hours",))


def test_staff_give_a_full_practitioner_one_more_visit(desk: Desk, ann: str, bob: str):
    desk.rule(max_per_practitioner_per_day=1)
    desk.book(ann)

    with pytest.raises(PractitionerDailyMaximum):
        desk.book(bob, MONDAY_NINE + HOUR)
    booked = desk.book(bob, MONDAY_NINE + HOUR, **MARY)

    assert booked.overridden == ("practitioner-daily-maximum",)
    assert desk.lines(booked)[0][3]["override_reason"] == "she is in pain"


def test_staff_give_a_service_to_somebody_who_does_not_offer_it_but_not_to_somebody_who_has_left(desk: Desk, ann: str):
    with pytest.raises(NotOffered):
        desk.book(ann, FRIDAY_TEN, practitioner_ids=(RUIZ,))

    booked = desk.book(ann, FRIDAY_TEN, practitioner_ids=(RUIZ,), **MARY)

    ito = desk.catalogue.practitioner(ITO)
    rest = tuple(one for one in desk.catalogue.practitioners if one.id != ITO)
    desk.catalogue = dataclasses.replace(desk.catalogue, practitioners=rest, retired=(ito,), _by_id={})
    assert (booked.practitioner_id, booked.overridden) == (RUIZ, ("not-offered",))
    with pytest.raises(NotOffered):
        desk.book(ann, FRIDAY_TEN + 7 * DAY, practitioner_ids=(ITO,), **MARY)


@pytest.mark.parametrize(
    ("minutes", "is_offered"), [(45, True), (60, True), (90, True), (30, False), (50, False), (105, False)]
)
def test_a_flexible_service_takes_as_long_as_is_asked_for(desk: Desk, ann: str, minutes: int, is_offered: bool):
    desk.service(CLEANING, longest=90 * MINUTE, duration_step=15 * MINUTE)
    if not is_offered:
        with pytest.raises(InvalidDuration):
            desk.book(ann, duration=minutes * MINUTE)
        return

    booked = desk.book(ann, duration=minutes * MINUTE)

    assert booked.ends_at - booked.starts_at == minutes * MINUTE
    assert {end for _, _, end in desk.taken(booked)} == {MONDAY_NINE + (minutes + 10) * MINUTE}


def test_a_visit_keeps_its_own_length_though_the_service_gets_another(desk: Desk, ann: str, bob: str):
    desk.service(CLEANING, longest=90 * MINUTE, duration_step=15 * MINUTE)
    hold = desk.hold(duration=90 * MINUTE)
    desk.now += 10 * MINUTE
    booked = desk.confirm(hold, ann)  # claimed anew

    moved = desk.move(booked, MONDAY_NINE + 15 * MINUTE, duration=75 * MINUTE)

    assert booked.ends_at == MONDAY_NINE + 90 * MINUTE
    assert (moved.starts_at, moved.ends_at) == (MONDAY_NINE + 15 * MINUTE, MONDAY_NINE + 90 * MINUTE)
    with pytest.raises(SlotTaken):
        desk.book(bob, MONDAY_NINE + 60 * MINUTE)


def contingent(desk: Desk) -> None:
    """Let Lee's time on Mondays be such that staff must agree to."""
    hours = desk.catalogue.practitioner(LEE).hours
    desk.person(LEE, hours=tuple(dataclasses.replace(one, is_contingent=one.weekly.weekday == 0) for one in hours))


def test_a_visit_in_time_that_staff_must_agree_to_waits_for_them(desk: Desk, ann: str, bob: str):
    contingent(desk)

    in_steps = desk.confirm(desk.hold(), ann)
    at_once = desk.book(bob, MONDAY_NINE + HOUR)
    by_staff = desk.book(bob, MONDAY_NINE + 2 * HOUR, actor="staff:mary")

    assert in_steps.status is at_once.status is AppointmentStatus.PENDING
    assert in_steps.hold_expires_at is at_once.hold_expires_at is None
    assert by_staff.status is AppointmentStatus.BOOKED
    assert desk.events() == [AppointmentRequested.name, AppointmentRequested.name, AppointmentBooked.name]
    assert [text.partition(":")[0] for text in desk.tasks()] == ["Confirm or reject"] * 2


def test_a_visit_moved_into_time_that_staff_must_agree_to_waits_again(desk: Desk, ann: str):
    contingent(desk)
    tuesday = desk.book(ann, MONDAY_NINE + DAY)

    waiting = desk.move(tuesday, MONDAY_NINE)
    still_waiting = desk.move(waiting, MONDAY_NINE + HOUR)

    assert (tuesday.status, waiting.status) == (AppointmentStatus.BOOKED, AppointmentStatus.PENDING)
    assert still_waiting.status is AppointmentStatus.PENDING
    assert desk.events() == [AppointmentBooked.name, AppointmentRequested.name, AppointmentRequested.name]
    assert [text for text in desk.tasks() if "10:00 AM" in text] == desk.tasks()  # not of the time asked for before
    agreed = desk.move(still_waiting, MONDAY_NINE + 2 * HOUR, actor="staff:mary")
    assert (agreed.status, desk.tasks(), desk.events()[-1]) == (
        AppointmentStatus.BOOKED,
        [],
        AppointmentMoved.name,
    )


def test_a_visit_by_video_has_the_link_of_whoever_gives_it(desk: Desk, ann: str):
    desk.service(FLU_SHOT, mode=Mode.TELEHEALTH)
    desk.person(RUIZ, meeting_url="https://meet.example/ruiz")
    desk.person(ITO, meeting_url="https://meet.example/ito")

    booked = desk.book(ann, FRIDAY_TEN, service_id=FLU_SHOT, practitioner_ids=(RUIZ,))
    moved = desk.move(booked, FRIDAY_TEN + HOUR, practitioner_ids=(ITO,))

    assert booked.meeting_url == "https://meet.example/ruiz"
    assert desk.look(moved).meeting_url == "https://meet.example/ito"


def at_home(desk: Desk) -> None:
    desk.service(FLU_SHOT, mode=Mode.HOME)


NEAR, FAR = Place(40.0, -75.0), Place(40.5, -75.0)  # some 56 km apart


def test_a_home_visit_needs_a_place_which_is_the_patients_if_none_is_given(desk: Desk, ann: str, bob: str):
    at_home(desk)
    shot = {"service_id": FLU_SHOT, "practitioner_ids": (RUIZ,)}
    with desk.database.begin() as work:
        work.session.execute(update(Patient).where(Patient.id == bob).values(place="40.0,-75.0"))

    with pytest.raises(PlaceNeeded):
        desk.book(ann, FRIDAY_TEN, **shot)
    with pytest.raises(PlaceNeeded):
        desk.book(ann, FRIDAY_TEN, **shot, **MARY)
    given = desk.book(ann, FRIDAY_TEN, **shot, place=FAR)
    theirs = desk.book(bob, FRIDAY_TEN + 3 * HOUR, **shot)

    assert (desk.look(given).place, desk.look(theirs).place) == (FAR, NEAR)
    assert desk.lines(given)[0][3]["place"] == "given"


def test_between_home_visits_there_must_be_time_for_the_way(desk: Desk, ann: str, bob: str):
    at_home(desk)
    shot = {"service_id": FLU_SHOT, "practitioner_ids": (RUIZ,)}
    first = desk.book(ann, FRIDAY_TEN, **shot, place=NEAR)
    next_time = first.ends_at + 45 * MINUTE

    with pytest.raises(SlotTaken):
        desk.book(bob, next_time, **shot, place=FAR)
    with pytest.raises(SlotTaken):
        desk.book(bob, next_time, **shot, place=FAR, **MARY)

    assert desk.book(bob, next_time, **shot, place=NEAR).status is AppointmentStatus.BOOKED


def test_a_service_may_ask_that_the_patient_was_seen_before_by_the_clinic_or_by_the_same_person(
    desk: Desk, ann: str, bob: str
):
    thursday = datetime(2027, 3, 11, 15, 0, tzinfo=UTC)
    desk.book(ann, thursday, service_id=FLU_SHOT, practitioner_ids=(ITO,))
    desk.now = thursday + DAY
    anybody = {"service_id": FLU_SHOT, "practitioner_ids": ()}

    desk.service(FLU_SHOT, prior_visit=PriorVisit.CLINIC)
    with pytest.raises(PriorVisitNeeded):
        desk.book(bob, FRIDAY_TEN, **anybody)
    unknown = desk.hold(FRIDAY_TEN, **anybody)
    with pytest.raises(PriorVisitNeeded):
        desk.confirm(unknown, bob)
    with pytest.raises(PriorVisitNeeded):
        desk.confirm(unknown, bob, actor="staff:mary")
    assert desk.confirm(unknown, bob, **MARY).overridden == ("prior-visit-needed",)

    desk.service(FLU_SHOT, prior_visit=PriorVisit.PRACTITIONER)
    with pytest.raises(PriorVisitNeeded):
        desk.book(ann, FRIDAY_TEN, service_id=FLU_SHOT, practitioner_ids=(RUIZ,))
    seen = desk.book(ann, FRIDAY_TEN + HOUR, **anybody)
    assert (seen.practitioner_id, seen.reason) == (ITO, "asked-for")


def test_a_wish_decides_between_those_who_are_free_and_keeps_nobody_from_booking(desk: Desk, ann: str, bob: str):
    for person in (BEN, RUIZ, ITO):
        desk.person(person, gender="female" if person == RUIZ else "male", languages=("en",))
    anybody = {"service_id": FLU_SHOT, "practitioner_ids": (), "wish": Wish(gender="female")}

    first = desk.book(ann, FRIDAY_TEN, **anybody)
    second = desk.book(bob, FRIDAY_TEN, **anybody)

    assert (first.practitioner_id, first.reason) == (RUIZ, "wished")
    assert second.practitioner_id in {BEN, ITO}


def test_over_the_window_visits_go_to_who_had_fewest_and_a_newcomer_is_not_flooded(
    desk: Desk, a_patient: Callable[..., str]
):
    anybody = {"service_id": FLU_SHOT, "practitioner_ids": ()}
    patients = [a_patient(f"Patient {number}") for number in range(4)]
    for day, person in enumerate((BEN, RUIZ)):
        desk.book(patients[day], FRIDAY_TEN + HOUR * day, service_id=FLU_SHOT, practitioner_ids=(person,))
    next_friday = FRIDAY_TEN + 7 * DAY

    fewest = desk.book(patients[2], next_friday, **anybody)
    desk.person(ITO, since=date(2027, 3, 20))
    desk.rule(fairness_window=8 * DAY)
    with desk.database.begin() as work:
        cancel_appointment(
            work,
            desk.catalogue,
            appointment_id=fewest.id,
            reason=None,
            now=desk.now,
            actor="patient",
            source=Source.API,
        )
    as_a_newcomer = desk.book(patients[3], next_friday, **anybody)

    assert (fewest.practitioner_id, fewest.reason) == (ITO, "fewest-lately")
    assert (as_a_newcomer.practitioner_id, as_a_newcomer.reason) == (BEN, "clinic-order")


def test_a_patient_moves_a_visit_so_often_and_staff_whenever_they_must(desk: Desk, ann: str):
    desk.rule(max_moves=1)
    booked = desk.book(ann)

    moved = desk.move(booked, MONDAY_NINE + HOUR)
    with pytest.raises(TooManyMoves):
        desk.move(moved, MONDAY_NINE + 2 * HOUR)
    again = desk.move(moved, MONDAY_NINE + DAY, actor="staff:mary")

    assert (booked.times_moved, moved.times_moved, again.times_moved) == (0, 1, 2)
    assert desk.look(again) == again


def test_staff_move_a_visit_outside_hours_and_its_history_tells_before_and_after(desk: Desk, ann: str):
    booked = desk.book(ann)

    moved = desk.move(booked, MONDAY_NINE - 30 * MINUTE, **MARY)

    with desk.database.read() as session:
        line = history(session, appointment_id=booked.id)[-1]
    assert (moved.overridden, line.what, line.actor, line.source) == (("outside-hours",), "moved", "staff:mary", "api")
    assert (line.before or {})["starts_at"] == "2027-03-15T13:00:00+00:00"
    assert line.after["starts_at"] == "2027-03-15T12:30:00+00:00"
    assert line.after["override_reason"] == "she is in pain"
    back = desk.move(moved, MONDAY_NINE + HOUR)
    assert back.overridden == ()


def test_holds_of_one_bundle_stand_side_by_side_and_another_hold_of_the_conversation_ends_them(
    desk: Desk, database: Database
):
    with database.begin() as work:
        work.session.add(Bundle(id="bundle-1", clinic_id=desk.catalogue.clinic_id, kind="series", created_at=desk.now))
    bundle = {"conversation_id": "conversation-1", "bundle_id": "bundle-1"}

    first = desk.hold(**bundle)
    second = desk.hold(MONDAY_NINE + HOUR, **bundle)

    assert (desk.look(first).is_hold, desk.look(second).bundle_id) == (True, "bundle-1")
    desk.hold(MONDAY_NINE + 2 * HOUR, conversation_id="conversation-1")
    assert not desk.look(first).is_hold
    assert not desk.look(second).is_hold


def test_a_hold_lasts_as_long_as_is_asked_for_and_can_be_given_back_by_itself(desk: Desk, ann: str):
    until = desk.now + 30 * MINUTE
    hold = desk.hold(expires_at=until)
    booked = desk.book(ann, MONDAY_NINE + HOUR)

    with desk.database.begin() as work:
        release_one(work, appointment_id=hold.id, now=desk.now)
        release_one(work, appointment_id=hold.id, now=desk.now)
        release_one(work, appointment_id=booked.id, now=desk.now)

    assert hold.hold_expires_at == until
    assert desk.look(hold).status is AppointmentStatus.CANCELLED
    assert desk.look(booked) == booked
    assert (desk.taken(hold), len(desk.taken(booked))) == ([], 2)
