"""Letting patients to their own page: a link to the number on file shows that it is theirs, the date of birth who of the
household it is. Both are needed: a number alone reveals nothing (the same rule as in a conversation).
"""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from booking.patients import find_by_phone, phone_hash
from booking.values import Catalogue
from frontdesk.own_page.model import PageLink
from kernel.crypto import keyring
from kernel.errors import Refused
from kernel.work import UnitOfWork
from sms.link_texts import queue_link

GOOD_FOR = timedelta(minutes=30)
KEPT_FOR = timedelta(days=1)
MOST_ATTEMPTS = 5  # dates of birth, at one link
PER_NUMBER_AND_HOUR = 3


class LinkOver(Refused):
    """There is no such link, or it was used, or its time is over, or too many dates were tried at it."""

    code = "link-over"


@dataclass(frozen=True)
class Opened:
    """Whose page a link opens: twins at one number have it together."""

    clinic_id: str
    patient_ids: tuple[str, ...]


def ask_for_link(
    work: UnitOfWork, catalogue: Catalogue, *, phone: str, address: str, language: str, now: datetime
) -> None:
    """Text a link to `phone` (E.164) if it is on file. `address` is what its secret is put behind.

    Says nothing of whether it was, and a number gets few in an hour. Links that are long over are forgotten.
    """
    work.session.execute(delete(PageLink).where(PageLink.expires_at < now - KEPT_FOR))
    to_hash = phone_hash(phone)
    lately = select(func.count()).where(PageLink.to_hash == to_hash, PageLink.created_at > now - timedelta(hours=1))
    if not find_by_phone(work.session, clinic_id=catalogue.clinic_id, phone=phone):
        return
    if (work.session.scalar(lately) or 0) >= PER_NUMBER_AND_HOUR:
        return
    secret = secrets.token_urlsafe(24)
    work.session.add(
        PageLink(
            clinic_id=catalogue.clinic_id,
            to=phone,
            to_hash=to_hash,
            secret_hash=_hash(secret),
            created_at=now,
            expires_at=now + GOOD_FOR,
        )
    )
    queue_link(work, catalogue, to=phone, url=f"{address}{secret}", language=language, now=now)


def is_good(session: Session, *, clinic_id: str, secret: str, now: datetime) -> bool:
    """Say whether a link may still be opened. Looking at it uses nothing up: programs look at links too."""
    statement = select(PageLink.id).where(*_is_open(clinic_id, secret, now))
    return session.scalar(statement) is not None


def open_link(work: UnitOfWork, *, clinic_id: str, secret: str, born: date, now: datetime) -> Opened | None:
    """Use a link up, and return whose page it opens; None when nobody at its number was born then, which counts against it.

    Of two who use it at once one gets in. Raises LinkOver.
    """
    link = work.session.scalar(
        update(PageLink)
        .where(*_is_open(clinic_id, secret, now))
        .values(attempts=PageLink.attempts + 1)
        .returning(PageLink)
        .execution_options(populate_existing=True)
    )
    if link is None:
        raise LinkOver
    household = find_by_phone(work.session, clinic_id=clinic_id, phone=link.to)
    ids = tuple(str(one.id) for one in household if one.birth_date == born)
    if ids:
        link.used_at = now
    return Opened(clinic_id, ids) if ids else None


def _is_open(clinic_id: str, secret: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        PageLink.clinic_id == clinic_id,
        PageLink.secret_hash == _hash(secret),
        PageLink.used_at.is_(None),
        PageLink.expires_at > now,
        PageLink.attempts < MOST_ATTEMPTS,
    )


def _hash(secret: str) -> str:
    return keyring().lookup_hash(f"own page:{secret}")
