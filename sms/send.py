"""Texts of our own accord: written down first, then handed to the vendor outside any transaction, then the outcome.

No vendor offers a key that makes sending twice the same as once. So the row says that a text is about to be handed over
before it is; if no answer is noted, because the connection broke or the process died, the vendor is asked before another try.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from booking import queries, quiet
from booking.consent import is_opted_out
from booking.model.appointment import AppointmentChange
from booking.patients import phone_hash
from booking.reminded import note_told, take_reminders
from booking.values import AppointmentStatus, BookedVisit, Catalogue, MailUse
from dialog.due import has_come_back
from kernel.db import new_id, table_of
from kernel.errors import Unavailable
from kernel.log import get_logger
from kernel.work import Database, UnitOfWork
from sms import notices
from sms.failures import record_failure
from sms.mails import drop_mails, tell_otherwise
from sms.model import SmsKind, SmsMessage, SmsState
from sms.ports import OutcomeUnknown, OutgoingText, SmsGateway, TextRefused
from sms.reach import reach_of

SETTLE = timedelta(seconds=30)
"""After this a text that was being handed over is at the vendor or never will be: longer than a call to a gateway takes."""

_log = get_logger()
_MOST_ATTEMPTS = 8
_MOST_OF_REMINDERS = 100  # they have time: most of a day
_FIRST_RETRY, _LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=15)
_MESSAGE = table_of(SmsMessage)
_TOLD = {AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED}
_TOLD_OF = {
    SmsKind.CANCELLED: {AppointmentStatus.CANCELLED},
    SmsKind.REJECTED: {AppointmentStatus.CANCELLED},
    SmsKind.MOVE_OFFERED: {AppointmentStatus.BOOKED, AppointmentStatus.PENDING},
}


def queue_visit_notice(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    kind: SmsKind,
    appointment_id: str,
    revision: int,
    sequence: int,
    now: datetime,
    instead: notices.Instead = notices.Instead(),  # noqa: B008 -- frozen
    mail: MailUse = MailUse.NEVER,
) -> str | None:
    """Write down the text that tells a patient what became of their visit; return its id, None if none is to be sent.

    `revision` and `sequence` are those of the event. Calling again for the same one gives the same text. Nothing is sent
    about a visit that is over or has changed again (that has an event of its own), to a number that has opted out, or to
    one that takes no texts: then a mail says it, as far as `mail` lets one, or staff get a task. What staff or a calendar
    changed waits for the end of the quiet hours.
    """
    stored = _stored_notice(work.session, kind, appointment_id, revision)
    if stored is not None:
        return None if stored.state == SmsState.SKIPPED else stored.id
    visit = queries.visit(work.session, appointment_id=appointment_id)
    if visit.patient_id is None:
        return None  # a group's session: who takes part is told of their seat
    reach = reach_of(work.session, catalogue, patient_id=visit.patient_id)
    to, sender = reach.number, catalogue.phone or catalogue.location(visit.location_id).phone
    note = (
        _out_of_date(visit, kind=kind, sequence=sequence, now=now)
        or reach.obstacle
        or (None if sender else "no-sender")
    )
    origin = _origin(work.session, visit)

    def said(medium: notices.Medium) -> str:
        return notices.compose(
            catalogue,
            visit,
            kind=kind,
            now=now,
            origin=origin,
            instead=instead,
            language=reach.language,
            medium=medium,
        )

    message = SmsMessage(
        id=new_id(),
        clinic_id=catalogue.clinic_id,
        kind=kind,
        to=to,
        to_hash=phone_hash(to) if to else None,
        sender=sender,
        body=said(notices.Medium.TEXT),
        appointment_id=appointment_id,
        revision=revision,
        state=SmsState.SKIPPED if note else SmsState.QUEUED,
        note=note,
        due_at=_due_at(catalogue, visit, origin, now=now),
        created_at=now,
    )
    if note != "superseded":
        _drop_waiting(work, appointment_id=appointment_id)
    work.session.add(message)
    work.session.flush()
    tell_otherwise(work, catalogue, message, reach, said=said(notices.Medium.MAIL), use=mail, now=now)
    _log.info("sms.notice", kind=kind, message_id=message.id, skipped=note)
    return None if note else message.id


def queue_reply(
    work: UnitOfWork, *, clinic_id: str, to: str, sender: str, body: str, reply_to: str, now: datetime
) -> str:
    """Write down an answer that came too late for the vendor's request; return its id. Once per text that it answers."""
    stored = work.session.scalar(select(SmsMessage.id).where(SmsMessage.reply_to == reply_to))
    if stored is not None:
        return stored
    message = SmsMessage(
        id=new_id(),
        clinic_id=clinic_id,
        kind=SmsKind.REPLY,
        to=to,
        to_hash=phone_hash(to),
        sender=sender,
        body=body,
        reply_to=reply_to,
        state=SmsState.QUEUED,
        due_at=now,
        created_at=now,
    )
    work.session.add(message)
    work.session.flush()
    return message.id


