"""Who asked for no more messages. Kept by number, so that it holds for people who are not on file, too."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, delete, exists, select
from sqlalchemy.orm import Session

from booking.model.patient import OptOut
from booking.patients import phone_hash
from kernel.db import Ready, table_of
from kernel.work import UnitOfWork

_OPT_OUT = table_of(OptOut)
_OPTED_OUT = Ready(
    select(_OPT_OUT.c.clinic_id).where(
        _OPT_OUT.c.clinic_id == bindparam("clinic_id"), _OPT_OUT.c.value_hash == bindparam("value_hash")
    )
)


def has_opted_out(clinic_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that the number whose hash is given as `number_hash` asked the clinic for no more messages."""
    return exists().where(_OPT_OUT.c.clinic_id == clinic_id, _OPT_OUT.c.value_hash == bindparam("number_hash"))


def opt_out(work: UnitOfWork, *, clinic_id: str, phone: str, now: datetime) -> None:
    """Send this number (E.164) nothing more for this clinic. May be called again: the first time counts."""
    if not is_opted_out(work.session, clinic_id=clinic_id, phone=phone):
        work.session.add(OptOut(clinic_id=clinic_id, value_hash=phone_hash(phone), since_at=now))
        work.session.flush()


def opt_in(work: UnitOfWork, *, clinic_id: str, phone: str) -> None:
    """Send this number messages again."""
    work.session.execute(delete(OptOut).where(OptOut.clinic_id == clinic_id, OptOut.value_hash == phone_hash(phone)))


def is_opted_out(session: Session, *, clinic_id: str, phone: str) -> bool:
    """Say whether this number asked for no more messages of this clinic."""
    return bool(_OPTED_OUT.rows(session, {"clinic_id": clinic_id, "value_hash": phone_hash(phone)}))


def opted_out(session: Session, *, clinic_id: str, phones: Collection[str]) -> frozenset[str]:
    """Return which of these numbers asked for no more messages of this clinic."""
    by_hash = {phone_hash(phone): phone for phone in phones}
    found = session.scalars(
        select(OptOut.value_hash).where(OptOut.clinic_id == clinic_id, OptOut.value_hash.in_(by_hash))
    )
    return frozenset(by_hash[one] for one in found)
