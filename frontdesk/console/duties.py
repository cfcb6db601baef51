"""What the console has done again and again by a worker."""

from datetime import datetime, timedelta
from functools import partial

from frontdesk.accounts.password_links import forget_links
from frontdesk.accounts.sessions import forget_sessions
from frontdesk.console.access_log import forget_accesses
from frontdesk.console.link_mail import send_password_links
from jobs.context import JobServices
from jobs.due import Duty
from kernel.work import UnitOfWork


def _forget(services: JobServices, now: datetime) -> None:
    def forget(work: UnitOfWork) -> None:
        forget_sessions(work, now=now)
        forget_links(work, now=now)
        forget_accesses(work, now=now)

    services.db.run(forget)


CONSOLE_DUTIES: tuple[Duty, ...] = (Duty("forget-console-history", timedelta(hours=1), _forget),)


def console_mail_duties(*, public_base_url: str) -> tuple[Duty, ...]:
    """Return the duties that wait for a mail server. `public_base_url`: where the links in the mails lead."""
    send = partial(send_password_links, public_base_url=public_base_url)
    return (Duty("send-password-links", timedelta(seconds=5), lambda services, now: send(services, now=now)),)
