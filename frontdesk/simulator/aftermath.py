"""What a simulated call or text led to: the texts sent to that number, its appointments, and their way to the calendar."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import url_for
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from booking.model.appointment import Appointment, AppointmentChange
from booking.model.patient import ContactPoint, Patient
from booking.patients import phone_hash
from dialog.model import Conversation, Turn
from frontdesk.console.dates import DateWriter
from frontdesk.console.reads.calendars import CalendarState, calendar_states
from frontdesk.console.reads.visits import visits_by_id
from frontdesk.console.words import page_words
from sms.model import SmsMessage

_LATELY = timedelta(hours=12)
_MOST = 6


def read_aftermath(
    session: Session, *, clinic_id: str, number: str | None, call_sid: str | None, now: datetime, dates: DateWriter
) -> dict[str, Any]:
    """Return JSON values for the simulator's page. `number` is E.164; None: withheld, then only the call's own are found."""
    conversation_id = _conversation(session, clinic_id, number=number, call_sid=call_sid)
    appointment_ids = _appointments(session, clinic_id, number=number, conversation_id=conversation_id, now=now)
    return {
        "messages": _messages(session, clinic_id, number=number, now=now),
        "visits": _visits(session, clinic_id, appointment_ids, dates=dates),
        "conversation": url_for("console.conversation", conversation_id=conversation_id) if conversation_id else None,
    }


def _conversation(session: Session, clinic_id: str, *, number: str | None, call_sid: str | None) -> str | None:
    ours = select(Conversation.id).where(Conversation.clinic_id == clinic_id)
    newest = ours.order_by(Conversation.last_turn_at.desc()).limit(1)
    if call_sid and call_sid.isalnum():
        of_call = select(Turn.id).where(
            Turn.conversation_id == Conversation.id, Turn.message_key.startswith(f"voice:{call_sid}:")
        )
        return session.scalar(newest.where(of_call.exists()))
    if number:
        return session.scalar(newest.where(Conversation.caller_hash == phone_hash(number)))
    return None


def _appointments(
    session: Session, clinic_id: str, *, number: str | None, conversation_id: str | None, now: datetime
) -> Sequence[str]:
    ways = [Appointment.conversation_id == conversation_id] if conversation_id else []
    if number:
        patients = (
            select(Patient.id)
            .join(ContactPoint, ContactPoint.patient_id == Patient.id)
            .where(Patient.clinic_id == clinic_id, ContactPoint.value_hash == phone_hash(number))
        )
        ways.append(Appointment.patient_id.in_(patients))
    if not ways:
        return []
    # The demo's own appointments are imported, and marked as over once they are: no call led to that.
    led_to = select(AppointmentChange.id).where(
        AppointmentChange.appointment_id == Appointment.id, AppointmentChange.actor != "system"
    )
    return session.scalars(
        select(Appointment.id)
        .where(Appointment.clinic_id == clinic_id, or_(*ways), led_to.exists())
        .where(Appointment.changed_at > now - _LATELY)
        .order_by(Appointment.changed_at.desc())
        .limit(_MOST)
    ).all()


def _visits(
    session: Session, clinic_id: str, appointment_ids: Sequence[str], *, dates: DateWriter
) -> list[dict[str, str]]:
    words = page_words()
    states = calendar_states(session, clinic_id=clinic_id, appointment_ids=appointment_ids)
    return [
        {
            "href": url_for("console.appointment", appointment_id=visit.id),
            "what": visit.service,
            "when": dates.day_and_time(visit.starts_local),
            "who": visit.practitioner,
            "status": visit.status,
            "status_words": words.of_code("status", visit.status),
            "calendar": states.get(visit.id, CalendarState.NONE).value,
        }
        for visit in visits_by_id(session, clinic_id=clinic_id, appointment_ids=appointment_ids)
        if not visit.was_only_held
    ]


def _messages(session: Session, clinic_id: str, *, number: str | None, now: datetime) -> list[dict[str, str]]:
    """Return the texts that were sent by themselves. The answers to texts are in the webhook's own answer."""
    if number is None:
        return []
    rows = session.scalars(
        select(SmsMessage)
        .where(
            SmsMessage.clinic_id == clinic_id,
            SmsMessage.to_hash == phone_hash(number),
            SmsMessage.created_at > now - _LATELY,
        )
        .order_by(SmsMessage.created_at)
        .limit(50)
    )
    words = page_words()
    return [{"id": row.id, "body": row.body, "state": words.of_code("sms_state", row.state)} for row in rows]
