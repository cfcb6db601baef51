"""Invitations as mails that are sent: in order, and none that no longer says how its visit stands."""

from datetime import datetime

from sqlalchemy import select

from booking.model.appointment import Appointment
from booking.model.mail import MailState
from booking.outgoing_mail import SETTLE, MailKind, skip
from calendar_sync.ical import Method
from calendar_sync.invitations import CANCELLED, stands_for
from calendar_sync.model import Invitation
from kernel.mail import CalendarPart, Mail, Mailbox
from kernel.work import UnitOfWork


def _is_held_back(work: UnitOfWork, invitation: Invitation, now: datetime) -> bool:
    """Hold back what is told by a mail of its own by now, and what has begun; and let what is being handed over come to its end."""
    if _is_another_under_way(work, invitation, now):
        return True
    appointment = work.session.get_one(Appointment, invitation.appointment_id)
    if appointment.starts_at <= now:
        skip(invitation, note="past")
    elif not stands_for(invitation, appointment):
        skip(invitation, note="superseded")
    return invitation.state == MailState.SKIPPED


def _is_another_under_way(work: UnitOfWork, invitation: Invitation, now: datetime) -> bool:
    found = select(Invitation.id).where(
        Invitation.appointment_id == invitation.appointment_id,
        Invitation.id != invitation.id,
        Invitation.state == MailState.SENDING,
        Invitation.claimed_at > now - SETTLE,
    )
    return work.session.scalar(found.limit(1)) is not None


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


INVITATIONS = MailKind(Invitation, _is_held_back, _mail, told=lambda invitation: invitation.subject)
