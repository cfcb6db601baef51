"""Handing mails that wait to the mail server, one after the other: the same for every kind of mail that keeps rows of its own."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from jobs.context import JobServices
from jobs.lease import within_lease
from kernel.errors import Refused, Unavailable
from kernel.mail import MailServerAway


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
    for mail_id, at in within_lease(ids, services.clock, began_at=now):
        try:
            send(mail_id, at)
        except MailServerAway:
            return
        except (Refused, Unavailable):
            continue
