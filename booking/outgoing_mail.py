"""Sends mails that were written down: noted first, then handed to the mail server outside any transaction, then the outcome.

A mail server can't be asked whether it has a mail. Where no outcome was noted, because the connection broke or the process died,
the mail is sent again, with the same Message-ID and the same text, which mail and calendar programs take for the one they have:
a mail twice does no harm, and one that never came may cost a visit.

What a mail says and what keeps it from being sent is for those who write it: a `MailKind` for each.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from booking.model.mail import MailState, OutgoingMail
from booking.task_words import TaskSays
from booking.tasks import open_task, settle_subjects, subject_of_undelivered
from booking.values import TaskKind
from kernel.errors import Malformed, Refused, Unavailable
from kernel.log import get_logger
from kernel.mail import Mail, Mailer, MailOutcomeUnknown, MailRefused
from kernel.work import Database, UnitOfWork

SETTLE = timedelta(seconds=60)
"""After this whoever was handing a mail over has done so or never will: longer than a mailer takes."""

_MOST_ATTEMPTS = 16  # most of a day: a mail server that is away for a night is no reason to give up
_MOST_UNANSWERED = 3
_FIRST_RETRY, _LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=2)

_log = get_logger()
Row = TypeVar("Row", bound=OutgoingMail)


@dataclass(frozen=True)
class MailKind(Generic[Row]):
    """What is a kind of mail's own.

    `is_held_back` says whether a mail is not to be handed over now, and notes in its state what becomes of it; `mail` is what
    travels; `told` is what staff tell the patient where it could not be delivered.
    """

    row: type[Row]
    is_held_back: Callable[[UnitOfWork, Row, datetime], bool]
    mail: Callable[[Row], Mail]
    told: Callable[[Row], str]


class MailGone(Refused):
    """There is no such mail any more: it was erased with its visit."""

    code = "mail-gone"


class NoLongerHolds(Refused):
    """What a message says holds no longer, or its reader wants none: it is not sent again. `note` is the reason's code."""

    code = "no-longer-holds"


def mails_to_send(session: Session, kind: MailKind[Row], *, now: datetime, limit: int = 50) -> list[str]:
    """Return the ids of mails that wait: due ones, and those that somebody left in the middle. Oldest first."""
    row = kind.row
    is_waiting = and_(row.state == MailState.QUEUED, row.due_at <= now)
    is_abandoned = and_(row.state == MailState.SENDING, row.claimed_at <= now - SETTLE)
    return list(
        session.scalars(select(row.id).where(or_(is_waiting, is_abandoned)).order_by(row.created_at).limit(limit))
    )


def send_mail(db: Database, mailer: Mailer, kind: MailKind[Row], *, mail_id: str, now: datetime) -> MailState:
    """Hand a mail over and return what it is then. May be called any number of times, from any process.

    One that is not due yet, or that somebody is at, is left as it is; one that its kind holds back is not sent. Raises
    Unavailable when it has to be tried again; when that is given up, or the mail was refused for good, staff have a task.
    Raises MailGone when it was erased with its patient.
    """
    claim = db.run(lambda work: _claim(work, kind, mail_id, now))
    if isinstance(claim, MailState):
        return claim
    try:
        mailer.send(claim)
    except MailRefused as refusal:
        reply = refusal.reply
        return db.run(lambda work: _give_up(work, kind, _locked(work, kind, mail_id), note=reply, now=now))
    except Malformed:
        return db.run(lambda work: _give_up(work, kind, _locked(work, kind, mail_id), note="malformed", now=now))
    except MailOutcomeUnknown:
        db.run(lambda work: _put_off(work, kind, mail_id, unanswered=1, now=now))
        raise
    except Unavailable:
        db.run(lambda work: _put_off(work, kind, mail_id, unanswered=0, now=now))
        raise
    return db.run(lambda work: _note_sent(work, kind, mail_id, now))


def skip(mail: OutgoingMail, *, note: str) -> None:
    """Let a mail not be sent, for the reason in `note`."""
    mail.state, mail.note = MailState.SKIPPED, note


