"""Writing down what a patient is told of the clinic's own accord: a text where one reaches them, else a mail, else a call by staff."""

from dataclasses import dataclass, field
from datetime import datetime

from booking.patients import phone_hash
from booking.task_words import TaskSays
from booking.tasks import open_task, subject_of_undelivered
from booking.values import Catalogue, MailUse, TaskKind
from kernel.db import new_id
from kernel.log import get_logger
from kernel.work import UnitOfWork
from sms.mails import write_mail
from sms.model import SmsKind, SmsMessage, SmsState
from sms.reach import Obstacle, Reach

_log = get_logger()
_NO_SENDER = "no-sender"  # the clinic has no number that texts come from


@dataclass(frozen=True)
class Notice:
    """What is told. `text` and `mail`: how it reads as either; `revision`: of the event that it tells.

    `out_of_date`: why nobody is told any more; `must_arrive`: staff tell it also to those who asked for no texts, and where
    the clinic can send none.
    """

    kind: SmsKind
    text: str = field(repr=False)
    mail: str = field(repr=False)
    appointment_id: str
    location_id: str
    due_at: datetime
    revision: int | None = None
    offer_id: str | None = None
    out_of_date: str | None = None
    must_arrive: bool = False


def write_down(
    work: UnitOfWork, catalogue: Catalogue, notice: Notice, reach: Reach, *, mail: MailUse, now: datetime
) -> SmsMessage:
    """Write down the text that tells `notice`; it is to be sent unless it has a note, which says why not.

    Where no text reaches them a mail says it, as far as `mail` lets one, or staff get a task; where the clinic wants it a mail
    says it, too.
    """
    sender = catalogue.phone or catalogue.location(notice.location_id).phone
    note = notice.out_of_date or reach.obstacle or (None if sender else _NO_SENDER)
    message = SmsMessage(
        id=new_id(),
        clinic_id=catalogue.clinic_id,
        kind=notice.kind,
        to=reach.number,
        to_hash=phone_hash(reach.number) if reach.number else None,
        sender=sender,
        body=notice.text,
        appointment_id=notice.appointment_id,
        revision=notice.revision,
        offer_id=notice.offer_id,
        state=SmsState.SKIPPED if note else SmsState.QUEUED,
        note=note,
        due_at=notice.due_at,
        created_at=now,
    )
    work.session.add(message)
    work.session.flush()
    is_unreached = note in {*Obstacle, _NO_SENDER}
    wants_mail = is_unreached or (note is None and mail is MailUse.ALSO)
    if wants_mail and mail is not MailUse.NEVER and reach.email is not None:
        write_mail(work, catalogue, message, reach, said=notice.mail, now=now)
    elif is_unreached and (notice.must_arrive or note not in {Obstacle.OPTED_OUT, _NO_SENDER}):
        _ask_for_a_call(work, message, now=now)
    _log.info("sms.notice", kind=notice.kind, message_id=message.id, skipped=note)
    return message


def _ask_for_a_call(work: UnitOfWork, message: SmsMessage, *, now: datetime) -> None:
    """Ask staff to tell the patient what no text can."""
    open_task(
        work,
        clinic_id=message.clinic_id,
        kind=TaskKind.UNDELIVERED,
        says=TaskSays.NO_SENDER if message.note == _NO_SENDER else TaskSays.NO_NUMBER,
        details={"words": message.body},
        now=now,
        appointment_id=message.appointment_id,
        phone=message.to,
        subject=subject_of_undelivered(message.id),
    )
