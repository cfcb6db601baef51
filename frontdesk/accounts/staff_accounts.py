"""Accounts of a clinic's staff, as its administrators keep them: switched off rather than deleted, and never without an administrator."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.asked import UnknownPractitioner
from booking.model.staff import Practitioner
from frontdesk.accounts.model import SecondFactor
from frontdesk.accounts.sessions import end_sessions
from frontdesk.users import Role, User
from kernel.errors import Refused
from kernel.work import UnitOfWork


class UnknownAccount(Refused):
    """The clinic has no such account."""

    code = "unknown-account"


class LastAdministrator(Refused):
    """Nobody would be left who can let others in."""

    code = "last-administrator"


class PractitionerNeeded(Refused):
    """An account of a practitioner says whose patients it sees."""

    code = "practitioner-needed"


@dataclass(frozen=True)
class Account:
    id: str
    login: str
    role: Role
    practitioner_id: str | None
    practitioner: str | None
    email: str | None
    has_factor: bool
    switched_off_at: datetime | None


@dataclass(frozen=True)
class Rights:
    """What an administrator decides about an account."""

    role: Role
    practitioner_id: str | None
    email: str | None


def list_accounts(session: Session, *, clinic_id: str) -> list[Account]:
    """Return the clinic's accounts by login, those that are switched off last."""
    found = session.execute(
        select(User, Practitioner.name, SecondFactor.secret.is_not(None))
        .outerjoin(Practitioner, Practitioner.id == User.practitioner_id)
        .outerjoin(SecondFactor, SecondFactor.user_id == User.id)
        .where(User.clinic_id == clinic_id)
        .order_by(User.switched_off_at.is_not(None), User.login)
    )
    return [_account(row, practitioner, has_factor=bool(has_factor)) for row, practitioner, has_factor in found]


def read_account(session: Session, *, clinic_id: str, user_id: str) -> Account:
    """Return one account. Raises UnknownAccount."""
    for account in list_accounts(session, clinic_id=clinic_id):
        if account.id == user_id:
            return account
    raise UnknownAccount


def check_rights(session: Session, rights: Rights, *, clinic_id: str) -> Rights:
    """Return the rights as they are kept: only a practitioner has a person. Raises PractitionerNeeded, UnknownPractitioner."""
    if rights.role is not Role.PRACTITIONER:
        return Rights(role=rights.role, practitioner_id=None, email=rights.email)
    if not rights.practitioner_id:
        raise PractitionerNeeded
    is_ours = (Practitioner.id == rights.practitioner_id) & (Practitioner.clinic_id == clinic_id)
    if session.scalar(select(Practitioner.id).where(is_ours)) is None:
        raise UnknownPractitioner
    return rights


def change_account(work: UnitOfWork, *, clinic_id: str, user_id: str, rights: Rights) -> None:
    """Give an account other rights; it has to log in again with them, unless only the address is another.

    Locks the clinic's administrators. Raises UnknownAccount, LastAdministrator, PractitionerNeeded, UnknownPractitioner.
    """
    rights = check_rights(work.session, rights, clinic_id=clinic_id)
    row = _locked(work, clinic_id, user_id)
    if rights.role is not Role.ADMINISTRATOR:
        _leave_one(work, clinic_id, but=row)
    row.email = rights.email
    if (row.role, row.practitioner_id) != (rights.role.value, rights.practitioner_id):
        row.role, row.practitioner_id = rights.role.value, rights.practitioner_id
        end_sessions(work, user_id=user_id)


def change_email(work: UnitOfWork, *, clinic_id: str, user_id: str, email: str | None) -> None:
    """Say where a link for a lost password goes; None: nowhere. Raises UnknownAccount."""
    _locked(work, clinic_id, user_id).email = email


def switch_off(work: UnitOfWork, *, clinic_id: str, user_id: str, now: datetime) -> None:
    """Let an account log in no more, and end its sessions. Locks and raises as `change_account`."""
    row = _locked(work, clinic_id, user_id)
    _leave_one(work, clinic_id, but=row)
    row.switched_off_at = row.switched_off_at or now
    end_sessions(work, user_id=user_id)


def switch_on(work: UnitOfWork, *, clinic_id: str, user_id: str) -> None:
    """Let an account log in again, with the password it had. Raises UnknownAccount."""
    _locked(work, clinic_id, user_id).switched_off_at = None


def _locked(work: UnitOfWork, clinic_id: str, user_id: str) -> User:
    """Return the account. Administrators are locked with it, by id: two who demote each other do so one after the other."""
    is_meant = (User.id == user_id) | ((User.role == Role.ADMINISTRATOR.value) & User.switched_off_at.is_(None))
    rows = work.session.scalars(
        select(User).where(User.clinic_id == clinic_id, is_meant).order_by(User.id).with_for_update()
    )
    for row in rows.all():
        if row.id == user_id:
            return row
    raise UnknownAccount


def _leave_one(work: UnitOfWork, clinic_id: str, *, but: User) -> None:
    others = select(User.id).where(
        User.clinic_id == clinic_id,
        User.role == Role.ADMINISTRATOR.value,
        User.switched_off_at.is_(None),
        User.id != but.id,
    )
    if work.session.scalar(others.limit(1)) is None:
        raise LastAdministrator


def _account(row: User, practitioner: str | None, *, has_factor: bool) -> Account:
    return Account(
        id=row.id,
        login=row.login,
        role=Role(row.role),
        practitioner_id=row.practitioner_id,
        practitioner=practitioner,
        email=row.email,
        has_factor=has_factor,
        switched_off_at=row.switched_off_at,
    )
