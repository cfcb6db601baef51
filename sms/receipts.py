"""Delivery reports: late, twice, in any order, or never."""

from datetime import datetime

from sqlalchemy import select

from booking.numbers import note_reached
from kernel.work import UnitOfWork
from sms.again import try_again_later
from sms.failures import record_failure
from sms.model import SmsMessage, SmsState
from sms.vendor_codes import retries_of

_STATES = {
    "accepted": SmsState.SENT,
    "scheduled": SmsState.SENT,
    "queued": SmsState.SENT,
    "sending": SmsState.SENT,
    "sent": SmsState.SENT,
    "partially_delivered": SmsState.SENT,
    "delivered": SmsState.DELIVERED,
    "read": SmsState.DELIVERED,
    "undelivered": SmsState.UNDELIVERED,
    "failed": SmsState.FAILED,
    "canceled": SmsState.FAILED,
}


def apply_receipt(
    work: UnitOfWork, *, vendor_sid: str, message_id: str, status: str, error_code: int | None, now: datetime
) -> bool:
    """Move a text on to what the vendor reports of it; return False if it is none of ours.

    `message_id` (may be empty) is our id as we gave it along: a report can be here before the answer to the sending, and
    then it also says what became of a text whose sender died. An earlier state than the text has is ignored.
    """
    message = _find(work, vendor_sid, message_id)
    if message is None:
        return False
    message.vendor_sid = vendor_sid
    state = _STATES.get(status)
    if state is None or not SmsState(message.state).may_become(state):
        return True
    message.state = state
    message.sent_at = message.sent_at or now
    if state is SmsState.DELIVERED and message.to is not None:
        note_reached(work, clinic_id=message.clinic_id, phone=message.to)
    elif state in {SmsState.UNDELIVERED, SmsState.FAILED} and not try_again_later(
        work, message, times=retries_of(error_code), now=now
    ):
        record_failure(work, message, code=error_code, now=now)
    return True


def _find(work: UnitOfWork, vendor_sid: str, message_id: str) -> SmsMessage | None:
    found = work.session.scalar(select(SmsMessage).where(SmsMessage.vendor_sid == vendor_sid).with_for_update())
    if found is not None or not message_id:
        return found
    unanswered = work.session.scalar(
        select(SmsMessage).where(SmsMessage.id == message_id, SmsMessage.vendor_sid.is_(None)).with_for_update()
    )
    # A receipt of what was sent before says nothing of what is to be sent again.
    return None if unanswered is None or vendor_sid in unanswered.earlier_sids else unanswered
