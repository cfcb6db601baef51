"""Texts and mails that did not arrive, sent once more: by staff, or by ourselves where the trouble passes."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from booking import quiet
from booking.model.clinic import Clinic
from kernel.work import UnitOfWork
from sms.model import PatientMail, SmsMessage, SmsState

_RETRIED_AFTER = timedelta(minutes=30)
_HAS_FAILED = {SmsState.FAILED, SmsState.UNDELIVERED}


def send_again(work: UnitOfWork, *, clinic_id: str, message_id: str, now: datetime) -> bool:
    """Queue a text or mail that failed, to be sent at once; say whether there is one. Calling again changes nothing.

    The vendor's receipts of the first sending count no more.
    """
    of_clinic = (SmsMessage.id == message_id, SmsMessage.clinic_id == clinic_id)
    text = work.session.scalar(select(SmsMessage).where(*of_clinic).with_for_update())
    if text is not None and text.state in _HAS_FAILED:
        queue_again(text, due_at=now)
        return True
    of_mail = (PatientMail.id == message_id, PatientMail.clinic_id == clinic_id)
    mail = work.session.scalar(select(PatientMail).where(*of_mail).with_for_update())
    if mail is not None and mail.state in _HAS_FAILED:
        mail.state, mail.note, mail.due_at = SmsState.QUEUED, None, now
        mail.attempts = mail.unanswered = 0
        return True
    return False


def try_again_later(work: UnitOfWork, message: SmsMessage, *, times: int, now: datetime) -> bool:
    """Queue a text whose receipt tells of passing trouble for half an hour later; False once it was sent again so often."""
    if len(message.earlier_sids) >= times:
        return False
    zone = ZoneInfo(work.session.scalars(select(Clinic.timezone).where(Clinic.id == message.clinic_id)).one())
    queue_again(message, due_at=quiet.allowed_from(now + _RETRIED_AFTER, zone=zone))
    return True


def queue_again(message: SmsMessage, *, due_at: datetime) -> None:
    """Let a text be sent as if it never was, but for the vendor's id of what was."""
    if message.vendor_sid is not None:
        message.earlier_sids = [*message.earlier_sids, message.vendor_sid]
    message.vendor_sid = message.error_code = message.sent_at = message.claimed_at = message.note = None
    message.state, message.due_at, message.attempts = SmsState.QUEUED, due_at, 0
