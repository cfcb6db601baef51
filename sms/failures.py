"""What follows when a text did not arrive: the number's wish is noted, the number is given up, or somebody is asked to call."""

from datetime import datetime

from booking.consent import opt_out
from booking.numbers import note_failure
from booking.task_words import TaskSays
from booking.tasks import open_task, subject_of_undelivered
from booking.values import TaskKind
from kernel.log import get_logger
from kernel.work import UnitOfWork
from sms import vendor_codes
from sms.link_texts import without_link
from sms.model import ABOUT_VISIT, SmsKind, SmsMessage

_log = get_logger()
_MUST_ARRIVE = {*ABOUT_VISIT, SmsKind.OFFER} - {SmsKind.BOOKED}
"""What a patient may not have asked for: not told of it they come for nothing, or lose a time that is kept for them."""


def record_failure(work: UnitOfWork, message: SmsMessage, *, code: int | None, now: datetime) -> None:
    """Draw the consequences of the vendor's `code`. Calling again for the same text opens no second task."""
    message.error_code = code
    if vendor_codes.is_set_up(code):
        _log.error("sms.account_needs_set_up", vendor_code=code, message_id=message.id)
    if code == vendor_codes.OPTED_OUT and message.to is not None:
        opt_out(work, clinic_id=message.clinic_id, phone=message.to, now=now)
        if message.kind not in _MUST_ARRIVE:
            return
    open_task(
        work,
        clinic_id=message.clinic_id,
        kind=TaskKind.UNDELIVERED,
        says=TaskSays.TEXT_FAILED,
        details={
            "delivery_code": vendor_codes.meaning(code),
            "number_code": "given-up" if _gives_number_up(work, message, code=code, now=now) else None,
            "words": without_link(message.body) if message.kind == SmsKind.LINK else message.body,
        },
        now=now,
        appointment_id=message.appointment_id,
        phone=message.to,
        subject=subject_of_undelivered(message.id),
    )


def _gives_number_up(work: UnitOfWork, message: SmsMessage, *, code: int | None, now: datetime) -> bool:
    """Count the failure against the number; say whether it is given up by it."""
    trouble = vendor_codes.of_number(code)
    if trouble is None or message.to is None:
        return False
    return note_failure(work, clinic_id=message.clinic_id, phone=message.to, trouble=trouble, code=code, now=now)
