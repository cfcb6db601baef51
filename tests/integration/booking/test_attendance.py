"""Who came: noted by staff, completed by due work, and taken back."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from booking.cancel import cancel_appointment
from booking.catalogue import stored_rules
from booking.desk.attendance import (
    SETTLES,
    ArrivalNotRecorded,
    NotStarted,
    complete_past,
    mark_arrived,
    mark_fulfilled,
    mark_noshow,
    undo_attendance,
)
from booking.guard import SlotTaken
from booking.hold import place_hold
from booking.ledger import UnknownVisit, VisitClosed
from booking.model.appointment import Allocation
from booking.model.clinic import Clinic, Location
from booking.queries import history, visit
from booking.values import AppointmentStatus, BookedVisit, Catalogue, Source
from kernel.work import Database, OutboxEntry
from tests.support.visits import book

pytestmark = pytest.mark.integration

NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)  # a Monday in Albany
OVER = NINE + timedelta(minutes=45)
STATUS = AppointmentStatus


class Desk:
    """The front desk of a clinic; each call is a transaction of its own."""

    def __init__(self, database: Database, catalogue: Catalogue) -> None:
        self.database, self.catalogue = database, catalogue

    def records_arrival(self) -> None:
        rules = dataclasses.replace(self.catalogue.rules, records_arrival=True)
        self.catalogue = dataclasses.replace(self.catalogue, rules=rules)
        with self.database.begin() as work:
            work.session.execute(update(Clinic).values(rules=stored_rules(vars(rules))))

    def book(self, practitioner: str = "lee", starts_at: datetime = NINE) -> BookedVisit:
        return book(self.database, self.catalogue, practitioner=practitioner, starts_at=starts_at)

    def arrived(self, one: BookedVisit, now: datetime) -> BookedVisit:
        with self.database.begin() as work:
            return mark_arrived(work, self.catalogue, appointment_id=one.id, now=now, actor="staff:kim")

    def noshow(self, one: BookedVisit, now: datetime) -> BookedVisit:
        with self.database.begin() as work:
            return mark_noshow(work, self.catalogue, appointment_id=one.id, now=now, actor="staff:kim")

    def undo(self, one: BookedVisit, now: datetime) -> BookedVisit:
        with self.database.begin() as work:
            return undo_attendance(work, appointment_id=one.id, now=now, actor="staff:kim")

    def complete(self, now: datetime) -> int:
        with self.database.begin() as work:
            return complete_past(work, now=now)

    def status(self, one: BookedVisit) -> AppointmentStatus:
        with self.database.read() as session:
            return visit(session, appointment_id=one.id).status

    def lines(self, one: BookedVisit) -> list[tuple[str, str, str]]:
        with self.database.read() as session:
            return [(line.what, line.actor, line.source) for line in history(session, appointment_id=one.id)]

    def live(self, one: BookedVisit) -> int:
        with self.database.read() as session:
            return len(
                session.scalars(select(Allocation.id).where(Allocation.appointment_id == one.id, Allocation.live)).all()
            )

    def told(self) -> list[str]:
        with self.database.read() as session:
            return [
                entry.name
                for entry in session.scalars(select(OutboxEntry).order_by(OutboxEntry.id))
                if entry.name == "booking.appointment.attendance"
            ]


@pytest.fixture
def desk(database: Database, catalogue: Catalogue) -> Desk:
    return Desk(database, catalogue)


def test_an_arrival_is_noted_once_with_who_noted_it(desk: Desk):
    one = desk.book()

    first, second = desk.arrived(one, NINE), desk.arrived(one, NINE)

    assert (first.status, second.status) == (STATUS.ARRIVED, STATUS.ARRIVED)
    assert desk.lines(one)[-1] == ("arrived", "staff:kim", Source.STAFF)
    assert desk.told() == ["booking.appointment.attendance"]


def test_nobody_arrives_on_the_day_before(desk: Desk):
    one = desk.book()

    with pytest.raises(NotStarted):
        desk.arrived(one, datetime(2027, 3, 15, 3, 59, tzinfo=UTC))  # a minute to midnight in Albany
    assert desk.arrived(one, datetime(2027, 3, 15, 4, 0, tzinfo=UTC)).status is STATUS.ARRIVED


def test_where_nobody_records_arrivals_nobody_is_a_noshow(desk: Desk):
    one = desk.book()

    with pytest.raises(ArrivalNotRecorded):
        desk.noshow(one, OVER)
    assert desk.status(one) is STATUS.BOOKED


def test_a_noshow_gives_the_rest_of_the_time_back(desk: Desk):
    desk.records_arrival()
    one = desk.book()

    with pytest.raises(NotStarted):
        desk.noshow(one, NINE - timedelta(minutes=1))
    missed = desk.noshow(one, NINE + timedelta(minutes=15))

    assert (missed.status, desk.live(one)) == (STATUS.NOSHOW, 0)


def test_a_noshow_that_is_undone_has_its_time_again(desk: Desk):
    desk.records_arrival()
    one = desk.book()
    before = desk.live(one)
    desk.noshow(one, OVER)

    assert desk.undo(one, OVER).status is STATUS.BOOKED
    assert desk.undo(one, OVER).status is STATUS.BOOKED
    assert desk.live(one) == before
    assert [what for what, _, _ in desk.lines(one)][-2:] == ["noshow", "attendance-undone"]


def test_a_noshow_whose_time_went_to_somebody_else_stays_one(desk: Desk):
    desk.records_arrival()
    one = desk.book(starts_at=NINE)
    desk.noshow(one, NINE)
    with desk.database.begin() as work:
        work.session.execute(update(Allocation).where(Allocation.appointment_id == one.id).values(live=False))
    # Somebody walked in and was put into the rest of the time.
    other = book(desk.database, desk.catalogue, practitioner="lee", starts_at=NINE, now=NINE - timedelta(days=2))

    with pytest.raises(SlotTaken):
        desk.undo(one, NINE)
    assert (desk.status(one), desk.live(one)) == (STATUS.NOSHOW, 0)
    assert desk.live(other) > 0


def test_a_hold_that_ran_out_does_not_keep_a_noshow_from_its_time(desk: Desk):
    desk.records_arrival()
    one = desk.book()
    before = desk.live(one)
    desk.noshow(one, NINE)
    with desk.database.begin() as work:
        place_hold(
            work,
            desk.catalogue,
            service_id=one.service_id,
            location_id=one.location_id,
            starts_at=NINE,
            practitioner_ids=(one.practitioner_id,),
            conversation_id=None,
            source=Source.STAFF,
            now=NINE,
            actor="staff:kim",
            override_reason="They are here already.",
        )
    lapsed = NINE + desk.catalogue.rules.hold

    assert desk.undo(one, lapsed).status is STATUS.BOOKED
    assert desk.live(one) == before


def test_who_was_late_and_came_after_all_has_arrived(desk: Desk):
    desk.records_arrival()
    one = desk.book()
    desk.noshow(one, NINE + timedelta(minutes=20))

    assert desk.arrived(one, NINE + timedelta(minutes=25)).status is STATUS.ARRIVED
    assert desk.live(one) > 0


def test_an_arrival_can_be_taken_back(desk: Desk):
    one = desk.book()
    desk.arrived(one, NINE)

    assert desk.undo(one, NINE).status is STATUS.BOOKED


def test_what_was_cancelled_neither_came_nor_stayed_away(desk: Desk):
    desk.records_arrival()
    one = desk.book()
    with desk.database.begin() as work:
        cancel_appointment(
            work,
            desk.catalogue,
            appointment_id=one.id,
            reason=None,
            now=NINE - timedelta(days=1),
            actor="staff:kim",
            source=Source.STAFF,
        )

    for step in (desk.arrived, desk.noshow, desk.undo):
        with pytest.raises(VisitClosed):
            step(one, OVER)
    with pytest.raises(UnknownVisit):
        desk.undo(dataclasses.replace(one, id="nobody's"), OVER)  # type: ignore[arg-type]  # an id is a string


def test_what_is_over_took_place_where_arrivals_are_not_recorded(desk: Desk):
    one = desk.book()

    assert desk.complete(OVER - timedelta(seconds=1)) == 0
    assert desk.complete(OVER) == 1
    assert desk.complete(OVER) == 0
    assert desk.status(one) is STATUS.FULFILLED
    assert desk.lines(one)[-1][:2] == ("fulfilled", "system")


def test_where_arrivals_are_recorded_who_arrived_was_there_and_who_did_not_is_a_noshow_half_a_day_later(desk: Desk):
    desk.records_arrival()
    came, missed = desk.book(), desk.book(starts_at=NINE + timedelta(hours=1))
    desk.arrived(came, NINE)

    assert desk.complete(OVER) == 1
    assert (desk.status(came), desk.status(missed)) == (STATUS.FULFILLED, STATUS.BOOKED)
    assert desk.complete(OVER + SETTLES) == 0
    assert desk.complete(OVER + timedelta(hours=1) + SETTLES) == 1
    assert desk.status(missed) is STATUS.NOSHOW


def test_a_location_with_a_rule_of_its_own_is_judged_by_it(desk: Desk):
    one = desk.book()
    with desk.database.begin() as work:
        work.session.execute(
            update(Location).where(Location.id == "location-main").values(rules={"records_arrival": True})
        )

    assert desk.complete(OVER) == 0
    assert desk.complete(OVER + SETTLES) == 1
    assert desk.status(one) is STATUS.NOSHOW


def test_due_work_does_not_repeat_what_staff_took_back(desk: Desk):
    desk.records_arrival()
    one = desk.book()
    later = OVER + SETTLES
    desk.complete(later)
    desk.undo(one, later)

    assert desk.complete(later + timedelta(days=1)) == 0
    assert desk.status(one) is STATUS.BOOKED


def test_staff_note_at_once_that_a_visit_took_place_and_not_before_it_began(desk: Desk):
    one = desk.book()

    def complete(now: datetime) -> BookedVisit:
        with desk.database.begin() as work:
            return mark_fulfilled(work, appointment_id=one.id, now=now, actor="staff:kim")

    with pytest.raises(NotStarted):
        complete(NINE - timedelta(seconds=1))
    assert complete(NINE).status is complete(OVER).status is STATUS.FULFILLED
    assert [line[:2] for line in desk.lines(one)].count(("fulfilled", "staff:kim")) == 1
