"""Sends the mails that were written down in place of texts: noted first, then handed over outside any transaction, then the outcome.

As with invitations, a mail server can't be asked whether it has a mail. Where no outcome was noted the mail is sent again, with
the same Message-ID and the same text, which mail programs take for the one they have.
"""

from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from booking import quiet
from booking.model.appointment import Appointment
from booking.reminded import note_told, take_reminders
from booking.tasks import open_task
from booking.values import TaskKind
from kernel.errors import Malformed, Refused, Unavailable
from kernel.log import get_logger
from kernel.mail import Mail, Mailbox, Mailer, MailOutcomeUnknown, MailRefused
from kernel.work import Database, UnitOfWork
from sms.model import PatientMail, SmsKind, SmsState

SETTLE = timedelta(seconds=60)
"""After this whoever was handing a mail over has done so or never will: longer than a mailer takes."""

_MOST_ATTEMPTS = 16  # most of a day
_MOST_UNANSWERED = 3
_FIRST_RETRY, _LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=2)

_log = get_logger()


class MailGone(Refused):
    """There is no such mail any more: it was erased with its visit."""

    code = "mail-gone"


def mails_to_send(session: Session, *, now: datetime, limit: int = 50) -> list[str]:
    """Return the ids of mails that wait: due ones, and those that somebody left in the middle. Oldest first."""
    is_waiting = and_(PatientMail.state == SmsState.QUEUED, PatientMail.due_at <= now)
    is_abandoned = and_(PatientMail.state == SmsState.SENDING, PatientMail.claimed_at <= now - SETTLE)
    statement = select(PatientMail.id).where(or_(is_waiting, is_abandoned)).order_by(PatientMail.created_at)
    return list(session.scalars(statement.limit(limit)))


def send_mail(db: Database, mailer: Mailer, *, mail_id: str, now: datetime) -> SmsState:
    """Hand a mail over and return what it is then. May be called any number of times, from any process.

    One that is not due yet, or that somebody is at, is left as it is; one whose visit has begun, or that reminds of what no
    longer stands, is not sent. Raises Unavailable when it has to be tried again; when that is given up, or the mail was
    refused for good, staff have a task. Raises MailGone when it was erased with its patient.
    """
    claim = db.run(lambda work: _claim(work, mail_id, now))
    if isinstance(claim, SmsState):
        return claim
    try:
        mailer.send(claim)
    except MailRefused as refusal:
        reply = refusal.reply
        return db.run(lambda work: _give_up(work, _locked(work, mail_id), note=reply, now=now))
    except Malformed:
        return db.run(lambda work: _give_up(work, _locked(work, mail_id), note="malformed", now=now))
    except MailOutcomeUnknown:
        db.run(lambda work: _put_off(work, mail_id, unanswered=1, now=now))
        raise
    except Unavailable:
        db.run(lambda work: _put_off(work, mail_id, unanswered=0, now=now))
        raise
    return db.run(lambda work: _note_sent(work, mail_id, now))


def _claim(work: UnitOfWork, mail_id: str, now: datetime) -> Mail | SmsState:
    mail = _locked(work, mail_id)
    state = SmsState(mail.state)
    is_abandoned = state is SmsState.SENDING and (mail.claimed_at is None or mail.claimed_at <= now - SETTLE)
    if not is_abandoned and (state is not SmsState.QUEUED or mail.due_at > now):
        return state
    if is_abandoned:
        mail.unanswered += 1
    if _is_held_back(work, mail, now=now):
        return SmsState(mail.state)
    if mail.unanswered >= _MOST_UNANSWERED:
        return _give_up(work, mail, note="unanswered", now=now)
    mail.state, mail.claimed_at = SmsState.SENDING, now
    mail.attempts += 1
    return Mail(
        id=mail.id,
        written_at=mail.created_at,
        sender=Mailbox(mail.sender, mail.sender_name),
        to=Mailbox(mail.to),
        subject=mail.subject,
        text=mail.body,
    )


def _is_held_back(work: UnitOfWork, mail: PatientMail, *, now: datetime) -> bool:
    """Say whether a mail is not to be handed over after all, and note what becomes of it."""
    if mail.kind != SmsKind.REMINDER:
        starts_at = work.session.scalar(select(Appointment.starts_at).where(Appointment.id == mail.appointment_id))
        if starts_at is not None and starts_at <= now:
            mail.state, mail.note = SmsState.SKIPPED, "past"
        return mail.state == SmsState.SKIPPED
    standing = take_reminders(work, message_id=mail.id, now=now)
    if standing is None:
        mail.state, mail.note = SmsState.SKIPPED, "superseded"
        return True
    morning = quiet.allowed_from(now, zone=standing.zone)
    if morning >= standing.starts_at:
        mail.state, mail.note = SmsState.SKIPPED, "past"
    elif morning > now:
        mail.state, mail.due_at = SmsState.QUEUED, morning
    else:
        note_told(work, message_id=mail.id, now=now)
        return False
    return True


def _note_sent(work: UnitOfWork, mail_id: str, now: datetime) -> SmsState:
    mail = _locked(work, mail_id)
    mail.state, mail.sent_at = SmsState.SENT, mail.sent_at or now
    return SmsState.SENT


def _put_off(work: UnitOfWork, mail_id: str, *, unanswered: int, now: datetime) -> None:
    mail = _locked(work, mail_id)
    mail.unanswered += unanswered
    if mail.attempts >= _MOST_ATTEMPTS:
        _give_up(work, mail, note="unavailable", now=now)
    elif mail.state == SmsState.SENDING:
        mail.state = SmsState.QUEUED
        mail.due_at = now + min(_FIRST_RETRY * (1 << (mail.attempts - 1)), _LONGEST_WAIT)


def _give_up(work: UnitOfWork, mail: PatientMail, *, note: str, now: datetime) -> SmsState:
    mail.state, mail.note = SmsState.FAILED, note
    may_have_come = " It may have arrived all the same." if mail.unanswered else ""
    open_task(
        work,
        clinic_id=mail.clinic_id,
        kind=TaskKind.UNDELIVERED,
        text=f"A mail could not be delivered ({note}).{may_have_come} Please tell the patient: {mail.body}",
        now=now,
        appointment_id=mail.appointment_id,
        subject=f"undelivered:{mail.id}",
    )
    _log.warning("sms.mail.failed", mail_id=mail.id, note=note)
    return SmsState.FAILED


def _locked(work: UnitOfWork, mail_id: str) -> PatientMail:
    mail = work.session.get(PatientMail, mail_id, with_for_update=True)
    if mail is None:
        raise MailGone
    return mail
