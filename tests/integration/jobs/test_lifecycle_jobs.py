"""What staff and the clock decide about visits, as the jobs carry it out: duties, texts and their once."""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from booking.catalogue import CatalogueCache, stored_messages, stored_rules
from booking.desk.absence import Absence
from booking.desk.away import Instead, apply_away
from booking.desk.offered_moves import decline_move, offered_moves
from booking.desk.requests import accept_request, reject_request
from booking.events import EVENTS, AppointmentEvent
from booking.model.clinic import Clinic
from booking.model.staff import HealthcareService
from booking.queries import visit
from booking.tasks import open_tasks
from booking.values import AppointmentStatus, BookedVisit, Catalogue, DateSpan, MessagePolicy, SendHours, TaskKind
from booking.waiting_list.waitlist import OfferGone
from calendar_sync.adapters.memory_store import MemoryStore
from jobs.context import JobServices
from jobs.due import DUTIES, run_due
from jobs.messages import send_what_waits
from jobs.subscriptions import CONFIRMATION, STEPS, SUBSCRIBERS
from kernel.clock import FixedClock
from kernel.work import Database, OutboxEntry
from sms.adapters.memory_gateway import MemoryGateway
from sms.model import SmsKind, SmsMessage, SmsState
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.visits import NOW, book

pytestmark = pytest.mark.integration

NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)  # a Monday in Albany
MONDAY = DateSpan(date(2027, 3, 15), date(2027, 3, 16))
DAY = timedelta(days=1)
DUTIES_OF_VISITS = tuple(one for one in DUTIES if one.name in {"chase-requests", "complete-past", "purge-lapsed-holds"})


class Jobs:
    """A clinic with workers: what was published is told when asked for."""

    def __init__(self, database: Database) -> None:
        self.db, self.catalogue = database, elm_catalogue()
        with database.begin() as work:
            store_catalogue(work, self.catalogue)
        self.services = JobServices(
            db=database,
            clock=FixedClock(NOW),
            catalogues=CatalogueCache(),
            sms_gateway=MemoryGateway(),
            open_calendar=lambda _access: MemoryStore(),
        )

    def book(self, catalogue: Catalogue | None = None) -> BookedVisit:
        return book(self.db, catalogue or self.catalogue, practitioner="lee", starts_at=NINE)

    def set_up(self, **others: Any) -> None:
        """Let the clinic have these rules or messages."""
        self.catalogue = dataclasses.replace(self.catalogue, **others, _by_id={})
        with self.db.begin() as work:
            clinic = work.session.get_one(Clinic, self.catalogue.clinic_id)
            clinic.rules = stored_rules(vars(self.catalogue.rules))
            clinic.messages = stored_messages(self.catalogue.messages)

    def request(self) -> BookedVisit:
        with self.db.begin() as work:
            work.session.execute(update(HealthcareService).values(needs_confirmation=True))
        services = tuple(dataclasses.replace(one, needs_confirmation=True) for one in self.catalogue.services)
        self.catalogue = dataclasses.replace(self.catalogue, services=services, _by_id={})
        return self.book()

    def events(self) -> Iterator[AppointmentEvent]:
        with self.db.read() as session:
            entries = session.scalars(select(OutboxEntry).order_by(OutboxEntry.id)).all()
        for entry in entries:
            event = EVENTS[entry.name].from_json(entry.payload)
            if isinstance(event, AppointmentEvent) and CONFIRMATION in SUBSCRIBERS.get(entry.name, ()):
                yield event

    def tell(self, now: datetime = NOW) -> list[str]:
        """Run the texts of everything that was published, twice; return those that were sent."""
        for event in (*self.events(), *self.events()):
            STEPS[CONFIRMATION](self.services, event, now)
        with self.db.read() as session:
            return [text.body for text in session.scalars(select(SmsMessage)) if text.sent_at is not None]

    def texts(self, kind: SmsKind) -> list[SmsMessage]:
        with self.db.read() as session:
            return list(session.scalars(select(SmsMessage).where(SmsMessage.kind == kind)))

    def away(self, instead: Instead, *, now: datetime = NOW) -> None:
        with self.db.begin() as work:
            apply_away(
                work,
                self.catalogue,
                practitioner_id="practitioner-lee",
                absence=Absence(MONDAY),
                reason="ill",
                now=now,
                actor="staff:kim",
                instead=instead,
            )

    def due(self, now: datetime) -> None:
        run_due(self.services, now=now, duties=DUTIES_OF_VISITS)

    def look(self, one: BookedVisit) -> BookedVisit:
        with self.db.read() as session:
            return visit(session, appointment_id=one.id)

    def kinds_of_tasks(self) -> list[TaskKind]:
        with self.db.read() as session:
            return [task.kind for task in open_tasks(session, clinic_id=self.catalogue.clinic_id)]


@pytest.fixture
def jobs(database: Database) -> Jobs:
    return Jobs(database)


