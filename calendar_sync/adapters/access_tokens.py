"""Access tokens of OAuth, got with the refresh token of a link and kept in this process while they last."""

import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

from calendar_sync.adapters.guarded_http import Answer, GuardedHttp
from calendar_sync.grants import OAuthGrant, read_grant
from calendar_sync.ports import AccessRefused
from kernel.errors import Malformed, Unavailable
from kernel.outbound import Outbound

_EARLIER_S = 60.0  # a token that is about to run out is not sent any more
_LARGEST = 100_000  # bytes of an answer


@dataclass
class TokenSource:
    """Where access tokens come from. One for a process: providers count how many they give out."""

    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def token(self, secret: str, outbound: Outbound) -> str:
        """Return an access token for the grant in `secret`. Raises Unavailable, AccessRefused."""
        key = _key(secret)
        with self._lock:
            token, ends = self._tokens.get(key, ("", 0.0))
        if time.monotonic() < ends:
            return token
        try:
            grant = read_grant(secret)
        except Malformed:
            raise AccessRefused("the link holds no OAuth grant", code="log-in-refused") from None
        token, lasts_s = _fetched(grant, outbound)
        with self._lock:
            self._tokens[key] = (token, time.monotonic() + lasts_s - _EARLIER_S)
        return token

    def forget(self, secret: str) -> None:
        """Use the token no more: the calendar refused it before its time."""
        with self._lock:
            self._tokens.pop(_key(secret), None)


def _key(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _fetched(grant: OAuthGrant, outbound: Outbound) -> tuple[str, float]:
    asked = {
        "grant_type": "refresh_token",
        "refresh_token": grant.refresh_token,
        "client_id": grant.client_id,
        "client_secret": grant.client_secret,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    with GuardedHttp(outbound) as http:
        answer = http.request("POST", grant.token_url, data=urlencode(asked), headers=headers, limit=_LARGEST)
    if answer.status_code in {400, 401, 403}:
        raise AccessRefused("the provider takes the grant no more", code="log-in-refused")
    if answer.status_code != 200:
        raise Unavailable(f"the provider of tokens answers {answer.status_code}")
    return _read(answer)


def _read(answer: Answer) -> tuple[str, float]:
    try:
        said = json.loads(answer.content)
        return str(said["access_token"]), float(said.get("expires_in", 300))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Unavailable("the provider of tokens gives none") from None
