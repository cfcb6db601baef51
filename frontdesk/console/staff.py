"""Who is using the console: the cookie names a session, whose row says who it is and whether they still are."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from flask import g, request, session
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from booking.model.clinic import Clinic
from frontdesk.accounts.model import ConsoleSession, LogInPolicy, SecondFactor
from frontdesk.accounts.sessions import SEEN_EVERY, is_alive, note_seen
from frontdesk.users import Role, User, UserInfo, find_user
from kernel.work import Database

_CODE_WITHIN = timedelta(minutes=5)
NOBODY = "nobody"  # as the practitioner of an account with that role whom nobody has chosen yet: it sees no patient


@dataclass(frozen=True)
class Staff:
    """Somebody who is logged in, and the clinic whose rows they may see."""

    user_id: str
    session_id: str
    login: str
    role: Role
    clinic_id: str
    clinic_name: str
    zone: ZoneInfo
    practitioner_id: str | None = None  # of a practitioner: whose patients they may see; None: all of the clinic
    language: str | None = None
    owes_factor: bool = False  # the clinic wants a second factor and there is none yet

    @property
    def is_administrator(self) -> bool:
        return self.role is Role.ADMINISTRATOR


def admit(session_id: str) -> None:
    """Let the cookie of this browser name a session. Whatever it held before is gone."""
    session.clear()
    session.permanent = True
    session["session"] = session_id


def admit_half(user: UserInfo, *, now: datetime) -> None:
    """Remember who gave the right password and still owes a code. Whatever the cookie held before is gone."""
    session.clear()
    session["half"] = [user.id, user.seal, now.timestamp()]


def half_admitted(db_session: Session, *, now: datetime) -> UserInfo | None:
    """Return who gave the right password a short while ago, which is theirs still, and owes a code."""
    user_id, seal, since = session.get("half", ("", "", 0))
    if not 0 <= now.timestamp() - since < _CODE_WITHIN.total_seconds():
        return None
    user = find_user(db_session, user_id=user_id)
    return user if user and user.seal == seal else None


def forget_cookie() -> None:
    """Forget in this browser who logged in."""
    session.clear()


def load_staff(db: Database, *, now: datetime) -> Staff | None:
    """Return whose session the cookie names, or None: nobody's, ended, too old, or of an account that is switched off.

    One query; once a minute a second one notes that the session is in use. What a page asks by itself is no use of it: else
    a list that keeps itself up to date would keep a screen open that everybody has left.
    """
    session_id = session.get("session")
    if not session_id:
        return None
    with db.read() as db_session:
        found = db_session.execute(_staff_of(session_id, now)).one_or_none()
    if found is None:
        return None
    if now - found.seen_at >= SEEN_EVERY and not _is_asked_by_script():
        db.run(lambda work: note_seen(work, session_id=session_id, now=now))
    user = found.User
    return Staff(
        user_id=user.id,
        session_id=session_id,
        login=user.login,
        role=Role(user.role),
        clinic_id=user.clinic_id,
        clinic_name=found.name,
        zone=ZoneInfo(found.timezone),
        practitioner_id=_bound(user),
        language=user.language,
        owes_factor=bool(found.needs_second_factor) and not found.has_factor,
    )


def _is_asked_by_script() -> bool:
    return request.method == "GET" and request.headers.get("Sec-Fetch-Dest") == "empty"


def _staff_of(session_id: str, now: datetime) -> Select[*tuple[Any, ...]]:
    return (
        select(
            User,
            ConsoleSession.seen_at,
            Clinic.name,
            Clinic.timezone,
            SecondFactor.secret.is_not(None).label("has_factor"),
            LogInPolicy.needs_second_factor,
        )
        .select_from(ConsoleSession)
        .join(User, User.id == ConsoleSession.user_id)
        .join(Clinic, Clinic.id == User.clinic_id)
        .outerjoin(SecondFactor, SecondFactor.user_id == User.id)
        .outerjoin(LogInPolicy, LogInPolicy.clinic_id == User.clinic_id)
        .where(ConsoleSession.id == session_id, is_alive(now), User.switched_off_at.is_(None))
    )


def current_staff() -> Staff:
    """Return who asks for this page. Only pages behind `guard` may call it."""
    return cast(Staff, g.staff)


def _bound(row: User) -> str | None:
    if row.role != Role.PRACTITIONER:
        return None
    return row.practitioner_id or NOBODY
