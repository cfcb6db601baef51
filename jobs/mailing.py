"""Handing the mails that wait to the mail server, one after the other, oldest first."""

from datetime import datetime
from typing import TypeVar

from booking.model.mail import OutgoingMail
from booking.outgoing_mail import MailKind, mails_to_send, send_mail
from calendar_sync.invitation_mail import INVITATIONS
from jobs.context import JobServices
from jobs.in_turn import in_turn
from jobs.lease import within_lease
from kernel.errors import Refused, Unavailable
from kernel.mail import MailServerAway
from sms.mails import PATIENT_MAILS

_Row = TypeVar("_Row", bound=OutgoingMail)


def send_invitations(services: JobServices, now: datetime) -> None:
    """Send the invitations that wait."""
    _send_waiting(services, INVITATIONS, now=now)


def send_mails(services: JobServices, now: datetime) -> None:
    """Send the mails that wait and say what texts would."""
    _send_waiting(services, PATIENT_MAILS, now=now)


def _send_waiting(services: JobServices, kind: MailKind[_Row], *, now: datetime) -> None:
    """Send for as long as the duty's lease allows. A mail that fails keeps no other waiting, unless no mail can be sent."""
    if not services.mailer.is_on:
        return
    with services.db.read() as session:
        ids = mails_to_send(session, kind, now=now)
    with in_turn() as turn:
        for mail_id, at in within_lease(ids, services.clock, began_at=now):
            with turn():
                try:
                    send_mail(services.db, services.mailer, kind, mail_id=mail_id, now=at)
                except MailServerAway:
                    return
                except (Refused, Unavailable):
                    continue  # noted at the mail
