"""What voice and SMS share of the telephony vendor: the account, its REST client, and its webhooks, checked and read.

Webhooks are read from the WSGI environment, not from a framework's request: the seal covers the bytes as they were sent.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator, compare
from twilio.rest import Client

from kernel.errors import Malformed

REQUEST_TIMEOUT_S = 10.0
SIGNATURE_HEADER = "X-Twilio-Signature"
MAXIMUM_BODY = 64 * 1024  # bytes; the vendor's own requests have a few thousand
_FORM = "application/x-www-form-urlencoded"
# Not allowed in XML, not allowed in PostgreSQL (NUL), or never part of what a person says.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class TwilioAccount:
    """An account. `auth_tokens`: the first signs what we send, any of them is accepted (rotation)."""

    sid: str
    auth_tokens: tuple[str, ...] = field(repr=False)
    api_base_url: str | None = None  # another host that speaks the vendor's REST API; None: the vendor
    is_real: bool = True  # False: made at first start for the simulator, nothing can be sent with it


class WebhookRejected(Malformed):
    """A request that is not the vendor's, or that cannot be read. `status` is the HTTP answer, the text one line for it."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Webhook:
    """A request the vendor sealed: its form fields, and those of the query. Values are as sent; unknown names are kept."""

    fields: Mapping[str, str]
    query: Mapping[str, str]

    def get(self, name: str) -> str:
        """Return a field's value, empty if it was not sent."""
        return self.fields.get(name, "")

    def require(self, name: str) -> str:
        """Return a field's value. Raises WebhookRejected if there is none."""
        if not self.get(name):
            raise WebhookRejected(HTTPStatus.BAD_REQUEST, f"{name} is missing")
        return self.fields[name]

    def number(self, name: str) -> int:
        """Return a small whole number of the query. Raises WebhookRejected if it is none."""
        text = self.query.get(name, "")
        if not re.fullmatch("[0-9]{1,4}", text):
            raise WebhookRejected(HTTPStatus.BAD_REQUEST, f"{name} must be a whole number")
        return int(text)


def read_webhook(environ: Mapping[str, Any], *, account: TwilioAccount, public_base_url: str) -> Webhook:
    """Check that a request is the vendor's and read it. Fails closed, and tells a stranger nothing but that.

    The address the seal covers is `public_base_url` and the raw target: never the Host header, which a stranger writes,
    and never a decoded path, which servers encode again in different ways.
    Raises WebhookRejected: 413 before anything is read, 403 without a good seal or for another account, then 400 and 415.
    """
    body = _body(environ)
    is_form = str(environ.get("CONTENT_TYPE") or _FORM).partition(";")[0].strip().lower() == _FORM
    form = _Form(body if is_form else b"")
    target = _raw_target(environ)
    signature = environ.get("HTTP_X_TWILIO_SIGNATURE")
    if target is None or not is_signed(account, url=public_base_url + target, params=form, signature=signature):
        raise WebhookRejected(HTTPStatus.FORBIDDEN, "The signature is missing or does not match")
    if not is_form:
        raise WebhookRejected(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send a form")
    if not form.is_utf8:
        raise WebhookRejected(HTTPStatus.BAD_REQUEST, "The form is not UTF-8")
    fields = {name: form[name] for name in form}
    if fields and fields.get("AccountSid") != account.sid:
        raise WebhookRejected(HTTPStatus.FORBIDDEN, "The request is for another account")
    return Webhook(fields=fields, query=dict(parse_qsl(urlsplit(target).query, keep_blank_values=True)))


def printable(text: str) -> str:
    """Return `text` without what neither a document nor a database can hold. Line ends stay."""
    return _UNPRINTABLE.sub("", text)


def is_signed(account: TwilioAccount, *, url: str, params: Any, signature: str | None) -> bool:
    """Say whether the vendor sealed this request. `url` is the public one as the vendor called it, query included.

    `params` are the form fields as a MultiDict or mapping, values untouched; empty for GET.
    """
    if not signature:
        return False
    validators = [RequestValidator(token) for token in account.auth_tokens]
    # The vendor's own check makes two seals, with the port in the address and without; nearly always it is the one as called.
    if any(compare(one.compute_signature(url, params), signature) for one in validators):
        return True
    return any(one.validate(url, params, signature) for one in validators)


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


class _Form(Mapping[str, str]):
    """Form fields in the shape the vendor's validator reads: all values of a repeated name, the first for everybody else."""

    def __init__(self, body: bytes) -> None:
        self.is_utf8 = True
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
        except UnicodeDecodeError:
            self.is_utf8 = False
            pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, errors="replace")
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def getlist(self, name: str) -> list[str]:
        return self._values[name]

    def __getitem__(self, name: str) -> str:
        return self._values[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _body(environ: Mapping[str, Any]) -> bytes:
    length = str(environ.get("CONTENT_LENGTH") or "")
    if length.isdigit():
        wanted = int(length)
    else:  # a chunked body, where the server marks its end; otherwise there is none
        wanted = MAXIMUM_BODY + 1 if environ.get("wsgi.input_terminated") else 0
    if wanted > MAXIMUM_BODY and length:
        raise WebhookRejected(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large")
    body: bytes = environ["wsgi.input"].read(wanted) if wanted else b""
    if len(body) > MAXIMUM_BODY:
        raise WebhookRejected(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large")
    return body


def _raw_target(environ: Mapping[str, Any]) -> str | None:
    """Return path and query as they came, None if they cannot be the vendor's."""
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if not target:
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        query = environ.get("QUERY_STRING")
        target = quote(path.encode("latin-1")) + (f"?{query}" if query else "")
    if target.startswith(("http://", "https://")):
        target = urlunsplit(("", "", *urlsplit(target)[2:]))
    # Anything else would become part of the host when it is appended to the base.
    return target if target.startswith("/") else None
