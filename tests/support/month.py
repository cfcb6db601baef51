"""A simulated month of a clinic: patients book, move, cancel, wait and opt out while workers that are killed at random tell them.

The clock stands still but for steps of an hour, two at night; where a worker died the others look again a lease later. Workers
are threads, each with connections of its own, on one PostgreSQL; texts go to the stand-in for Twilio by HTTP, mails to an SMTP
server. What came of it is read from these two and the diary alone, and held against what patients did: see `faults_of`.
"""

import contextlib
import queue
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from sqlalchemy import select

from booking.cancel import cancel_appointment
from booking.catalogue import CatalogueCache
from booking.confirm import confirm_hold
from booking.consent import opt_out
from booking.hold import place_hold
from booking.model.appointment import Allocation, Appointment
from booking.model.clinic import Clinic
from booking.model.waitlist import Offer, WaitlistEntry
from booking.patient_record import PatientChanges, change_patient
from booking.patients import register_patient
from booking.reschedule import reschedule
from booking.values import BookedVisit, Catalogue, PractitionerInfo, ResourceInfo, Source
from booking.waiting_list.waitlist import OfferStatus, accept_offer, decline_offer, join_waitlist
from calendar_sync.adapters.memory_store import MemoryStore
from jobs.context import JobServices
from jobs.due import DUTIES, Duty, run_due
from jobs.lease import LEASE
from jobs.outbox_relay import relay_once
from jobs.run import run_step
from jobs.subscriptions import CONFIRMATION, OFFER, OFFER_OVER, SUBSCRIBERS, WAITLIST
from kernel.adapters.smtp_mailer import SmtpMailer
from kernel.clock import FixedClock
from kernel.errors import Refused, Unavailable
from kernel.interval import Interval
from kernel.telephony import TwilioAccount, make_client
from kernel.work import Database, UnitOfWork
from sms.adapters.twilio_gateway import TwilioGateway
from sms.model import SmsMessage, SmsState
from sms.ports import OutgoingText
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import NEW_YORK, elm_catalogue
from tests.support.databases import SECRET
from tests.support.mail_server import TestingMailServer
from tests.support.twilio_server import TwilioServer

Result = TypeVar("Result")
AnyDiary = TypeVar("AnyDiary", PractitionerInfo, ResourceInfo)

BEGINS = datetime(2027, 3, 1, 13, 0, tzinfo=UTC)  # a Monday, 8:00 in Albany; the clocks go forward on the 14th
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEP = HOUR
GRACE = 3 * HOUR
"""By then what is due is told though workers died."""
_RESTART = LEASE + timedelta(minutes=1)
"""After this others take up what a dead worker was at."""
LEADS = (2 * DAY, 3 * HOUR)
_TOLD = {CONFIRMATION, WAITLIST, OFFER, OFFER_OVER}
_DUTIES = {"expire-holds", "offer-freed-time", "remind", "send-waiting-messages", "send-mails"}
_EXAM = "service-dental-exam"
_LANDLINE = "+3491{:07d}"


class Killed(BaseException):
    """The process ends here: nothing after it runs, and nobody catches it."""


@dataclass(frozen=True)
class Size:
    """How much happens. `deaths` is how often a worker dies, of the times that it could."""

    visits: int
    days: int
    deaths: float = 0.004
    workers: int = 4


@dataclass
class Stand:
    """That a patient had a visit at this time, from when they heard of it until they moved or cancelled it."""

    contact: str  # the number, or the address
    starts_at: datetime
    learnt_at: datetime
    until: datetime | None = None


@dataclass
class Told:
    """A reminder as it arrived."""

    contact: str
    text: str
    at: datetime


@dataclass
class Month:
    """What patients did, and what arrived."""

    size: Size
    db: Database
    catalogue: Catalogue
    stands: list[Stand] = field(default_factory=list)
    stopped: dict[str, datetime] = field(default_factory=dict)  # number to when it asked for no more
    reminders: list[Told] = field(default_factory=list)
    mail_ids: set[str] = field(default_factory=set)
    mails_again: int = 0
    freed: list[datetime] = field(default_factory=list)  # times that somebody waited for
    deaths: int = 0
    ended_at: datetime = BEGINS


