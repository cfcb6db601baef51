"""What follows when a text did not arrive: the number's wish is noted, or somebody is asked to call."""

from datetime import datetime

from booking.consent import opt_out
from booking.tasks import open_task
from booking.values import TaskKind
from kernel.log import get_logger
from kernel.work import UnitOfWork
from sms import vendor_codes
from sms.model import SmsMessage

_log = get_logger()


def record_failure(work: UnitOfWork, message: SmsMessage, *, code: int | None, now: datetime) -> None:
    """Draw the consequences of the vendor's `code`. Calling again for the same text opens no second task."""
    message.error_code = code
    if vendor_codes.is_set_up(code):
        _log.error("sms.account_needs_set_up", vendor_code=code, message_id=message.id)
    if code == vendor_codes.OPTED_OUT and message.to is not None:
        opt_out(work, clinic_id=message.clinic_id, phone=message.to, now=now)
        return
    open_task(
        work,
        clinic_id=message.clinic_id,
        kind=TaskKind.UNDELIVERED,
        text=f"A text could not be delivered ({vendor_codes.explained(code)}). Please call. It said: {message.body}",
        now=now,
        appointment_id=message.appointment_id,
        phone=message.to,
        subject=f"undelivered:{message.id}",
    )
