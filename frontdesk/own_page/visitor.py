"""Whose page a browser has opened: a signed cookie that is good for a while, for this page only."""

import hmac
from datetime import datetime, timedelta

from flask import Response, request

from frontdesk.own_page.links import Opened
from kernel.crypto import keyring

OPEN_FOR = timedelta(minutes=30)
_COOKIE = "frontdesk_own_page"
_LONGEST = 1000


def opened(*, clinic_id: str, now: datetime) -> Opened | None:
    """Return whose page this browser has opened at the clinic, or None: nobody's, or too long ago."""
    value, _, seal = request.cookies.get(_COOKIE, "")[:_LONGEST].rpartition("~")
    if not value or not seal.isascii() or not hmac.compare_digest(seal, _seal(value)):
        return None
    clinic, until, *patients = value.split("~")
    is_good = clinic == clinic_id and now.timestamp() < float(until)
    return Opened(clinic, tuple(patients)) if is_good else None


def remember(response: Response, page: Opened, *, path: str, now: datetime, is_secure: bool) -> None:
    """Let the browser come back to the page until it has been open for long."""
    value = "~".join((page.clinic_id, str(int((now + OPEN_FOR).timestamp())), *page.patient_ids))
    age = int(OPEN_FOR.total_seconds())
    response.set_cookie(
        _COOKIE,
        f"{value}~{_seal(value)}",
        max_age=age,
        path=path,
        httponly=True,
        secure=is_secure,
        # Strict: what can be cancelled here must not be cancelled by a page elsewhere.
        samesite="Strict",
    )


def forget(response: Response, *, path: str) -> None:
    """Close the page."""
    response.delete_cookie(_COOKIE, path=path)


def _seal(value: str) -> str:
    return keyring().signature(f"own page:{value}")
