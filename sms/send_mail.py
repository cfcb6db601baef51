"""Mails in place of texts as mails that are sent: none of a visit that has begun, and no reminder that texts would not bring."""

from datetime import datetime

from sqlalchemy import select

from booking import quiet
from booking.model.appointment import Appointment
from booking.model.mail import MailState
from booking.outgoing_mail import MailKind, skip
from booking.reminded import note_told, take_reminders
from kernel.mail import Mail, Mailbox
from kernel.work import UnitOfWork
from sms.model import PatientMail, SmsKind


def _is_held_back(work: UnitOfWork, mail: PatientMail, now: datetime) -> bool:
    if mail.kind == SmsKind.REMINDER:
        return _is_reminder_held_back(work, mail, now)
    starts_at = work.session.scalar(select(Appointment.starts_at).where(Appointment.id == mail.appointment_id))
    if starts_at is not None and starts_at <= now:
        skip(mail, note="past")
    return mail.state == MailState.SKIPPED


def _is_reminder_held_back(work: UnitOfWork, mail: PatientMail, now: datetime) -> bool:
    standing = take_reminders(work, message_id=mail.id, now=now)
    if standing is None:
        skip(mail, note="superseded")
        return True
    morning = quiet.allowed_from(now, zone=standing.zone)
    if morning >= standing.starts_at:
        skip(mail, note="past")
    elif morning > now:
        mail.due_at = morning
    else:
        note_told(work, message_id=mail.id, now=now)
        return False
    return True


def _mail(mail: PatientMail) -> Mail:
    return Mail(
        id=mail.id,
        written_at=mail.created_at,
        sender=Mailbox(mail.sender, mail.sender_name),
        to=Mailbox(mail.to),
        subject=mail.subject,
        text=mail.body,
    )


PATIENT_MAILS = MailKind(PatientMail, _is_held_back, _mail, told=lambda mail: mail.body)
