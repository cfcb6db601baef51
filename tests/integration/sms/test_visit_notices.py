"""Which change of a visit is told to whom, and when."""

from datetime import UTC, datetime, timedelta

import pytest

from booking.cancel import cancel_appointment
from booking.consent import opt_out
from booking.hold import place_hold
from booking.reschedule import reschedule
from booking.values import BookedVisit, Source, TaskKind
from sms.model import SmsKind, SmsState
from sms.send import texts_to_send
from tests.integration.sms.conftest import NEXT_TUESDAY, NOW, Clinic
from tests.support.webhooks import CLINIC_NUMBER, PATIENT_NUMBER

pytestmark = pytest.mark.integration

NIGHT = datetime(2027, 3, 11, 4, 0, tzinfo=UTC)  # eleven in the evening in Albany
MORNING = datetime(2027, 3, 11, 13, 0, tzinfo=UTC)  # eight there


def cancel(clinic: Clinic, visit: BookedVisit, *, actor: str = "patient") -> BookedVisit:
    with clinic.db.begin() as work:
        return cancel_appointment(
            work,
            clinic.catalogue,
            appointment_id=visit.id,
            reason="",
            now=clinic.clock.now(),
            actor=actor,
            source=Source.STAFF if actor != "patient" else Source.PHONE,
        )


def move(clinic: Clinic, visit: BookedVisit, *, starts_at: datetime) -> BookedVisit:
    with clinic.db.begin() as work:
        hold = place_hold(
            work,
            clinic.catalogue,
            service_id=visit.service_id,
            location_id=visit.location_id,
            starts_at=starts_at,
            conversation_id=None,
            source=Source.PHONE,
            now=NOW,
            replaces_appointment_id=visit.id,
        )
        return reschedule(
            work,
            clinic.catalogue,
            appointment_id=visit.id,
            hold_id=hold.id,
            now=NOW,
            actor="patient",
            source=Source.PHONE,
        )


def notes(clinic: Clinic) -> list[tuple[str, str, str | None]]:
    return sorted((text.kind, text.state, text.note) for text in clinic.texts())


def test_a_booking_is_written_down_for_the_patients_number(clinic: Clinic):
    message_id = clinic.queue(clinic.visit())

    text = clinic.texts()[0]
    assert text.id == message_id
    assert (text.to, text.sender, text.state, text.due_at) == (PATIENT_NUMBER, CLINIC_NUMBER, SmsState.QUEUED, NOW)
    assert "booked for Tue Mar 16, 9:00 AM EDT" in text.body


def test_what_identifies_a_patient_is_not_readable_in_the_database(clinic: Clinic):
    clinic.queue(clinic.visit())

    with clinic.db.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT * FROM sms_message").one()
    assert PATIENT_NUMBER not in str(row)
    assert "Mar 16" not in str(row)


def test_the_same_event_gives_the_same_text(clinic: Clinic):
    visit = clinic.visit()

    assert clinic.queue(visit) == clinic.queue(visit)
    assert len(clinic.texts()) == 1


def test_a_move_and_a_cancellation_are_told_each_once(clinic: Clinic):
    visit = clinic.visit()
    moved = move(clinic, visit, starts_at=NEXT_TUESDAY + timedelta(days=6))
    clinic.queue(moved, kind=SmsKind.MOVED, revision=2)
    gone = cancel(clinic, moved)
    clinic.queue(gone, kind=SmsKind.CANCELLED, revision=3, sequence=gone.sequence)

    bodies = {text.kind: text.body for text in clinic.texts()}
    assert "is now on Mon Mar 22, 9:00 AM EDT" in bodies[SmsKind.MOVED]
    assert "on Mon Mar 22, 9:00 AM EDT is cancelled" in bodies[SmsKind.CANCELLED]


def test_what_is_no_longer_so_is_not_told(clinic: Clinic):
    visit = clinic.visit()
    moved = move(clinic, visit, starts_at=NEXT_TUESDAY + timedelta(days=6))

    assert clinic.queue(visit) is None, "moved since: that has an event of its own"
    cancel(clinic, moved)
    assert clinic.queue(moved, kind=SmsKind.MOVED, revision=2) is None
    assert {note for _, _, note in notes(clinic)} == {"superseded"}


