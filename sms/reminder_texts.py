"""The message that reminds of a visit, or of all visits of a day: confirmed by one key, moved by another."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.message_wording import Medium
from booking.patients import phone_hash
from booking.reminded import note_reminders
from booking.reminders import Ahead, Due
from booking.values import Catalogue, MailUse
from kernel.phone import readable
from kernel.work import UnitOfWork
from sms import segments
from sms.model import SmsKind, SmsMessage, SmsState
from sms.notices import shortest
from sms.reach import Reach
from sms.texts import moment, words_of
from sms.writing import Notice, write_down


def compose_reminder(
    catalogue: Catalogue,
    visits: Sequence[Ahead],
    *,
    now: datetime,
    language: str = "en",
    medium: Medium = Medium.TEXT,
    is_first: bool = False,
) -> str:
    """Return the text about these visits of one day, each in the zone of its Location, in one part where that is possible.

    Neither service nor name: whoever holds the telephone reads it. The first that a number gets says how to get no more.
    """
    said = words_of(catalogue, language)
    location = catalogue.location(visits[0].location_id)
    phone = location.phone or catalogue.phone
    fields = {"clinic": catalogue.name, "or_call": said["or_call"].format(phone=readable(phone)) if phone else ""}

    def when(visit: Ahead) -> str:
        zone = catalogue.location(visit.location_id).zone
        starts, today = visit.starts_at.astimezone(zone), now.astimezone(zone)
        return moment(starts, today=today, language=language, country=catalogue.country)

    if len(visits) == 1:
        name = "reminder-confirmed" if visits[0].is_confirmed else "reminder"
        fields["when"] = when(visits[0])
        places = (f"{location.name}, {location.address}", location.name)
    else:
        name, places = "reminders", ("", "")
        fields["visits"] = "; ".join(_with_place(catalogue, one, when(one)) for one in visits)
    if medium is Medium.MAIL:
        return said[f"mail-{name}"].format(place=places[0], **fields)
    stop = said["stop"] if is_first else ""
    texts = [segments.plain(said[name].format(place=place, **fields) + stop) for place in places]
    return next((text for text in texts if segments.count(text).count == 1), shortest(texts))


def queue_reminder(
    work: UnitOfWork, catalogue: Catalogue, reminders: Sequence[Due], reach: Reach, *, now: datetime, mail: MailUse
) -> str | None:
    """Write down the text that tells these reminders, all to one number; return its id, None if none is to be sent.

    What is left out is noted alone. Where no text reaches them a mail says it, as far as `mail` lets one; else staff are asked
    to call. Raises IntegrityError when somebody else has dealt with one of them.
    """
    told = [one for one in reminders if one.left_out is None]
    left_out = [one for one in reminders if one.left_out is not None]
    note_reminders(work, left_out, clinic_id=catalogue.clinic_id, now=now)
    if not told:
        return None
    visits = [one.ahead for one in told]
    is_first = not _was_reminded(work.session, catalogue, reach.number)
    notice = Notice(
        SmsKind.REMINDER,
        text=compose_reminder(catalogue, visits, now=now, language=reach.language, is_first=is_first),
        mail=compose_reminder(catalogue, visits, now=now, language=reach.language, medium=Medium.MAIL),
        appointment_id=visits[0].appointment_id,
        location_id=visits[0].location_id,
        due_at=now,
    )
    message = write_down(work, catalogue, notice, reach, mail=mail, now=now)
    note_reminders(
        work,
        told,
        clinic_id=catalogue.clinic_id,
        now=now,
        message_id=message.id,
        number=None if message.note else reach.number,
        note=message.note,
    )
    return None if message.note else message.id


def _with_place(catalogue: Catalogue, visit: Ahead, when: str) -> str:
    return f"{when}, {catalogue.location(visit.location_id).name}" if len(catalogue.locations) > 1 else when


def _was_reminded(session: Session, catalogue: Catalogue, number: str | None) -> bool:
    if number is None:
        return True
    sent = select(SmsMessage.id).where(
        SmsMessage.clinic_id == catalogue.clinic_id,
        SmsMessage.to_hash == phone_hash(number),
        SmsMessage.kind == SmsKind.REMINDER,
        SmsMessage.state.not_in((SmsState.SKIPPED, SmsState.FAILED)),
    )
    return session.scalar(sent.limit(1)) is not None
