"""How often somebody may try to log in: counted in Redis, so that it holds for all web processes together.

Passwords, codes of a second factor and asking for a link by mail are counted apart. Pages behind the log-in are not counted:
whoever is at them has a name, and each costs a bounded number of queries.
"""

import hashlib
from datetime import timedelta
from enum import StrEnum
from typing import Any

from redis.exceptions import RedisError

from kernel.errors import Refused, Unavailable

WINDOW = timedelta(minutes=15)
PER_NAME_AND_ADDRESS = 5
PER_ADDRESS = 30
PER_NAME = 50  # a guesser with many addresses; high, since it lets a stranger lock a name out
CODES_PER_NAME = 10  # whoever guesses codes knows the password: no stranger is it who locks the name out


class Attempt(StrEnum):
    PASSWORD = "login"  # noqa: S105 -- no password
    CODE = "code"
    LINK = "link"


class TooManyAttempts(Refused):
    """Nobody may try this name from here until the window has passed."""

    code = "too-many-attempts"


def count_attempt(redis: Any, *, login: str, address: str, kind: Attempt = Attempt.PASSWORD) -> None:
    """Note an attempt before the password or code is looked at, so that guesses in parallel count too.

    Raises TooManyAttempts (`minutes` says how long) when this one is over a limit, Unavailable when it can't be counted.
    """
    if redis is None:
        raise Unavailable("log-in attempts can't be counted")
    keys = _keys(kind, login, address)
    try:
        with redis.pipeline() as pipe:
            for key in keys:
                pipe.incr(key)
                pipe.expire(key, int(WINDOW.total_seconds()), nx=True)
            counts = pipe.execute()[::2]
    except RedisError:
        # Without a count, guessing would be free: no log-in is better than an unguarded one.
        raise Unavailable("log-in attempts can't be counted") from None
    if any(count > limit for count, limit in zip(counts, keys.values(), strict=True)):
        raise TooManyAttempts(minutes=int(WINDOW.total_seconds() // 60))


def forget_attempts(redis: Any, *, login: str, address: str, kind: Attempt = Attempt.PASSWORD) -> None:
    """Start this name from this address afresh after a right password or code. The other limits go on counting."""
    try:
        redis.delete(next(iter(_keys(kind, login, address))))
    except RedisError:
        raise Unavailable("log-in attempts can't be counted") from None


def _keys(kind: Attempt, login: str, address: str) -> dict[str, int]:
    return {
        _key(kind, "both", login.lower(), address): PER_NAME_AND_ADDRESS,
        _key(kind, "address", address): PER_ADDRESS,
        _key(kind, "name", login.lower()): CODES_PER_NAME if kind is Attempt.CODE else PER_NAME,
    }


def _key(kind: Attempt, limit: str, *parts: str) -> str:
    # Hashed, because people type passwords into the wrong field.
    return f"frontdesk:{kind}:{limit}:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}"
