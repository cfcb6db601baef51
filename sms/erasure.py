"""Texts and mails of a patient who is erased: that they were sent stays, what they said and to whom does not."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from kernel.db import new_id
from kernel.work import UnitOfWork
from sms.model import PatientMail, SmsKind, SmsMessage, SmsState

_WAITING = frozenset({SmsState.QUEUED.value, SmsState.SENDING.value, SmsState.UNKNOWN.value})
_NOTE = "erased"


def erase_messages(
    work: UnitOfWork,
    *,
    appointment_ids: Collection[str],
    session_ids: Collection[str],
    addresses: Collection[str],
    message_keys: Collection[str] = (),
    conversation_ids: Collection[str] = (),
    turn_ids: Collection[str] = (),
    instead: str,
) -> None:
    """Put `instead` in the place of what was written about these visits, to `addresses` (hashes) about these groups' sessions,
    and in these conversations. What waits to be sent is not sent. May be called again.
    """
    sids = [key.partition(":")[2] for key in message_keys]
    spoken = or_(
        SmsMessage.reply_to.in_(sids),
        SmsMessage.conversation_id.in_(conversation_ids),
        SmsMessage.turn_id.in_(turn_ids),
    )
    about_visits = about(SmsMessage, appointment_ids, session_ids, addresses)
    for text in work.session.scalars(select(SmsMessage).where(or_(about_visits, spoken)).with_for_update()):
        text.to = text.to_hash = None
        _erase(text, instead)
    mailed = about(PatientMail, appointment_ids, session_ids, addresses)
    for mail in work.session.scalars(select(PatientMail).where(mailed).with_for_update()):
        mail.to, mail.to_hash, mail.subject = "", f"erased:{mail.id}", instead
        _erase(mail, instead)


def count_messages(
    session: Session, *, appointment_ids: Collection[str], session_ids: Collection[str], addresses: Collection[str]
) -> int:
    """Return how many texts and mails were written about these visits and sessions."""
    return sum(
        len(session.scalars(select(row.id).where(about(row, appointment_ids, session_ids, addresses))).all())
        for row in (SmsMessage, PatientMail)
    )


def tell_nobody(
    work: UnitOfWork, *, clinic_id: str, appointment_id: str, revision: int, instead: str, now: datetime
) -> None:
    """Note that nobody is to be told of this cancellation: who it concerned is erased in the same transaction."""
    work.session.add(
        SmsMessage(
            id=new_id(),
            clinic_id=clinic_id,
            kind=SmsKind.CANCELLED,
            to=None,
            to_hash=None,
            sender=None,
            body=instead,
            appointment_id=appointment_id,
            revision=revision,
            state=SmsState.SKIPPED,
            note=_NOTE,
            due_at=now,
            created_at=now,
        )
    )


def about(
    row: type[SmsMessage] | type[PatientMail],
    appointment_ids: Collection[str],
    session_ids: Collection[str],
    addresses: Collection[str],
) -> ColumnElement[bool]:
    """Return the condition of what was written about these visits, or to these addresses about these sessions."""
    # By kind as well, because the index by visit begins with it.
    kinds = row.kind.in_([kind.value for kind in SmsKind])
    in_group = and_(row.appointment_id.in_(session_ids), row.to_hash.in_(addresses))
    return and_(kinds, or_(row.appointment_id.in_(appointment_ids), in_group))


def _erase(message: SmsMessage | PatientMail, instead: str) -> None:
    message.body = instead
    if message.state in _WAITING:
        message.state, message.note = SmsState.SKIPPED.value, _NOTE
