"""Texts that go nowhere: for development without an account, and for tests. It refuses and fails on request."""

import threading
import uuid
from dataclasses import dataclass

from kernel.errors import Unavailable
from sms.ports import OutcomeUnknown, OutgoingText, TextRefused

_LONGEST_BODY = 1600
_TOO_LONG = 21617


@dataclass(frozen=True)
class SentText:
    sid: str
    text: OutgoingText


class MemoryGateway:
    """Keeps what was sent in `sent`, oldest first."""

    def __init__(self) -> None:
        self.sent: list[SentText] = []
        self.refused_numbers: dict[str, int] = {}  # number to the vendor's code
        self.is_down = False  # nothing is taken
        self.loses_answers = False  # everything is taken, and the answers are lost
        self._lock = threading.Lock()

    def send(self, text: OutgoingText) -> str:
        if self.is_down:
            raise Unavailable("the memory gateway is down")
        if text.to in self.refused_numbers:
            raise TextRefused(vendor_code=self.refused_numbers[text.to])
        if len(text.body) > _LONGEST_BODY:
            raise TextRefused(vendor_code=_TOO_LONG)
        with self._lock:
            self.sent.append(SentText(sid="SM" + uuid.uuid4().hex, text=text))
            sid = self.sent[-1].sid
        if self.loses_answers:
            raise OutcomeUnknown
        return sid

    def find(self, text: OutgoingText) -> list[str]:
        if self.is_down:
            raise Unavailable("the memory gateway is down")
        wanted = (text.to, text.sender, text.body)
        with self._lock:
            return [one.sid for one in reversed(self.sent) if (one.text.to, one.text.sender, one.text.body) == wanted]
