"""The patient's end of the line, without a vendor: signed requests to our own webhooks, and what comes back in plain words.

The terminal chat and scripted conversations use it, so that what they show is what a real text or call would meet.
"""

import itertools
import uuid
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from flask import Flask

from dialog.inbound import Channel, Inbound, InboundKind
from frontdesk.bootstrap import Services
from kernel.telephony import SIGNATURE_HEADER, sign


@dataclass(frozen=True)
class Heard:
    """What the patient reads or hears. `message_key` names the Turn; `ended`: nothing more can be said on this call."""

    text: str
    message_key: str
    ended: bool = False
    transferred_to: str | None = None


class PatientLine(Protocol):
    def say(self, text: str) -> Heard:
        """Say or write something."""
        ...

    def end(self) -> None:
        """Hang up, where there is something to hang up."""
        ...


class LineFault(Exception):
    """Our webhook answered with something no vendor could use."""


class CallOver(LineFault):
    """The clinic has hung up, or put the caller through: nothing more can be said on this call."""


class TextLine:
    """Texting with a clinic."""

    def __init__(self, services: Services, app: Flask, *, caller: str, clinic_number: str) -> None:
        self._vendor = _Vendor(services, app)
        self._fields = {"From": caller, "To": clinic_number, "NumMedia": "0"}

    def say(self, text: str) -> Heard:
        sid = f"SM{uuid.uuid4().hex}"
        answer = self._vendor.post("/twilio/sms", {**self._fields, "MessageSid": sid, "Body": text})
        texts = [element.text or "" for element in answer.iter("Message")]
        return Heard(text="\n".join(texts), message_key=f"sms:{sid}")

    def end(self) -> None:
        """Do nothing: nobody hangs up a text."""


class ChatLine:
    """The chat page of a clinic, without the page: a visitor of whom nothing is known."""

    def __init__(self, services: Services, *, clinic_id: str) -> None:
        self._dialog = services.dialog
        self._clinic_id = clinic_id
        self._visitor = uuid.uuid4().hex

    def say(self, text: str) -> Heard:
        key = f"web:{self._visitor}:{uuid.uuid4().hex}"
        inbound = Inbound(
            clinic_id=self._clinic_id,
            channel=Channel.WEB,
            kind=InboundKind.SAID,
            thread_key=f"web:{self._visitor}",
            message_key=key,
            caller=None,
            text=text,
        )
        return Heard(text=self._dialog.handle_turn(inbound).text, message_key=key)

    def end(self) -> None:
        """Do nothing: nobody hangs up a chat."""


class CallLine:
    """A call to a clinic."""

    def __init__(self, services: Services, app: Flask, *, caller: str, clinic_number: str) -> None:
        self._vendor = _Vendor(services, app)
        self._sid = f"CA{uuid.uuid4().hex}"
        self._fields = {"From": caller, "To": clinic_number, "CallSid": self._sid, "Direction": "inbound"}
        self._turns = itertools.count()
        self._action: str | None = None
        self._transferred: str | None = None
        self._is_over = False

    @property
    def is_over(self) -> bool:
        return self._is_over

    def ring(self) -> Heard:
        """Call, and hear the greeting."""
        return self._heard(self._vendor.post("/twilio/voice", {**self._fields, "CallStatus": "ringing"}), turn="0")

    def say(self, text: str) -> Heard:
        return self._answer({"SpeechResult": text, "Confidence": "0.92"})

    def press(self, digits: str) -> Heard:
        """Answer with the keypad."""
        return self._answer({"Digits": digits})

    def keep_silent(self) -> Heard:
        """Say nothing until the line has waited long enough."""
        return self._answer({})

    def come_back(self) -> Heard:
        """Be with the agent again after being put through to somebody who did not answer. Raises CallOver."""
        if self._transferred is None:
            raise CallOver("nobody was called")
        return self._post(self._transferred, {"DialCallStatus": "no-answer"})

    def end(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._vendor.send("/twilio/voice/status", {**self._fields, "CallStatus": "completed"})

    def _answer(self, fields: dict[str, str]) -> Heard:
        if self._action is None or self._is_over:
            raise CallOver("the call is over")
        return self._post(self._action, fields)

    def _post(self, action: str, fields: dict[str, str]) -> Heard:
        turn = dict(part.split("=", 1) for part in urlsplit(action).query.split("&")).get("n", "")
        answer = self._vendor.post(action, {**self._fields, "CallStatus": "in-progress", **fields})
        while (redirect := answer.find("Redirect")) is not None:  # the answer takes a moment
            answer = self._vendor.post(_target(redirect.text) or "", {**self._fields, "CallStatus": "in-progress"})
        return self._heard(answer, turn=turn)

    def _heard(self, answer: ET.Element, *, turn: str) -> Heard:
        gather, dial = answer.find(".//Gather"), answer.find(".//Dial")
        self._action = _target(gather.get("action")) if gather is not None else None
        self._transferred = _target(dial.get("action")) if dial is not None else None
        is_left = answer.find(".//Hangup") is not None or (gather is None and dial is None)
        text = " ".join("".join(element.itertext()).strip() for element in answer.iter("Say"))
        to = "".join(dial.itertext()).strip() if dial is not None else None
        if is_left:
            self.end()
        return Heard(
            text=text, message_key=f"voice:{self._sid}:{turn}", ended=is_left or to is not None, transferred_to=to
        )


Line = TextLine | ChatLine | CallLine


class _Vendor:
    """Posts what the vendor would post, sealed as the vendor would seal it."""

    def __init__(self, services: Services, app: Flask) -> None:
        self._settings = services.settings
        self._client = app.test_client()

    def post(self, target: str, fields: dict[str, str]) -> ET.Element:
        """Send a request and read the TwiML of its answer. Raises LineFault."""
        body = self.send(target, fields)
        try:
            return ET.fromstring(body)  # noqa: S314 -- our own answer
        except ET.ParseError as error:
            raise LineFault(f"{target} answers with no TwiML") from error

    def send(self, target: str, fields: dict[str, str]) -> str:
        """Send a request and return the body of its answer. Raises LineFault."""
        account = self._settings.twilio
        fields = {"AccountSid": account.sid, "ApiVersion": "2010-04-01", **fields}
        signature = sign(account, url=self._settings.public_base_url + target, params=fields)
        response = self._client.post(target, data=fields, headers={SIGNATURE_HEADER: signature})
        if response.status_code >= 300:
            raise LineFault(f"{target} answers {response.status_code}")
        return response.get_data(as_text=True)


def _target(action: str | None) -> str | None:
    if action is None:
        return None
    parts = urlsplit(action)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
