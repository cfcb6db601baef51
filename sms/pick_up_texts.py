"""The text to somebody whose call dropped while something was open: what it was, and how to go on.

It goes to a number that nobody proved to be theirs, so it holds the clinic's name and the times that were offered: no
service, no name, and nothing of visits that exist.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import quiet
from booking.consent import is_opted_out
from booking.patients import phone_hash
from booking.values import Catalogue
from dialog.due import DroppedCall
from dialog.flows.crossing import TIMES_STAND_FOR
from dialog.wording.render import wording
from kernel.db import new_id
from kernel.log import get_logger
from kernel.phone import may_take_texts, readable
from kernel.work import UnitOfWork
from sms import segments
from sms.model import SmsKind, SmsMessage, SmsState
from sms.texts import moment, words

_log = get_logger()
_TIME_TO_ANSWER = timedelta(minutes=30)


def compose_pick_up(catalogue: Catalogue, call: DroppedCall, *, now: datetime) -> str:
    """Return the text as it reads at `now`: with the times offered, unless they have gone by or it is late to take them."""
    said = words(call.language)
    phone = catalogue.phone
    fields = {"clinic": catalogue.name, "or_call": said["or_call"].format(phone=readable(phone)) if phone else ""}
    is_in_time = now - call.cut_off_at <= TIMES_STAND_FOR - _TIME_TO_ANSWER
    if not call.offers or not is_in_time or any(one.starts_at <= now for one in call.offers):
        doing = wording(call.language)["parts"]["doing"][call.doing]
        return segments.plain(said["pick-up"].format(doing=doing, **fields))
    told = [_told(catalogue, one.starts_at, one.location_id, language=call.language, now=now) for one in call.offers]
    if len(told) == 1:
        return segments.plain(said["pick-up-time"].format(when=told[0], **fields))
    options = "; ".join(said["option"].format(number=number, when=when) for number, when in enumerate(told, 1))
    return segments.plain(said["pick-up-times"].format(options=options, **fields))


def queue_pick_up(work: UnitOfWork, catalogue: Catalogue, call: DroppedCall, *, now: datetime) -> str | None:
    """Write down the text that picks a dropped call up; return its id, None if none is to be sent.

    There is one for a conversation, however often it drops. It waits for the end of the quiet hours.
    """
    if work.session.scalar(select(SmsMessage.id).where(SmsMessage.conversation_id == call.conversation_id)):
        return None
    due_at = quiet.allowed_from(now, zone=catalogue.zone, hours=catalogue.messages.sent_between)
    sender = catalogue.phone or next((one.phone for one in catalogue.locations if one.phone), None)
    note = _reason_to_skip(work.session, catalogue, to=call.caller, sender=sender)
    message = SmsMessage(
        id=new_id(),
        clinic_id=catalogue.clinic_id,
        kind=SmsKind.PICK_UP,
        to=call.caller,
        to_hash=phone_hash(call.caller),
        sender=sender,
        body=compose_pick_up(catalogue, call, now=due_at),
        conversation_id=call.conversation_id,
        state=SmsState.SKIPPED if note else SmsState.QUEUED,
        note=note,
        due_at=due_at,
        created_at=now,
    )
    work.session.add(message)
    work.session.flush()
    _log.info("sms.pick_up", message_id=message.id, conversation_id=call.conversation_id, skipped=note)
    return None if note else message.id


def _reason_to_skip(session: Session, catalogue: Catalogue, *, to: str, sender: str | None) -> str | None:
    if not may_take_texts(to):
        return "no-texts"
    if is_opted_out(session, clinic_id=catalogue.clinic_id, phone=to):
        return "opted-out"
    return None if sender else "no-sender"


def _told(catalogue: Catalogue, starts_at: datetime, location_id: str, *, language: str, now: datetime) -> str:
    location = catalogue.location(location_id)
    today, starts = now.astimezone(location.zone), starts_at.astimezone(location.zone)
    when = moment(starts, today=today, language=language, country=catalogue.country)
    return f"{when}, {location.name}" if len(catalogue.locations) > 1 else when
