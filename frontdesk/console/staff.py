"""Who is using the console: the session cookie names an account, and ends with its password."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from flask import g, session
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.model.clinic import Clinic
from booking.model.task import StaffTask
from frontdesk.console.security import LOGGED_IN_FOR
from frontdesk.users import Role, User
from kernel.crypto import keyring

NOBODY = "nobody"  # as the practitioner of an account with that role whom nobody has chosen yet: it sees no patient


@dataclass(frozen=True)
class Staff:
    """Somebody who is logged in, and the clinic whose rows they may see."""

    login: str
    role: Role
    clinic_id: str
    clinic_name: str
    zone: ZoneInfo
    open_tasks: int
    practitioner_id: str | None = None  # of a practitioner: whose patients they may see; None: all of the clinic
    language: str | None = None

    @property
    def is_administrator(self) -> bool:
        return self.role is Role.ADMINISTRATOR


def begin_session(db_session: Session, *, user_id: str, now: datetime) -> None:
    """Remember in the cookie who logged in. Whatever it held before is gone."""
    row = db_session.get_one(User, user_id)
    session.clear()
    session.permanent = True
    session["user"] = row.id
    session["seal"] = _seal(row)
    session["since"] = now.timestamp()


def end_session() -> None:
    """Forget who logged in."""
    session.clear()


def load_staff(db_session: Session, *, now: datetime) -> Staff | None:
    """Return whom the cookie names, or None: nobody, too long ago, gone, or with another password since."""
    user_id, since = session.get("user"), session.get("since", 0)
    if not user_id or not 0 <= now.timestamp() - since < LOGGED_IN_FOR.total_seconds():
        return None
    open_tasks = (
        select(func.count())
        .where(StaffTask.clinic_id == User.clinic_id, StaffTask.done_at.is_(None))
        .correlate(User)
        .scalar_subquery()
    )
    found = db_session.execute(
        select(User, Clinic.name, Clinic.timezone, open_tasks)
        .join(Clinic, Clinic.id == User.clinic_id)
        .where(User.id == user_id)
    ).one_or_none()
    if found is None or session.get("seal") != _seal(found[0]):
        return None
    row, clinic_name, timezone, tasks = found
    return Staff(
        login=row.login,
        role=Role(row.role),
        clinic_id=row.clinic_id,
        clinic_name=clinic_name,
        zone=ZoneInfo(timezone),
        open_tasks=tasks,
        practitioner_id=_bound(row),
        language=row.language,
    )


def current_staff() -> Staff:
    """Return who asks for this page. Only pages behind `guard` may call it."""
    return cast(Staff, g.staff)


def _bound(row: User) -> str | None:
    if row.role != Role.PRACTITIONER:
        return None
    return row.practitioner_id or NOBODY


def _seal(row: User) -> str:
    # Changes with the password, so that a reset ends every session of the account.
    return keyring().signature(f"console session:{row.id}:{row.password_hash}")
