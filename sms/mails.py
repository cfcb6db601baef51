"""Mails in place of texts, or beside them: written down with all that they say, sent as mails to patients are (`booking/outgoing_mail`).

Where a visit is told by an invitation (`calendar_sync`), that mail is the one: nobody gets two of one event.
"""

from datetime import datetime

from sqlalchemy import select, update

from booking.model.appointment import Appointment
from booking.model.mail import MailState
from booking.outgoing_mail import MailKind
from booking.patients import email_hash
from booking.values import Catalogue
from calendar_sync.invitations import last_told
from kernel.log import get_logger
from kernel.mail import Mail, Mailbox, one_line
from kernel.phone import readable
from kernel.work import UnitOfWork
from sms.held_back import is_held_back
from sms.model import PatientMail, SmsKind, SmsMessage
from sms.reach import Reach
from sms.texts import words_of

_log = get_logger()
_INVITED = {SmsKind.BOOKED, SmsKind.MOVED, SmsKind.CANCELLED}


def write_mail(
    work: UnitOfWork, catalogue: Catalogue, message: SmsMessage, reach: Reach, *, said: str, now: datetime
) -> None:
    """Write down the mail that says what `message` does, unless an invitation tells it. `said`: what the mail says."""
    if _is_told_by_invitation(work, catalogue, message):
        return
    if reach.email is None or catalogue.email is None:
        raise ValueError("a mail needs an address at either end")
    phone = message.sender or catalogue.phone
    mail = PatientMail(
        id=message.id,  # what is noted of the message holds of the mail
        clinic_id=catalogue.clinic_id,
        kind=message.kind,
        sender=catalogue.email,
        sender_name=catalogue.name,
        to=reach.email,
        to_hash=email_hash(reach.email),
        subject=subject_of(catalogue, SmsKind(message.kind), language=reach.language),
        body=body_of(catalogue, said, phone=phone),
        appointment_id=message.appointment_id,
        revision=message.revision,
        state=MailState.QUEUED,
        due_at=message.due_at,
        created_at=now,
    )
    work.session.add(mail)
    work.session.flush()
    _log.info("sms.mail", kind=message.kind, mail_id=mail.id)


def subject_of(catalogue: Catalogue, kind: SmsKind, *, language: str) -> str:
    """Return the subject of a mail in place of a text of `kind`."""
    return one_line(words_of(catalogue, language)[f"subject-{kind}"].format(clinic=catalogue.name))


def body_of(catalogue: Catalogue, said: str, *, phone: str | None) -> str:
    """Return what a mail holds that says `said`: who writes, and the number to call, stand below it."""
    foot = "\n".join(line for line in (catalogue.name, readable(phone) if phone else "") if line)
    return f"{said}\n\n{foot}\n"


def drop_mails(work: UnitOfWork, *, appointment_id: str) -> None:
    """Take back what has not left yet: the visit has changed again since."""
    work.session.execute(
        update(PatientMail)
        .where(
            PatientMail.appointment_id == appointment_id,
            PatientMail.state == MailState.QUEUED,
            PatientMail.kind != SmsKind.REMINDER,
        )
        .values(state=MailState.SKIPPED, note="superseded")
    )


def _is_told_by_invitation(work: UnitOfWork, catalogue: Catalogue, message: SmsMessage) -> bool:
    """Say whether an invitation tells it: never to a group, and only who was invited hears by one that nothing comes of it."""
    if message.kind not in _INVITED or not catalogue.sends_invitations or message.appointment_id is None:
        return False
    of_visit = select(Appointment.patient_id).where(Appointment.id == message.appointment_id)
    if work.session.scalar(of_visit) is None:
        return False
    is_off = message.kind == SmsKind.CANCELLED
    return not is_off or last_told(work.session, appointment_id=message.appointment_id) is not None


def _mail(mail: PatientMail) -> Mail:
    return Mail(
        id=mail.id,
        written_at=mail.created_at,
        sender=Mailbox(mail.sender, mail.sender_name),
        to=Mailbox(mail.to),
        subject=mail.subject,
        text=mail.body,
    )


PATIENT_MAILS = MailKind(
    PatientMail,
    is_held_back=lambda work, mail, now: is_held_back(work, mail, now=now),
    mail=_mail,
    told=lambda mail: mail.body,
)
