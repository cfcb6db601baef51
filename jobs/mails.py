"""Mails that say what texts would, handed to the mail server."""

from datetime import datetime

from booking.outgoing_mail import mails_to_send, send_mail
from jobs.context import JobServices
from jobs.mailing import send_waiting
from sms.mails import PATIENT_MAILS


def send_mails(services: JobServices, now: datetime) -> None:
    """Send the mails that wait, oldest first."""
    send_waiting(
        services,
        lambda session: mails_to_send(session, PATIENT_MAILS, now=now),
        lambda mail_id, at: send_mail(services.db, services.mailer, PATIENT_MAILS, mail_id=mail_id, now=at),
        now=now,
    )
