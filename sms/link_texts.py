"""The text with the link to a patient's own page. They have just asked for it, so no quiet hours hold it back."""

import re
from datetime import datetime

from booking.consent import is_opted_out
from booking.patients import phone_hash
from booking.values import Catalogue
from kernel.db import new_id
from kernel.phone import may_take_texts
from kernel.work import UnitOfWork
from sms import segments
from sms.model import SmsKind, SmsMessage, SmsState
from sms.texts import words


def without_link(body: str) -> str:
    """Return such a text for others than the patient to read: whoever knows the link is let in with it."""
    return re.sub(r"(https?://[^/\s]+)\S*", r"\1/...", body)


def queue_link(work: UnitOfWork, catalogue: Catalogue, *, to: str, url: str, language: str, now: datetime) -> None:
    """Write down the text with `url` for `to` (E.164); nothing for a number that takes none. Each call is a text of its own."""
    sender = catalogue.phone or next((one.phone for one in catalogue.locations if one.phone), None)
    if sender is None or not may_take_texts(to) or is_opted_out(work.session, clinic_id=catalogue.clinic_id, phone=to):
        return
    work.session.add(
        SmsMessage(
            id=new_id(),
            clinic_id=catalogue.clinic_id,
            kind=SmsKind.LINK,
            to=to,
            to_hash=phone_hash(to),
            sender=sender,
            body=segments.plain(words(language)["link"].format(clinic=catalogue.name, url=url)),
            state=SmsState.QUEUED,
            due_at=now,
            created_at=now,
        )
    )
