"""Access tokens of OAuth, got with the refresh token of a link and kept in this process while they last."""

import json
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

from calendar_sync.adapters.guarded_http import Answer, GuardedHttp
from calendar_sync.grants import Grants, OAuthGrant, read_grant
from calendar_sync.ports import AccessRefused, LinkAccess
from kernel.errors import Malformed, Unavailable
from kernel.outbound import Outbound
from kernel.turn_lock import InProcessTurnLock, TurnLock

_EARLIER_S = 60.0  # a token that is about to run out is not sent any more
_LARGEST = 100_000  # bytes of an answer
_WAIT_S, _LEASE_S = 35.0, 60.0  # longer than a provider may take


class _NotKept:
    """For who has no grants: tools, and tests of other things."""

    def current(self, *, link_id: str) -> str | None:
        return None

    def keep(self, *, link_id: str, grant: OAuthGrant) -> None:
        return


@dataclass(frozen=True)
class _Fetched:
    token: str = field(repr=False)
    lasts_s: float
    refresh_token: str | None = field(repr=False)  # to be used from now on, if it is another one


@dataclass
class TokenSource:
    """Where access tokens come from. One for a process: providers count how many they give out.

    A grant is used by one process at a time (`lock`): of two that sent the same refresh token, a provider that replaces it
    with each use would take the second for a thief.
    """

    grants: Grants = field(default_factory=_NotKept)
    lock: TurnLock = field(default_factory=InProcessTurnLock)
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict, repr=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def token(self, access: LinkAccess, outbound: Outbound) -> str:
        """Return an access token for the grant of `access`. What its provider replaces it with is stored before that is used.

        Raises Unavailable, AccessRefused.
        """
        name = _read(access.secret).name
        known = self._known(name)
        if known is not None:
            return known
        with self.lock.hold(f"calendar-grant:{name}", wait_s=_WAIT_S, lease_s=_LEASE_S):
            return self._known(name) or self._renewed(access, outbound)

    def forget(self, secret: str) -> None:
        """Use the token no more: the calendar refused it before its time."""
        with self._guard:
            self._tokens.pop(_read(secret).name, None)

    def _known(self, name: str) -> str | None:
        with self._guard:
            token, ends = self._tokens.get(name, ("", 0.0))
        return token if time.monotonic() < ends else None

    def _renewed(self, access: LinkAccess, outbound: Outbound) -> str:
        grant = self._current(access)
        try:
            fetched = _fetch(grant, outbound)
        except AccessRefused:
            # The lock is a courtesy: another process may have been given the next refresh token since we read this one.
            newer = self._current(access)
            if newer == grant:
                raise
            grant, fetched = newer, _fetch(newer, outbound)
        if fetched.refresh_token not in {None, "", grant.refresh_token}:
            self.grants.keep(link_id=access.link_id, grant=grant.renewed(str(fetched.refresh_token)))
        with self._guard:
            self._tokens[grant.name] = (fetched.token, time.monotonic() + fetched.lasts_s - _EARLIER_S)
        return fetched.token

    def _current(self, access: LinkAccess) -> OAuthGrant:
        return _read(self.grants.current(link_id=access.link_id) or access.secret)


def _read(secret: str) -> OAuthGrant:
    try:
        return read_grant(secret)
    except Malformed:
        raise AccessRefused("the link holds no OAuth grant", code="log-in-refused") from None


def _fetch(grant: OAuthGrant, outbound: Outbound) -> _Fetched:
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
        raise AccessRefused("the provider takes the grant no more", code="grant-refused")
    if answer.status_code != 200:
        raise Unavailable(f"the provider of tokens answers {answer.status_code}")
    return _said(answer)


def _said(answer: Answer) -> _Fetched:
    try:
        said = json.loads(answer.content)
        refresh_token = said.get("refresh_token")
        return _Fetched(
            token=str(said["access_token"]),
            lasts_s=float(said.get("expires_in", 300)),
            refresh_token=None if refresh_token is None else str(refresh_token),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Unavailable("the provider of tokens gives none") from None
