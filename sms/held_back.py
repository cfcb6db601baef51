"""What keeps a text, or the mail in its place, from being handed over after all: much may have changed since it was written."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import queries, quiet
from booking.catalogue import send_hours_of
from booking.consent import is_opted_out
from booking.desk.offered_moves import move_offered_for
from booking.model.appointment import Appointment
from booking.model.clinic import Clinic, Location
from booking.reminded import note_told, take_reminders
from booking.values import BookedVisit
from booking.waiting_list.waitlist import OfferStatus, UnknownOffer, offer_made
from dialog.due import has_come_back
from kernel.work import UnitOfWork
from sms.model import ABOUT_VISIT, PatientMail, SmsKind, SmsMessage, SmsState

_IN_TIME = timedelta(minutes=15)
"""So long after it was written a text goes when its writer meant it to go; later than that it waits for the end of the night."""


def is_text_held_back(work: UnitOfWork, text: SmsMessage, *, now: datetime) -> bool:
    """As `is_held_back`, for a text: it may also not be wanted, or pick up a call of somebody who has called again."""
    if text.to is None or is_opted_out(work.session, clinic_id=text.clinic_id, phone=text.to):
        return skip(text, note="opted-out")
    if text.conversation_id is not None and has_come_back(work.session, text.conversation_id):
        return skip(text, note="superseded")
    return is_held_back(work, text, now=now)


def is_held_back(work: UnitOfWork, message: SmsMessage | PatientMail, *, now: datetime) -> bool:
    """Say whether a message is not to be handed over now, and note what becomes of it: it is skipped, or waits for the morning."""
    match message.kind:
        case SmsKind.REMINDER:
            return _is_reminder_held_back(work, message, now)
        case SmsKind.OFFER:
            return _is_offer_held_back(work.session, message, now)
        case kind if kind in ABOUT_VISIT:
            return _is_notice_held_back(work.session, message, now)
        case SmsKind.PICK_UP:
            morning = _morning_after(work.session, message, now=now)
            return morning is not None and _wait(message, until=morning)
        case _:
            return False


def is_past(visit: BookedVisit, *, now: datetime) -> bool:
    """Say whether it is too late to tell of a visit. What was only wished for has no time yet: its times bound the wish."""
    return (visit.starts_at if visit.practitioner_id else visit.ends_at) <= now


def zone_of(session: Session, message: SmsMessage | PatientMail) -> ZoneInfo:
    """Return the zone of the place that a message is about, else of the clinic."""
    of_place = select(Location.timezone).join(Appointment, Appointment.location_id == Location.id)
    name = session.scalar(of_place.where(Appointment.id == message.appointment_id))
    return ZoneInfo(name or session.scalars(select(Clinic.timezone).where(Clinic.id == message.clinic_id)).one())


def skip(message: SmsMessage | PatientMail, *, note: str) -> bool:
    """Note that the message is not to be sent, and why."""
    message.state, message.note = SmsState.SKIPPED, note
    return True


def _wait(message: SmsMessage | PatientMail, *, until: datetime) -> bool:
    message.state, message.due_at = SmsState.QUEUED, until
    return True


def _is_reminder_held_back(work: UnitOfWork, message: SmsMessage | PatientMail, now: datetime) -> bool:
    standing = take_reminders(work, message_id=message.id, now=now)
    if standing is None:
        return skip(message, note="superseded")
    hours = send_hours_of(work.session, clinic_id=message.clinic_id)
    morning = quiet.allowed_from(now, zone=standing.zone, hours=hours)
    if morning >= standing.starts_at:
        return skip(message, note="past")
    if morning > now:
        return _wait(message, until=morning)
    note_told(work, message_id=message.id, now=now)
    return False


def _is_offer_held_back(session: Session, message: SmsMessage | PatientMail, now: datetime) -> bool:
    offer_id = session.scalars(select(SmsMessage.offer_id).where(SmsMessage.id == message.id)).one()
    try:
        offer, _ = offer_made(session, offer_id=offer_id or "", clinic_id=message.clinic_id)
    except UnknownOffer:
        return skip(message, note="superseded")
    if offer.status is not OfferStatus.OPEN or offer.expires_at <= now:
        return skip(message, note="superseded")
    morning = _morning_after(session, message, now=now)
    # As when it is written: what ends before the morning ends unheard, and nobody is woken by it.
    return morning is not None and _wait(message, until=min(morning, offer.expires_at))


def _is_notice_held_back(session: Session, message: SmsMessage | PatientMail, now: datetime) -> bool:
    visit = queries.visit(session, appointment_id=message.appointment_id or "")
    if is_past(visit, now=now):
        return skip(message, note="past")
    if visit.patient_id is not None and _is_told_anew(session, message):
        return skip(message, note="superseded")
    if message.kind == SmsKind.MOVE_OFFERED and move_offered_for(session, visit_id=visit.id, now=now) is None:
        return skip(message, note="superseded")
    morning = _morning_after(session, message, now=now)
    return morning is not None and morning < visit.starts_at and _wait(message, until=morning)


def _morning_after(session: Session, message: SmsMessage | PatientMail, *, now: datetime) -> datetime | None:
    """Return the end of the night that has overtaken a message, on the clock of the place; None if it may leave now."""
    if now - message.created_at <= _IN_TIME:
        return None
    hours = send_hours_of(session, clinic_id=message.clinic_id)
    morning = quiet.allowed_from(now, zone=zone_of(session, message), hours=hours)
    return morning if morning > now else None


def _is_told_anew(session: Session, message: SmsMessage | PatientMail) -> bool:
    """Say whether a later change of the visit has a text of its own: sent again, the older would come after it."""
    later = select(SmsMessage.id).where(
        SmsMessage.appointment_id == message.appointment_id,
        SmsMessage.kind.in_(ABOUT_VISIT),
        SmsMessage.revision > message.revision,
    )
    return session.scalar(later.limit(1)) is not None
