"""Mails that say what texts would, handed to the mail server."""

from datetime import datetime

from jobs.context import JobServices
from jobs.mailing import send_waiting
from sms.send_mail import mails_to_send, send_mail


def send_mails(services: JobServices, now: datetime) -> None:
    """Send the mails that wait, oldest first."""
    send_waiting(
        services,
        lambda session: mails_to_send(session, now=now),
        lambda mail_id, at: send_mail(services.db, services.mailer, mail_id=mail_id, now=at),
        now=now,
    )
