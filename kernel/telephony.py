"""What voice and SMS share of the telephony vendor: the account, its REST client, and the seal on its webhooks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

REQUEST_TIMEOUT_S = 10.0
SIGNATURE_HEADER = "X-Twilio-Signature"


@dataclass(frozen=True)
class TwilioAccount:
    """An account. `auth_tokens`: the first signs what we send, any of them is accepted (rotation)."""

    sid: str
    auth_tokens: tuple[str, ...] = field(repr=False)
    api_base_url: str | None = None  # another host that speaks the vendor's REST API; None: the vendor
    is_real: bool = True  # False: made at first start for the simulator, nothing can be sent with it


def is_signed(account: TwilioAccount, *, url: str, params: Any, signature: str | None) -> bool:
    """Say whether the vendor sealed this request. `url` is the public one as the vendor called it, query included.

    `params` are the form fields as a MultiDict or mapping, values untouched; empty for GET.
    """
    if not signature:
        return False
    return any(RequestValidator(token).validate(url, params, signature) for token in account.auth_tokens)


def sign(account: TwilioAccount, *, url: str, params: Mapping[str, str | Sequence[str]]) -> str:
    """Return the signature the vendor would send, for the simulator and for tests."""
    return str(RequestValidator(account.auth_tokens[0]).compute_signature(url, dict(params)))


def make_client(account: TwilioAccount) -> Client:
    """Return a REST client with a time-out and no retries of its own: one place decides about trying again."""
    return Client(account.sid, account.auth_tokens[0], http_client=_HttpClient(account.api_base_url))


class _HttpClient(TwilioHttpClient):
    def __init__(self, base_url: str | None) -> None:
        super().__init__(timeout=REQUEST_TIMEOUT_S, max_retries=0)
        self._base = urlsplit(base_url) if base_url else None

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]  # the base class lists every parameter
        if self._base:
            parts = urlsplit(url)
            url = urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))
        return super().request(method, url, *args, **kwargs)


def error_summary(error: Exception) -> str:
    """Return code and status of a vendor error, without its text: that may quote a number."""
    return json.dumps({"code": getattr(error, "code", None), "status": getattr(error, "status", None)})
