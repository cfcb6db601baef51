"""One-time links that set a password: made by an administrator, who hands it over, or asked for and sent by mail.

Whoever holds the link sets the password, so only a keyed hash of its token is stored, it works once, and not for long. A
second factor is asked for as before.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from frontdesk.accounts.model import PasswordLink
from frontdesk.users import User, set_password
from kernel.crypto import keyring
from kernel.db import new_id
from kernel.errors import Refused
from kernel.work import UnitOfWork

MAILED_FOR = timedelta(minutes=30)
_MAIL_EVERY = timedelta(minutes=2)  # at most: nobody's mailbox is filled by strangers who know a login
HANDED_OVER_FOR = timedelta(hours=24)  # for somebody who begins tomorrow


class LinkOver(Refused):
    """The link was used, replaced by a later one, or is too old."""

    code = "link-over"


@dataclass(frozen=True)
class LinkOwner:
    user_id: str
    login: str
    clinic_id: str
    language: str | None


def make_link(work: UnitOfWork, *, user_id: str, now: datetime) -> str:
    """Return the token of a link that an administrator hands over. Links made before for the account are over."""
    work.session.execute(delete(PasswordLink).where(PasswordLink.user_id == user_id))
    token = secrets.token_urlsafe(32)
    work.session.add(_link(user_id, token, now=now, lasts=HANDED_OVER_FOR))
    return token


def ask_for_link(work: UnitOfWork, *, login: str, now: datetime) -> None:
    """Note that somebody who gave this login wants a link by mail; a duty sends it.

    Nothing happens, and nobody is told, where there is no such login, it is switched off, it has no address, or a mail was
    asked for a moment ago.
    """
    row = work.session.scalar(select(User).where(User.login == login.strip().lower(), User.switched_off_at.is_(None)))
    if row is not None and row.email and not _was_just_asked(work.session, row.id, now):
        # Beside those there are: else a stranger who knows the login could end the link of somebody who begins today.
        token = secrets.token_urlsafe(32)
        link = _link(row.id, token, now=now, lasts=MAILED_FOR)
        link.token, link.mail_due_at = token, now
        work.session.add(link)


def link_owner(session: Session, *, token: str, now: datetime) -> LinkOwner:
    """Return whose password a link sets. Raises LinkOver."""
    found = session.execute(
        select(User.id, User.login, User.clinic_id, User.language)
        .join(PasswordLink, PasswordLink.user_id == User.id)
        .where(PasswordLink.token_hash == _hash(token), PasswordLink.expires_at > now, User.switched_off_at.is_(None))
    ).one_or_none()
    if found is None:
        raise LinkOver
    return LinkOwner(*found)


def use_link(work: UnitOfWork, *, token: str, password: str, now: datetime) -> LinkOwner:
    """Set the password of the link's owner and end their sessions. The link is over, and so are all others of the account.

    Raises LinkOver, PasswordTooShort, PasswordTooEasy; the link stays good after the last two.
    """
    owner = link_owner(work.session, token=token, now=now)
    set_password(work, user_id=owner.user_id, password=password)
    # Of two who use it at once the second finds nothing to delete.
    used = delete(PasswordLink).where(PasswordLink.token_hash == _hash(token)).returning(PasswordLink.id)
    if work.session.execute(used).first() is None:
        raise LinkOver
    work.session.execute(delete(PasswordLink).where(PasswordLink.user_id == owner.user_id))
    return owner


def forget_links(work: UnitOfWork, *, now: datetime) -> None:
    """Delete links that are over, but for those that a mail is still due for: staff are told of these first."""
    work.session.execute(delete(PasswordLink).where(PasswordLink.expires_at <= now, PasswordLink.mail_due_at.is_(None)))


def _was_just_asked(session: Session, user_id: str, now: datetime) -> bool:
    mailed = PasswordLink.expires_at <= now + MAILED_FOR  # those that are handed over last longer
    lately = PasswordLink.created_at > now - _MAIL_EVERY
    found = select(PasswordLink.id).where(PasswordLink.user_id == user_id, mailed, lately).limit(1)
    return session.scalar(found) is not None


def _link(user_id: str, token: str, *, now: datetime, lasts: timedelta) -> PasswordLink:
    return PasswordLink(id=new_id(), user_id=user_id, token_hash=_hash(token), created_at=now, expires_at=now + lasts)


def _hash(token: str) -> str:
    return keyring().lookup_hash(f"password link:{token}")
