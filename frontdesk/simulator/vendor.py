"""The telephony vendor's part: seals a request and hands it to the webhooks of this very application."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.test import Client

from kernel.config import Settings
from kernel.errors import Refused
from kernel.telephony import SIGNATURE_HEADER, sign

_WEBHOOKS = "/twilio/"


class NotAWebhook(Refused):
    """Only the vendor's webhooks are called: nothing else is ever signed."""

    code = "not-a-webhook"


@dataclass(frozen=True)
class Answer:
    status: int
    body: str


def deliver(app: Flask, *, settings: Settings, path: str, fields: Mapping[str, str]) -> Answer:
    """Send `fields` to the webhook at `path` (with its query), signed as the vendor would, and return what it answered.

    The request does not leave the process, but goes through the whole application. Raises NotAWebhook for another path.
    """
    target = local_target(path, public_base_url=settings.public_base_url)
    sealed = {"AccountSid": settings.twilio.sid, "ApiVersion": "2010-04-01", **fields}
    signature = sign(settings.twilio, url=settings.public_base_url + target, params=sealed)
    response = Client(app).post(
        target, base_url=_origin(settings), data=sealed, headers={SIGNATURE_HEADER: signature}, follow_redirects=False
    )
    return Answer(status=response.status_code, body=response.get_data(as_text=True))


def local_target(path: str, *, public_base_url: str) -> str:
    """Return the path as the application sees it: an action in TwiML may carry the public address's own prefix.

    Raises NotAWebhook for anything but a webhook of this application.
    """
    parts = urlsplit(path)
    local = parts.path.removeprefix(urlsplit(public_base_url).path)
    if parts.scheme or parts.netloc or not local.startswith(_WEBHOOKS) or ".." in local:
        raise NotAWebhook
    return f"{local}?{parts.query}" if parts.query else local


def _origin(settings: Settings) -> str:
    parts = urlsplit(settings.public_base_url)
    return f"{parts.scheme}://{parts.netloc}"