def texts_to_send(session: Session, *, now: datetime, limit: int = 100) -> list[str]:
    """Return the ids of texts that wait for a sender: due ones, and those whose outcome can now be asked for."""
    statement = (
        select(SmsMessage.id)
        .where(
            or_(
                and_(SmsMessage.state == SmsState.QUEUED, SmsMessage.due_at <= now),
                and_(SmsMessage.state.in_((SmsState.SENDING, SmsState.UNKNOWN)), SmsMessage.claimed_at <= now - SETTLE),
            )
        )
        .order_by(SmsMessage.due_at)
        .limit(limit)
    )
    return list(session.scalars(statement))


def send_queued(db: Database, gateway: SmsGateway, *, message_id: str, now: datetime) -> SmsState:
    """Hand a text over and return what it is then. May be called any number of times, from any process.

    A text that is not due yet stays queued. Raises Unavailable when it has to be tried again, OutcomeUnknown when the
    vendor must be asked first, which happens at the next call after `SETTLE`.
    """
    claim = db.run(lambda work: _claim(work, message_id=message_id, now=now))
    if isinstance(claim, SmsState):
        return claim
    if claim.must_ask:
        found = _ours(db, gateway.find(claim.text), message_id=message_id)
        if found is not None:
            return db.run(lambda work: _note_sent(work, message_id=message_id, sid=found, now=now))
        again = db.run(lambda work: _claim_again(work, claim, now=now))
        if again is not None:
            return again
    return _hand_over(db, gateway, claim.text, now=now)


@dataclass(frozen=True)
class _Claim:
    text: OutgoingText
    must_ask: bool  # it may be at the vendor already
    claimed_at: datetime


def _claim(work: UnitOfWork, *, message_id: str, now: datetime) -> _Claim | SmsState:
    """Take a text for sending, or say what it is when there is nothing to do."""
    message = _locked(work, message_id)
    state = SmsState(message.state)
    if state in {SmsState.SENDING, SmsState.UNKNOWN}:
        if message.claimed_at is not None and message.claimed_at > now - SETTLE:
            raise OutcomeUnknown
        return _Claim(_text(message), must_ask=True, claimed_at=message.claimed_at or now)
    if state is not SmsState.QUEUED or message.due_at > now:
        return state
    if _is_held_back(work, message, now=now):
        return SmsState(message.state)
    _mark_sending(message, now)
    return _Claim(_text(message), must_ask=False, claimed_at=now)


def _claim_again(work: UnitOfWork, claim: _Claim, *, now: datetime) -> SmsState | None:
    """Take a text that turned out not to have been sent; None if it is to be handed over, else what it is.

    Raises OutcomeUnknown where somebody else asked at the same time, and is at it.
    """
    message = _locked(work, claim.text.message_id)
    if message.state not in {SmsState.SENDING, SmsState.UNKNOWN} or message.claimed_at != claim.claimed_at:
        raise OutcomeUnknown
    if _is_held_back(work, message, now=now):
        return SmsState(message.state)
    _mark_sending(message, now)
    return None


def _is_held_back(work: UnitOfWork, message: SmsMessage, *, now: datetime) -> bool:
    """Say whether a text is not to be handed over after all, and note what becomes of it: much may have changed since it was written."""
    if message.to is None or is_opted_out(work.session, clinic_id=message.clinic_id, phone=message.to):
        message.state, message.note = SmsState.SKIPPED, "opted-out"
        return True
    if message.conversation_id is not None and has_come_back(work.session, message.conversation_id):
        message.state, message.note = SmsState.SKIPPED, "superseded"
        return True
    return message.kind == SmsKind.REMINDER and _is_reminder_held_back(work, message, now=now)


def _is_reminder_held_back(work: UnitOfWork, message: SmsMessage, *, now: datetime) -> bool:
    standing = take_reminders(work, message_id=message.id, now=now)
    if standing is None:
        message.state, message.note = SmsState.SKIPPED, "superseded"
        return True
    morning = quiet.allowed_from(now, zone=standing.zone)
    if morning >= standing.starts_at:
        message.state, message.note = SmsState.SKIPPED, "past"
        return True
    if morning > now:
        # Night fell while the vendor could not be had.
        message.state, message.due_at = SmsState.QUEUED, morning
        return True
    note_told(work, message_id=message.id, now=now)
    return False


def _hand_over(db: Database, gateway: SmsGateway, text: OutgoingText, *, now: datetime) -> SmsState:
    try:
        sid = gateway.send(text)
    except TextRefused as refusal:
        code = refusal.vendor_code
        return db.run(lambda work: _note_refused(work, message_id=text.message_id, code=code, now=now))
    except OutcomeUnknown:
        db.run(lambda work: _note_unknown(work, message_id=text.message_id))
        raise
    except Unavailable:
        if db.run(lambda work: _note_not_taken(work, message_id=text.message_id, now=now)) is SmsState.FAILED:
            return SmsState.FAILED
        raise
    return db.run(lambda work: _note_sent(work, message_id=text.message_id, sid=sid, now=now))


