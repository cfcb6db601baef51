"""Who is chatting: a random name in a signed cookie, which lasts as long as a conversation may be gone on with."""

import hmac
import secrets
from datetime import timedelta

from flask import Response, request

from kernel.crypto import keyring

KEPT_FOR = timedelta(days=1)
_COOKIE = "frontdesk_chat"
_LONGEST = 200


def known_visitor() -> str | None:
    """Return the name of who asks, or None: nobody yet, or a cookie that is not ours."""
    name, _, seal = request.cookies.get(_COOKIE, "")[:_LONGEST].partition(".")
    return name if name and seal.isascii() and hmac.compare_digest(seal, _seal(name)) else None


def new_visitor() -> str:
    """Make a name for somebody who has none."""
    return secrets.token_hex(16)


def remember(response: Response, visitor: str, *, path: str, is_secure: bool) -> None:
    """Let the browser come back under this name, to this page only."""
    response.set_cookie(
        _COOKIE,
        f"{visitor}.{_seal(visitor)}",
        max_age=int(KEPT_FOR.total_seconds()),
        path=path,
        httponly=True,
        secure=is_secure,
        samesite="Lax",
    )


def _seal(name: str) -> str:
    return keyring().signature(f"web chat:{name}")
