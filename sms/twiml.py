"""The answer to a text, as the vendor reads it."""

import textwrap

from twilio.twiml.messaging_response import MessagingResponse

from kernel.telephony import printable
from sms.segments import plain

_LONGEST = 1500  # characters; the vendor takes 1600


def message(text: str) -> str:
    """Return the document that sends `text` back. More than the vendor takes at once goes in several texts."""
    response = MessagingResponse()
    whole = plain(printable(text))
    parts = [whole] if len(whole) <= _LONGEST else textwrap.wrap(whole, _LONGEST, replace_whitespace=False)
    for part in parts:
        if part.strip():
            response.message(part)
    return str(response)


def nothing() -> str:
    """Return the document that sends nothing."""
    return str(MessagingResponse())