def _ours(db: Database, sids: list[str], *, message_id: str) -> str | None:
    """Return the first id that belongs to no other text of ours, nor to this one as it was sent before: both may have the same words."""
    with db.read() as session:
        known = set(session.scalars(select(SmsMessage.vendor_sid).where(SmsMessage.vendor_sid.in_(sids))))
        known |= set(session.scalars(select(SmsMessage.earlier_sids).where(SmsMessage.id == message_id)).one())
    return next((sid for sid in sids if sid not in known), None)


def _note_sent(work: UnitOfWork, *, message_id: str, sid: str, now: datetime) -> SmsState:
    message = _locked(work, message_id)
    message.vendor_sid = message.vendor_sid or sid
    message.sent_at = message.sent_at or now
    if SmsState(message.state).may_become(SmsState.SENT):  # a receipt may have been quicker
        message.state = SmsState.SENT
    return SmsState(message.state)


def _note_refused(work: UnitOfWork, *, message_id: str, code: int, now: datetime) -> SmsState:
    message = _locked(work, message_id)
    message.state = SmsState.FAILED
    record_failure(work, message, code=code, now=now)
    return SmsState.FAILED


def _note_unknown(work: UnitOfWork, *, message_id: str) -> None:
    message = _locked(work, message_id)
    if message.state == SmsState.SENDING:
        message.state = SmsState.UNKNOWN


def _note_not_taken(work: UnitOfWork, *, message_id: str, now: datetime) -> SmsState:
    message = _locked(work, message_id)
    if message.attempts >= (_MOST_OF_REMINDERS if message.kind == SmsKind.REMINDER else _MOST_ATTEMPTS):
        message.state = SmsState.FAILED
        record_failure(work, message, code=None, now=now)
    else:
        message.state = SmsState.QUEUED
        message.due_at = now + min(_FIRST_RETRY * (1 << message.attempts), _LONGEST_WAIT)
    return SmsState(message.state)


def _mark_sending(message: SmsMessage, now: datetime) -> None:
    message.state = SmsState.SENDING
    message.claimed_at = now
    message.attempts += 1


def _locked(work: UnitOfWork, message_id: str) -> SmsMessage:
    return work.session.get_one(SmsMessage, message_id, with_for_update=True)


def _text(message: SmsMessage) -> OutgoingText:
    if message.to is None or message.sender is None:
        raise ValueError("a text without both numbers is skipped, never claimed")
    return OutgoingText(message_id=message.id, to=message.to, sender=message.sender, body=message.body)


def _stored_notice(session: Session, kind: SmsKind, appointment_id: str, revision: int) -> SmsMessage | None:
    return session.scalar(
        select(SmsMessage).where(
            SmsMessage.kind == kind, SmsMessage.appointment_id == appointment_id, SmsMessage.revision == revision
        )
    )


def _out_of_date(visit: BookedVisit, *, kind: SmsKind, sequence: int, now: datetime) -> str | None:
    if visit.status not in _TOLD_OF.get(kind, _TOLD) or visit.sequence > sequence:
        return "superseded"
    if kind is SmsKind.CANCELLED and not visit.practitioner_id:
        return "no-visit"
    # What was only wished for has no time yet: its times bound the wish.
    return "past" if (visit.starts_at if visit.practitioner_id else visit.ends_at) <= now else None


def _due_at(catalogue: Catalogue, visit: BookedVisit, origin: notices.Origin, *, now: datetime) -> datetime:
    """Return when the text may go: at once if the patient has just asked for the change themselves.

    At once, too, if the morning is too late: otherwise the patient comes for nothing.
    """
    if origin is notices.Origin.PATIENT:
        return now
    morning = quiet.allowed_from(now, zone=catalogue.location(visit.location_id).zone)
    return morning if morning < visit.starts_at else now


def _origin(session: Session, visit: BookedVisit) -> notices.Origin:
    """Return who made the last change of the visit."""
    actor = session.scalar(
        select(AppointmentChange.actor)
        .where(AppointmentChange.appointment_id == visit.id)
        .order_by(AppointmentChange.id.desc())
        .limit(1)
    )
    return notices.Origin.PATIENT if actor == "patient" else notices.Origin.CLINIC


def _drop_waiting(work: UnitOfWork, *, appointment_id: str) -> None:
    """Take back what still waits for the end of the quiet hours: the visit has changed again since."""
    work.session.execute(
        update(SmsMessage)
        .where(
            SmsMessage.appointment_id == appointment_id,
            SmsMessage.state == SmsState.QUEUED,
            SmsMessage.kind
            != SmsKind.REMINDER,  # may be of other visits as well: looked at when it is about to be sent
        )
        .values(state=SmsState.SKIPPED, note="superseded")
    )
    drop_mails(work, appointment_id=appointment_id)
