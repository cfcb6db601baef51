"""Requests to servers that staff named: checked addresses, bounded time and size, nothing written down.

This stands below the `caldav` client in place of its session, and gives it answers that are read to the end. The client itself
follows redirects anywhere, reads answers of any size, and writes answers that are not XML into the log.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

from calendar_sync.ports import AccessRefused, OutOfReach
from kernel.errors import Unavailable
from kernel.outbound import AddressRefused, Outbound

_CONNECT_S, _READ_S, _WHOLE_S = 5.0, 10.0, 30.0
_MOST_HOPS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 65_536
LARGEST_ANSWER = 32_000_000  # bytes


class AnswerTooLarge(OutOfReach):
    """The answer is larger than anything we asked for can be."""

    def __init__(self) -> None:
        super().__init__("the calendar's answer is too large", code="too-large")


@dataclass(frozen=True)
class Answer:
    """What a server said, in the words of the library that `caldav` is built on."""

    status_code: int
    reason: str
    headers: Mapping[str, str]  # whatever the case of the name
    content: bytes
    url: str  # where the answer came from in the end

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


class GuardedHttp:
    """A session. `leaves` says whether a redirect may lead to a host that is no part of the first one's domain."""

    def __init__(self, outbound: Outbound, *, leaves: bool = False) -> None:
        from niquests import Session

        self._outbound = outbound
        self._leaves = leaves
        # No look-ups that the other side's certificate names: those addresses are given from outside, too.
        self._session = Session(revocation_configuration=None, disable_http3=True)
        self._session.trust_env = False  # no log-in from ~/.netrc
        self.requests = 0
        self.last: Answer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close connections."""
        self._session.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        auth: Any = None,
        limit: int = LARGEST_ANSWER,
        **_ignored: object,
    ) -> Answer:
        """Send a request and follow where it is sent on to. Raises Unavailable, AnswerTooLarge, AccessRefused."""
        first = url
        for _ in range(_MOST_HOPS):
            self.last = self._once(method, url, data=data, headers=headers, auth=auth, limit=limit)
            to = self.last.headers.get("Location")
            if self.last.status_code not in _REDIRECTS or not to:
                return self.last
            url = urljoin(url, to)
            if not self._leaves and not _is_related(first, url):
                raise AccessRefused("the calendar is at another address now", code="moved")
        raise OutOfReach("the calendar sends us in circles", code="in-circles")

    def _once(
        self, method: str, url: str, *, data: Any, headers: Mapping[str, str] | None, auth: Any, limit: int
    ) -> Answer:
        from niquests.exceptions import RequestException, SSLError, Timeout

        host = (urlsplit(url).hostname or "").rstrip(".").lower()

        def check_peer(request: Any, *_args: object, **_kwargs: object) -> None:
            # The name may have led elsewhere since it was checked.
            reached = request.conn_info.destination_address if request.conn_info else None
            if reached:
                self._outbound.check_peer(host, str(reached[0]))

        self.requests += 1
        until = time.monotonic() + _WHOLE_S
        try:
            self._check(url)
            response = self._session.request(
                method,
                url,
                data=data,
                headers=dict(headers or {}),
                auth=auth,
                timeout=(_CONNECT_S, _READ_S),
                allow_redirects=False,
                stream=True,
                hooks={"pre_send": [check_peer]},
            )
            try:
                content = _bounded(response, limit, until)
            finally:
                response.close()
        except AddressRefused as refusal:
            raise AccessRefused("the address is not allowed", code=refusal.code) from None
        except SSLError as failure:
            if "CERTIFICATE_VERIFY_FAILED" in str(failure):
                raise AccessRefused("the server's certificate is not good", code="certificate") from None
            raise OutOfReach("the calendar cannot be reached safely", code="not-safe") from None
        except Timeout:
            raise OutOfReach("the calendar does not answer", code="time-out") from None
        except (RequestException, OSError):
            # Its text may hold bodies and log-ins: neither is kept.
            raise OutOfReach("the calendar cannot be reached", code="no-connection") from None
        return Answer(response.status_code or 0, response.reason or "", response.headers, content, url)

    def _check(self, url: str) -> None:
        try:
            self._outbound.check(url)
        except Unavailable:
            raise OutOfReach("the name of the calendar's server leads nowhere", code="no-such-name") from None


class QuietHttp(GuardedHttp):
    """As GuardedHttp, for the `caldav` client. `last` is the answer as it came; `limit` bounds the next one."""

    limit = LARGEST_ANSWER

    def request(self, method: str, url: str, **options: Any) -> Answer:
        """Send a request as GuardedHttp does."""
        answer = super().request(method, url, **(options | {"limit": self.limit}))
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-type"}
        # The client reads every answer as XML if it can. What should be XML and is not it would put into the log, whole.
        return replace(answer, headers=_Headers(headers | {"Content-Type": "text/plain"}))


class _Headers(dict[str, str]):
    """Headers by their name in any case."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in headers.items()})

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


def _bounded(response: Any, limit: int, until: float) -> bytes:
    parts, size = [], 0
    for part in response.iter_content(_CHUNK):
        size += len(part)
        if size > limit:
            raise AnswerTooLarge
        if time.monotonic() > until:
            raise OutOfReach("the calendar's answer takes too long", code="time-out")
        parts.append(part)
    return b"".join(parts)


def _is_related(first: str, other: str) -> bool:
    """Say whether a log-in for `first` may be shown to `other`: the same host, or one beside it (p42.icloud.com)."""
    one, another = urlsplit(first), urlsplit(other)
    if one.scheme == "https" and another.scheme != "https":
        return False
    if one.hostname == another.hostname:
        return True
    domain = (one.hostname or "").partition(".")[2]
    return _has_one_owner(domain) and (another.hostname or "").endswith(f".{domain}") and another.scheme == "https"


def _has_one_owner(domain: str) -> bool:
    """Say whether names below `domain` are one owner's: not a whole country's (co.uk), nor an address's last numbers."""
    labels = domain.split(".")
    is_countrys = len(labels) == 2 and len(labels[1]) == 2 and len(labels[0]) <= 3
    return len(labels) >= 2 and labels[-1].isalpha() and not is_countrys
