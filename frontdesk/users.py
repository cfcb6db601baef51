"""Staff who may log in: their rows, who they are, and what a password opens."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from frontdesk.accounts.passwords import hash_password, password_fits
from frontdesk.accounts.sessions import end_sessions
from kernel.crypto import keyring
from kernel.db import Base, EncryptedText, new_id
from kernel.errors import Refused
from kernel.work import UnitOfWork


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    FRONT_DESK = "front-desk"
    PRACTITIONER = "practitioner"  # sees their own patients only
    AUDITOR = "auditor"  # sees everything, changes nothing


class LoginTaken(Refused):
    """Somebody has this login already."""

    code = "login-taken"


class BadLogin(Refused):
    """A login is one word of up to 100 characters."""

    code = "bad-login"


class UnknownLogin(Refused):
    """Nobody has this login."""

    code = "unknown-login"


class User(Base):
    """Somebody of the staff. `login` is stored in lower case. `clinic_id`: whose rows they may see.

    `practitioner_id`: of a practitioner, whose patients they see. `language`: of the console; None: the browser's.
    `email`: where a lost password's link goes. `switched_off_at`: since then nobody logs in with it; rows are never deleted.
    """

    __tablename__ = "user_account"  # "user" is a reserved word on PostgreSQL

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id"), index=True)
    login: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    role: Mapped[str]
    practitioner_id: Mapped[str | None]
    language: Mapped[str | None]
    email: Mapped[str | None] = mapped_column(EncryptedText)
    switched_off_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


@dataclass(frozen=True)
class UserInfo:
    """Who logs in. `seal` is another one once the password is."""

    id: str
    login: str
    role: Role
    clinic_id: str
    seal: str


def add_user(
    work: UnitOfWork,
    *,
    clinic_id: str,
    login: str,
    password: str,
    role: Role,
    now: datetime,
    practitioner_id: str | None = None,
    email: str | None = None,
) -> UserInfo:
    """Let somebody log in. `practitioner_id`: one of the clinic's; a practitioner without one sees no patient.

    Raises BadLogin, LoginTaken, PasswordTooShort, PasswordTooEasy.
    """
    login = login.strip().lower()
    if not re.fullmatch(r"\S{1,100}", login) or not login.isprintable():
        raise BadLogin(login=login)
    if work.session.scalar(select(User.id).where(User.login == login)):
        raise LoginTaken(login=login)
    row = User(
        id=new_id(),
        clinic_id=clinic_id,
        login=login,
        password_hash=hash_password(password, login=login),
        role=role.value,
        practitioner_id=practitioner_id,
        email=email,
        created_at=now,
    )
    work.session.add(row)
    work.session.flush()
    return _info(row)


def set_password(work: UnitOfWork, *, user_id: str, password: str, but_session: str | None = None) -> None:
    """Replace a password and end the account's sessions, all but the one named. Raises PasswordTooShort, PasswordTooEasy."""
    row = work.session.get_one(User, user_id, with_for_update=True)
    row.password_hash = hash_password(password, login=row.login)
    end_sessions(work, user_id=user_id, but=but_session)


def check_password(session: Session, *, login: str, password: str) -> UserInfo | None:
    """Return who logs in, or None. Takes as long for an unknown login as for a wrong password."""
    row = session.scalar(select(User).where(User.login == login.strip().lower(), User.switched_off_at.is_(None)))
    fits = password_fits(row.password_hash if row else None, password)
    return _info(row) if row and fits else None


def find_user(session: Session, *, user_id: str) -> UserInfo | None:
    """Return who this is, or None when nobody logs in with the account any more."""
    row = session.scalar(select(User).where(User.id == user_id, User.switched_off_at.is_(None)))
    return _info(row) if row else None


def find_login(session: Session, *, login: str) -> UserInfo:
    """Return whose login this is. Raises UnknownLogin."""
    row = session.scalar(select(User).where(User.login == login.strip().lower()))
    if row is None:
        raise UnknownLogin(login=login)
    return _info(row)


def has_users(session: Session) -> bool:
    """Say whether anybody can log in at all."""
    return bool(session.scalar(select(func.count()).select_from(User)))


def _info(row: User) -> UserInfo:
    seal = keyring().signature(f"password:{row.id}:{row.password_hash}")
    return UserInfo(id=row.id, login=row.login, role=Role(row.role), clinic_id=row.clinic_id, seal=seal)