def failed_mails(session: Session, kind: MailKind[Row], *, clinic_id: str, ids: Collection[str]) -> set[str]:
    """Return which of these are mails of the clinic that were given up."""
    row = kind.row
    failed = select(row.id).where(row.clinic_id == clinic_id, row.id.in_(ids), row.state == MailState.FAILED)
    return set(session.scalars(failed))


def send_mail_again(
    work: UnitOfWork, kind: MailKind[Row], *, clinic_id: str, mail_id: str, now: datetime, done_by: str
) -> bool:
    """Let a mail that was given up wait to be sent once more, and the task about it be done; False if it was not given up.

    Locks the mail. Raises NoLongerHolds for what its kind would not send any more.
    """
    mail = work.session.get(kind.row, mail_id, with_for_update=True)
    if mail is None or mail.clinic_id != clinic_id or mail.state != MailState.FAILED:
        return False
    mail.state, mail.note, mail.due_at = MailState.QUEUED, None, now
    mail.attempts = mail.unanswered = 0
    if kind.is_held_back(work, mail, now) and mail.state == MailState.SKIPPED:
        raise NoLongerHolds(note=mail.note)
    settle_subjects(work, clinic_id=clinic_id, subjects=[subject_of_undelivered(mail_id)], now=now, done_by=done_by)
    return True


def _claim(work: UnitOfWork, kind: MailKind[Row], mail_id: str, now: datetime) -> Mail | MailState:
    """Take a mail for sending, or say what it is when there is nothing to do."""
    mail = _locked(work, kind, mail_id)
    if mail.state == MailState.SENDING and (mail.claimed_at is None or mail.claimed_at <= now - SETTLE):
        # Whoever was at it died, perhaps after it had left.
        mail.state, mail.unanswered = MailState.QUEUED, mail.unanswered + 1
    if mail.state != MailState.QUEUED or mail.due_at > now or kind.is_held_back(work, mail, now):
        return MailState(mail.state)
    if mail.unanswered >= _MOST_UNANSWERED:
        return _give_up(work, kind, mail, note="unanswered", now=now)
    mail.state, mail.claimed_at = MailState.SENDING, now
    mail.attempts += 1
    return kind.mail(mail)


def _note_sent(work: UnitOfWork, kind: MailKind[Row], mail_id: str, now: datetime) -> MailState:
    mail = _locked(work, kind, mail_id)
    mail.state, mail.sent_at = MailState.SENT, mail.sent_at or now
    _log.info("mail.sent", kind=kind.row.__name__, mail_id=mail_id, attempts=mail.attempts)
    return MailState.SENT


def _put_off(work: UnitOfWork, kind: MailKind[Row], mail_id: str, *, unanswered: int, now: datetime) -> None:
    mail = _locked(work, kind, mail_id)
    mail.unanswered += unanswered
    if mail.state != MailState.SENDING:
        return
    if mail.attempts >= _MOST_ATTEMPTS:
        _give_up(work, kind, mail, note="unavailable", now=now)
    else:
        mail.state = MailState.QUEUED
        mail.due_at = now + min(_FIRST_RETRY * (1 << (mail.attempts - 1)), _LONGEST_WAIT)


def _give_up(work: UnitOfWork, kind: MailKind[Row], mail: Row, *, note: str, now: datetime) -> MailState:
    mail.state, mail.note = MailState.FAILED, note
    open_task(
        work,
        clinic_id=mail.clinic_id,
        kind=TaskKind.UNDELIVERED,
        says=TaskSays.MAIL_FAILED,
        details={
            "mail_code": note,
            "fate_code": "may-have-come" if mail.unanswered else None,
            "words": kind.told(mail),
        },
        now=now,
        appointment_id=mail.appointment_id,
        subject=subject_of_undelivered(mail.id),
    )
    _log.warning("mail.failed", kind=kind.row.__name__, mail_id=mail.id, note=note)
    return MailState.FAILED


def _locked(work: UnitOfWork, kind: MailKind[Row], mail_id: str) -> Row:
    mail = work.session.get(kind.row, mail_id, with_for_update=True)
    if mail is None:
        raise MailGone
    return mail
