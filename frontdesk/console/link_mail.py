"""Links that set a password, on their way by mail. Each is tried until it is over; then staff are told that it did not leave."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from booking.model.clinic import Clinic
from booking.task_words import TaskSays
from booking.tasks import open_task
from booking.values import TaskKind
from frontdesk.accounts.model import PasswordLink
from frontdesk.console.words import DEFAULT_LANGUAGE, load_words
from frontdesk.users import User
from jobs.context import JobServices
from kernel.errors import Malformed
from kernel.log import get_logger
from kernel.mail import Mail, Mailbox, MailDeferred, MailOutcomeUnknown, MailRefused, MailServerAway
from kernel.work import UnitOfWork

_TRY_AGAIN = timedelta(minutes=1)  # longer than handing a mail over takes: nobody else takes it meanwhile
_AT_ONCE = 20

log = get_logger()


def send_password_links(services: JobServices, *, public_base_url: str, now: datetime) -> None:
    """Send the mails that are due. One that can't be sent now is tried again in a minute, until its link is over."""
    with services.db.read() as session:
        due = session.scalars(
            select(PasswordLink.id)
            .where(PasswordLink.mail_due_at <= now)
            .order_by(PasswordLink.mail_due_at)
            .limit(_AT_ONCE)
        ).all()
    for link_id in due:
        _send(services, link_id=link_id, public_base_url=public_base_url, now=now)


def _send(services: JobServices, *, link_id: str, public_base_url: str, now: datetime) -> None:
    mail = services.db.run(lambda work: _claim(work, link_id, public_base_url, now))
    if mail is None:
        return
    try:
        services.mailer.send(mail)
    except (MailDeferred, MailServerAway, MailOutcomeUnknown):
        # It may have left when no answer came: the same mail twice is better than none.
        log.warning("accounts.link_mail.deferred", link_id=link_id)
    except (MailRefused, Malformed):
        log.warning("accounts.link_mail.refused", link_id=link_id)
        services.db.run(lambda work: _give_up(work, link_id, now))
    else:
        services.db.run(lambda work: _done(work, link_id))


def _claim(work: UnitOfWork, link_id: str, public_base_url: str, now: datetime) -> Mail | None:
    """Return the mail, for whoever was the first to take it; nothing where it is over, of which staff are told."""
    taken = work.session.execute(
        update(PasswordLink)
        .where(PasswordLink.id == link_id, PasswordLink.mail_due_at <= now)
        .values(mail_due_at=now + _TRY_AGAIN)
        .returning(PasswordLink.expires_at)
    ).one_or_none()
    if taken is None:
        return None
    if taken[0] <= now:
        _give_up(work, link_id, now)
        return None
    link, user, clinic = _read(work, link_id)
    words = load_words(user.language or DEFAULT_LANGUAGE)
    minutes = int((link.expires_at - link.created_at).total_seconds() // 60)
    return Mail(
        id=link.id,
        written_at=link.created_at,
        sender=Mailbox(clinic.email or "", clinic.name),
        to=Mailbox(user.email or ""),
        subject=words("accounts.mail_subject"),
        text=words(
            "accounts.mail_text",
            login=user.login,
            address=f"{public_base_url.rstrip('/')}/console/password/{link.token}",
            minutes=minutes,
        ),
    )


def _give_up(work: UnitOfWork, link_id: str, now: datetime) -> None:
    _, user, _ = _read(work, link_id)
    _done(work, link_id)
    open_task(
        work,
        clinic_id=user.clinic_id,
        kind=TaskKind.UNDELIVERED,
        says=TaskSays.ACCOUNT_MAIL_FAILED,
        details={"login": user.login},
        now=now,
        subject=f"password-link:{user.id}",
    )


def _done(work: UnitOfWork, link_id: str) -> None:
    work.session.execute(update(PasswordLink).where(PasswordLink.id == link_id).values(token=None, mail_due_at=None))


def _read(work: UnitOfWork, link_id: str) -> tuple[PasswordLink, User, Clinic]:
    row = work.session.execute(
        select(PasswordLink, User, Clinic)
        .join(User, User.id == PasswordLink.user_id)
        .join(Clinic, Clinic.id == User.clinic_id)
        .where(PasswordLink.id == link_id)
    ).one()
    return row[0], row[1], row[2]
