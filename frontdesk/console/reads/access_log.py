"""The access log as it is read: the newest first, narrowed by who, what, which record and day, in one query a page."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from frontdesk.accounts.model import AccessEntry
from frontdesk.users import User
from kernel.interval import day_interval

PER_PAGE = 50


@dataclass(frozen=True)
class AccessWanted:
    """What the log is narrowed to. Empty means everything. `before`: entries older than the one with this id."""

    login: str = ""
    what: str = ""
    subject_id: str = ""
    day: date | None = None
    before: int | None = None


@dataclass(frozen=True)
class AccessLine:
    id: int
    at: datetime
    login: str
    what: str
    subject_id: str
    subject_login: str | None  # of an account
    address: str


def read_access_log(session: Session, *, clinic_id: str, wanted: AccessWanted, zone: ZoneInfo) -> list[AccessLine]:
    """Return a page of the clinic's log, and one entry more where there are older ones. `zone`: of the day."""
    where = [AccessEntry.clinic_id == clinic_id]
    if wanted.login:
        where.append(AccessEntry.login == wanted.login)
    if wanted.what:
        where.append(AccessEntry.what == wanted.what)
    if wanted.subject_id:
        where.append(AccessEntry.subject_id == wanted.subject_id)
    if wanted.day:
        span = day_interval(wanted.day, zone)
        where += [AccessEntry.at >= span.start, AccessEntry.at < span.end]
    if wanted.before is not None:
        where.append(AccessEntry.id < wanted.before)
    found = session.execute(
        select(AccessEntry, User.login)
        .outerjoin(User, (User.id == AccessEntry.subject_id) & (User.clinic_id == clinic_id))
        .where(*where)
        .order_by(AccessEntry.id.desc())
        .limit(PER_PAGE + 1)
    )
    return [
        AccessLine(row.id, row.at, row.login, row.what, row.subject_id, subject_login, row.address)
        for row, subject_login in found
    ]


def logins_of_clinic(session: Session, *, clinic_id: str) -> list[str]:
    """Return everybody who can be in the log, those whose accounts are switched off too."""
    return list(session.scalars(select(User.login).where(User.clinic_id == clinic_id).order_by(User.login)))