def test_a_visit_that_is_over_is_not_told_of(clinic: Clinic):
    visit = clinic.visit()
    clinic.clock.advance(timedelta(days=30))

    assert clinic.queue(visit) is None
    assert notes(clinic) == [(SmsKind.BOOKED, SmsState.SKIPPED, "past")]


def test_a_number_that_stopped_texts_gets_none(clinic: Clinic):
    visit = clinic.visit()
    with clinic.db.begin() as work:
        opt_out(work, clinic_id=clinic.catalogue.clinic_id, phone=PATIENT_NUMBER, now=NOW)

    assert clinic.queue(visit) is None
    assert notes(clinic) == [(SmsKind.BOOKED, SmsState.SKIPPED, "opted-out")]


@pytest.mark.parametrize(("phone", "note"), [(None, "no-number"), ("+442072343456", "no-texts")])
def test_a_patient_without_a_mobile_is_called_by_staff(clinic: Clinic, phone: str | None, note: str):
    visit = clinic.visit(patient_id=clinic.patient(phone=phone))

    assert clinic.queue(visit) is None
    assert clinic.queue(visit) is None
    assert notes(clinic) == [(SmsKind.BOOKED, SmsState.SKIPPED, note)]
    assert [(task.kind, task.phone, task.appointment_id) for task in clinic.tasks()] == [
        (TaskKind.UNDELIVERED, phone, visit.id)
    ]


def test_a_childs_visit_is_told_to_whoever_booked_it(clinic: Clinic):
    child = clinic.patient(phone=None, booked_by=clinic.patient())

    clinic.queue(clinic.visit(patient_id=child))

    assert clinic.texts()[0].to == PATIENT_NUMBER


def test_what_the_patient_asked_for_is_told_at_night(clinic: Clinic):
    visit = clinic.visit()
    clinic.clock.advance(NIGHT - NOW)
    cancel(clinic, visit)

    clinic.queue(clinic.read_visit(visit), kind=SmsKind.CANCELLED, revision=2)

    assert clinic.texts()[0].due_at == NIGHT


def test_what_staff_change_at_night_is_told_in_the_morning(clinic: Clinic):
    visit = clinic.visit()
    clinic.clock.advance(NIGHT - NOW)
    cancel(clinic, visit, actor="staff:ruth")

    message_id = clinic.queue(clinic.read_visit(visit), kind=SmsKind.CANCELLED, revision=2)

    assert clinic.texts()[0].due_at == MORNING
    with clinic.db.read() as session:
        assert texts_to_send(session, now=MORNING - timedelta(seconds=1)) == []
        assert texts_to_send(session, now=MORNING) == [message_id]


def test_a_text_that_waits_for_the_morning_gives_way_to_a_later_change(clinic: Clinic):
    visit = clinic.visit(actor="staff:ruth")
    clinic.clock.advance(NIGHT - NOW)
    clinic.queue(visit)
    cancel(clinic, visit, actor="staff:ruth")
    clinic.queue(clinic.read_visit(visit), kind=SmsKind.CANCELLED, revision=2)

    assert notes(clinic) == [
        (SmsKind.BOOKED, SmsState.SKIPPED, "superseded"),
        (SmsKind.CANCELLED, SmsState.QUEUED, None),
    ]


def test_a_change_of_a_visit_early_in_the_morning_is_told_at_once(clinic: Clinic):
    visit = clinic.visit(starts_at=datetime(2027, 3, 11, 14, 0, tzinfo=UTC))
    clinic.clock.advance(timedelta(hours=22, minutes=30))  # 8:30 on the day of the visit
    cancel(clinic, visit, actor="staff:ruth")
    clinic.queue(clinic.read_visit(visit), kind=SmsKind.CANCELLED, revision=2)

    assert clinic.texts()[0].due_at == clinic.clock.now()
