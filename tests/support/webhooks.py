"""The vendor's side of a webhook: signed forms posted to a Flask application, and a dialog that does as it is told."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree as ET

from flask import Flask
from werkzeug.test import TestResponse

from dialog.inbound import Inbound, Reply
from kernel.telephony import SIGNATURE_HEADER, TwilioAccount, sign

ACCOUNT = TwilioAccount(sid="AC" + "b2" * 16, auth_tokens=("the token of the tests", "the one before it"))
PUBLIC = "https://clinic.example.org"
CLINIC_NUMBER = "+12125550100"
PATIENT_NUMBER = "+12125550123"


class Vendor:
    """Posts to `app` as the vendor would, which calls it at `public_base_url`."""

    def __init__(self, app: Flask, *, public_base_url: str = PUBLIC) -> None:
        self._client = app.test_client()
        self._base = public_base_url

    def post(self, path: str, fields: Mapping[str, str], *, account_sid: str | None = ACCOUNT.sid) -> TestResponse:
        """Post a signed form. `account_sid` None: without the account's id."""
        form = dict(fields) if account_sid is None else {"AccountSid": account_sid, **fields}
        return self.post_raw(path, urlencode(form).encode(), signed_as=form)

    def post_raw(
        self,
        path: str,
        body: bytes,
        *,
        signed_as: Mapping[str, str],
        content_type: str = "application/x-www-form-urlencoded",
    ) -> TestResponse:
        """Post any bytes under the signature of a form."""
        signature = sign(ACCOUNT, url=self._base + path, params=signed_as)
        return self.post_unsealed(path, body, {SIGNATURE_HEADER: signature}, content_type=content_type)

    def post_unsealed(
        self,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        content_type: str = "application/x-www-form-urlencoded",
    ) -> TestResponse:
        return self._client.post(path, data=body, headers=dict(headers), content_type=content_type)

    def get(self, path: str) -> TestResponse:
        return self._client.get(path)

    def follow(self, answer: TestResponse, attribute: str, fields: Mapping[str, str]) -> TestResponse:
        """Post to the address that a document names in `attribute`, as the vendor goes on."""
        element = next(one for one in document(answer).iter() if attribute in one.attrib)
        parts = urlsplit(element.attrib[attribute])
        return self.post(f"{parts.path}?{parts.query}" if parts.query else parts.path, fields)


class ScriptedDialog:
    """Gives the next of `replies` to each message (the last one again when they run out), or raises `error`."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies) or [Reply(text="What can I do for you?")]
        self.heard: list[Inbound] = []
        self.apologies: list[Exception] = []
        self.error: Exception | None = None
        self.cannot_apologise = False
        self.answered: dict[str, Reply] = {}  # by message key
        self.meanwhile: Callable[[], None] = lambda: None

    def handle_turn(self, inbound: Inbound, /) -> Reply:
        self.heard.append(inbound)
        self.meanwhile()
        if self.error is not None:
            raise self.error
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def apologise(self, inbound: Inbound, error: Exception, /) -> Reply:
        if self.cannot_apologise:
            raise RuntimeError("the database is gone")
        self.apologies.append(error)
        return Reply(text="I am sorry, that did not work.")

    def answer_to(self, inbound: Inbound, /) -> Reply | None:
        return self.answered.get(inbound.message_key)


def document(answer: TestResponse) -> ET.Element:
    """Return the TwiML of an answer, which must be one."""
    assert answer.status_code == 200, answer.text
    assert answer.content_type.startswith("text/xml")
    root = ET.fromstring(answer.data)
    assert root.tag == "Response"
    return root


def words(answer: TestResponse) -> str:
    """Return everything that is said or written back."""
    return " ".join((element.text or "") for element in document(answer).iter() if element.tag in {"Say", "Message"})


def tags(answer: TestResponse) -> list[str]:
    """Return what the vendor is to do, in order."""
    return [element.tag for element in document(answer)]
