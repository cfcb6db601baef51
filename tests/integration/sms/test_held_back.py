"""What was written is looked at again before it leaves: sent late or once more, it may not be true any longer, or wake somebody."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.consent import opt_out
from booking.values import CalendarPolicy, MailUse, TaskKind
from kernel.errors import Unavailable
from sms.model import PatientMail, SmsKind, SmsMessage, SmsState
from sms.send import send_queued, texts_to_send
from tests.integration.sms.conftest import NEXT_TUESDAY, NOW, Clinic, Line
from tests.integration.sms.test_receipts import report
from tests.integration.sms.test_visit_notices import MORNING, NIGHT, cancel, move
from tests.support.webhooks import PATIENT_NUMBER

pytestmark = pytest.mark.integration

BEFORE_NINE = NIGHT - timedelta(hours=2, minutes=5)  # five to nine in the evening
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LANDLINE = "+442072343456"


def send(clinic: Clinic, message_id: str | None, *, after: timedelta = timedelta(0)) -> SmsState:
    """Let time pass and hand a text over; return what it is then."""
    assert message_id is not None
    clinic.clock.advance(after)
    try:
        return send_queued(clinic.db, clinic.gateway, message_id=message_id, now=clinic.clock.now())
    except Unavailable:
        return SmsState(next(one.state for one in clinic.texts() if one.id == message_id))


def mails(clinic: Clinic) -> list[str]:
    with clinic.db.read() as session:
        return list(session.scalars(select(PatientMail.kind)))


def test_a_text_that_is_sent_once_more_does_not_come_after_one_that_is_newer(line: Line) -> None:
    clinic = line.clinic
    visit = clinic.visit()
    booked = clinic.queue(visit)
    assert send(clinic, booked) is SmsState.SENT
    sid = clinic.gateway.sent[0].sid
    moved = move(clinic, visit, starts_at=NEXT_TUESDAY + timedelta(days=6))
    assert send(clinic, clinic.queue(moved, kind=SmsKind.MOVED, revision=2)) is SmsState.SENT

    report(line, sid, "undelivered", code="30003")  # a receipt that comes late
    with clinic.db.read() as session:
        assert texts_to_send(session, now=NOW + HOUR) == [booked]

    assert send(clinic, booked, after=HOUR) is SmsState.SKIPPED
    assert {one.note for one in clinic.texts()} == {"superseded", None}
    assert len(clinic.gateway.sent) == 2


def test_a_text_about_a_visit_that_has_begun_meanwhile_is_not_sent(clinic: Clinic) -> None:
    message_id = clinic.queue(clinic.visit())
    clinic.gateway.is_down = True
    assert send(clinic, message_id) is SmsState.QUEUED

    clinic.gateway.is_down = False
    assert send(clinic, message_id, after=NEXT_TUESDAY - NOW) is SmsState.SKIPPED
    assert [one.note for one in clinic.texts()] == ["past"]


def test_what_could_not_leave_in_the_evening_waits_for_the_morning(clinic: Clinic) -> None:
    visit = clinic.visit()
    clinic.clock.advance(BEFORE_NINE - NOW)
    cancel(clinic, visit, actor="staff:ruth")
    message_id = clinic.queue(clinic.read_visit(visit), kind=SmsKind.CANCELLED, revision=2)
    clinic.gateway.is_down = True
    send(clinic, message_id)
    clinic.gateway.is_down = False

    assert send(clinic, message_id, after=25 * MINUTE) is SmsState.QUEUED
    assert clinic.texts()[0].due_at == MORNING
    assert send(clinic, message_id, after=MORNING - clinic.clock.now()) is SmsState.SENT


def test_a_dropped_call_is_not_picked_up_at_night_when_the_vendor_was_away_in_the_evening(clinic: Clinic) -> None:
    clinic.clock.advance(BEFORE_NINE - NOW)
    with clinic.db.begin() as work:
        text = SmsMessage(
            clinic_id=clinic.catalogue.clinic_id, kind=SmsKind.PICK_UP, to=PATIENT_NUMBER, to_hash="hash",
            sender="+12125550100", body="Sorry, we were cut off", state=SmsState.QUEUED, due_at=BEFORE_NINE,
            created_at=BEFORE_NINE,
        )  # fmt: skip
        work.session.add(text)
        work.session.flush()
        message_id = text.id

    assert send(clinic, message_id, after=25 * MINUTE) is SmsState.QUEUED
    assert send(clinic, message_id, after=MORNING - clinic.clock.now()) is SmsState.SENT


def test_what_the_patient_asked_for_at_night_goes_at_once(clinic: Clinic) -> None:
    visit = clinic.visit()
    clinic.clock.advance(NIGHT - NOW)
    cancel(clinic, visit)

    assert send(clinic, clinic.queue(clinic.read_visit(visit), kind=SmsKind.CANCELLED, revision=2)) is SmsState.SENT


@pytest.mark.parametrize(("actor", "tasks"), [("patient", []), ("staff:ruth", [TaskKind.UNDELIVERED])])
def test_whoever_wants_no_texts_is_called_about_what_the_clinic_changed(
    clinic: Clinic, actor: str, tasks: list[TaskKind]
) -> None:
    visit = clinic.visit()
    with clinic.db.begin() as work:
        opt_out(work, clinic_id=clinic.catalogue.clinic_id, phone=PATIENT_NUMBER, now=NOW)
    cancel(clinic, visit, actor=actor)

    assert clinic.queue(clinic.read_visit(visit), kind=SmsKind.CANCELLED, revision=2) is None
    assert [one.kind for one in clinic.tasks()] == tasks


def test_a_cancellation_that_the_vendor_refuses_for_an_opt_out_is_a_call(clinic: Clinic) -> None:
    visit = clinic.visit()
    cancel(clinic, visit, actor="staff:ruth")
    clinic.gateway.refused_numbers[PATIENT_NUMBER] = 21610

    send(clinic, clinic.queue(clinic.read_visit(visit), kind=SmsKind.CANCELLED, revision=2))

    assert [one.kind for one in clinic.tasks()] == [TaskKind.UNDELIVERED]


def test_who_was_never_invited_hears_of_a_cancellation_by_mail(clinic: Clinic) -> None:
    inviting = CalendarPolicy(invitations=True)
    clinic.catalogue = replace(clinic.catalogue, email="desk@elm.example", calendars=inviting, _by_id={})
    visit = clinic.visit(patient_id=clinic.patient(phone=LANDLINE, email="ann@example.org"))
    clinic.queue(visit, mail=MailUse.INSTEAD)
    booked = mails(clinic)
    cancel(clinic, visit)

    clinic.queue(clinic.read_visit(visit), kind=SmsKind.CANCELLED, revision=2, mail=MailUse.INSTEAD)

    assert booked == [], "of a booking an invitation tells"
    assert mails(clinic) == [SmsKind.CANCELLED]


def test_a_clinic_without_a_number_writes_mails(clinic: Clinic) -> None:
    places = tuple(replace(place, phone=None) for place in clinic.catalogue.locations)
    clinic.catalogue = replace(clinic.catalogue, phone=None, locations=places, email="desk@elm.example", _by_id={})
    visit = clinic.visit(patient_id=clinic.patient(email="ann@example.org"))

    assert clinic.queue(visit, mail=MailUse.INSTEAD) is None
    assert mails(clinic) == [SmsKind.BOOKED]
    assert clinic.tasks() == []

    cancel(clinic, visit, actor="staff:ruth")
    clinic.queue(clinic.read_visit(visit), kind=SmsKind.CANCELLED, revision=2)
    assert [one.kind for one in clinic.tasks()] == [TaskKind.UNDELIVERED], "without mails somebody has to call"