class _DyingDatabase(Database):
    """A database of a worker that may die before a step or right after it was committed."""

    perhaps_die: Callable[[], None] = staticmethod(lambda: None)

    def run(self, step: Callable[[UnitOfWork], Result]) -> Result:
        self.perhaps_die()
        result = super().run(step)
        self.perhaps_die()
        return result


class _DyingGateway(TwilioGateway):
    """A way to the vendor on which a worker may die before the request, or with the answer in its hands."""

    perhaps_die: Callable[[], None] = staticmethod(lambda: None)

    def send(self, text: OutgoingText) -> str:
        self.perhaps_die()
        sid = super().send(text)
        self.perhaps_die()
        return sid


@dataclass
class _Worker:
    """A process that is killed now and then, and started again by the next step."""

    services: JobServices
    chance: random.Random
    deaths: float
    duties: tuple[Duty, ...] = tuple(one for one in DUTIES if one.name in _DUTIES)
    died: int = 0

    def perhaps_die(self) -> None:
        if self.chance.random() < self.deaths:
            raise Killed

    def work(self, now: datetime) -> None:
        subscribers = {name: [one for one in ours if one in _TOLD] for name, ours in SUBSCRIBERS.items()}
        try:
            for _ in range(4):  # a text follows an offer, which follows a cancellation
                handed_out = _Kept()
                if not relay_once(self.services.db, handed_out, subscribers=subscribers, now=now):
                    break
                for delivery_id in handed_out.ids():
                    run_step(self.services, delivery_id=delivery_id)
            run_due(self.services, now=now, duties=self.duties)
        except Killed:
            self.died += 1
        except Unavailable:
            pass


class _Kept:
    def __init__(self) -> None:
        self._ids: queue.SimpleQueue[str] = queue.SimpleQueue()

    def put(self, *, delivery_id: str, handout: int) -> None:
        self._ids.put(delivery_id)

    def ids(self) -> Iterator[str]:
        while not self._ids.empty():
            yield self._ids.get()


def live(
    size: Size, *, url: str, twilio: TwilioServer, mail: TestingMailServer, clock: FixedClock, seed: int = 1
) -> Month:
    """Let the month pass and return what happened. `twilio` shall go by `clock`, which begins at `BEGINS`."""
    catalogue = _with_room_for(size)
    rules = replace(catalogue.rules, offer_for=timedelta(minutes=90))
    catalogue = replace(catalogue, email="desk@elm.example", rules=rules, _by_id={})
    db = Database(url, secret=SECRET)
    with db.begin() as work:
        store_catalogue(work, catalogue)
        work.session.get_one(Clinic, catalogue.clinic_id).email = catalogue.email
    month = Month(size, db, catalogue)
    people = _People(month, clock, random.Random(seed))
    workers = [
        _worker(url=url, twilio=twilio, mail=mail, clock=clock, deaths=size.deaths, seed=f"{seed}-{n}")
        for n in range(size.workers)
    ]
    acts_until, ends_at = BEGINS + size.days * DAY, BEGINS + (size.days + 1) * DAY
    while clock.now() < ends_at + 4 * STEP:
        is_end = clock.now() >= ends_at
        if is_end:
            for one in workers:
                one.deaths = 0.0  # the last steps finish what was begun
        people.act(is_over=clock.now() >= acts_until)
        ends_step_at = clock.now() + _step_from(clock.now())
        while _work(month, workers, mail, now=clock.now()) and clock.now() + _RESTART < ends_step_at:
            clock.advance(_RESTART)
        if is_end:
            clock.advance(timedelta(seconds=10))
            _work(month, workers, mail, now=clock.now())  # sends what the others have just written down
        clock.advance(ends_step_at - clock.now())
    month.ended_at = clock.now()
    month.deaths = sum(one.died for one in workers)
    month.reminders += [
        Told(one.to, one.body, one.created_at) for one in twilio.messages if "reminder of your appointment" in one.body
    ]
    for one in workers:
        one.services.db.dispose()
    return month


