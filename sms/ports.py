"""What is asked of a vendor of text messages."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from kernel.errors import Refused, Unavailable


@dataclass(frozen=True)
class OutgoingText:
    """`message_id` is ours: receipts may name it before the vendor's id has reached us. Numbers in E.164."""

    message_id: str
    to: str
    sender: str
    body: str


class TextRefused(Refused):
    """The vendor will not send this text, now or later. `vendor_code` is its reason."""

    code = "text-refused"

    def __init__(self, *, vendor_code: int) -> None:
        super().__init__(vendor_code=vendor_code)
        self.vendor_code = vendor_code


class OutcomeUnknown(Unavailable):
    """The text may have been sent or not: ask with `find` once it has settled, before sending it again."""

    def __init__(self) -> None:
        super().__init__("no answer to a text that was handed over", retry_after=timedelta(seconds=31))


class SmsGateway(Protocol):
    """Sends texts. Not idempotent: no vendor's is. Each call ends within about 20 s."""

    def send(self, text: OutgoingText) -> str:
        """Hand a text over and return the vendor's id of it.

        Raises TextRefused, Unavailable when it was certainly not taken, OutcomeUnknown when that can't be told.
        """
        ...

    def find(self, text: OutgoingText) -> list[str]:
        """Return the ids of texts the vendor took with the same numbers and words, newest first. Raises Unavailable."""
        ...
