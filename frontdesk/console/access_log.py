"""Who of the staff looked at which record, and who changed what others may: written for each page, and never removed by one."""

from datetime import datetime, timedelta
from enum import StrEnum

from flask import g, request
from sqlalchemy import delete

from frontdesk.accounts.model import AccessEntry
from frontdesk.console.services import ConsoleServices
from frontdesk.console.staff import current_staff
from kernel.work import UnitOfWork

KEPT_FOR = timedelta(days=6 * 366)  # as long as records of who may see patients' data are commonly asked for


class Access(StrEnum):
    """What was done. The record it was done to is the entry's subject."""

    CONVERSATION = "conversation"
    RECORDING = "recording"
    APPOINTMENT = "appointment"
    PATIENT = "patient"
    EXPORT = "export"
    LOGGED_IN = "logged-in"
    ACCOUNT_ADDED = "account-added"
    ACCOUNT_CHANGED = "account-changed"
    ACCOUNT_SWITCHED_OFF = "account-switched-off"
    ACCOUNT_SWITCHED_ON = "account-switched-on"
    PASSWORD_LINK_MADE = "password-link-made"  # noqa: S105 -- no password
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 -- likewise
    FACTOR_SET_UP = "factor-set-up"
    FACTOR_REMOVED = "factor-removed"
    POLICY_CHANGED = "policy-changed"


def log_access(services: ConsoleServices, *, what: Access, subject_id: str) -> None:
    """Note that the person at this page looked at a record, in a transaction of its own: one insert.

    Call it once the record was found and before the page is sent; not for pages that ask again by themselves.
    """
    services.db.run(lambda work: note_access(work, what=what, subject_id=subject_id))


def note_access(work: UnitOfWork, *, what: Access, subject_id: str) -> None:
    """Note what the person at this page does together with doing it."""
    staff = current_staff()
    note_of(work, clinic_id=staff.clinic_id, login=staff.login, what=what, subject_id=subject_id)


def note_of(work: UnitOfWork, *, clinic_id: str, login: str, what: Access, subject_id: str) -> None:
    """As `note_access`, for somebody who is not logged in yet."""
    entry = AccessEntry(
        clinic_id=clinic_id,
        login=login,
        what=what.value,
        subject_id=subject_id,
        at=g.now,
        address=request.remote_addr or "",
    )
    work.session.add(entry)


def forget_accesses(work: UnitOfWork, *, now: datetime) -> None:
    """Delete entries that were kept for their time."""
    work.session.execute(delete(AccessEntry).where(AccessEntry.at < now - KEPT_FOR))
