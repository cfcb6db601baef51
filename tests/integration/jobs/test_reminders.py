"""Who is reminded, when and how: once, by day, and of nothing that no longer stands."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text, update

from booking.cancel import cancel_appointment
from booking.catalogue import CatalogueCache
from booking.confirm import note_patient_confirmed
from booking.consent import opt_out
from booking.model.clinic import Clinic
from booking.outgoing_mail import mails_to_send
from booking.tasks import open_tasks
from booking.values import BookedVisit, Catalogue, Source, TaskKind
from calendar_sync.adapters.memory_store import MemoryStore
from jobs.context import JobServices
from jobs.due import DUTIES, run_due
from kernel import telephony
from kernel.adapters.smtp_mailer import SmtpMailer
from kernel.clock import FixedClock
from kernel.telephony import TwilioAccount, make_client
from kernel.work import Database
from sms.adapters.memory_gateway import MemoryGateway
from sms.adapters.twilio_gateway import TwilioGateway
from sms.mails import PATIENT_MAILS
from sms.model import SmsMessage, SmsState
from sms.send import texts_to_send
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.mail_server import Fault, KeptMails, TestingMailServer, mail_server
from tests.support.twilio_server import Fault as TextFailure
from tests.support.twilio_server import FaultKind as TextFault
from tests.support.twilio_server import TwilioServer
from tests.support.visits import NOW, book_filling, patient_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

TUESDAY_9 = datetime(2027, 3, 16, 13, 0, tzinfo=UTC)  # after the clocks went forward
SUNDAY_9 = TUESDAY_9 - timedelta(days=2)
EVENING = datetime(2027, 3, 16, 0, 0, tzinfo=UTC)  # Monday, 20:00
ANN, BEN = "+12125550141", "+12125550142"
LANDLINE = "+34912345678"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@dataclass
class Desk:
    """Elm Street Clinic with a worker, a vendor of texts and a mail server."""

    db: Database
    catalogue: Catalogue
    gateway: MemoryGateway
    mailer: KeptMails
    clock: FixedClock
    services: JobServices

    def patient(self, *, phone: str | None = ANN, email: str | None = None) -> str:
        return patient_of(self.db, self.catalogue, phone=phone, email=email)

    def book(self, patient_id: str, *, starts_at: datetime = TUESDAY_9, now: datetime = NOW) -> BookedVisit:
        return book_filling(self.db, self.catalogue, patient_id=patient_id, starts_at=starts_at, now=now)

    def cancel(self, visit: BookedVisit, *, now: datetime) -> None:
        with self.db.begin() as work:
            cancel_appointment(
                work, self.catalogue, appointment_id=visit.id, reason="ill", now=now, actor="patient", source=Source.SMS
            )

    def run(
        self, *instants: datetime, names: Sequence[str] = ("remind", "send-waiting-messages", "send-mails")
    ) -> None:
        for now in instants:
            self.clock.advance(now - self.clock.now())
            run_due(self.services, now=now, duties=[one for one in DUTIES if one.name in names])

    def bodies(self) -> list[str]:
        return [one.text.body for one in self.gateway.sent]

    def texts(self) -> list[SmsMessage]:
        with self.db.read() as session:
            return list(session.scalars(select(SmsMessage).order_by(SmsMessage.created_at, SmsMessage.id)))


@pytest.fixture
def desk(database: Database) -> Desk:
    catalogue = replace(elm_catalogue(), email="desk@elm.example")
    with database.begin() as work:
        store_catalogue(work, catalogue)
        work.session.get_one(Clinic, catalogue.clinic_id).email = catalogue.email
    gateway, mailer, clock = MemoryGateway(), KeptMails(), FixedClock(NOW)
    services = JobServices(
        db=database,
        clock=clock,
        catalogues=CatalogueCache(),
        sms_gateway=gateway,
        open_calendar=lambda _access: MemoryStore(),
        mailer=mailer,
    )
    return Desk(database, catalogue, gateway, mailer, clock, services)


def test_a_patient_is_reminded_two_days_before_and_the_evening_before_a_morning(desk: Desk) -> None:
    desk.book(desk.patient())

    desk.run(SUNDAY_9 - MINUTE)
    assert desk.bodies() == []
    desk.run(SUNDAY_9, SUNDAY_9 + HOUR)
    desk.run(EVENING - MINUTE)
    [body] = desk.bodies()
    assert body == (
        "Elm Street Clinic: reminder of your appointment on Tue Mar 16, 9:00 AM EDT at Main Street, 1 Main Street, Albany. "
        "Reply 1 to confirm, 2 to move it, or call +1 212-555-0100. Reply STOP for no more texts."
    )
    desk.run(EVENING, EVENING + HOUR, TUESDAY_9 - MINUTE, TUESDAY_9)
    assert len(desk.bodies()) == 2
    assert "STOP" not in desk.bodies()[1]


def test_who_has_said_that_they_will_come_is_not_asked_again(desk: Desk) -> None:
    visit = desk.book(desk.patient())
    with desk.db.begin() as work:
        note_patient_confirmed(work, appointment_id=visit.id, now=NOW)

    desk.run(SUNDAY_9)

    assert "Reply 1" not in desk.bodies()[0]
    assert "To move it, reply 2" in desk.bodies()[0]


def test_visits_of_a_day_for_one_number_are_told_in_one_text(desk: Desk) -> None:
    parent, child = desk.patient(), desk.patient()
    desk.book(parent)
    desk.book(child, starts_at=TUESDAY_9 + HOUR)
    desk.book(desk.patient(phone=BEN), starts_at=TUESDAY_9 + 2 * HOUR)

    desk.run(SUNDAY_9, SUNDAY_9 + HOUR, SUNDAY_9 + 2 * HOUR)

    [both, other] = desk.bodies()
    assert "reminder of your appointments: Tue Mar 16, 9:00 AM EDT, Main Street; Tue Mar 16, 10:00 AM EDT, Main" in both
    assert "Reply 1 to confirm them all" in both
    assert "Tue Mar 16, 11:00 AM EDT" in other


def test_what_was_cancelled_is_not_reminded_of_though_its_text_was_written(desk: Desk) -> None:
    first = desk.book(desk.patient())
    desk.book(desk.patient(), starts_at=TUESDAY_9 + HOUR)
    desk.gateway.is_down = True
    desk.run(SUNDAY_9)

    desk.cancel(first, now=SUNDAY_9 + MINUTE)
    desk.gateway.is_down = False
    desk.run(SUNDAY_9 + 2 * MINUTE, SUNDAY_9 + HOUR)

    # The other visit that the text was about is told by one of its own, at its own time.
    [body] = desk.bodies()
    assert "Tue Mar 16, 10:00 AM EDT" in body
    assert "9:00 AM" not in body
    assert [one.note for one in desk.texts()] == ["superseded", None]


def test_night_falls_while_the_vendor_is_down(desk: Desk) -> None:
    desk.book(desk.patient())
    desk.gateway.is_down = True
    desk.run(*(EVENING + n * 10 * MINUTE for n in range(9)))

    desk.gateway.is_down = False
    desk.run(EVENING + 2 * HOUR, EVENING + 8 * HOUR, TUESDAY_9 - HOUR - MINUTE)
    assert desk.bodies() == []

    desk.run(TUESDAY_9 - HOUR)
    assert len(desk.bodies()) == 1


def test_a_vendor_that_was_down_for_a_day_costs_no_reminder(desk: Desk) -> None:
    desk.book(desk.patient())
    desk.gateway.is_down = True
    desk.run(SUNDAY_9)
    with desk.db.begin() as work:
        work.session.execute(update(SmsMessage).values(attempts=60))

    desk.run(SUNDAY_9 + HOUR)
    desk.gateway.is_down = False
    desk.run(SUNDAY_9 + 2 * HOUR)

    assert len(desk.bodies()) == 1


def test_an_answer_that_is_lost_does_not_double_a_reminder(desk: Desk) -> None:
    desk.book(desk.patient())
    desk.gateway.loses_answers = True

    desk.run(SUNDAY_9, SUNDAY_9 + MINUTE, SUNDAY_9 + 3 * MINUTE)

    assert len(desk.bodies()) == 1
    assert desk.texts()[0].state == SmsState.SENT


def test_who_has_opted_out_since_is_not_reminded(desk: Desk) -> None:
    desk.book(desk.patient())
    desk.gateway.is_down = True
    desk.run(SUNDAY_9)
    with desk.db.begin() as work:
        opt_out(work, clinic_id=desk.catalogue.clinic_id, phone=ANN, now=SUNDAY_9)

    desk.gateway.is_down = False
    desk.run(SUNDAY_9 + HOUR, EVENING)

    assert desk.bodies() == []
    assert desk.mailer.sent == []


def test_a_landline_is_reminded_by_mail_and_without_an_address_by_a_call(desk: Desk) -> None:
    desk.book(desk.patient(phone=LANDLINE, email="ann@example.org"))
    desk.book(desk.patient(phone=None), starts_at=TUESDAY_9 + HOUR)

    desk.run(SUNDAY_9, SUNDAY_9 + HOUR, SUNDAY_9 + 2 * HOUR)

    assert desk.bodies() == []
    [mail] = desk.mailer.sent
    assert mail.to.address == "ann@example.org"
    assert mail.subject == "Elm Street Clinic: reminder of your appointment"
    assert "Reply 1" not in mail.text
    with desk.db.read() as session:
        [task] = open_tasks(session, clinic_id=desk.catalogue.clinic_id)
    assert task.kind is TaskKind.UNDELIVERED
    assert "Tue Mar 16, 10:00 AM EDT" in task.text


def test_who_shares_a_landline_hears_of_their_own_visits_in_their_own_mailbox(desk: Desk) -> None:
    desk.book(desk.patient(phone=LANDLINE, email="ann@example.org"))
    desk.book(desk.patient(phone=LANDLINE, email="ben@example.org"), starts_at=TUESDAY_9 + HOUR)

    desk.run(SUNDAY_9, SUNDAY_9 + HOUR)

    told = {mail.to.address: mail.text for mail in desk.mailer.sent}
    assert sorted(told) == ["ann@example.org", "ben@example.org"]
    assert "10:00 AM" not in told["ann@example.org"]
    assert "9:00 AM" not in told["ben@example.org"]


def test_a_clinic_that_cannot_be_read_keeps_no_other_waiting(desk: Desk) -> None:
    desk.book(desk.patient())
    with desk.db.begin() as work:
        work.session.add(
            Clinic(
                id="0", key="first", name="First Clinic", timezone="America/New_York", country="US", languages=["en"],
                rules={}, answers=[], messages={"mail": "by pigeon"},
            )
        )  # fmt: skip

    desk.run(SUNDAY_9)

    assert len(desk.bodies()) == 1


def test_a_text_and_a_mail_that_cannot_be_read_keep_no_other_waiting(desk: Desk) -> None:
    for hours, phone, email in [(0, ANN, None), (1, BEN, None), (2, None, "c@x.example"), (5, None, "d@x.example")]:
        desk.book(desk.patient(phone=phone, email=email), starts_at=TUESDAY_9 + hours * HOUR)
    desk.run(SUNDAY_9 + 5 * HOUR, names=["remind"])
    now = desk.clock.now()
    with desk.db.begin() as work:
        first_text = texts_to_send(work.session, now=now)[0]
        first_mail = mails_to_send(work.session, PATIENT_MAILS, now=now)[0]
        work.session.execute(text("UPDATE sms_message SET body = 'broken' WHERE id = :id"), {"id": first_text})
        work.session.execute(text("UPDATE patient_mail SET body = 'broken' WHERE id = :id"), {"id": first_mail})

    desk.run(now)

    assert (len(desk.gateway.sent), len(desk.mailer.sent)) == (1, 1)


def test_a_moved_visit_is_reminded_of_at_its_new_time_only(desk: Desk) -> None:
    visit = desk.book(desk.patient())
    desk.run(SUNDAY_9)
    desk.cancel(visit, now=SUNDAY_9 + HOUR)
    desk.book(desk.patient(), starts_at=TUESDAY_9 + 2 * HOUR, now=SUNDAY_9 + HOUR)

    desk.run(EVENING, TUESDAY_9 - HOUR)

    # Three hours before eleven it is eight: no night.
    assert [("9:00 AM" in one, "11:00 AM" in one) for one in desk.bodies()] == [(True, False), (False, True)]


def with_vendors(desk: Desk, twilio: TwilioServer, mail: TestingMailServer) -> Desk:
    """Let texts go by HTTP and mails by SMTP."""
    account = TwilioAccount(twilio.account_sid, (twilio.auth_token,), api_base_url=twilio.base_url)
    gateway = TwilioGateway(make_client(account), status_url="https://clinic.example.org/twilio/sms/status")
    return replace(
        desk, services=replace(desk.services, sms_gateway=gateway, mailer=SmtpMailer(mail.address, timeout_s=2.0))
    )


def tasks(desk: Desk) -> list[TaskKind]:
    with desk.db.read() as session:
        return [one.kind for one in open_tasks(session, clinic_id=desk.catalogue.clinic_id)]


@pytest.mark.parametrize("kind", [TextFault.SERVER_ERROR, TextFault.TOO_MANY_REQUESTS, TextFault.ANSWER_LOST])
def test_a_vendor_that_fails_loses_and_doubles_no_reminder(desk: Desk, twilio: TwilioServer, kind: TextFault) -> None:
    with mail_server() as mail:
        desk = with_vendors(desk, twilio, mail)
        desk.book(desk.patient())
        twilio.will_fail(TextFailure(kind), TextFailure(kind))

        desk.run(*(SUNDAY_9 + n * MINUTE for n in range(6)))

    assert [one.to for one in twilio.messages] == [ANN]
    assert desk.texts()[0].state == SmsState.SENT
    assert tasks(desk) == []


def test_a_vendor_that_answers_after_our_time_out_is_asked_and_sends_once(
    desk: Desk, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telephony, "REQUEST_TIMEOUT_S", 0.5)
    with mail_server() as mail:
        desk = with_vendors(desk, twilio, mail)
        desk.book(desk.patient())
        twilio.will_fail(TextFailure(TextFault.SLOW, delay_s=1.5))

        desk.run(SUNDAY_9)
        state_meanwhile = desk.texts()[0].state
        eventually(lambda: len(twilio.messages) == 1, what="the vendor has done what it was slow with")
        desk.run(*(SUNDAY_9 + n * MINUTE for n in range(1, 4)))

    assert state_meanwhile == SmsState.UNKNOWN
    assert [one.to for one in twilio.messages] == [ANN]
    assert desk.texts()[0].state == SmsState.SENT
    assert tasks(desk) == []


def test_a_vendor_that_refuses_leaves_a_task_once(desk: Desk, twilio: TwilioServer) -> None:
    twilio.unreachable[ANN] = 21614
    with mail_server() as mail:
        desk = with_vendors(desk, twilio, mail)
        desk.book(desk.patient())

        desk.run(SUNDAY_9, SUNDAY_9 + MINUTE, EVENING)

    # The number is given up, so the second reminder goes no way: a task as well.
    assert [one.note for one in desk.texts()] == [None, "not-working"]
    assert tasks(desk) == [TaskKind.UNDELIVERED] * 2


@pytest.mark.parametrize(
    ("fault", "taken", "left"),
    [
        (Fault.DEFERS, 1, []),
        (Fault.IS_CLOSING, 1, []),
        (Fault.DROPS_BEFORE_THE_END, 1, []),
        (Fault.IS_SILENT, 1, []),
        (Fault.TAKES_AND_SAYS_NOTHING, 2, []),  # the same mail again, which programs take for the one they have
        (Fault.REFUSES, 0, [TaskKind.UNDELIVERED]),
    ],
)
def test_a_mail_server_that_fails_loses_no_reminder(
    desk: Desk, twilio: TwilioServer, fault: Fault, taken: int, left: list[TaskKind]
) -> None:
    with mail_server() as mail:
        desk = with_vendors(desk, twilio, mail)
        desk.book(desk.patient(phone=LANDLINE, email="ann@example.org"))
        mail.faults.append(fault)

        desk.run(*(SUNDAY_9 + n * MINUTE for n in range(5)))

        assert len(mail.taken) == taken
        assert len(set(mail.message_ids())) <= 1
    assert tasks(desk) == left