def _work(month: Month, workers: list[_Worker], mail: TestingMailServer, *, now: datetime) -> int:
    """Let all workers look at once for what is due; return how many of them died of it."""
    taken_before, died_before = len(mail.taken), sum(one.died for one in workers)
    threads = [threading.Thread(target=one.work, args=(now,)) for one in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _note_mails(month, mail, since=taken_before, now=now)
    return sum(one.died for one in workers) - died_before


def _step_from(now: datetime) -> timedelta:
    """Return how long the clock stands still after `now`: longer at night, when little happens."""
    return STEP if 6 <= now.astimezone(NEW_YORK).hour < 22 else 2 * STEP


def _worker(
    *, url: str, twilio: TwilioServer, mail: TestingMailServer, clock: FixedClock, deaths: float, seed: str
) -> _Worker:
    db = _DyingDatabase(url, secret=SECRET)
    account = TwilioAccount(twilio.account_sid, (twilio.auth_token,), api_base_url=twilio.base_url)
    gateway = _DyingGateway(make_client(account), status_url="https://clinic.example.org/twilio/sms/status")
    services = JobServices(
        db=db,
        clock=clock,
        catalogues=CatalogueCache(),
        sms_gateway=gateway,
        open_calendar=lambda _access: MemoryStore(),
        mailer=SmtpMailer(mail.address),
    )
    worker = _Worker(services, random.Random(seed), deaths)
    db.perhaps_die = gateway.perhaps_die = worker.perhaps_die  # of this worker only
    return worker


def _with_room_for(size: "Size") -> Catalogue:
    """Return the clinic with as many dentists, and chairs for them, as that many visits need."""
    catalogue = elm_catalogue()
    more = range(size.visits // (size.days * 16))
    dentists = [one for one in catalogue.practitioners if _EXAM in one.service_ids]
    chairs = [one for one in catalogue.resources if one.kind == "chair"]
    return replace(
        catalogue,
        practitioners=(*catalogue.practitioners, *(_another(one, number) for number in more for one in dentists)),
        resources=(*catalogue.resources, *(_another(one, number) for number in more for one in chairs)),
        _by_id={},
    )


def _another(one: AnyDiary, number: int) -> AnyDiary:
    return replace(one, id=f"{one.id}-{number}", key=f"{one.key}-{number}", schedule_id=f"{one.schedule_id}-{number}")


class _People:
    """The patients, who do what people do."""

    def __init__(self, month: Month, clock: FixedClock, chance: random.Random) -> None:
        self._month = month
        self._clock = clock
        self._chance = chance
        self._booked, self._acted_at = 0.0, BEGINS
        self._visits: list[tuple[BookedVisit, Stand, str]] = []
        self._waited_for: list[BookedVisit] = []
        self._number = 0

    def act(self, *, is_over: bool) -> None:
        now, size = self._clock.now(), self._month.size
        if now == BEGINS:
            self._fill_waiting_list()
        if is_over:
            return
        self._booked += size.visits * (now - self._acted_at) / (size.days * DAY)  # a share of a visit is carried on
        self._acted_at = now
        while self._booked >= 1:
            self._booked -= 1
            self._book(now)
        if self._chance.random() < 0.3:
            self._change_one(now)
        if self._chance.random() < 0.15:
            self._hold(now)  # and never come back
        if self._waited_for and self._waited_for[0].starts_at <= now + 44 * HOUR:
            self._free(now)
        self._answer_offers(now)

    def _patient(self, *, by_mail: bool = False) -> tuple[str, str]:
        self._number += 1
        phone = _LANDLINE.format(self._number) if by_mail else f"+1212555{self._number:04d}"
        email = f"patient{self._number}@example.org"
        with self._month.db.begin() as work:
            patient = register_patient(
                work,
                clinic_id=self._month.catalogue.clinic_id,
                name=f"Ann Smith {self._number}",
                birth_date=date(1984, 5, 2),
                phone=phone,
                language="en",
                now=self._clock.now(),
            )
            if by_mail:
                change_patient(
                    work,
                    clinic_id=self._month.catalogue.clinic_id,
                    patient_id=str(patient.id),
                    changes=PatientChanges(emails=(email,)),
                    now=self._clock.now(),
                    actor="staff:ruiz",
                    source=Source.STAFF,
                )
        return str(patient.id), email if by_mail else phone

    def _some_time(self, now: datetime) -> datetime:
        days = self._chance.choice((0, 1, 1, 2, 2, 3, 4, 5, 7, 9))
        local = (now + timedelta(days=days)).astimezone(NEW_YORK).date()
        wall = datetime.combine(local, time(self._chance.randint(8, 17), self._chance.choice((0, 15, 30, 45))))
        return wall.replace(tzinfo=NEW_YORK).astimezone(UTC)

    def _hold(self, now: datetime, **more: Any) -> BookedVisit | None:
        for _ in range(8):
            try:
                with self._month.db.begin() as work:
                    return place_hold(
                        work,
                        self._month.catalogue,
                        service_id=_EXAM,
                        location_id="location-main",
                        starts_at=self._some_time(now),
                        conversation_id=None,
                        source=Source.PHONE,
                        now=now,
                        **more,
                    )
            except Refused:
                continue
        return None

    def _book(self, now: datetime) -> None:
        hold = self._hold(now)
        if hold is None:
            return
        patient_id, contact = self._patient(by_mail=self._chance.random() < 0.1)
        visit = self._confirm(hold.id, patient_id, now)
        stand = Stand(contact, visit.starts_at, now)
        self._month.stands.append(stand)
        self._visits.append((visit, stand, patient_id))

    def _confirm(self, hold_id: str, patient_id: str, now: datetime) -> BookedVisit:
        with self._month.db.begin() as work:
            return confirm_hold(
                work,
                self._month.catalogue,
                appointment_id=hold_id,
                patient_id=patient_id,
                now=now,
                actor="patient",
            )

    def _change_one(self, now: datetime) -> None:
        ahead = [one for one in self._visits if one[0].starts_at > now + HOUR and one[1].until is None]
        if not ahead:
            return
        visit, stand, patient_id = self._chance.choice(ahead)
        what = self._chance.choice(("move", "cancel", "stop"))
        if what == "stop" and stand.contact.startswith("+"):
            self._month.stopped.setdefault(stand.contact, now)
            with self._month.db.begin() as work:
                opt_out(work, clinic_id=self._month.catalogue.clinic_id, phone=stand.contact, now=now)
        elif what == "cancel":
            stand.until = now
            self._cancel(visit, now)
        elif what == "move":
            self._move(visit, stand, patient_id, now)

    def _move(self, visit: BookedVisit, stand: Stand, patient_id: str, now: datetime) -> None:
        hold = self._hold(now, replaces_appointment_id=visit.id)
        had = [one.starts_at for one in self._month.stands if one.contact == stand.contact]
        if hold is None or hold.starts_at in had:
            return  # two reminders of one time could not be told apart afterwards
        with self._month.db.begin() as work:
            moved = reschedule(
                work,
                self._month.catalogue,
                appointment_id=visit.id,
                hold_id=hold.id,
                now=now,
                actor="patient",
                source=Source.SMS,
            )
        stand.until = now
        anew = Stand(stand.contact, moved.starts_at, now)
        self._month.stands.append(anew)
        self._visits.append((moved, anew, patient_id))

    def _cancel(self, visit: BookedVisit, now: datetime) -> None:
        with self._month.db.begin() as work:
            cancel_appointment(
                work,
                self._month.catalogue,
                appointment_id=visit.id,
                reason="ill",
                now=now,
                actor="patient",
                source=Source.SMS,
            )

    def _fill_waiting_list(self) -> None:
        """Let three people wait for each Wednesday at nine with the dermatologist, which somebody has."""
        first = datetime(2027, 3, 3, 14, 0, tzinfo=UTC)
        for week in range(self._month.size.days // 7 + 1):
            local = (first + timedelta(weeks=week)).astimezone(NEW_YORK).date()
            nine = datetime.combine(local, time(9)).replace(tzinfo=NEW_YORK).astimezone(UTC)
            with self._month.db.begin() as work:
                hold = place_hold(
                    work,
                    self._month.catalogue,
                    service_id="service-skin-check",
                    location_id="location-riverside",
                    practitioner_ids=("practitioner-carter",),
                    starts_at=nine,
                    conversation_id=None,
                    source=Source.PHONE,
                    now=BEGINS,
                )
            patient_id, contact = self._patient()
            visit = self._confirm(hold.id, patient_id, BEGINS)
            self._waited_for.append(visit)
            self._visits.append((visit, Stand(contact, nine, BEGINS, until=BEGINS), patient_id))
            for turn in range(3):
                waiting, _ = self._patient()
                with self._month.db.begin() as work:
                    join_waitlist(
                        work,
                        self._month.catalogue,
                        patient_id=waiting,
                        service_id="service-skin-check",
                        practitioner_ids=("practitioner-carter",),
                        spans=(Interval(nine, nine + timedelta(minutes=15)),),
                        conversation_id=None,
                        source=Source.SMS,
                        now=BEGINS + timedelta(seconds=turn),
                    )

    def _free(self, now: datetime) -> None:
        visit = self._waited_for.pop(0)
        self._month.freed.append(visit.starts_at)
        self._cancel(visit, now)

    def _answer_offers(self, now: datetime) -> None:
        """Say no, or nothing, or yes."""
        with self._month.db.read() as session:
            made = select(Offer.id).where(Offer.status == OfferStatus.OPEN, Offer.expires_at > now).order_by(Offer.id)
            open_offers = list(session.scalars(made))
        for offer_id in open_offers:
            answer = self._chance.choice(("yes", "no", "nothing", "nothing"))
            with contextlib.suppress(Refused), self._month.db.begin() as work:
                if answer == "yes":
                    accept_offer(work, self._month.catalogue, offer_id=offer_id, now=now, actor="patient")
                elif answer == "no":
                    decline_offer(work, self._month.catalogue, offer_id=offer_id, now=now)


def _note_mails(month: Month, mail: TestingMailServer, *, since: int, now: datetime) -> None:
    """Note the reminders among the mails. One that came before is counted apart: mail programs show a Message-ID once.

    No mail server can be asked what it has, so a worker that dies with its answer in the hand leaves a mail to be sent again.
    """
    for one in mail.taken[since:]:
        if "reminder" not in one.message["Subject"]:
            continue
        if one.message["Message-ID"] in month.mail_ids:
            month.mails_again += 1
            continue
        month.mail_ids.add(one.message["Message-ID"])
        month.reminders.append(Told(one.to[0], one.message.get_content(), now))


# What is to be true afterwards.


def faults_of(month: Month) -> list[str]:
    """Return whatever is not as it must be: reminders first, then what was held and offered."""
    return [*_wrong_reminders(month), *_left_held(month), *_out_of_turn(month), *_left_unsent(month)]


def due_instants(stand: Stand) -> list[datetime]:
    """Return when a patient is reminded of this time, worked out anew: by the wall clock, and the evening before a night."""
    wall = stand.starts_at.astimezone(NEW_YORK).replace(tzinfo=None)
    instants = []
    for lead in LEADS:
        told = wall - lead
        if told.hour < 8:
            told = datetime.combine(told.date() - DAY, time(20))
        elif told.hour >= 21:
            told = datetime.combine(told.date(), time(20))
        at = told.replace(tzinfo=NEW_YORK).astimezone(UTC)
        if stand.learnt_at <= at - lead / 2:
            instants.append(at)
    return instants


def _wrong_reminders(month: Month) -> Iterator[str]:
    told: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for one in month.reminders:
        if not 8 <= one.at.astimezone(NEW_YORK).hour < 21:
            yield f"at night: {one}"
        if one.at >= month.stopped.get(one.contact, one.at + DAY):
            yield f"after opting out: {one}"
        told[one.contact, _when_in(one.text)].append(one.at)
    for stand in month.stands:
        yield from _wrong_of(stand, month, sorted(told.pop((stand.contact, _when(stand.starts_at)), [])))
    for (contact, when), at_all in told.items():
        if not when.startswith(_OF_OTHERS):
            yield f"reminders of no visit: {contact}, {when}, {at_all}"


def _wrong_of(stand: Stand, month: Month, arrived: list[datetime]) -> Iterator[str]:
    stops_at = min(stand.until or stand.starts_at, month.stopped.get(stand.contact, stand.starts_at), month.ended_at)
    for at in due_instants(stand):
        latest = _latest(at)
        came = [one for one in arrived if at <= one < latest]
        arrived = [one for one in arrived if one not in came]
        least, most = int(stops_at >= latest), int(stops_at > at)
        if not least <= len(came) <= most:
            yield f"{len(came)} reminders due at {at} of {stand}"
        if came and came[0] >= stops_at:
            yield f"of what no longer stood: {stand}, {came}"
    if arrived:
        yield f"reminders that were not due, at {arrived}, of {stand}"


def _latest(at: datetime) -> datetime:
    """Return by when a reminder is told though workers died: in the morning, where night fell meanwhile."""
    latest = at + GRACE
    wall = latest.astimezone(NEW_YORK)
    if 8 <= wall.hour < 21:
        return latest
    morning = wall.date() if wall.hour < 8 else wall.date() + DAY
    return datetime.combine(morning, time(8)).replace(tzinfo=NEW_YORK).astimezone(UTC) + GRACE


_OF_OTHERS = "Wed"  # the dermatologist's, who are not followed


def _when(starts_at: datetime) -> str:
    wall = starts_at.astimezone(NEW_YORK)
    return f"{wall:%a %b} {wall.day}, {wall:%I:%M %p %Z}".replace(", 0", ", ")


def _when_in(text: str) -> str:
    return text.partition("appointment on ")[2].partition(" at ")[0]


def _left_held(month: Month) -> Iterator[str]:
    with month.db.read() as session:
        held = session.scalars(
            select(Appointment.id)
            .join(Allocation, Allocation.appointment_id == Appointment.id)
            .where(Allocation.live, Appointment.hold_expires_at.is_not(None))
        )
        yield from (f"still held: {one}" for one in held)
        open_offers = session.scalars(select(Offer.id).where(Offer.status == OfferStatus.OPEN))
        yield from (f"still offered: {one}" for one in open_offers)


def _out_of_turn(month: Month) -> Iterator[str]:
    with month.db.read() as session:
        rows = session.execute(
            select(Appointment.starts_at, WaitlistEntry.created_at, Offer.offered_at)
            .join(Appointment, Appointment.id == Offer.hold_id)
            .join(WaitlistEntry, WaitlistEntry.id == Offer.entry_id)
            .order_by(Offer.offered_at, Offer.id)
        ).all()
    for starts_at in month.freed:
        turns = [row.created_at for row in rows if row.starts_at == starts_at]
        if not turns:
            yield f"freed and not offered: {starts_at}"
        if turns != sorted(turns) or len(set(turns)) != len(turns):
            yield f"offered out of turn: {starts_at}, {turns}"


def _left_unsent(month: Month) -> Iterator[str]:
    open_states = (SmsState.QUEUED, SmsState.SENDING, SmsState.UNKNOWN)
    with month.db.read() as session:
        left = session.execute(
            select(SmsMessage.id, SmsMessage.kind, SmsMessage.state).where(SmsMessage.state.in_(open_states))
        ).all()
    yield from (f"left unsent: {one}" for one in left)
