"""Handing mails that wait to the mail server, one after the other: the same for every kind of mail that keeps rows of its own."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from jobs.context import JobServices
from kernel.errors import Refused, Unavailable
from kernel.mail import MailServerAway

_SENDS_FOR = timedelta(minutes=4)  # less than a duty's lease, with a mail that takes its time


def send_waiting(
    services: JobServices,
    waiting: Callable[[Session], list[str]],
    send: Callable[[str, datetime], object],
    *,
    now: datetime,
) -> None:
    """Send the mails whose ids `waiting` returns, in that order, for as long as the duty's lease allows.

    Those that fail are noted by `send` and keep no other waiting, unless no mail can be sent.
    """
    if not services.mailer.is_on:
        return
    with services.db.read() as session:
        ids = waiting(session)
    for mail_id in ids:
        # Each is noted with its own time: by that others tell whether somebody is still at it.
        at = services.clock.now()
        if at > now + _SENDS_FOR:
            return
        try:
            send(mail_id, at)
        except MailServerAway:
            return
        except (Refused, Unavailable):
            continue
