"""Each message from outside is applied once: the first delivery stores its answer, a repeat gets the same answer back."""

from datetime import datetime

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kernel.db import Base, NewRow, Ready, table_of
from kernel.work import UnitOfWork


class InboxEntry(Base):
    """One delivered message. `key` names it at its sender: `sms:SM…`, `voice:CA…:3`."""

    __tablename__ = "inbox_entry"

    key: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]
    answer: Mapped[str | None]


_INBOX = table_of(InboxEntry)
ANSWER = select(_INBOX.c.answer).where(_INBOX.c.key == bindparam("key"))
"""What `recorded_answer` reads, for those who read more at once."""
_ANSWER = Ready(ANSWER)


def recorded_answer(session: Session, *, key: str) -> str | None:
    """Return what was answered to the message `key`, or None if it was not applied yet."""
    found = _ANSWER.rows(session, {"key": key})
    return found[0][0] if found else None


def record(work: UnitOfWork, *, key: str, answer: str, now: datetime) -> None:
    """Store the answer in the transaction of the message's effect. A second writer fails on the primary key and rolls back."""
    work.session.execute(insert(_INBOX), recording(key=key, answer=answer, now=now).values)


def recording(*, key: str, answer: str, now: datetime) -> NewRow:
    """Return the row that `record` writes, for the caller to write together with others."""
    return NewRow(_INBOX, {"key": key, "received_at": now, "answer": answer})
