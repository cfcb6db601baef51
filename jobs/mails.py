"""Mails that say what texts would, handed to the mail server."""

from datetime import datetime, timedelta

from jobs.context import JobServices
from kernel.errors import Refused, Unavailable
from kernel.mail import MailServerAway
from sms.send_mail import mails_to_send, send_mail

_SENDS_FOR = timedelta(minutes=4)


def send_mails(services: JobServices, now: datetime) -> None:
    """Send the mails that wait, oldest first, for as long as the duty's lease allows with one that takes its time.

    Those that fail are noted and keep no other waiting, unless no mail can be sent.
    """
    if not services.mailer.is_on:
        return
    with services.db.read() as session:
        waiting = mails_to_send(session, now=now)
    for mail_id in waiting:
        # Each is noted with its own time: by that others tell whether somebody is still at it.
        at = services.clock.now()
        if at > now + _SENDS_FOR:
            return
        try:
            send_mail(services.db, services.mailer, mail_id=mail_id, now=at)
        except MailServerAway:
            return
        except (Refused, Unavailable):
            continue
