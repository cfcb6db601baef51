"""Texts of our own accord: written down first, then handed to the vendor outside any transaction, then the outcome.

No vendor offers a key that makes sending twice the same as once. So the row says that a text is about to be handed over
before it is; if no answer is noted, because the connection broke or the process died, the vendor is asked before another try.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from booking.patients import phone_hash
from kernel.db import new_id, table_of
from kernel.errors import Unavailable
from kernel.log import get_logger
from kernel.work import Database, UnitOfWork
from sms.failures import record_failure
from sms.held_back import is_text_held_back
from sms.model import SmsKind, SmsMessage, SmsState
from sms.ports import OutcomeUnknown, OutgoingText, SmsGateway, TextRefused

SETTLE = timedelta(seconds=30)
"""After this a text that was being handed over is at the vendor or never will be: longer than a call to a gateway takes."""

_log = get_logger()
_MOST_ATTEMPTS = 8
_MOST_OF_REMINDERS = 100  # they have time: most of a day
_FIRST_RETRY, _LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=15)
_DOUBLED_AT_MOST = 8  # times: by then the longest wait is reached
_MESSAGE = table_of(SmsMessage)


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
    """Return the ids of texts that wait for a sender: due ones, and those whose outcome can now be asked for.

    Reminders last: a morning's worth of them keeps nobody waiting who is in a conversation.
    """
    statement = (
        select(SmsMessage.id)
        .where(
            or_(
                SmsMessage.state == SmsState.QUEUED,
                and_(SmsMessage.state.in_((SmsState.SENDING, SmsState.UNKNOWN)), SmsMessage.claimed_at <= now - SETTLE),
            ),
            SmsMessage.due_at <= now,
        )
        .order_by(SmsMessage.kind == SmsKind.REMINDER, SmsMessage.due_at)
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
        try:
            sids = gateway.find(claim.text)
        except Unavailable:
            if db.run(lambda work: _note_not_asked(work, claim, now=now)) is SmsState.FAILED:
                return SmsState.FAILED
            raise
        found = _ours(db, sids, message_id=message_id)
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
        if message.due_at > now:
            return state
        return _Claim(_text(message), must_ask=True, claimed_at=message.claimed_at or now)
    if state is not SmsState.QUEUED or message.due_at > now:
        return state
    if is_text_held_back(work, message, now=now):
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
    if is_text_held_back(work, message, now=now):
        return SmsState(message.state)
    _mark_sending(message, now)
    return None


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


def _note_not_asked(work: UnitOfWork, claim: _Claim, *, now: datetime) -> SmsState:
    """Note that the vendor could not even be asked whether it has a text; return what the text is then."""
    message = _locked(work, claim.text.message_id)
    if message.state in {SmsState.SENDING, SmsState.UNKNOWN} and message.claimed_at == claim.claimed_at:
        message.attempts += 1
        _put_off(work, message, as_=SmsState.UNKNOWN, now=now)
    return SmsState(message.state)


def _note_not_taken(work: UnitOfWork, *, message_id: str, now: datetime) -> SmsState:
    message = _locked(work, message_id)
    _put_off(work, message, as_=SmsState.QUEUED, now=now)
    return SmsState(message.state)


def _put_off(work: UnitOfWork, message: SmsMessage, *, as_: SmsState, now: datetime) -> None:
    """Let a text wait, each time longer, or give it up."""
    if message.attempts >= (_MOST_OF_REMINDERS if message.kind == SmsKind.REMINDER else _MOST_ATTEMPTS):
        message.state = SmsState.FAILED
        record_failure(work, message, code=None, now=now)
    else:
        message.state = as_
        message.due_at = now + min(_FIRST_RETRY * (1 << min(message.attempts, _DOUBLED_AT_MOST)), _LONGEST_WAIT)


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
