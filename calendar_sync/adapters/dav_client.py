"""One WebDAV request after the other to one server, logged in.

The `caldav` library logs in (basic, digest, bearer), reads the XML, and knows preconditions and requests for fewer requests. It
is kept to single requests: its own `save()` raises SEQUENCE and may look up the UID first, and its sync hides errors.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from calendar_sync.adapters.access_tokens import TokenSource
from calendar_sync.adapters.guarded_http import LARGEST_ANSWER, QuietHttp
from calendar_sync.ports import AccessRefused, LinkAccess, OutOfReach
from kernel.errors import Unavailable
from kernel.outbound import Outbound

_MOST_RETRY = timedelta(hours=1)


@dataclass(frozen=True)
class Reply:
    """What a server answered. `tree` is its XML (lxml), if it is any; `preconditions` what it says was not met."""

    status: int
    etag: str | None
    text: str
    tree: Any
    preconditions: frozenset[str]
    url: str

    def complains_of(self, name: str) -> bool:
        """Say whether a precondition of that name was not met."""
        return any(one.endswith(f"}}{name}") or one == name for one in self.preconditions)


class DavClient:
    """A connection to the server of `access.url`. It sends the log-in with the first request, not after being asked."""

    def __init__(self, access: LinkAccess, *, outbound: Outbound, tokens: TokenSource, leaves: bool = False) -> None:
        self._access = access
        self._outbound = outbound
        self._tokens = tokens
        self._leaves = leaves
        self._auth = "bearer" if access.auth in {"bearer", "oauth"} else access.auth
        self._logged_in: Any = None  # the library's client

    def __enter__(self) -> Self:
        self._http = QuietHttp(self._outbound, leaves=self._leaves)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._http.close()

    def send(
        self,
        method: str,
        href: str,
        body: str = "",
        headers: Mapping[str, str] | None = None,
        *,
        limit: int = LARGEST_ANSWER,
    ) -> Reply:
        """Send a request to `href`, an address or the path of one. Raises Unavailable, AccessRefused."""
        self._http.limit = limit
        reply = self._try(method, href, body, headers)
        if reply.status == 401 and self._has_another_way():
            self._logged_in = None
            reply = self._try(method, href, body, headers)
        if reply.status == 401:
            raise AccessRefused("the calendar refuses the log-in", code="log-in-refused")
        if reply.status in {408, 423, 425, 502, 503, 504}:
            raise OutOfReach(f"the calendar answers {reply.status}", code="server-trouble")
        return reply

    def _has_another_way(self) -> bool:
        if self._access.auth == "oauth":
            self._tokens.forget(self._access.secret)  # taken back before its time; another one may do
            return True
        asked = self._http.last.headers.get("WWW-Authenticate", "") if self._http.last else ""
        if self._auth == "basic" and "digest" in asked.lower() and "basic" not in asked.lower():
            self._auth = "digest"
            return True
        return False

    def _try(self, method: str, href: str, body: str, headers: Mapping[str, str] | None) -> Reply:
        from caldav.lib import error

        url = urljoin(self._access.url, href)
        try:
            response = self._client().request(url, method, body, dict(headers or {}))
        except error.AuthorizationError as refusal:
            return self._reply(url, None, refusal.preconditions)
        except error.RateLimitError as rate:
            wait = min(timedelta(seconds=rate.retry_after_seconds or 30), _MOST_RETRY)
            raise OutOfReach(
                "the calendar asks for fewer requests", code="too-many-requests", retry_after=wait
            ) from None
        except error.DAVError:
            # Its text may hold bodies and log-ins: neither is kept.
            raise OutOfReach("the calendar answers what cannot be read", code="unreadable") from None
        return self._reply(
            url, response.tree, error.parse_preconditions(self._body()) if response.status >= 400 else ()
        )

    def _client(self) -> Any:
        if self._logged_in is None:
            self._logged_in = self._log_in()
        return self._logged_in

    def _log_in(self) -> Any:
        from caldav.davclient import DAVClient

        for name in ("caldav", "caldav.response"):
            logging.getLogger(name).setLevel(logging.WARNING)  # below, its lines hold bodies
        access = self._access
        secret = self._tokens.token(access, self._outbound) if access.auth == "oauth" else access.secret
        client = DAVClient(
            access.url,
            username=access.username,
            password=secret,
            auth_type=self._auth,
            enable_rfc6764=False,  # it would look for another host to talk to
        )
        client.session.close()
        client.session = self._http  # type: ignore[assignment]  # it is used for `request` only
        return client

    def _body(self) -> bytes:
        return self._http.last.content if self._http.last else b""

    def _reply(self, url: str, tree: Any, preconditions: Any) -> Reply:
        last = self._http.last
        if last is None:
            raise Unavailable("the calendar cannot be reached")
        return Reply(
            status=last.status_code,
            etag=last.headers.get("ETag"),
            text=last.text,
            tree=tree,
            preconditions=frozenset(str(one) for one in preconditions or ()),
            url=last.url or url,
        )


def path_of(href: str) -> str:
    """Return the path of an address as it is written in it."""
    parts = urlsplit(href)
    return urlunsplit(("", "", parts.path, parts.query, ""))


def meant_path(href: str) -> str:
    """Return the path of an address written one way only, to compare it: servers write the same path in several."""
    return "/".join(quote(unquote(part), safe="~!$&'()*+,;=:@-._") for part in path_of(href).split("/"))
