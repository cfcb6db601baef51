"""What is known of a text when it comes in: of which clinic, and whether it was dealt with before."""

from dataclasses import dataclass

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import Session

from booking.catalogue import REACHED_AT
from booking.consent import has_opted_out
from booking.numbers import has_trouble
from booking.patients import phone_hash
from kernel import inbox
from kernel.db import Ready, table_of
from sms.model import SmsMessage


@dataclass(frozen=True)
class Known:
    """What stands in the database. `is_answered`: this very text was dealt with before, outside the dialog."""

    clinic_id: str
    has_opted_out: bool
    has_trouble: bool  # texts did not reach the sender
    is_answered: bool


def known(session: Session, *, number: str, sender: str | None, sid: str, word_key: str) -> Known | None:
    """Return what is known of the text `sid` from `sender` to `number` (both E.164); None if that is no clinic's.

    `word_key`: under which a word that the network acts on would be in the inbox. One statement: every text waits for it.
    """
    given = {"number": number, "number_hash": phone_hash(sender or ""), "key": word_key, "reply_to": sid}
    rows = _KNOWN.rows(session, given)
    return Known(*rows[0]) if rows else None


_REACHED = REACHED_AT.subquery("reached")
_KNOWN = Ready(
    select(
        _REACHED.c.clinic_id,
        has_opted_out(_REACHED.c.clinic_id),
        has_trouble(_REACHED.c.clinic_id),
        inbox.ANSWER.exists() | exists().where(table_of(SmsMessage).c.reply_to == bindparam("reply_to")),
    )
)
