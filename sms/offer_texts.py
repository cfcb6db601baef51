"""The text that offers time to somebody on the waiting list. Answered by one key, and at most two parts long."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from booking import queries, quiet
from booking.message_wording import Medium
from booking.values import BookedVisit, Catalogue, MailUse
from booking.waiting_list.waitlist import OfferGone, OfferStatus, offer_made
from kernel.phone import readable
from kernel.work import UnitOfWork
from sms import segments
from sms.model import SmsKind, SmsMessage, SmsState
from sms.notices import shortest
from sms.reach import reach_of
from sms.texts import clock, moment, words_of
from sms.writing import Notice, write_down

_MOST_PARTS = 2


@dataclass(frozen=True)
class OfferedTime:
    """What is offered: the Hold, until when, instead of which visit, and whether others are offered it as well."""

    hold: BookedVisit
    expires_at: datetime
    replaces: BookedVisit | None
    is_shared: bool


def compose_offer(
    catalogue: Catalogue, offered: OfferedTime, *, now: datetime, language: str = "en", medium: Medium = Medium.TEXT
) -> str:
    """Return the text in the zone of the Location. No service and nobody's name: whoever holds the telephone reads it."""
    said = words_of(catalogue, language)
    location = catalogue.location(offered.hold.location_id)
    phone = location.phone or catalogue.phone
    ends_at, today = offered.expires_at.astimezone(location.zone), now.astimezone(location.zone)

    def told(visit: BookedVisit) -> str:
        zone = catalogue.location(visit.location_id).zone
        return moment(
            visit.starts_at.astimezone(zone),
            today=now.astimezone(zone),
            language=language,
            country=catalogue.country,
        )

    full = said["offer" if medium is Medium.TEXT else "mail-offer"].format(
        clinic=catalogue.name,
        when=told(offered.hold),
        place="{place}",
        instead="" if offered.replaces is None else said["instead_of"].format(when=told(offered.replaces)),
        until=clock(ends_at, language=language, country=catalogue.country)
        if ends_at.date() == today.date()
        else moment(ends_at, today=today, language=language, country=catalogue.country),
        first=said["first"] if offered.is_shared else "",
        call="{call}",
    )
    question = said["questions"].format(phone=readable(phone)) if phone else ""
    variants = [
        full.replace("{place}", place).replace("{call}", call)
        for place, call in (
            (f"{location.name}, {location.address}", question),
            (location.name, question),
            (location.name, ""),
        )
    ]
    if medium is Medium.MAIL:
        return variants[0]
    texts = [segments.plain(text) for text in variants]
    return next((text for text in texts if segments.count(text).count <= _MOST_PARTS), shortest(texts))


def queue_offer(
    work: UnitOfWork, catalogue: Catalogue, *, offer_id: str, now: datetime, mail: MailUse = MailUse.NEVER
) -> str | None:
    """Write down the text that makes the offer; return its id, None if none can be sent: then a mail makes it, as far as
    `mail` lets one, or staff get a task to call.

    Calling again gives the same text. It waits for the end of the quiet hours, from where the offer's deadline runs. Raises
    UnknownOffer, and OfferGone for an offer that is over.
    """
    stored = work.session.scalar(select(SmsMessage).where(SmsMessage.offer_id == offer_id))
    if stored is not None:
        return None if stored.state == SmsState.SKIPPED else stored.id
    offer, entry = offer_made(work.session, offer_id=offer_id, clinic_id=catalogue.clinic_id)
    if offer.status is not OfferStatus.OPEN or offer.expires_at <= now:
        raise OfferGone(status=str(offer.status))
    hold = queries.visit(work.session, appointment_id=offer.hold_id)
    replaces = None if entry.replaces_id is None else queries.visit(work.session, appointment_id=entry.replaces_id)
    offered = OfferedTime(hold, offer.expires_at, replaces, is_shared=hold.patient_id is None)
    reach = reach_of(work.session, catalogue, patient_id=entry.patient_id)
    zone, hours = catalogue.location(hold.location_id).zone, catalogue.messages.sent_between
    notice = Notice(
        SmsKind.OFFER,
        text=compose_offer(catalogue, offered, now=now, language=reach.language),
        mail=compose_offer(catalogue, offered, now=now, language=reach.language, medium=Medium.MAIL),
        appointment_id=hold.id,
        location_id=hold.location_id,
        due_at=min(quiet.allowed_from(now, zone=zone, hours=hours), offer.expires_at),
        offer_id=offer_id,
        must_arrive=True,  # time is kept for them, whatever they think of texts
    )
    message = write_down(work, catalogue, notice, reach, mail=mail, now=now)
    return None if message.note else message.id


def drop_offer(work: UnitOfWork, *, offer_id: str) -> None:
    """Take back the text of an offer that is over, if it still waits for the end of the quiet hours."""
    work.session.execute(
        update(SmsMessage)
        .where(SmsMessage.offer_id == offer_id, SmsMessage.state == SmsState.QUEUED)
        .values(state=SmsState.SKIPPED, note="superseded")
    )
