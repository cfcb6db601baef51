"""Keys of programs: made, listed, revoked, and looked up. A key is shown once; only a keyed hash of it is stored."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from frontdesk.api.model import ApiKey
from kernel import crypto
from kernel.db import new_id
from kernel.errors import Refused
from kernel.work import UnitOfWork

PREFIX = "fdk_"  # so that a key which got lost in a file or a chat can be searched for
LONGEST_NAME = 60


class Scope(StrEnum):
    """What a key may be used for."""

    CATALOGUE_READ = "catalogue:read"
    SLOTS_READ = "slots:read"
    APPOINTMENTS_READ = "appointments:read"
    APPOINTMENTS_WRITE = "appointments:write"
    PATIENTS_READ = "patients:read"
    PATIENTS_WRITE = "patients:write"
    CONVERSATIONS_READ = "conversations:read"
    TASKS_READ = "tasks:read"
    TASKS_WRITE = "tasks:write"
    STAFF = "staff"


class BadKeyName(Refused):
    """A key's name has 1 to 60 printable characters."""

    code = "bad-key-name"


class KeyNameTaken(Refused):
    """The clinic has a key of this name."""

    code = "key-name-taken"


class UnknownKey(Refused):
    """The clinic has no key of this name that could be revoked."""

    code = "unknown-key"


@dataclass(frozen=True)
class KeyInfo:
    id: str
    clinic_id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None

    @property
    def is_staff(self) -> bool:
        return Scope.STAFF in self.scopes


def add_key(work: UnitOfWork, *, clinic_id: str, name: str, scopes: Iterable[Scope], now: datetime) -> str:
    """Make a key and return it, this once. Raises BadKeyName, KeyNameTaken."""
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadKeyName(longest=LONGEST_NAME)
    taken = select(ApiKey.id).where(ApiKey.clinic_id == clinic_id, ApiKey.name == name, ApiKey.revoked_at.is_(None))
    if work.session.scalar(taken):
        raise KeyNameTaken(name=name)
    key = PREFIX + secrets.token_urlsafe(32)
    work.session.add(
        ApiKey(
            id=new_id(),
            clinic_id=clinic_id,
            name=name,
            key_hash=_hash(key),
            scopes=sorted(scope.value for scope in set(scopes)),
            created_at=now,
        )
    )
    work.session.flush()
    return key


def list_keys(session: Session, *, clinic_id: str) -> list[KeyInfo]:
    """Return the clinic's keys, revoked ones included, in the order they were made."""
    rows = session.scalars(select(ApiKey).where(ApiKey.clinic_id == clinic_id).order_by(ApiKey.created_at, ApiKey.id))
    return [_info(row) for row in rows]


def revoke_key(work: UnitOfWork, *, clinic_id: str, name: str, now: datetime) -> None:
    """Let the key of this name open nothing from now on. Raises UnknownKey."""
    row = work.session.scalar(
        select(ApiKey)
        .where(ApiKey.clinic_id == clinic_id, ApiKey.name == name, ApiKey.revoked_at.is_(None))
        .with_for_update()
    )
    if row is None:
        raise UnknownKey(name=name)
    row.revoked_at = now


def find_key(session: Session, *, presented: str) -> KeyInfo | None:
    """Return the key that a program presents, or None when it is not one or was revoked."""
    if not presented.startswith(PREFIX):
        return None
    row = session.scalar(select(ApiKey).where(ApiKey.key_hash == _hash(presented), ApiKey.revoked_at.is_(None)))
    return None if row is None else _info(row)


def _hash(key: str) -> str:
    # Not a password hash: nobody can guess 256 random bits, and every request looks one up.
    return crypto.keyring().lookup_hash(f"api-key:{key}")


def _info(row: ApiKey) -> KeyInfo:
    # A scope that this release does not know any more opens nothing.
    known = frozenset(Scope(scope) for scope in row.scopes if scope in set(Scope))
    return KeyInfo(row.id, row.clinic_id, row.name, known, row.created_at, row.revoked_at)
