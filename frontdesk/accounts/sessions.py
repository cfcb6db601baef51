"""Sessions of the console: begun by a log-in, kept alive by use, and ended by their owner, a new password or role, or time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from frontdesk.accounts.model import ConsoleSession
from kernel.db import new_id
from kernel.work import UnitOfWork

LOGGED_IN_FOR = timedelta(hours=12)  # a working day
IDLE_FOR = timedelta(hours=2)  # a screen left alone over a lunch that took long
SEEN_EVERY = timedelta(minutes=1)  # no page writes more often
_LONGEST_NAME = 300


@dataclass(frozen=True)
class SessionInfo:
    id: str
    created_at: datetime
    seen_at: datetime
    address: str
    browser: str


def begin_session(work: UnitOfWork, *, user_id: str, address: str, browser: str, now: datetime) -> str:
    """Note that somebody logged in, and return the session's id: whoever holds it is them."""
    work.session.execute(delete(ConsoleSession).where(ConsoleSession.user_id == user_id, ~is_alive(now)))
    row = ConsoleSession(
        id=new_id(), user_id=user_id, created_at=now, seen_at=now, address=address, browser=browser[:_LONGEST_NAME]
    )
    work.session.add(row)
    work.session.flush()
    return row.id


def is_alive(now: datetime) -> ColumnElement[bool]:
    """Narrow a query of sessions to those that have not run out."""
    return (ConsoleSession.created_at > now - LOGGED_IN_FOR) & (ConsoleSession.seen_at > now - IDLE_FOR)


def note_seen(work: UnitOfWork, *, session_id: str, now: datetime) -> None:
    """Note that a session was used just now."""
    work.session.execute(update(ConsoleSession).where(ConsoleSession.id == session_id).values(seen_at=now))


def list_sessions(session: Session, *, user_id: str, now: datetime) -> list[SessionInfo]:
    """Return where somebody is logged in, the last used first."""
    rows = session.scalars(
        select(ConsoleSession)
        .where(ConsoleSession.user_id == user_id, is_alive(now))
        .order_by(ConsoleSession.seen_at.desc(), ConsoleSession.id)
    )
    return [SessionInfo(row.id, row.created_at, row.seen_at, row.address, row.browser) for row in rows]


def end_session(work: UnitOfWork, *, user_id: str, session_id: str) -> bool:
    """End one session of an account; return whether it was there."""
    ended = work.session.execute(
        delete(ConsoleSession)
        .where(ConsoleSession.id == session_id, ConsoleSession.user_id == user_id)
        .returning(ConsoleSession.id)
    )
    return ended.first() is not None


def end_sessions(work: UnitOfWork, *, user_id: str, but: str | None = None) -> None:
    """End all sessions of an account, but the one named."""
    work.session.execute(
        delete(ConsoleSession).where(ConsoleSession.user_id == user_id, ConsoleSession.id.is_distinct_from(but))
    )


def forget_sessions(work: UnitOfWork, *, now: datetime) -> None:
    """Delete what is left of sessions that ran out."""
    over = or_(ConsoleSession.created_at <= now - LOGGED_IN_FOR, ConsoleSession.seen_at <= now - IDLE_FOR)
    work.session.execute(delete(ConsoleSession).where(over))
