"""Sends invitations that were written down: noted first, then handed to the mail server outside any transaction, then the outcome.

A mail server can't be asked whether it has a mail. Where no outcome was noted, because the connection broke or the process died,
the mail is sent again, with the same Message-ID and the same text, which mail and calendar programs take for the one they have:
an invitation twice does no harm, and one that never came may cost a visit.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from booking.model.appointment import Appointment
from booking.tasks import open_task, settle_subjects
from booking.values import TaskKind
from calendar_sync.ical import Method
from calendar_sync.invitations import CANCELLED, stands_for
from calendar_sync.model import Invitation, InvitationState
from kernel.errors import Malformed, Refused, Unavailable
from kernel.log import get_logger
from kernel.mail import CalendarPart, Mail, Mailbox, Mailer, MailOutcomeUnknown, MailRefused
from kernel.work import Database, UnitOfWork

SETTLE = timedelta(seconds=60)
"""After this whoever was handing a mail over has done so or never will: longer than a mailer takes."""

_MOST_ATTEMPTS = 16  # most of a day: a mail server that is away for a night is no reason to give up
_MOST_UNANSWERED = 3
_FIRST_RETRY = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(hours=2)

_log = get_logger()


class InvitationGone(Refused):
    """There is no such mail any more: it was erased with its visit."""

    code = "invitation-gone"


def invitations_to_send(session: Session, *, now: datetime, limit: int = 50) -> list[str]:
    """Return the ids of mails that wait: due ones, and those that somebody left in the middle. Oldest first."""
    is_waiting = and_(Invitation.state == InvitationState.QUEUED.value, Invitation.due_at <= now)
    is_abandoned = and_(Invitation.state == InvitationState.SENDING.value, Invitation.claimed_at <= now - SETTLE)
    statement = select(Invitation.id).where(or_(is_waiting, is_abandoned)).order_by(Invitation.created_at)
    return list(session.scalars(statement.limit(limit)))


def send_invitation(db: Database, mailer: Mailer, *, invitation_id: str, now: datetime) -> InvitationState:
    """Hand a mail over and return what it is then. May be called any number of times, from any process.

    One that is not due yet, or that somebody is at, is left as it is. One whose visit has changed since is not sent: the
    change has a mail of its own. Raises Unavailable when it has to be tried again; when that is given up, or the mail was
    refused for good, staff have a task. Raises InvitationGone when it was erased with its patient.
    """
    claim = db.run(lambda work: _claim(work, invitation_id, now))
    if isinstance(claim, InvitationState):
        return claim
    try:
        mailer.send(claim)
    except MailRefused as refusal:
        reply = refusal.reply
        return db.run(lambda work: _give_up(work, _locked(work, invitation_id), note=reply, now=now))
    except Malformed:
        return db.run(lambda work: _give_up(work, _locked(work, invitation_id), note="malformed", now=now))
    except MailOutcomeUnknown:
        db.run(lambda work: _put_off(work, invitation_id, unanswered=1, now=now))
        raise
    except Unavailable:
        db.run(lambda work: _put_off(work, invitation_id, unanswered=0, now=now))
        raise
    return db.run(lambda work: _note_sent(work, invitation_id, now))


def failed_invitations(session: Session, *, clinic_id: str, ids: Collection[str]) -> set[str]:
    """Return which of these are mails of the clinic that were given up."""
    failed = Invitation.state == InvitationState.FAILED.value
    return set(
        session.scalars(select(Invitation.id).where(Invitation.clinic_id == clinic_id, Invitation.id.in_(ids), failed))
    )


def send_again(work: UnitOfWork, *, clinic_id: str, invitation_id: str, now: datetime, done_by: str) -> bool:
    """Let a mail that was given up wait to be sent once more, and the task about it be done; False if it was not given up.

    Locks the mail. One whose visit has changed since is not sent: that has a mail of its own.
    """
    mail = work.session.get(Invitation, invitation_id, with_for_update=True)
    if mail is None or mail.clinic_id != clinic_id or mail.state != InvitationState.FAILED.value:
        return False
    mail.state, mail.note, mail.due_at = InvitationState.QUEUED.value, None, now
    mail.attempts = mail.unanswered = 0
    settle_subjects(work, clinic_id=clinic_id, subjects=[_subject(invitation_id)], now=now, done_by=done_by)
    return True


def _subject(invitation_id: str) -> str:
    return f"undelivered:{invitation_id}"


def _claim(work: UnitOfWork, invitation_id: str, now: datetime) -> Mail | InvitationState:
    """Take a mail for sending, or say what it is when there is nothing to do."""
    invitation = _locked(work, invitation_id)
    state = InvitationState(invitation.state)
    is_abandoned = state is InvitationState.SENDING and _claimed_before(invitation, now - SETTLE)
    if not is_abandoned and (state is not InvitationState.QUEUED or invitation.due_at > now):
        return state
    if _is_another_under_way(work.session, invitation, now):
        return state  # of the same visit: what is being handed over comes to its end before the next begins
    if is_abandoned:
        invitation.unanswered += 1
    appointment = work.session.get_one(Appointment, invitation.appointment_id)
    if not stands_for(invitation, appointment) or appointment.starts_at <= now:
        return _skip(invitation, note="past" if appointment.starts_at <= now else "superseded")
    if invitation.unanswered >= _MOST_UNANSWERED:
        return _give_up(work, invitation, note="unanswered", now=now)
    invitation.state, invitation.claimed_at = InvitationState.SENDING.value, now
    invitation.attempts += 1
    return _mail(invitation)


def _claimed_before(invitation: Invitation, at: datetime) -> bool:
    return invitation.claimed_at is None or invitation.claimed_at <= at


def _is_another_under_way(session: Session, invitation: Invitation, now: datetime) -> bool:
    found = select(Invitation.id).where(
        Invitation.appointment_id == invitation.appointment_id,
        Invitation.id != invitation.id,
        Invitation.state == InvitationState.SENDING.value,
        Invitation.claimed_at > now - SETTLE,
    )
    return session.scalar(found.limit(1)) is not None


def _mail(invitation: Invitation) -> Mail:
    method = Method.CANCEL if invitation.status == CANCELLED else Method.REQUEST
    return Mail(
        id=invitation.id,
        written_at=invitation.created_at,
        sender=Mailbox(invitation.sender, invitation.sender_name),
        to=Mailbox(invitation.to, invitation.to_name),
        subject=invitation.subject,
        text=invitation.body,
        calendar=CalendarPart(method.value, invitation.calendar),
    )


def _note_sent(work: UnitOfWork, invitation_id: str, now: datetime) -> InvitationState:
    invitation = _locked(work, invitation_id)
    invitation.state, invitation.sent_at = InvitationState.SENT.value, invitation.sent_at or now
    _log.info("calendar.invitation.sent", invitation_id=invitation_id, attempts=invitation.attempts)
    return InvitationState.SENT


def _put_off(work: UnitOfWork, invitation_id: str, *, unanswered: int, now: datetime) -> None:
    invitation = _locked(work, invitation_id)
    invitation.unanswered += unanswered
    if invitation.attempts >= _MOST_ATTEMPTS:
        _give_up(work, invitation, note="unavailable", now=now)
    elif invitation.state == InvitationState.SENDING.value:
        invitation.state = InvitationState.QUEUED.value
        invitation.due_at = now + min(_FIRST_RETRY * (1 << (invitation.attempts - 1)), _LONGEST_WAIT)


def _skip(invitation: Invitation, *, note: str) -> InvitationState:
    invitation.state, invitation.note = InvitationState.SKIPPED.value, note
    return InvitationState.SKIPPED


def _give_up(work: UnitOfWork, invitation: Invitation, *, note: str, now: datetime) -> InvitationState:
    invitation.state, invitation.note = InvitationState.FAILED.value, note
    may_have_come = " It may have arrived all the same." if invitation.unanswered else ""
    open_task(
        work,
        clinic_id=invitation.clinic_id,
        kind=TaskKind.UNDELIVERED,
        text=f"A mail could not be delivered ({note}).{may_have_come} Please tell the patient: {invitation.subject}",
        now=now,
        appointment_id=invitation.appointment_id,
        subject=_subject(invitation.id),
    )
    _log.warning("calendar.invitation.failed", invitation_id=invitation.id, note=note)
    return InvitationState.FAILED


def _locked(work: UnitOfWork, invitation_id: str) -> Invitation:
    invitation = work.session.get(Invitation, invitation_id, with_for_update=True)
    if invitation is None:
        raise InvitationGone
    return invitation