def test_a_request_is_told_when_staff_confirm_it_and_not_before(jobs: Jobs):
    asked = jobs.request()
    assert jobs.tell() == []

    with jobs.db.begin() as work:
        accept_request(work, jobs.catalogue, appointment_id=asked.id, now=NOW, actor="staff:kim")

    (text,) = jobs.tell()
    assert "your appointment is booked for Mon Mar 15, 9:00 AM EDT" in text


def test_a_rejection_is_told_once_with_the_times_that_were_found(jobs: Jobs):
    asked = jobs.request()
    with jobs.db.begin() as work:
        reject_request(
            work, jobs.catalogue, appointment_id=asked.id, reason="a private matter", now=NOW, actor="staff:kim"
        )

    (text,) = jobs.tell()

    assert "we can't confirm your appointment on Mon Mar 15, 9:00 AM EDT" in text
    assert "We could see you on Mon Mar 15, 9:00 AM EDT with a colleague, Mon Mar 15, 9:15 AM EDT or Mon Mar 15" in text
    assert "private" not in text


def test_who_is_asked_to_move_is_told_once_what_is_kept_for_them(jobs: Jobs):
    jobs.book()
    jobs.tell()
    jobs.away(Instead.ASK)

    texts = jobs.tell()

    assert len(texts) == 2
    assert (
        "your appointment on Mon Mar 15, 9:00 AM EDT can't take place. We keep Mon Mar 15, 9:00 AM EDT with" in texts[1]
    )
    assert "until Thu Mar 11, 10:00 AM EST" in texts[1]


@pytest.mark.parametrize(("late_by", "state"), [(0, SmsState.SENT), (46, SmsState.SKIPPED)])
def test_at_night_the_time_to_answer_runs_from_when_the_patient_may_be_told(jobs: Jobs, late_by: int, state: SmsState):
    night, morning = datetime(2027, 3, 12, 4, 30, tzinfo=UTC), datetime(2027, 3, 12, 14, 30, tzinfo=UTC)
    jobs.set_up(
        rules=dataclasses.replace(jobs.catalogue.rules, answer_within=timedelta(minutes=45)),
        messages=MessagePolicy(sent_between=SendHours(time(9, 30), time(20))),
    )
    jobs.book()
    jobs.tell()
    jobs.away(Instead.ASK, now=night)

    assert len(jobs.tell(night)) == 1, "only that it was booked"
    jobs.services.clock.advance(morning + timedelta(minutes=late_by) - NOW)
    send_what_waits(jobs.services, jobs.services.clock.now())

    [text] = jobs.texts(SmsKind.MOVE_OFFERED)
    assert (text.due_at, text.state) == (morning, state)
    assert "until Fri Mar 12, 10:15 AM EST" in text.body


def test_what_is_kept_no_longer_is_not_told(jobs: Jobs):
    one = jobs.book()
    jobs.tell()
    jobs.away(Instead.ASK)
    assert one.patient_id is not None
    with jobs.db.begin() as work:
        (offered,) = offered_moves(work.session, patient_ids=(one.patient_id,), now=NOW)
        decline_move(work, jobs.catalogue, hold_id=offered.hold.id, now=NOW)

    with pytest.raises(OfferGone):
        jobs.tell()


@pytest.mark.parametrize(
    ("instead", "said"),
    [
        (Instead.MOVE, "we are sorry, we had to change your appointment. It is now on Mon Mar 15, 9:00 AM EDT"),
        (Instead.CANCEL, "we are sorry, we had to call off your appointment on Mon Mar 15, 9:00 AM EDT"),
    ],
)
def test_what_the_clinic_moves_or_calls_off_is_told_once_as_its_own_doing(jobs: Jobs, instead: Instead, said: str):
    jobs.book()
    jobs.tell()
    jobs.away(instead)

    texts = jobs.tell()

    assert len(texts) == 2
    assert said in texts[1]


def test_due_work_raises_what_nobody_answers_once_and_ends_it_when_its_time_has_come(jobs: Jobs):
    asked = jobs.request()

    jobs.due(NOW)
    assert jobs.kinds_of_tasks() == [TaskKind.BOOKING_REQUEST]
    jobs.due(NOW + DAY)
    jobs.due(NOW + 2 * DAY)
    assert jobs.kinds_of_tasks() == [TaskKind.BOOKING_REQUEST] * 2
    jobs.due(NINE)
    assert jobs.look(asked).status is AppointmentStatus.CANCELLED
    assert jobs.tell(NINE) == [], "nobody comes to hear of it then"


def test_due_work_completes_what_is_over(jobs: Jobs):
    one = jobs.book()

    jobs.due(NINE)
    assert jobs.look(one).status is AppointmentStatus.BOOKED
    jobs.due(NINE + DAY)
    assert jobs.look(one).status is AppointmentStatus.FULFILLED
