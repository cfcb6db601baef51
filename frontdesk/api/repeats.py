"""A request that may come again: the same Idempotency-Key for the same request gets the same answer, and nothing is done twice.

The key's row is written first, in the transaction of what is done. Two requests with one key meet at it: the second waits,
and then finds the answer.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from frontdesk.api.model import IdempotentAnswer
from frontdesk.api.problems import Problem
from kernel import crypto
from kernel.work import UnitOfWork

KEPT_FOR = timedelta(hours=24)
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True)
class Given:
    """An answer as it went out."""

    status: int
    document: Any  # JSON, or None for an answer without a body
    headers: dict[str, str]


@dataclass(frozen=True)
class Repeatable:
    """A request that named a key, and what it asked for."""

    api_key_id: str
    key: str
    request_hash: str


def repeatable(*, api_key_id: str, key: str, method: str, target: str, body: bytes) -> Repeatable:
    """Return what is known of a request that named `key`. Raises Problem for a key that is none."""
    if not _KEY.fullmatch(key):
        raise Problem("bad-idempotency-key")
    content = b"\0".join((method.encode(), target.encode(), body))
    return Repeatable(api_key_id, key, hashlib.sha256(content).hexdigest())


def begin(work: UnitOfWork, request: Repeatable, *, now: datetime) -> Given | None:
    """Claim the key for this request, or return what was answered to it before.

    Waits for a request that has the key and is just being answered. Raises Problem if the key was used for another one.
    """
    work.session.execute(
        delete(IdempotentAnswer).where(
            IdempotentAnswer.api_key_id == request.api_key_id, IdempotentAnswer.created_at <= now - KEPT_FOR
        )
    )
    if _claimed(work, request, now=now):
        return None
    row = work.session.execute(
        select(IdempotentAnswer.request_hash, IdempotentAnswer.status, IdempotentAnswer.body).where(*_is(request))
    ).one_or_none()
    if row is None:
        # It was just given back by somebody who could not answer.
        raise Problem("request-in-progress")
    if row.request_hash != request.request_hash:
        raise Problem("idempotency-key-reused")
    kept = json.loads(crypto.keyring().decrypt(row.body.decode()))
    return Given(row.status, kept["document"], kept["headers"])


def keep(work: UnitOfWork, request: Repeatable, given: Given) -> None:
    """Store the answer, encrypted: it may tell what a patient's own row keeps encrypted."""
    kept = json.dumps({"document": given.document, "headers": given.headers})
    work.session.execute(
        update(IdempotentAnswer)
        .where(*_is(request))
        .values(status=given.status, body=crypto.keyring().encrypt(kept).encode())
    )


def _claimed(work: UnitOfWork, request: Repeatable, *, now: datetime) -> bool:
    values = {
        "api_key_id": request.api_key_id,
        "key": request.key,
        "request_hash": request.request_hash,
        "status": 0,
        "body": b"",
        "created_at": now,
    }
    on = insert_on_postgresql if work.session.get_bind().dialect.name == "postgresql" else insert_on_sqlite
    claimed = on(IdempotentAnswer).values(values).on_conflict_do_nothing().returning(IdempotentAnswer.key)
    return work.session.scalar(claimed) is not None


def _is(request: Repeatable) -> tuple[Any, ...]:
    return IdempotentAnswer.api_key_id == request.api_key_id, IdempotentAnswer.key == request.key
