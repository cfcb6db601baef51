"""Mails in place of texts, or beside them: written down with all that they say. `send_mail` sends them.

Where a visit is told by an invitation (`calendar_sync`), that mail is the one: nobody gets two of one event.
"""

from datetime import datetime

from sqlalchemy import update

from booking.patients import email_hash
from booking.tasks import open_task, subject_of_undelivered
from booking.values import Catalogue, MailUse, TaskKind
from kernel.log import get_logger
from kernel.mail import one_line
from kernel.phone import readable
from kernel.work import UnitOfWork
from sms.model import PatientMail, SmsKind, SmsMessage, SmsState
from sms.reach import Obstacle, Reach
from sms.texts import words_of

_log = get_logger()
_INVITED = {SmsKind.BOOKED, SmsKind.MOVED, SmsKind.CANCELLED}


def tell_otherwise(
    work: UnitOfWork,
    catalogue: Catalogue,
    message: SmsMessage,
    reach: Reach,
    *,
    said: str,
    use: MailUse,
    now: datetime,
) -> bool:
    """Where `message` reaches nobody tell the patient by mail, or have staff call; where the clinic wants it mail beside it.

    `said`: what the mail says; `use`: what the clinic wants of the mails that can be sent. Say whether a mail tells them. Who
    asked for no texts and has no address is left alone.
    """
    is_unreached = message.note in set(Obstacle)
    is_sent = message.note is None and use is MailUse.ALSO
    may_mail = use is not MailUse.NEVER and reach.email is not None
    if may_mail and (is_unreached or is_sent):
        if message.kind in _INVITED and catalogue.sends_invitations:
            return True
        return _write(work, catalogue, message, reach, said=said, now=now)
    if is_unreached and message.note != Obstacle.OPTED_OUT:
        ask_for_a_call(work, message, now=now)
    return False


def drop_mails(work: UnitOfWork, *, appointment_id: str) -> None:
    """Take back what has not left yet: the visit has changed again since."""
    work.session.execute(
        update(PatientMail)
        .where(
            PatientMail.appointment_id == appointment_id,
            PatientMail.state == SmsState.QUEUED,
            PatientMail.kind != SmsKind.REMINDER,
        )
        .values(state=SmsState.SKIPPED, note="superseded")
    )


def ask_for_a_call(work: UnitOfWork, message: SmsMessage, *, now: datetime) -> None:
    """Ask staff to tell the patient what no text can."""
    open_task(
        work,
        clinic_id=message.clinic_id,
        kind=TaskKind.UNDELIVERED,
        text=f"No number that takes texts is known. Please tell the patient: {message.body}",
        now=now,
        appointment_id=message.appointment_id,
        phone=message.to,
        subject=subject_of_undelivered(message.id),
    )


def _write(
    work: UnitOfWork, catalogue: Catalogue, message: SmsMessage, reach: Reach, *, said: str, now: datetime
) -> bool:
    if reach.email is None or catalogue.email is None:
        return False
    words = words_of(catalogue, reach.language)
    phone = message.sender or catalogue.phone
    foot = "\n".join(line for line in (catalogue.name, readable(phone) if phone else "") if line)
    mail = PatientMail(
        id=message.id,  # what is noted of the message holds of the mail
        clinic_id=catalogue.clinic_id,
        kind=message.kind,
        sender=catalogue.email,
        sender_name=catalogue.name,
        to=reach.email,
        to_hash=email_hash(reach.email),
        subject=one_line(words[f"subject-{message.kind}"].format(clinic=catalogue.name)),
        body=f"{said}\n\n{foot}\n",
        appointment_id=message.appointment_id,
        revision=message.revision,
        state=SmsState.QUEUED,
        due_at=message.due_at,
        created_at=now,
    )
    work.session.add(mail)
    work.session.flush()
    _log.info("sms.mail", kind=message.kind, mail_id=mail.id)
    return True
