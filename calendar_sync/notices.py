"""What Cal.com's webhooks say, and whether it was Cal.com who said it. Pure.

A notice is a hint: it is sent once or several times, late or never, and tells of a cancellation before there is one. What
is true is read from the bookings themselves; a notice only says that it is worth a look.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import timedelta

from kernel.errors import Malformed

SIGNATURE_HEADER = "X-Cal-Signature-256"
_LONGEST_NAME = 64
_ABOUT_BOOKINGS = "BOOKING_"
_SETTLES_LATER = frozenset({"BOOKING_CANCELLED", "BOOKING_REJECTED"})
_SETTLED_AFTER = timedelta(seconds=20)


@dataclass(frozen=True)
class Notice:
    """A webhook call. `uid` is that of the booking as it is now, where the notice is about one."""

    trigger: str
    uid: str | None

    @property
    def is_worth_a_look(self) -> bool:
        return self.trigger.startswith(_ABOUT_BOOKINGS)

    @property
    def look_after(self) -> timedelta:
        """How long to wait before what it tells of can be read."""
        return _SETTLED_AFTER if self.trigger in _SETTLES_LATER else timedelta(0)


def is_signed(body: bytes, *, signature: str | None, secret: str) -> bool:
    """Say whether the sender of this very body knows the secret. A webhook that was set up without one never does."""
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return bool(secret) and hmac.compare_digest(expected.encode(), (signature or "").encode())


def read_notice(body: bytes) -> Notice:
    """Read a body whose signature was checked. Raises Malformed."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("the notice is not JSON") from None
    trigger = said.get("triggerEvent") if isinstance(said, dict) else None
    if not isinstance(trigger, str) or not 0 < len(trigger) <= _LONGEST_NAME:
        raise Malformed("the notice does not say what happened")
    payload = said.get("payload")
    uid = payload.get("uid") if isinstance(payload, dict) else None
    return Notice(trigger, uid if isinstance(uid, str) and len(uid) <= _LONGEST_NAME else None)
