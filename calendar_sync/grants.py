"""Access that its owner gave us by OAuth, as it is kept in a link: encrypted there, in one text.

Some providers give another refresh token with each answer and take the one before no more. What they gave is stored at once
wherever the same grant is kept, and whoever is about to use a grant reads what is stored now.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from calendar_sync.model import CalendarLink, CalendarSetUp
from kernel.errors import Malformed
from kernel.work import Database, UnitOfWork

GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"
OAUTH = "oauth"
"""The `auth` of a link whose secret is a grant."""


@dataclass(frozen=True)
class OAuthGrant:
    """What access tokens are got with. It lasts until its owner takes it back.

    `origin` names it from its first refresh token on, however often that is replaced.
    """

    refresh_token: str = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)
    token_url: str = GOOGLE_TOKENS
    origin: str = ""

    @property
    def name(self) -> str:
        """The same for every state of one grant. It gives nothing away."""
        return self.origin or hashlib.sha256(f"{self.client_id}\0{self.refresh_token}".encode()).hexdigest()

    def renewed(self, refresh_token: str) -> "OAuthGrant":
        """Return the grant with the refresh token that its provider wants to see next."""
        return replace(self, refresh_token=refresh_token, origin=self.name)

    def as_secret(self) -> str:
        """Return the text that `read_grant` reads."""
        return json.dumps(asdict(self), sort_keys=True)


def read_grant(secret: str) -> OAuthGrant:
    """Read what `as_secret` wrote, also before there were origins. Raises Malformed."""
    try:
        stored = json.loads(secret)
        return OAuthGrant(
            **{name: str(stored[name]) for name in ("refresh_token", "client_id", "client_secret", "token_url")},
            origin=str(stored.get("origin", "")),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Malformed("the link holds no OAuth grant") from None


class Grants(Protocol):
    """Where grants are kept. `link_id` is that of a link, or of one that is being set up."""

    def current(self, *, link_id: str) -> str | None:
        """Return the grant as it is stored now, as a secret, or None: nothing is stored under that id."""
        ...

    def keep(self, *, link_id: str, grant: OAuthGrant) -> None:
        """Store the grant in place of every earlier state of it in that clinic. Raises Unavailable."""
        ...


class StoredGrants:
    """Grants in the rows of links, and of links that are being set up."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def current(self, *, link_id: str) -> str | None:
        with self._db.read() as session:
            row = _row(session, link_id)
            return row.password if row is not None and row.auth == OAUTH else None

    def keep(self, *, link_id: str, grant: OAuthGrant) -> None:
        self._db.run(lambda work: _keep(work, link_id, grant))


def _keep(work: UnitOfWork, link_id: str, grant: OAuthGrant) -> None:
    row = _row(work.session, link_id)
    if row is None:
        return  # removed meanwhile
    for one in _rows_with_grants(work.session, row.clinic_id):
        if _name(one.password) == grant.name:
            one.password = grant.as_secret()


def _rows_with_grants(session: Session, clinic_id: str) -> list[CalendarLink | CalendarSetUp]:
    links = select(CalendarLink).where(CalendarLink.clinic_id == clinic_id, CalendarLink.auth == OAUTH)
    begun = select(CalendarSetUp).where(CalendarSetUp.clinic_id == clinic_id, CalendarSetUp.auth == OAUTH)
    return [
        *session.scalars(links.order_by(CalendarLink.id).with_for_update()),
        *session.scalars(begun.order_by(CalendarSetUp.id).with_for_update()),
    ]


def _row(session: Session, link_id: str) -> CalendarLink | CalendarSetUp | None:
    return session.get(CalendarLink, link_id) or session.get(CalendarSetUp, link_id)


def _name(secret: str) -> str | None:
    try:
        return read_grant(secret).name
    except Malformed:
        return None
