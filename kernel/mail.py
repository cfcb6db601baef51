"""E-mail: what is asked of a mail server, and a mail as the text that travels to it.

A mail is the same text however often it is sent, with the same Message-ID, so that a repeat is recognisable for what it is.
When and to whom mails go is decided by those who send them.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from enum import StrEnum
from typing import Protocol

import idna

from kernel.errors import Malformed, Refused, Unavailable

_LONGEST_ADDRESS = 254
_LONGEST_LOCAL_PART = 64
# What may stand before the @ without quotes; letters beyond ASCII as in RFC 6531. Quoted ones are as good as never real.
_LOCAL_PART = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*")


class Security(StrEnum):
    """How the way to a mail server is kept private."""

    TLS = "tls"  # from the first byte on
    STARTTLS = "starttls"  # before anything is said that matters; a server that does not offer it gets nothing
    NONE = "none"


@dataclass(frozen=True)
class MailServer:
    """Where mails are handed in. Without a `username` there is no log-in."""

    host: str
    port: int
    security: Security
    username: str | None = None
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Mailbox:
    """An address, as `read_address` returns it, and whose it is."""

    address: str = field(repr=False)
    name: str = field(default="", repr=False)


@dataclass(frozen=True)
class CalendarPart:
    """An invitation that a calendar program acts on. `method` is iTIP's and stands in `text` as well."""

    method: str
    text: str = field(repr=False)


@dataclass(frozen=True)
class Mail:
    """One mail to one person. `id` makes the Message-ID; `written_at` is its date, also when it is sent later, or again."""

    id: str
    written_at: datetime
    sender: Mailbox
    to: Mailbox
    subject: str = field(repr=False)
    text: str = field(repr=False)
    calendar: CalendarPart | None = None


class MailRefused(Refused):
    """This mail will not be taken, now or later. `reply` is the server's code, without its words."""

    code = "mail-refused"

    def __init__(self, *, reply: str) -> None:
        super().__init__(reply=reply)
        self.reply = reply


class MailDeferred(Unavailable):
    """This mail was not taken now; another may be. `reply` is the server's code."""

    def __init__(self, *, reply: str) -> None:
        super().__init__(f"the mail server asks to try again later ({reply})")
        self.reply = reply


class MailServerAway(Unavailable):
    """No mail can be handed in: the server is out of reach, refuses the log-in, or can't keep what is said private."""


class MailOutcomeUnknown(Unavailable):
    """The mail was handed over and no answer came: it may be on its way. A mail server can't be asked."""

    def __init__(self) -> None:
        super().__init__("no answer to a mail that was handed over")


class Mailer(Protocol):
    """Sends mails. Not idempotent. Each call ends within 40 s."""

    @property
    def is_on(self) -> bool:
        """Say whether there is a mail server at all."""
        ...

    def send(self, mail: Mail) -> None:
        """Hand a mail over.

        Raises MailRefused; MailDeferred and MailServerAway when it was certainly not taken; MailOutcomeUnknown when that
        can't be told; Malformed for a mail that can't be written down.
        """
        ...

    def check(self) -> None:
        """Do everything but hand in a mail. Raises MailServerAway, whose text says what is wrong."""
        ...


class MailOff:
    """Where no mail server is set."""

    is_on = False

    def send(self, mail: Mail) -> None:
        raise MailServerAway("no mail server is set")

    def check(self) -> None:
        raise MailServerAway("no mail server is set")


def read_address(text: str) -> str:
    """Return an e-mail address in the form in which it is kept: the domain in small letters, without space around it.

    Whether it exists is for a mail server to say. Raises Malformed.
    """
    local_part, at, domain = text.strip().rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local_part) or len(local_part.encode()) > _LONGEST_LOCAL_PART:
        raise Malformed("not an e-mail address")
    if "." not in domain or len(f"{local_part}@{_ascii_domain(domain)}".encode()) > _LONGEST_ADDRESS:
        raise Malformed("not an e-mail address")
    return f"{local_part}@{domain.lower()}"


def wire_address(address: str) -> str:
    """Return an address as servers write it: a domain beyond ASCII in its ASCII form. Raises Malformed."""
    local_part, _, domain = read_address(address).rpartition("@")
    return f"{local_part}@{_ascii_domain(domain)}"


def one_line(text: str) -> str:
    """Return a text without line breaks and whatever else is not printed: in a header they would begin another."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def as_message(mail: Mail) -> EmailMessage:
    """Write a mail down, the same each time. Line breaks in names and subjects, which would begin a new header, are spaces.

    One with an invitation has the form of RFC 6047: words and invitation as alternatives, and the invitation as a file.
    Raises Malformed for an address that is none.
    """
    sender, to = _written(mail.sender), _written(mail.to)
    is_ascii = sender.addr_spec.isascii() and to.addr_spec.isascii()
    # Bytes beyond ASCII are encoded in the body: not every server on the way takes them.
    message = EmailMessage(policy=(SMTP if is_ascii else SMTPUTF8).clone(cte_type="7bit"))
    message["From"], message["To"] = sender, to
    message["Subject"] = one_line(mail.subject)
    message["Date"] = format_datetime(mail.written_at)
    message["Message-ID"] = f"<{mail.id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    if mail.calendar is not None:
        _add_invitation(message, mail.calendar)
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{mail.id}_{number}")
    return message


def _add_invitation(message: EmailMessage, invitation: CalendarPart) -> None:
    message.add_alternative(invitation.text, subtype="calendar", params={"method": invitation.method})
    message.add_attachment(invitation.text.encode(), maintype="application", subtype="ics", filename="invite.ics")


def _written(mailbox: Mailbox) -> Address:
    local_part, _, domain = wire_address(mailbox.address).rpartition("@")
    return Address(display_name=one_line(mailbox.name), username=local_part, domain=domain)


def _ascii_domain(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise Malformed("not an e-mail address") from None
