"""What comes free is offered by text, by events and as time goes by, and pages know who could next be seen."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from booking.catalogue import CatalogueCache
from booking.consent import opt_out
from booking.events import EVENTS, AppointmentEvent
from booking.model.clinic import Clinic
from booking.next_available import next_available
from booking.tasks import open_tasks
from booking.values import Catalogue, TaskKind
from booking.waiting_list.waitlist import OfferStatus, accept_offer, decline_offer
from calendar_sync.adapters.memory_store import MemoryStore
from jobs.context import JobServices
from jobs.due import DUTIES, run_due
from jobs.mailing import send_mails
from jobs.subscriptions import STEPS, SUBSCRIBERS
from kernel.clock import FixedClock
from kernel.errors import Refused, Unavailable
from kernel.work import Database, OutboxEntry
from sms.adapters.memory_gateway import MemoryGateway
from sms.model import SmsMessage, SmsState
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.mail_server import KeptMails
from tests.support.visits import NOW, patient_of
from tests.support.waiting_list import AT_NINE, NINE, WaitingList

pytestmark = pytest.mark.integration

MINUTE = timedelta(minutes=1)
EVENING = datetime(2027, 3, 11, 3, 0, tzinfo=UTC)  # 22:00 in Troy
MORNING = datetime(2027, 3, 11, 13, 0, tzinfo=UTC)  # 8:00 there
LATER = MORNING + timedelta(hours=1)


@dataclass
class Jobs:
    """A clinic with workers, and its waiting list."""

    waiting: WaitingList
    services: JobServices
    clock: FixedClock
    told: set[int] = field(default_factory=set)

    def tell(self, now: datetime = NOW) -> None:
        """Run the steps of everything that was published, as long as there is anything new."""
        while self._tell_what_is_new(now):
            pass

    def _tell_what_is_new(self, now: datetime) -> bool:
        with self.waiting.database.read() as session:
            new = session.scalars(select(OutboxEntry).where(OutboxEntry.id.not_in(self.told)).order_by(OutboxEntry.id))
            entries = new.all()
        for entry in entries:
            self.told.add(entry.id)
            event = EVENTS[entry.name].from_json(entry.payload)
            for name in SUBSCRIBERS.get(entry.name, ()):
                assert isinstance(event, AppointmentEvent)
                try:
                    STEPS[name](self.services, event, now)
                except Refused:
                    continue  # nothing to tell any more: an end, not a failure
        return bool(entries)

    def due(self, now: datetime) -> None:
        names = {"offer-freed-time", "refresh-next-available", "send-waiting-messages"}
        self.clock.advance(now - self.clock.now())
        run_due(self.services, now=now, duties=[one for one in DUTIES if one.name in names])

    def offers(self) -> list[SmsMessage]:
        with self.waiting.database.read() as session:
            return list(session.scalars(select(SmsMessage).where(SmsMessage.kind == "offer")))


@pytest.fixture
def jobs(database: Database) -> Jobs:
    catalogue: Catalogue = elm_catalogue()
    with database.begin() as work:
        store_catalogue(work, catalogue)
    clock = FixedClock(NOW)
    services = JobServices(
        db=database,
        clock=clock,
        catalogues=CatalogueCache(),
        sms_gateway=MemoryGateway(),
        open_calendar=lambda _access: MemoryStore(),
    )
    return Jobs(WaitingList(database, catalogue), services, clock)


def test_a_cancellation_is_offered_at_once_by_a_text(jobs: Jobs):
    theirs = jobs.waiting.taken()
    patient = jobs.waiting.patient(phone="+12125550150")
    jobs.waiting.join(patient)
    jobs.tell()
    assert jobs.offers() == []

    jobs.waiting.free(theirs)
    jobs.tell()

    [offer] = jobs.waiting.of(patient)
    [text] = jobs.offers()
    assert (text.to, text.state, text.offer_id) == ("+12125550150", SmsState.SENT, offer.id)
    assert "Wed Mar 17, 9:00 AM EDT at Riverside" in text.body


def test_a_text_is_written_once_whatever_is_run_again(jobs: Jobs):
    jobs.waiting.join(jobs.waiting.patient())
    jobs.due(NOW)
    jobs.tell()

    jobs.told.clear()
    jobs.tell()

    assert len(jobs.offers()) == 1


def test_each_of_many_who_are_offered_one_time_has_a_text_of_their_own(jobs: Jobs):
    jobs.waiting = jobs.waiting.offering_to_all()
    for number in range(3):
        jobs.waiting.join(jobs.waiting.patient(f"Ann Smith{number}", phone=f"+1212555015{number}"))

    jobs.due(NOW)
    jobs.tell()

    assert {text.to for text in jobs.offers()} == {f"+1212555015{number}" for number in range(3)}
    assert all("The first to reply gets it." in text.body for text in jobs.offers())


def test_who_does_not_answer_is_followed_by_the_next_without_anybody_s_help(jobs: Jobs):
    first, second = jobs.waiting.patient("Ann Smith"), jobs.waiting.patient("Bob Jones", phone="+12125550151")
    jobs.waiting.join(first)
    jobs.waiting.join(second, now=NOW + MINUTE)
    jobs.due(NOW + MINUTE)
    later = NOW + timedelta(minutes=31)

    jobs.due(later)
    jobs.tell(later)

    assert [one.status for one in jobs.waiting.of(first)] == [OfferStatus.EXPIRED]
    assert [one.status for one in jobs.waiting.of(second)] == [OfferStatus.OPEN]
    assert [text.to for text in jobs.offers()] == ["+12125550151"], "what is over is not offered any more"


def test_who_passes_is_followed_at_once(jobs: Jobs):
    first, second = jobs.waiting.patient("Ann Smith"), jobs.waiting.patient("Bob Jones")
    jobs.waiting.join(first)
    jobs.waiting.join(second, now=NOW + MINUTE)
    jobs.due(NOW + MINUTE)
    [offer] = jobs.waiting.of(first)

    jobs.waiting.database.run(
        lambda work: decline_offer(work, jobs.waiting.catalogue, offer_id=offer.id, now=NOW + 2 * MINUTE)
    )
    jobs.tell(NOW + 2 * MINUTE)

    assert [one.status for one in jobs.waiting.of(second)] == [OfferStatus.OPEN]


def test_what_comes_free_for_two_who_want_different_times_is_offered_to_both(jobs: Jobs):
    people = [jobs.waiting.patient(name) for name in ("Ann Smith", "Bob Jones", "Cem Kaya")]
    for patient in people:
        jobs.waiting.join(patient, spans=())

    jobs.due(NOW)

    assert [len(jobs.waiting.of(patient)) for patient in people] == [1, 1, 1]


@pytest.mark.parametrize(("messages", "morning"), [({}, MORNING), ({"sent_between": ["09:00", "20:00"]}, LATER)])
def test_at_night_the_time_is_kept_and_the_text_waits_for_the_clinic_s_morning(
    jobs: Jobs, messages: dict[str, Any], morning: datetime
):
    with jobs.waiting.database.begin() as work:
        work.session.get_one(Clinic, jobs.waiting.catalogue.clinic_id).messages = messages
    patient = jobs.waiting.patient()
    jobs.waiting.join(patient)
    jobs.due(EVENING)
    jobs.tell(EVENING)

    [text] = jobs.offers()
    assert (text.state, text.due_at) == (SmsState.QUEUED, morning)
    assert jobs.waiting.of(patient)[0].expires_at == morning + timedelta(minutes=30)
    jobs.due(morning)
    assert [text.state for text in jobs.offers()] == [SmsState.SENT]


def test_a_text_that_waits_for_the_morning_is_not_sent_when_the_offer_is_over(jobs: Jobs):
    patient = jobs.waiting.patient()
    jobs.waiting.join(patient)
    jobs.due(EVENING)
    jobs.tell(EVENING)
    [offer] = jobs.waiting.of(patient)
    jobs.waiting.database.run(
        lambda work: accept_offer(work, jobs.waiting.catalogue, offer_id=offer.id, now=EVENING, actor="staff:kim")
    )
    jobs.tell(EVENING)

    jobs.due(MORNING)

    assert [(text.state, text.note) for text in jobs.offers()] == [(SmsState.SKIPPED, "superseded")]


def test_an_offer_that_night_has_overtaken_and_that_ends_before_morning_wakes_nobody(jobs: Jobs):
    gateway = jobs.services.sms_gateway
    assert isinstance(gateway, MemoryGateway)
    shortly_before_nine = EVENING - timedelta(minutes=65)
    jobs.waiting.join(jobs.waiting.patient())
    gateway.is_down = True
    jobs.due(shortly_before_nine)
    with pytest.raises(Unavailable):
        jobs.tell(shortly_before_nine)

    gateway.is_down = False
    jobs.due(shortly_before_nine + 20 * MINUTE)
    jobs.due(shortly_before_nine + 31 * MINUTE)

    assert gateway.sent == []
    assert [(text.state, text.note) for text in jobs.offers()] == [(SmsState.SKIPPED, "superseded")]


def test_a_mail_that_could_not_leave_in_time_makes_no_offer_that_is_over(jobs: Jobs):
    mailer, database, catalogue = KeptMails(), jobs.waiting.database, jobs.waiting.catalogue
    with database.begin() as work:
        work.session.get_one(Clinic, catalogue.clinic_id).email = "desk@elm.example"
    jobs.services = replace(jobs.services, catalogues=CatalogueCache(), mailer=mailer)
    jobs.waiting.join(patient_of(database, catalogue, phone=None, email="ann@example.org"))
    jobs.due(NOW)
    jobs.tell()
    [text] = jobs.offers()

    send_mails(replace(jobs.services, clock=FixedClock(NOW + timedelta(days=1))), NOW + timedelta(days=1))

    assert text.note == "no-number"
    assert mailer.sent == []


def no_texts(jobs: Jobs) -> None:
    clinic_id = jobs.waiting.catalogue.clinic_id
    with jobs.waiting.database.begin() as work:
        opt_out(work, clinic_id=clinic_id, phone="+12125550123", now=NOW)


@pytest.mark.parametrize("prepare", [no_texts])
def test_whom_no_text_can_reach_is_called_by_staff(jobs: Jobs, prepare: Callable[[Jobs], None]):
    jobs.waiting.join(jobs.waiting.patient())
    prepare(jobs)

    jobs.due(NOW)
    jobs.tell()

    with jobs.waiting.database.read() as session:
        [task] = open_tasks(session, clinic_id=jobs.waiting.catalogue.clinic_id)
    assert (task.kind, task.phone) == (TaskKind.UNDELIVERED, "+12125550123")
    assert [text.note for text in jobs.offers()] == ["opted-out"]


def test_when_somebody_can_next_be_seen_follows_events_and_time(jobs: Jobs):
    def first() -> datetime | None:
        with jobs.waiting.database.read() as session:
            found = next_available(session, jobs.waiting.catalogue, practitioner_ids=["practitioner-carter"])
        return found["practitioner-carter", "service-skin-check", "location-riverside"]

    soon = NOW + timedelta(hours=2)
    jobs.due(NOW)
    assert first() == soon

    visit = jobs.waiting.taken(soon)
    jobs.tell()
    assert first() == soon + timedelta(minutes=30)

    jobs.waiting.free(visit)
    jobs.tell()
    assert first() == soon

    jobs.due(NOW + 10 * MINUTE)
    assert first() == soon + timedelta(minutes=15)


def test_a_visit_that_is_moved_changes_the_time_of_both_who_had_it(jobs: Jobs):
    from booking.next_available import practitioners_of
    from tests.support.visits import book, move

    visit = book(jobs.waiting.database, jobs.waiting.catalogue, practitioner="lee", starts_at=NINE + timedelta(days=1))
    move(
        jobs.waiting.database,
        jobs.waiting.catalogue,
        visit,
        practitioner="ben-carter",
        starts_at=AT_NINE.start + timedelta(days=2),
        now=NOW,
    )

    with jobs.waiting.database.read() as session:
        found = practitioners_of(session, appointment_id=visit.id)

    assert found == ("practitioner-ben-carter", "practitioner-lee")
