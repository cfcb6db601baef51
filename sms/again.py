"""Texts and mails that did not arrive, sent once more: by staff, or by ourselves where the trouble passes."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import quiet
from booking.catalogue import send_hours_of
from booking.outgoing_mail import NoLongerHolds, failed_mails, send_mail_again
from booking.tasks import settle_subjects, subject_of_undelivered
from kernel.work import UnitOfWork
from sms.held_back import is_text_held_back, zone_of
from sms.mails import PATIENT_MAILS
from sms.model import SmsKind, SmsMessage, SmsState

SENT_ONCE = frozenset({SmsKind.LINK, SmsKind.MOVE_OFFERED})
"""What holds for a while that the text itself names: sent again it would promise what has gone by."""

_RETRIED_AFTER = timedelta(minutes=30)
_WITH_DEADLINE = SENT_ONCE | {SmsKind.OFFER}
_HAS_FAILED = {SmsState.FAILED, SmsState.UNDELIVERED}


def send_again(work: UnitOfWork, *, clinic_id: str, message_id: str, now: datetime, done_by: str) -> bool:
    """Queue a text that failed, or the mail in its place, to be sent again; say whether there is one. Calling again changes nothing.

    At night it waits for the morning, if that is early enough. The vendor's receipts of the first sending count no more, and
    the task about it is done. Raises NoLongerHolds.
    """
    of_clinic = (SmsMessage.id == message_id, SmsMessage.clinic_id == clinic_id)
    text = work.session.scalar(select(SmsMessage).where(*of_clinic).with_for_update())
    if text is not None and text.state in _HAS_FAILED and text.kind not in SENT_ONCE:
        queue_again(text, due_at=now)
        if is_text_held_back(work, text, now=now) and text.state == SmsState.SKIPPED:
            raise NoLongerHolds(note=text.note)
        settle_subjects(work, clinic_id=clinic_id, subjects=[subject_of_undelivered(text.id)], now=now, done_by=done_by)
        return True
    return send_mail_again(work, PATIENT_MAILS, clinic_id=clinic_id, mail_id=message_id, now=now, done_by=done_by)


def failed_messages(session: Session, *, clinic_id: str, ids: Collection[str]) -> set[str]:
    """Return which of these can be sent again: texts of the clinic that failed, and mails in their place that were given up."""
    of_clinic = (SmsMessage.clinic_id == clinic_id, SmsMessage.id.in_(ids), SmsMessage.state.in_(_HAS_FAILED))
    texts = session.scalars(select(SmsMessage.id).where(*of_clinic, SmsMessage.kind.not_in(SENT_ONCE)))
    return {*texts, *failed_mails(session, PATIENT_MAILS, clinic_id=clinic_id, ids=ids)}


def try_again_later(work: UnitOfWork, message: SmsMessage, *, times: int, now: datetime) -> bool:
    """Queue a text whose receipt tells of passing trouble for half an hour later; False once it was sent again so
    often, and for what would come too late to be answered: staff call instead.
    """
    if message.kind in _WITH_DEADLINE or len(message.earlier_sids) >= times:
        return False
    zone, hours = zone_of(work.session, message), send_hours_of(work.session, clinic_id=message.clinic_id)
    queue_again(message, due_at=quiet.allowed_from(now + _RETRIED_AFTER, zone=zone, hours=hours))
    return True


def queue_again(message: SmsMessage, *, due_at: datetime) -> None:
    """Let a text be sent as if it never was, but for the vendor's id of what was."""
    if message.vendor_sid is not None:
        message.earlier_sids = [*message.earlier_sids, message.vendor_sid]
    message.vendor_sid = message.error_code = message.sent_at = message.claimed_at = message.note = None
    message.state, message.due_at, message.attempts = SmsState.QUEUED, due_at, 0
