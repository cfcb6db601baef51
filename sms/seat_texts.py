"""Texts to those who take part in a group: that they have a seat, and that they have none any more."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import queries, quiet
from booking.consent import is_opted_out
from booking.patients import phone_hash
from booking.sessions import Seat, seat
from booking.values import AppointmentStatus, BookedVisit, Catalogue
from kernel.db import new_id
from kernel.log import get_logger
from kernel.phone import may_take_texts
from kernel.work import UnitOfWork
from sms.model import SmsKind, SmsMessage, SmsState
from sms.notices import Origin, compose
from sms.send import ask_for_a_call, number_of
from sms.texts import language_of

_log = get_logger()


def queue_seat_notice(
    work: UnitOfWork, catalogue: Catalogue, *, kind: SmsKind, seat_id: str, revision: int, now: datetime
) -> str | None:
    """Write down the text that tells a participant of their seat; return its id, None if none is to be sent.

    `kind`: BOOKED, MOVED or CANCELLED; `revision`: of the event. Calling again for the same event gives the same text. Nothing is sent
    about a seat of which something else is true by now, about a session that is over, or to a number that has opted out; where
    there is no number staff get a task. That the clinic moved a session or called it off waits for the end of the quiet hours.
    """
    found = seat(work.session, seat_id=seat_id)
    stored = work.session.scalar(
        select(SmsMessage).where(
            SmsMessage.kind == kind, SmsMessage.appointment_id == found.session_id, SmsMessage.revision == revision
        )
    )
    if stored is not None:
        return None if stored.state == SmsState.SKIPPED else stored.id
    session = queries.visit(work.session, appointment_id=found.session_id)
    by_clinic = kind is SmsKind.MOVED or session.status is AppointmentStatus.CANCELLED
    to = number_of(work.session, patient_id=found.patient_id)
    sender = catalogue.phone or catalogue.location(session.location_id).phone
    note = _reason_to_skip(work.session, catalogue, found, session, kind=kind, to=to, sender=sender, now=now)
    message = SmsMessage(
        id=new_id(),
        clinic_id=catalogue.clinic_id,
        kind=kind,
        to=to,
        to_hash=phone_hash(to) if to else None,
        sender=sender,
        body=compose(
            catalogue,
            session,
            kind=kind,
            now=now,
            origin=Origin.CLINIC if by_clinic else Origin.PATIENT,
            language=language_of(work.session, catalogue, patient_id=found.patient_id),
        ),
        appointment_id=found.session_id,
        revision=revision,
        state=SmsState.SKIPPED if note else SmsState.QUEUED,
        note=note,
        due_at=_due_at(catalogue, session, now=now) if by_clinic else now,
        created_at=now,
    )
    work.session.add(message)
    work.session.flush()
    if note in {"no-number", "no-texts"}:
        ask_for_a_call(work, message, now=now)
    _log.info("sms.seat", kind=kind, message_id=message.id, skipped=note)
    return None if note else message.id


def _reason_to_skip(
    session: Session,
    catalogue: Catalogue,
    found: Seat,
    visit: BookedVisit,
    *,
    kind: SmsKind,
    to: str | None,
    sender: str | None,
    now: datetime,
) -> str | None:
    if (found.status is AppointmentStatus.BOOKED) != (kind is not SmsKind.CANCELLED):
        return "superseded"
    if visit.starts_at <= now:
        return "past"
    if to is None:
        return "no-number"
    if not may_take_texts(to):
        return "no-texts"
    if is_opted_out(session, clinic_id=catalogue.clinic_id, phone=to):
        return "opted-out"
    return None if sender else "no-sender"


def _due_at(catalogue: Catalogue, visit: BookedVisit, *, now: datetime) -> datetime:
    morning = quiet.allowed_from(now, zone=catalogue.location(visit.location_id).zone)
    return morning if morning < visit.starts_at else now
