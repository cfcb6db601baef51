"""Each message from outside is applied once: the first delivery stores its answer, a repeat gets the same answer back."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kernel.db import Base
from kernel.work import UnitOfWork


class InboxEntry(Base):
    """One delivered message. `key` names it at its sender: `sms:SM…`, `voice:CA…:3`."""

    __tablename__ = "inbox_entry"

    key: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]
    answer: Mapped[str | None]


def recorded_answer(session: Session, *, key: str) -> str | None:
    """Return what was answered to the message `key`, or None if it was not applied yet."""
    return session.scalar(select(InboxEntry.answer).where(InboxEntry.key == key))


def record(work: UnitOfWork, *, key: str, answer: str, now: datetime) -> None:
    """Store the answer in the transaction of the message's effect. A second writer fails on the primary key and rolls back."""
    work.session.add(InboxEntry(key=key, received_at=now, answer=answer))
    work.session.flush()
