"""From a visit in the diary to a mail in the patient's mailbox: each state of it once, in order, whatever fails."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import delete, select

from booking.cancel import cancel_appointment
from booking.catalogue import CatalogueCache, stored_rules
from booking.events import EVENTS, AppointmentBooked, AppointmentEvent, AppointmentRejected, AppointmentRequested
from booking.model.appointment import Appointment
from booking.model.clinic import Clinic
from booking.model.patient import ContactPoint, Patient, RelatedPerson
from booking.outgoing_mail import SETTLE
from booking.patient_record import PatientChanges, change_patient
from booking.patients import register_patient
from booking.tasks import open_tasks
from booking.values import AppointmentStatus, BookedVisit, CalendarPolicy, Source, TaskKind
from calendar_sync.model import Invitation
from jobs.context import JobServices
from jobs.mailing import send_invitations
from jobs.subscriptions import INVITATION, STEPS, SUBSCRIBERS
from kernel.adapters.smtp_mailer import SmtpMailer
from kernel.clock import FixedClock
from kernel.mail import Mail, Mailer, MailOff
from kernel.work import Database, OutboxEntry
from sms.adapters.memory_gateway import MemoryGateway
from tests.support.calendars import Calendars
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.databases import SECRET
from tests.support.mail_server import Fault, Taken, TestingMailServer, mail_server
from tests.support.visits import NOW, book, move

pytestmark = pytest.mark.integration

MONDAY_9 = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)  # 9:00 in Albany
TUESDAY_9 = MONDAY_9 + timedelta(days=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WANTED = CalendarPolicy(invitations=True)


class Post:
    """A clinic that invites its patients, a mail server, and a clock that is moved by hand."""

    def __init__(self, database: Database, server: TestingMailServer) -> None:
        self.db, self.server, self.now = database, server, NOW
        self.mailer: Mailer = SmtpMailer(server.address)
        self.catalogue = replace(elm_catalogue(), email="desk@elm.example", calendars=WANTED, _by_id={})
        self._delivered = 0
        with database.begin() as work:
            store_catalogue(work, self.catalogue)

    def services(self, *, db: Database | None = None, mailer: Mailer | None = None) -> JobServices:
        return JobServices(
            db=db or self.db,
            clock=FixedClock(self.now),
            catalogues=CatalogueCache(),
            sms_gateway=MemoryGateway(),
            open_calendar=Calendars().open,
            mailer=mailer or self.mailer,
        )

    def decide(self, policy: CalendarPolicy, *, email: str | None = "desk@elm.example") -> None:
        with self.db.begin() as work:
            clinic = work.session.get_one(Clinic, self.catalogue.clinic_id)
            clinic.calendars, clinic.email, clinic.version = stored_rules(vars(policy)), email, clinic.version + 1

    def book(self, *, email: str | None = "ann@example.org", language: str = "en", **given: Any) -> BookedVisit:
        """Book a visit with Dr. Lee for a patient with this address."""
        visit = book(
            self.db,
            self.catalogue,
            **({"practitioner": "lee", "starts_at": MONDAY_9, "now": self.now} | given),
        )
        self.change_patient(visit, PatientChanges(emails=() if email is None else (email,), language=language))
        return visit

    def change_patient(self, visit: BookedVisit, changes: PatientChanges) -> None:
        assert visit.patient_id is not None
        with self.db.begin() as work:
            change_patient(
                work,
                clinic_id=self.catalogue.clinic_id,
                patient_id=visit.patient_id,
                changes=changes,
                now=self.now,
                actor="staff:kim",
                source=Source.STAFF,
            )

    def move(self, visit: BookedVisit, *, to: datetime) -> BookedVisit:
        return move(self.db, self.catalogue, visit, practitioner="lee", starts_at=to, now=self.now)

    def cancel(self, visit: BookedVisit) -> None:
        with self.db.begin() as work:
            cancel_appointment(
                work,
                self.catalogue,
                appointment_id=visit.id,
                reason=None,
                now=self.now,
                actor="patient",
                source=Source.SMS,
            )

    def events(self) -> list[AppointmentEvent]:
        """Return what happened since it was last asked and concerns invitations, in its order."""
        with self.db.read() as session:
            entries = session.scalars(
                select(OutboxEntry).where(OutboxEntry.id > self._delivered).order_by(OutboxEntry.id)
            ).all()
        self._delivered = max((entry.id for entry in entries), default=self._delivered)
        found = [
            EVENTS[one.name].from_json(one.payload) for one in entries if INVITATION in SUBSCRIBERS.get(one.name, ())
        ]
        return [event for event in found if isinstance(event, AppointmentEvent)]

    def tell(self, *events: AppointmentEvent) -> None:
        for event in events:
            STEPS[INVITATION](self.services(), event, self.now)

    def send(self, *, after: timedelta = timedelta(0)) -> list[Taken]:
        """Let time pass, send what is due, and return what has arrived since the last look."""
        known, self.now = len(self.server.taken), self.now + after
        send_invitations(self.services(), self.now)
        return self.server.taken[known:]

    def go_on(self) -> list[Taken]:
        """Do what a worker does after a change."""
        self.tell(*self.events())
        return self.send()

    def tasks(self) -> list[tuple[TaskKind, str]]:
        with self.db.read() as session:
            return [(task.kind, task.text) for task in open_tasks(session, clinic_id=self.catalogue.clinic_id)]

    def states(self) -> list[tuple[int, str, str, str | None]]:
        with self.db.read() as session:
            rows = session.execute(
                select(Invitation.sequence, Invitation.status, Invitation.state, Invitation.note).order_by(
                    Invitation.sequence, Invitation.created_at
                )
            )
            return [(row[0], row[1], row[2], row[3]) for row in rows]


@pytest.fixture
def server() -> Iterator[TestingMailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture
def post(sqlite_url: str, server: TestingMailServer) -> Iterator[Post]:
    database = Database(sqlite_url, secret=SECRET)
    yield Post(database, server)
    database.dispose()


def calendar_in(taken: Taken) -> Calendar:
    """Return the invitation in a mail, which says the same in all its places."""
    [alternatives, file] = taken.message.iter_parts()
    [_words, part] = alternatives.iter_parts()
    text = part.get_payload(decode=True)
    assert isinstance(text, bytes)
    calendar = Calendar.from_ical(text)
    assert file.get_payload(decode=True) == text
    assert dict(part["Content-Type"].params)["method"] == calendar["METHOD"]
    assert calendar.errors == []
    assert str(calendar.events[0]["ORGANIZER"]) == f"mailto:{taken.sender}"
    assert str(calendar.events[0]["ATTENDEE"]) == f"mailto:{taken.to[0]}"
    return calendar


def told(taken: Taken) -> tuple[str, int, str, datetime]:
    calendar = calendar_in(taken)
    [event] = calendar.events
    return str(calendar["METHOD"]), int(event["SEQUENCE"]), str(event["STATUS"]), event.start.astimezone(UTC)


def words_of(taken: Taken) -> str:
    body = taken.message.get_body(("plain",))
    assert body is not None
    return str(taken.message["Subject"]) + "\n" + str(body.get_content())


def test_a_visit_is_put_in_moved_and_taken_out_of_the_patients_calendar(database: Database) -> None:
    with mail_server() as server:
        post = Post(database, server)
        visit = post.book()
        booked = post.go_on()
        post.move(visit, to=MONDAY_9 + HOUR)
        moved = post.go_on()
        post.cancel(visit)
        cancelled = post.go_on()

    mails = booked + moved + cancelled
    assert [told(one) for one in mails] == [
        ("REQUEST", 0, "CONFIRMED", MONDAY_9),
        ("REQUEST", 1, "CONFIRMED", MONDAY_9 + HOUR),
        ("CANCEL", 2, "CANCELLED", MONDAY_9 + HOUR),
    ]
    assert {str(calendar_in(one).events[0]["UID"]) for one in mails} == {visit.uid}
    assert [one.to for one in mails] == [["ann@example.org"]] * 3


def test_a_mail_says_the_least_that_serves(post: Post) -> None:
    post.book()

    [mail] = post.go_on()

    [event] = calendar_in(mail).events
    said = words_of(mail)
    assert "Elm Street Clinic" in said
    assert "Mar 15" in said
    assert "9:00 AM EDT" in said
    assert "1 Main Street" in said
    assert str(event["SUMMARY"]) == "Appointment at Elm Street Clinic"
    assert "cleaning" not in (said + mail.raw.decode()).lower()
    assert "Lee" not in said


def test_a_clinic_may_have_the_service_named_in_the_calendar(post: Post) -> None:
    post.decide(CalendarPolicy(invitations=True, invitations_name_service=True))
    post.book()

    [mail] = post.go_on()

    assert str(calendar_in(mail).events[0]["SUMMARY"]) == "Dental cleaning, Elm Street Clinic"


def test_a_mail_is_in_the_language_of_the_patient(post: Post) -> None:
    visit = post.book(language="es")
    [booked] = post.go_on()
    post.cancel(visit)
    [cancelled] = post.go_on()

    assert "su cita está reservada" in words_of(booked)
    assert str(calendar_in(booked).events[0]["SUMMARY"]) == "Cita en Elm Street Clinic"
    assert "su cita está cancelada" in words_of(cancelled)


@pytest.mark.parametrize(
    ("policy", "email", "address"),
    [
        (CalendarPolicy(), "desk@elm.example", "ann@example.org"),
        (WANTED, None, "ann@example.org"),
        (WANTED, "desk@elm.example", None),
    ],
)
def test_nobody_is_written_to_unless_the_clinic_wants_it_and_both_have_an_address(
    post: Post, policy: CalendarPolicy, email: str | None, address: str | None
) -> None:
    post.decide(policy, email=email)
    visit = post.book(email=address)
    post.move(visit, to=MONDAY_9 + HOUR)
    post.cancel(visit)

    assert post.go_on() == []
    assert post.states() == []
    assert post.tasks() == []


def test_whoever_was_invited_hears_of_changes_though_the_clinic_wants_no_more_invitations(post: Post) -> None:
    visit = post.book()
    post.go_on()
    post.decide(CalendarPolicy(), email=None)
    post.move(visit, to=MONDAY_9 + HOUR)

    [moved] = post.go_on()

    assert told(moved)[:2] == ("REQUEST", 1)
    assert moved.sender == "desk@elm.example"


def test_a_visit_is_taken_out_of_the_calendar_that_it_was_put_in(post: Post) -> None:
    visit = post.book()
    post.go_on()
    post.change_patient(visit, PatientChanges(emails=()))
    post.cancel(visit)

    [cancelled] = post.go_on()

    assert (told(cancelled)[0], cancelled.to) == ("CANCEL", ["ann@example.org"])


def test_a_child_is_invited_at_the_address_of_whoever_books_for_them(post: Post) -> None:
    visit = post.book(email=None)
    with post.db.begin() as work:
        parent = register_patient(
            work,
            clinic_id=post.catalogue.clinic_id,
            name="Mary Smith",
            birth_date=None,
            phone=None,
            language="en",
            now=NOW,
        )
        work.session.add(RelatedPerson(patient_id=visit.patient_id, by_patient_id=parent.id, relation="child"))
        change_patient(
            work,
            clinic_id=post.catalogue.clinic_id,
            patient_id=parent.id,
            changes=PatientChanges(emails=("mary@example.org",)),
            now=NOW,
            actor="staff:kim",
            source=Source.STAFF,
        )

    [mail] = post.go_on()

    assert mail.to == ["mary@example.org"]
    assert mail.message["To"].addresses[0].display_name == "Mary Smith"


def test_whoever_gives_an_address_after_booking_is_invited_to_what_is_ahead(post: Post) -> None:
    visit = post.book(email=None)
    before = post.go_on()

    post.change_patient(visit, PatientChanges(emails=("ann@example.org",)))
    [mail] = post.go_on()
    post.change_patient(visit, PatientChanges(emails=("ann@example.org",), name="Ann Smyth"))

    assert before == []
    assert told(mail)[:2] == ("REQUEST", 0)
    assert post.go_on() == []


@pytest.mark.parametrize("faults", [[], [Fault.REFUSES]])
def test_an_address_that_is_put_right_gets_what_went_to_the_wrong_one(post: Post, faults: list[Fault]) -> None:
    post.server.faults = faults
    visit = post.book(email="anne@example.org")
    post.go_on()

    post.now += HOUR
    post.change_patient(visit, PatientChanges(emails=("ann@example.org",)))
    [mail] = post.go_on()
    post.cancel(visit)
    [cancelled] = post.go_on()

    assert (told(mail)[:2], mail.to) == (("REQUEST", 0), ["ann@example.org"])
    assert "is booked" in words_of(mail)
    assert (told(cancelled)[0], cancelled.to) == ("CANCEL", ["ann@example.org"])


def test_an_address_that_is_none_is_a_task_and_not_a_failure(post: Post) -> None:
    post.book(email="ann at home@example")

    assert post.go_on() == []
    assert [kind for kind, _ in post.tasks()] == [TaskKind.UNDELIVERED]


def test_events_that_come_late_twice_or_in_another_order_tell_each_state_once_and_never_an_older_one(
    post: Post,
) -> None:
    visit = post.book()
    post.move(visit, to=MONDAY_9 + HOUR)
    booked, _, moved = post.events()

    post.tell(moved)
    first = post.send()
    post.tell(booked, moved, booked)
    again = post.send()
    post.cancel(visit)
    post.tell(*post.events(), booked, moved)
    last = post.send()

    assert [told(one)[:2] for one in first + again + last] == [("REQUEST", 1), ("CANCEL", 2)]


def test_what_has_changed_before_it_was_sent_is_told_as_it_is_now(post: Post) -> None:
    visit = post.book()
    post.tell(*post.events())
    post.move(visit, to=MONDAY_9 + HOUR)

    before_the_move_is_told = post.send()
    after = post.go_on()

    assert before_the_move_is_told == []
    assert [told(one)[:2] for one in after] == [("REQUEST", 1)]
    assert post.states() == [(0, "CONFIRMED", "skipped", "superseded"), (1, "CONFIRMED", "sent", None)]


def test_what_nobody_heard_of_need_not_be_taken_back(post: Post) -> None:
    visit = post.book()
    post.tell(*post.events())
    post.cancel(visit)

    assert post.go_on() == []


def test_a_new_time_that_staff_must_agree_to_is_noted_as_such_until_they_say(post: Post) -> None:
    visit = post.book()
    mails = post.go_on()

    for sequence, status, event in (
        (1, AppointmentStatus.PENDING, AppointmentRequested),
        (1, AppointmentStatus.BOOKED, AppointmentBooked),
        (2, AppointmentStatus.CANCELLED, AppointmentRejected),
    ):
        with post.db.begin() as work:
            row = work.session.get_one(Appointment, visit.id)
            row.sequence, row.status, row.revision = sequence, status.value, row.revision + 1
            told_of = event(
                occurred_at=NOW,
                clinic_id=row.clinic_id,
                appointment_id=row.id,
                revision=row.revision,
                sequence=sequence,
            )
        post.tell(told_of)
        mails += post.send()

    assert [told(one)[:3] for one in mails] == [
        ("REQUEST", 0, "CONFIRMED"),
        ("REQUEST", 1, "TENTATIVE"),
        ("REQUEST", 1, "CONFIRMED"),
        ("CANCEL", 2, "CANCELLED"),
    ]
    assert "not confirmed yet" in words_of(mails[1])


def test_what_was_only_asked_for_is_no_invitation_yet(post: Post) -> None:
    visit = post.book()
    with post.db.begin() as work:
        work.session.get_one(Appointment, visit.id).status = AppointmentStatus.PENDING.value

    assert post.go_on() == []
    assert post.states() == []


def test_a_slow_server_leaves_the_rest_to_the_next_run(post: Post) -> None:
    for number in range(3):
        post.book(starts_at=MONDAY_9 + number * HOUR, phone=f"+121255501{number:02}")
    post.tell(*post.events())
    services = post.services()
    slow = replace(services, mailer=_Meeting(post.mailer, lambda: services.clock.advance(timedelta(minutes=3))))

    send_invitations(slow, post.now)

    assert [one[2] for one in post.states()] == ["sent", "sent", "queued"]


def test_nothing_is_sent_of_a_visit_that_has_begun(post: Post) -> None:
    post.book()
    post.tell(*post.events())

    assert post.send(after=6 * DAY) == []
    assert post.states() == [(0, "CONFIRMED", "skipped", "past")]


def test_a_mail_that_is_put_off_is_tried_again_and_arrives_once(post: Post) -> None:
    post.server.faults = [Fault.DEFERS, Fault.DEFERS]
    post.book()

    tries = [post.go_on(), *(post.send(after=timedelta(minutes=2)) for _ in range(3))]

    assert [len(one) for one in tries] == [0, 0, 1, 0]
    assert post.tasks() == []


def test_a_mail_that_is_put_off_keeps_no_other_waiting(post: Post) -> None:
    post.server.faults = [Fault.DEFERS]
    post.book()
    post.book(starts_at=MONDAY_9 + 2 * HOUR, email="bob@example.org", phone="+12125550124")

    assert [one.to for one in post.go_on()] == [["bob@example.org"]]


def test_a_mail_that_is_refused_for_good_is_a_task_for_staff(post: Post) -> None:
    post.server.faults = [Fault.REFUSES]
    post.book()

    assert post.go_on() == []
    assert post.send(after=DAY) == []
    [(kind, text)] = post.tasks()
    assert kind is TaskKind.UNDELIVERED
    assert "550 5.1.1" in text
    assert "Elm Street Clinic" in text
    assert "somebody" not in text


def test_a_mail_server_that_is_away_all_day_is_given_up_with_a_task(post: Post) -> None:
    visit = post.book(starts_at=TUESDAY_9 + 14 * DAY)
    post.server.faults = [Fault.IS_CLOSING] * 20
    post.go_on()

    waits = 0
    while not post.tasks():
        assert post.send(after=HOUR) == []
        waits += 1

    assert 12 <= waits <= 30
    assert post.states() == [(0, "CONFIRMED", "failed", "unavailable")]
    post.server.faults = []
    post.move(visit, to=TUESDAY_9 + 21 * DAY)
    assert [told(one)[:2] for one in post.go_on()] == [("REQUEST", 1)]


def test_an_answer_that_was_lost_makes_the_same_mail_come_again(post: Post) -> None:
    post.server.faults = [Fault.TAKES_AND_SAYS_NOTHING]
    post.book()

    mails = post.go_on() + post.send(after=timedelta(minutes=2)) + post.send(after=DAY)

    first, again = mails
    assert first.raw == again.raw


def test_a_server_that_never_says_that_it_has_a_mail_is_not_flooded(post: Post) -> None:
    post.server.faults = [Fault.TAKES_AND_SAYS_NOTHING] * 9
    post.book()
    post.go_on()

    for _ in range(10):
        post.send(after=HOUR)

    assert len(post.server.taken) == 3
    assert len(set(post.server.message_ids())) == 1
    [(_, text)] = post.tasks()
    assert "may have arrived" in text


def test_a_change_waits_until_the_mail_before_it_has_left(post: Post) -> None:
    visit = post.book()
    post.tell(*post.events())

    def while_it_is_handed_over() -> None:
        post.move(visit, to=MONDAY_9 + HOUR)
        post.tell(*post.events())
        assert post.send() == []

    send_invitations(post.services(mailer=_Meeting(post.mailer, while_it_is_handed_over)), post.now)
    post.send()

    assert [told(one)[:2] for one in post.server.taken] == [("REQUEST", 0), ("REQUEST", 1)]


class _Meeting:
    """A mailer during whose work something else happens."""

    is_on = True

    def __init__(self, mailer: Mailer, meanwhile: Callable[[], None]) -> None:
        self._mailer, self._meanwhile = mailer, meanwhile

    def send(self, mail: Mail) -> None:
        self._meanwhile()
        self._mailer.send(mail)

    def check(self) -> None:
        self._mailer.check()


def test_without_a_mail_server_nothing_fails_and_staff_are_told_once(post: Post) -> None:
    post.mailer = MailOff()
    post.book()
    post.book(starts_at=MONDAY_9 + 2 * HOUR, phone="+12125550124")

    assert post.go_on() == []
    [(kind, text)] = post.tasks()
    assert kind is TaskKind.CALENDAR
    assert "FRONTDESK_SMTP_URL" in text


def test_a_mail_of_a_visit_that_was_erased_meanwhile_is_gone(post: Post) -> None:
    visit = post.book()
    post.tell(*post.events())

    def erase() -> None:
        with post.db.begin() as work:
            work.session.execute(delete(ContactPoint).where(ContactPoint.patient_id == visit.patient_id))
            work.session.execute(delete(Appointment).where(Appointment.id == visit.id))
            work.session.execute(delete(Patient).where(Patient.id == visit.patient_id))

    send_invitations(post.services(mailer=_Meeting(post.mailer, erase)), post.now)

    assert post.states() == []


class Killed(BaseException):
    """The process ends here."""


class _DeadlyDatabase(Database):
    """A database before and after each transaction of which the process may end."""

    def __init__(self, url: str, step: Callable[[], None]) -> None:
        super().__init__(url, secret=SECRET)
        self._step = step

    def run(self, step: Callable[..., Any]) -> Any:
        self._step()
        result = super().run(step)
        self._step()
        return result


class _DeadlyMailer(_Meeting):
    """A mailer before and after whose work the process may end."""

    def send(self, mail: Mail) -> None:
        super().send(mail)
        self._meanwhile()


def test_a_worker_that_dies_between_any_two_steps_costs_no_mail_and_makes_none_that_is_another(
    sqlite_url: str, post: Post
) -> None:
    steps_left = 0
    arrived = []

    def step() -> None:
        nonlocal steps_left
        steps_left -= 1
        if steps_left < 0:
            raise Killed

    dying = _DeadlyDatabase(sqlite_url, step)
    for number in range(11):
        visit = post.book(starts_at=TUESDAY_9 + number * 7 * DAY, phone=f"+121255501{number:02}")
        event, _ = post.events()
        steps_left, was_killed = len(arrived), False
        try:
            services = post.services(db=dying, mailer=_DeadlyMailer(post.mailer, step))
            STEPS[INVITATION](services, event, post.now)
            send_invitations(services, post.now)
        except Killed:
            was_killed = True
        post.tell(event)  # its Delivery is handed out again
        post.send()
        post.send(after=SETTLE)
        arrived.append([one for one in post.server.taken if visit.uid.encode() in _unfolded(one)])
        if not was_killed:
            break
    else:
        pytest.fail("it was killed at every step")

    # Only where the process died after the mail was handed over, and before it was noted, did it leave again: the same mail.
    assert [len(mails) for mails in arrived] == [1, 1, 1, 1, 1, 2, 2, 1, 1]
    assert all(len({mail.raw for mail in mails}) == 1 for mails in arrived)
    dying.dispose()


def _unfolded(taken: Taken) -> bytes:
    return str(calendar_in(taken).events[0]["UID"]).encode()
