"""What waits for staff: confirmed, rejected, found a time for, or left unanswered, on both databases."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from booking.asked import UnknownLocation, UnknownPatient, UnknownPractitioner, UnknownService
from booking.cancel import cancel_appointment
from booking.confirm import NotHeld, confirm_hold
from booking.desk.requests import (
    accept_request,
    clinics_with_requests,
    close_unanswered,
    escalate_requests,
    grant_proposal,
    open_requests,
    propose,
    reject_request,
)
from booking.guard import SlotTaken
from booking.hold import place_hold
from booking.ledger import UnknownVisit, VisitClosed
from booking.model.appointment import Allocation, Appointment
from booking.model.staff import HealthcareService
from booking.model.task import StaffTask
from booking.queries import day_sheet, history, upcoming_visits, visit, visits_of_conversation, visits_of_patient
from booking.reschedule import reschedule
from booking.rules import AlreadyOver, OutsideHours
from booking.tasks import TaskInfo, open_tasks
from booking.values import (
    AppointmentStatus,
    BookedVisit,
    Catalogue,
    Slot,
    Source,
    TaskKind,
)
from kernel.interval import Interval
from kernel.work import Database, OutboxEntry
from tests.support.visits import book

pytestmark = pytest.mark.integration

NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)  # a Monday in Albany
NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
LEE, BEN = "practitioner-lee", "practitioner-ben-carter"
DAY = timedelta(days=1)
STATUS = AppointmentStatus
WEEK = Interval(NINE, NINE + 5 * DAY)


class Requests:
    """A clinic whose cleanings staff must confirm; each call is a transaction of its own."""

    def __init__(self, database: Database, catalogue: Catalogue, patient_id: str) -> None:
        self.database, self.patient_id = database, patient_id
        services = tuple(
            dataclasses.replace(one, needs_confirmation=one.key == "cleaning") for one in catalogue.services
        )
        self.catalogue = dataclasses.replace(catalogue, services=services, _by_id={})
        with database.begin() as work:
            work.session.execute(
                update(HealthcareService).where(HealthcareService.key == "cleaning").values(needs_confirmation=True)
            )

    def request(self, starts_at: datetime = NINE, now: datetime = NOW) -> BookedVisit:
        with self.database.begin() as work:
            hold = place_hold(
                work,
                self.catalogue,
                service_id="service-cleaning",
                location_id="location-main",
                starts_at=starts_at,
                practitioner_ids=(LEE,),
                conversation_id="conversation-1",
                source=Source.SMS,
                now=now,
            )
            return confirm_hold(
                work, self.catalogue, appointment_id=hold.id, patient_id=self.patient_id, now=now, actor="patient"
            )

    def accept(self, one: BookedVisit, now: datetime = NOW) -> BookedVisit:
        with self.database.begin() as work:
            return accept_request(work, self.catalogue, appointment_id=one.id, now=now, actor="staff:kim")

    def reject(self, appointment_id: str, now: datetime = NOW) -> list[Slot]:
        with self.database.begin() as work:
            return reject_request(
                work, self.catalogue, appointment_id=appointment_id, reason="on leave", now=now, actor="staff:kim"
            )

    def propose(self, now: datetime = NOW, **changes: Any) -> str:
        details: dict[str, Any] = {
            "service_id": "service-cleaning",
            "location_id": "location-main",
            "patient_id": self.patient_id,
            "span": WEEK,
            "practitioner_ids": (LEE,),
            "text": "any time after my shift",
            "conversation_id": "conversation-1",
            "source": Source.PHONE,
        }
        with self.database.begin() as work:
            return propose(work, self.catalogue, now=now, **(details | changes))

    def grant(self, appointment_id: str, starts_at: datetime = NINE, **changes: Any) -> BookedVisit:
        with self.database.begin() as work:
            return grant_proposal(
                work,
                self.catalogue,
                appointment_id=appointment_id,
                starts_at=starts_at,
                practitioner_id=LEE,
                now=NOW,
                actor="staff:kim",
                **changes,
            )

    def escalate(self, now: datetime) -> int:
        with self.database.begin() as work:
            return escalate_requests(work, self.catalogue, now=now)

    def close(self, now: datetime) -> int:
        with self.database.begin() as work:
            return close_unanswered(work, now=now)

    def look(self, appointment_id: str) -> BookedVisit:
        with self.database.read() as session:
            return visit(session, appointment_id=appointment_id)

    def live(self, appointment_id: str) -> int:
        with self.database.read() as session:
            found = select(Allocation.id).where(Allocation.appointment_id == appointment_id, Allocation.live)
            return len(session.scalars(found).all())

    def tasks(self) -> list[TaskInfo]:
        with self.database.read() as session:
            return open_tasks(session, clinic_id=self.catalogue.clinic_id)

    def lines(self, appointment_id: str) -> list[str]:
        with self.database.read() as session:
            return [line.what for line in history(session, appointment_id=appointment_id)]

    def events(self) -> list[str]:
        with self.database.read() as session:
            names = session.scalars(select(OutboxEntry.name).order_by(OutboxEntry.id))
            return [name.removeprefix("booking.") for name in names if not name.startswith("booking.task")]

    def payload(self, name: str) -> dict[str, Any]:
        with self.database.read() as session:
            return dict(session.scalars(select(OutboxEntry.payload).where(OutboxEntry.name == f"booking.{name}")).one())


@pytest.fixture
def requests(database: Database, catalogue: Catalogue, a_patient: Callable[..., str]) -> Requests:
    return Requests(database, catalogue, a_patient())


def test_a_request_is_confirmed_by_staff_and_booked_as_it_stands(requests: Requests):
    asked = requests.request()

    accepted = requests.accept(asked)
    again = requests.accept(asked)

    assert accepted == again == dataclasses.replace(asked, status=STATUS.BOOKED)
    assert requests.events() == ["appointment.requested", "appointment.booked"]
    assert requests.lines(asked.id)[-1] == "accepted"
    assert requests.live(asked.id) > 0
    assert requests.tasks() == []


def test_what_was_asked_for_too_long_ago_is_not_confirmed_afterwards(requests: Requests):
    asked = requests.request()

    with pytest.raises(AlreadyOver):
        requests.accept(asked, now=NINE)
    assert requests.look(asked.id).status is STATUS.PENDING


def test_a_hold_and_a_visit_that_is_off_are_no_requests(requests: Requests):
    with requests.database.begin() as work:
        hold = place_hold(
            work,
            requests.catalogue,
            service_id="service-cleaning",
            location_id="location-main",
            starts_at=NINE,
            conversation_id=None,
            source=Source.WEB,
            now=NOW,
        )
    rejected = requests.request(NINE + DAY)
    requests.reject(rejected.id)

    for one in (hold, rejected):
        with pytest.raises(VisitClosed):
            requests.accept(one)
    with pytest.raises(VisitClosed):
        requests.reject(hold.id)


def test_a_rejection_frees_the_time_and_offers_the_nearest_others(requests: Requests):
    asked = requests.request()

    slots = requests.reject(asked.id)

    assert requests.look(asked.id).status is STATUS.CANCELLED
    assert requests.live(asked.id) == 0
    assert [(slot.starts_at - NINE, slot.practitioner_id) for slot in slots][:2] == [
        (timedelta(0), BEN),
        (timedelta(minutes=15), LEE),
    ]
    assert len(slots) == 3
    told = requests.payload("appointment.rejected")
    assert told["alternatives"][0] == [NINE.isoformat(), BEN, "location-main"]
    assert requests.tasks() == []


def test_a_second_rejection_tells_nobody_again(requests: Requests):
    asked = requests.request()

    assert requests.reject(asked.id) == requests.reject(asked.id)
    assert requests.events().count("appointment.rejected") == 1
    assert requests.lines(asked.id).count("rejected") == 1


def test_the_freed_time_can_be_had_by_somebody_else(requests: Requests, catalogue: Catalogue):
    asked = requests.request()
    requests.reject(asked.id)

    other = book(requests.database, catalogue, practitioner="lee", starts_at=NINE)

    assert other.starts_at == NINE


def test_a_request_of_another_clinic_is_unknown(requests: Requests):
    asked = requests.request()
    requests.catalogue = dataclasses.replace(requests.catalogue, clinic_id="clinic-other", _by_id={})  # type: ignore[arg-type]  # an id is a string

    with pytest.raises(UnknownVisit):
        requests.accept(asked)
    with pytest.raises(UnknownVisit):
        requests.reject(asked.id)


def test_a_wish_takes_no_time_and_is_a_task_for_staff(requests: Requests):
    wish = requests.propose()

    found = requests.look(wish)
    assert (found.status, found.practitioner_id, found.starts_at, found.ends_at) == (
        STATUS.PROPOSED,
        "",
        WEEK.start,
        WEEK.end,
    )
    assert requests.live(wish) == 0
    assert [(task.kind, task.appointment_id) for task in requests.tasks()] == [(TaskKind.BOOKING_REQUEST, wish)]
    assert "any time after my shift" in requests.tasks()[0].text
    assert requests.events() == ["appointment.proposed"]


def test_what_a_patient_said_with_a_wish_is_in_no_column_that_can_be_read(requests: Requests):
    requests.propose()

    with requests.database.engine.connect() as connection:
        rows = [
            connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            for table in ("appointment", "appointment_change", "staff_task", "outbox_entry")
        ]
    assert "after my shift" not in str(rows)


def test_the_same_wish_of_a_conversation_is_one(requests: Requests):
    assert requests.propose() == requests.propose()
    assert len(requests.tasks()) == 1
    assert requests.propose(conversation_id="conversation-2") != requests.propose()


def test_a_wish_is_no_visit_to_anybody_who_lists_visits(requests: Requests):
    requests.propose(span=Interval(NOW - DAY, NINE + DAY))
    requests.propose()

    with requests.database.read() as session:
        assert upcoming_visits(session, patient_ids=(requests.patient_id,), now=NOW) == []
        assert visits_of_patient(session, patient_id=requests.patient_id) == []
        assert visits_of_conversation(session, conversation_id="conversation-1") == []
        assert day_sheet(session, requests.catalogue, location_id=None, day=date(2027, 3, 15), now=NOW) == []


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"service_id": "service-none"}, UnknownService),
        ({"location_id": "location-none"}, UnknownLocation),
        ({"practitioner_ids": ("practitioner-none",)}, UnknownPractitioner),
        ({"patient_id": "patient-none"}, UnknownPatient),
        ({"span": Interval(NOW - DAY, NOW)}, AlreadyOver),
    ],
)
def test_a_wish_for_what_there_is_not_is_refused_and_nothing_written(
    requests: Requests, changes: dict[str, Any], refusal: type[Exception]
):
    with pytest.raises(refusal):
        requests.propose(**changes)
    assert (requests.tasks(), requests.events()) == ([], [])


def test_a_wish_gets_its_time_and_stays_the_same_appointment(requests: Requests):
    wish = requests.propose()
    uid = requests.look(wish).uid

    granted = requests.grant(wish)

    assert (granted.id, granted.uid, granted.status) == (wish, uid, STATUS.BOOKED)
    assert (granted.starts_at, granted.ends_at - granted.starts_at) == (NINE, timedelta(minutes=45))
    assert (granted.practitioner_id, granted.source) == (LEE, Source.PHONE)
    assert requests.look(wish) == granted == requests.grant(wish)
    assert requests.live(wish) > 1
    assert requests.tasks() == []
    assert requests.events()[-1] == "appointment.booked"


def test_a_time_that_is_taken_is_not_given_and_the_wish_stays(requests: Requests, catalogue: Catalogue):
    wish = requests.propose()
    book(requests.database, catalogue, practitioner="lee", starts_at=NINE)

    with pytest.raises(SlotTaken):
        requests.grant(wish)
    assert requests.look(wish).status is STATUS.PROPOSED
    assert len(requests.tasks()) == 1
    assert requests.grant(wish, NINE + DAY).status is STATUS.BOOKED


def test_staff_may_set_a_rule_aside_and_it_is_marked(requests: Requests):
    wish = requests.propose()
    noon = NINE + timedelta(hours=3)  # the practitioner's lunch

    with pytest.raises(OutsideHours):
        requests.grant(wish, noon)
    granted = requests.grant(wish, noon, override_reason="she offered it")

    assert granted.overridden == ("outside-hours",)


def test_a_wish_that_was_answered_gets_no_other_time(requests: Requests):
    wish = requests.propose()
    requests.grant(wish)

    with pytest.raises(VisitClosed):
        requests.grant(wish, NINE + DAY)


def test_a_wish_is_declined_with_what_could_be_had_from_whom_it_names(requests: Requests):
    wish = requests.propose()

    slots = requests.reject(wish)

    assert requests.look(wish).status is STATUS.CANCELLED
    assert {slot.practitioner_id for slot in slots} == {LEE}
    assert requests.tasks() == []
    with requests.database.read() as session:
        assert visits_of_patient(session, patient_id=requests.patient_id) == []


def test_it_is_visible_how_long_each_has_waited(requests: Requests):
    first = requests.request(NINE + DAY, now=NOW)
    second = requests.propose(now=NOW + timedelta(hours=1))

    with requests.database.read() as session:
        found = open_requests(session, requests.catalogue)
        assert clinics_with_requests(session) == [requests.catalogue.clinic_id]
    assert [(one.visit.id, one.asked_at, one.answer_by_at) for one in found] == [
        (first.id, NOW, NOW + DAY),
        (second, NOW + timedelta(hours=1), NOW + DAY + timedelta(hours=1)),
    ]
    assert found[1].practitioner_ids == (LEE,)
    assert [one.is_overdue(NOW + DAY) for one in found] == [True, False]


def test_what_nobody_answers_is_raised_once(requests: Requests):
    asked = requests.request()

    assert requests.escalate(NOW + DAY - timedelta(seconds=1)) == 0
    assert requests.escalate(NOW + DAY) == 1
    assert requests.escalate(NOW + 2 * DAY) == 0
    assert ["Nobody has answered" in task.text for task in requests.tasks()] == [False, True]

    with requests.database.begin() as work:
        work.session.execute(update(StaffTask).values(done_at=NOW, subject=None))
    assert requests.escalate(NOW + 2 * DAY) == 0, "staff know already"
    assert requests.lines(asked.id).count("escalated") == 1


def test_what_is_for_tomorrow_morning_is_raised_before_it_is_too_late_to_book_something_else(requests: Requests):
    requests.request(now=NINE - timedelta(hours=20))

    assert requests.escalate(NINE - timedelta(hours=2, seconds=1)) == 0
    assert requests.escalate(NINE - timedelta(hours=2)) == 1


def test_an_answer_ends_both_tasks(requests: Requests):
    asked = requests.request()
    requests.escalate(NOW + DAY)

    requests.accept(asked, now=NOW + DAY)

    assert requests.tasks() == []


def test_what_nobody_answered_in_time_ends_and_staff_keep_their_task(requests: Requests):
    asked, wish = requests.request(), requests.propose()

    assert requests.close(NINE - timedelta(seconds=1)) == 0
    assert requests.close(NINE) == 1
    assert (requests.look(asked.id).status, requests.live(asked.id)) == (STATUS.CANCELLED, 0)
    assert requests.look(wish).status is STATUS.PROPOSED
    assert requests.close(WEEK.end) == 1
    assert len(requests.tasks()) == 2
    with requests.database.read() as session:
        assert set(session.scalars(select(Appointment.cancel_reason))) == {"unanswered"}


def test_a_request_that_the_patient_calls_off_is_nothing_to_answer_any_more(requests: Requests):
    asked = requests.request()
    requests.escalate(NOW + DAY)

    with requests.database.begin() as work:
        cancel_appointment(
            work,
            requests.catalogue,
            appointment_id=asked.id,
            reason="found another",
            now=NOW + DAY,
            actor="patient",
            source=Source.SMS,
        )

    assert requests.tasks() == []


def test_a_wish_without_a_time_is_nothing_to_confirm_or_to_move_to(requests: Requests):
    visit_, wish = requests.request(), requests.propose(practitioner_ids=())

    with requests.database.begin() as work:
        with pytest.raises(NotHeld):
            confirm_hold(
                work, requests.catalogue, appointment_id=wish, patient_id=requests.patient_id, now=NOW, actor="patient"
            )
        with pytest.raises(NotHeld):
            reschedule(
                work,
                requests.catalogue,
                appointment_id=visit_.id,
                hold_id=wish,
                now=NOW,
                actor="patient",
                source=Source.SMS,
            )

    assert requests.look(wish).status is STATUS.PROPOSED
