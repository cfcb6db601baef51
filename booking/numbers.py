"""Numbers that texts do not reach. After a failure that will not pass, or a few in a row, a number is given up.

Kept by number, as consent is. It is tried again once a text comes from it, or when staff say that it works; another number
of the patient is another number.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, bindparam, delete, exists, select
from sqlalchemy.orm import Session

from booking.model.number import NumberTrouble
from booking.patients import phone_hash
from kernel.db import table_of
from kernel.work import UnitOfWork

_TROUBLE = table_of(NumberTrouble)
GIVEN_UP_AFTER = 3
"""Failures in a row that may pass: a telephone that is switched off, a network that gives no reason."""


class Trouble(StrEnum):
    """What a text that did not arrive says of its number."""

    LASTING = "lasting"  # no such number, a landline
    PASSING = "passing"  # out of reach, this time


def has_trouble(clinic_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that texts to the number whose hash is given as `number_hash` did not arrive lately."""
    of_number = (_TROUBLE.c.clinic_id == clinic_id, _TROUBLE.c.value_hash == bindparam("number_hash"))
    return exists().where(*of_number)


def note_failure(
    work: UnitOfWork, *, clinic_id: str, phone: str, trouble: Trouble, code: int | None, now: datetime
) -> bool:
    """Count a text that did not arrive; say whether the number is given up by it. Locks the row."""
    key = (clinic_id, phone_hash(phone))
    row = work.session.get(NumberTrouble, key, with_for_update=True)
    if row is None:
        row = NumberTrouble(clinic_id=key[0], value_hash=key[1], failures=0, last_at=now)
        work.session.add(row)
    row.failures, row.last_code, row.last_at = row.failures + 1, code, now
    gives_up = row.given_up_at is None and (trouble is Trouble.LASTING or row.failures >= GIVEN_UP_AFTER)
    if gives_up:
        row.given_up_at = now
    work.session.flush()
    return gives_up


def note_reached(work: UnitOfWork, *, clinic_id: str, phone: str) -> None:
    """Forget what was counted: a text arrived there, one came from there, or staff know that it works."""
    work.session.execute(
        delete(NumberTrouble).where(NumberTrouble.clinic_id == clinic_id, NumberTrouble.value_hash == phone_hash(phone))
    )


def given_up(session: Session, *, clinic_id: str, phones: Collection[str]) -> frozenset[str]:
    """Return which of these numbers (E.164) are sent no texts any more."""
    by_hash = {phone_hash(phone): phone for phone in phones}
    found = session.scalars(
        select(NumberTrouble.value_hash).where(
            NumberTrouble.clinic_id == clinic_id,
            NumberTrouble.value_hash.in_(by_hash),
            NumberTrouble.given_up_at.is_not(None),
        )
    )
    return frozenset(by_hash[one] for one in found)
