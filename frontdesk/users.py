"""Staff who may log in: their rows, and their passwords, of which only argon2 hashes are kept."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from kernel.db import Base, EncryptedText, new_id
from kernel.errors import Refused
from kernel.work import UnitOfWork

MINIMUM_PASSWORD = 10


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


class PasswordTooShort(Refused):
    """A password of fewer than `minimum` characters."""

    code = "password-too-short"


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
    id: str
    login: str
    role: Role
    clinic_id: str


def add_user(work: UnitOfWork, *, clinic_id: str, login: str, password: str, role: Role, now: datetime) -> UserInfo:
    """Let somebody log in. Raises BadLogin, LoginTaken, PasswordTooShort."""
    login = login.strip().lower()
    if not re.fullmatch(r"\S{1,100}", login) or not login.isprintable():
        raise BadLogin(login=login)
    if work.session.scalar(select(User.id).where(User.login == login)):
        raise LoginTaken(login=login)
    row = User(
        id=new_id(), clinic_id=clinic_id, login=login, password_hash=_hashed(password), role=role.value, created_at=now
    )
    work.session.add(row)
    work.session.flush()
    return _info(row)


def reset_password(work: UnitOfWork, *, login: str, password: str) -> None:
    """Replace a password. Raises UnknownLogin, PasswordTooShort."""
    row = work.session.scalar(select(User).where(User.login == login.strip().lower()))
    if row is None:
        raise UnknownLogin(login=login)
    row.password_hash = _hashed(password)


def check_password(session: Session, *, login: str, password: str) -> UserInfo | None:
    """Return who logs in, or None. Takes as long for an unknown login as for a wrong password."""
    row = session.scalar(select(User).where(User.login == login.strip().lower()))
    try:
        _hasher().verify(row.password_hash if row else _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return None
    return _info(row) if row else None


def find_user(session: Session, *, user_id: str) -> UserInfo | None:
    """Return who this session belongs to, or None when the account is gone."""
    row = session.get(User, user_id)
    return _info(row) if row else None


def has_users(session: Session) -> bool:
    """Say whether anybody can log in at all."""
    return bool(session.scalar(select(func.count()).select_from(User)))


def new_password() -> str:
    """Make a password that can be read from a screen and typed."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def _hashed(password: str) -> str:
    if len(password) < MINIMUM_PASSWORD:
        raise PasswordTooShort(minimum=MINIMUM_PASSWORD)
    return _hasher().hash(password)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_hex())


def _info(row: User) -> UserInfo:
    return UserInfo(id=row.id, login=row.login, role=Role(row.role), clinic_id=row.clinic_id)
