"""Times that we offered to a number by text, and what its answer does: freed time, and time kept instead of a visit."""

from datetime import datetime, timedelta

from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from booking.confirm import NotHeld
from booking.desk.offered_moves import (
    KEPT_FOR_NUMBER,
    OfferedMove,
    accept_move,
    decline_move,
    last_move_offered_to_number,
    move_offered_for,
)
from booking.guard import SlotTaken
from booking.ledger import VisitClosed
from booking.patients import phone_hash
from booking.reminded import REMINDED_NUMBER, Reminded, last_reminder_of_number
from booking.values import BookedVisit, Catalogue, Slot, SlotQuery, Source
from booking.waiting_list.waiting_rows import MADE_TO_NUMBER
from booking.waiting_list.waitlist import OfferGone, accept_offer, decline_offer, last_offer_of_number
from dialog.errands import PlaceHold, RefusedBy, VisitWritten
from dialog.offered_time import Made
from kernel.db import Ready
from kernel.errors import Refused
from kernel.work import UnitOfWork

_LATELY = timedelta(days=1)
_REMINDED_SINCE = timedelta(days=31)  # no visit is reminded of sooner
_ANYTHING = Ready(
    select(literal_column("1")).where(MADE_TO_NUMBER.exists() | KEPT_FOR_NUMBER.exists() | REMINDED_NUMBER.exists())
)
_LOST = (OfferGone, NotHeld, SlotTaken, VisitClosed)


def made_to(session: Session, *, clinic_id: str, phone: str, now: datetime) -> Made | Reminded | None:
    """Return what an answer from this number (E.164) is about, an offer or a reminder: the latest that can be answered, else
    the latest offer of the last day, or reminder.
    """
    since_at, reminded_since = now - _LATELY, now - _REMINDED_SINCE
    given = {"number_hash": phone_hash(phone), "since_at": since_at, "reminded_since": reminded_since}
    # Most often there is nothing: one short answer, for which many a text waits.
    if not _ANYTHING.rows(session, {"clinic_id": clinic_id, **given}):
        return None
    freed = last_offer_of_number(session, clinic_id=clinic_id, phone=phone, since_at=since_at, now=now)
    kept = last_move_offered_to_number(session, clinic_id=clinic_id, phone=phone, since_at=since_at, now=now)
    reminder = last_reminder_of_number(session, clinic_id=clinic_id, phone=phone, since_at=reminded_since)
    made = [one for one in (freed, kept, reminder) if one is not None]
    return max(made, key=lambda one: (one.is_open_at(now), one.offered_at), default=None)


def take(
    work: UnitOfWork, catalogue: Catalogue, offer: Made, *, now: datetime, actor: str, source: Source
) -> VisitWritten | RefusedBy:
    """Give the time to who was offered it. Locks what `accept_offer` or `accept_move` does."""
    try:
        return VisitWritten(_taken(work, catalogue, offer, now=now, actor=actor, source=source))
    except Refused as refusal:
        return RefusedBy(refusal.code, refusal.fields, is_lost=isinstance(refusal, _LOST))


def let_go(work: UnitOfWork, catalogue: Catalogue, offer: Made, *, now: datetime) -> None:
    """Give the time back. Locks what `decline_offer` or `decline_move` does."""
    if isinstance(offer, OfferedMove):
        decline_move(work, catalogue, hold_id=offer.hold.id, now=now)
    else:
        decline_offer(work, catalogue, offer_id=offer.id, now=now)


def named(offer: Made) -> dict[str, str]:
    """Return the ids by which the transcript names what was answered."""
    return {"hold_id": offer.hold.id} if isinstance(offer, OfferedMove) else {"offer_id": offer.id}


def kept_instead(session: Session, *, visit_id: str, now: datetime) -> BookedVisit | None:
    """Return the Hold that keeps another time instead of this visit, if its patient was asked and has not answered."""
    move = move_offered_for(session, visit_id=visit_id, now=now)
    return None if move is None else move.hold


def slots_kept(hold: BookedVisit | None, query: SlotQuery) -> list[Slot]:
    """Return the time that is kept for a patient as one that they can have, if it is what they ask for."""
    if hold is None or hold.service_id != query.service_id:
        return []
    is_there = not query.location_ids or hold.location_id in query.location_ids
    is_them = not query.practitioner_ids or hold.practitioner_id in query.practitioner_ids
    is_then = query.span.start <= hold.starts_at < query.span.end
    slot = Slot(hold.starts_at, hold.practitioner_id, hold.location_id, hold.service_id, hold.ends_at)
    return [slot] if is_there and is_them and is_then else []


def is_asked_for(hold: BookedVisit, request: PlaceHold) -> bool:
    """Say whether the time that is kept is the one to be held."""
    return (
        (hold.starts_at, hold.location_id, hold.service_id)
        == (request.starts_at, request.location_id, request.service_id)
    ) and hold.practitioner_id in request.practitioner_ids


def _taken(
    work: UnitOfWork, catalogue: Catalogue, offer: Made, *, now: datetime, actor: str, source: Source
) -> BookedVisit:
    if not isinstance(offer, OfferedMove):
        return accept_offer(work, catalogue, offer_id=offer.id, now=now, actor=actor)
    if not offer.is_open_at(now):
        raise NotHeld
    return accept_move(work, catalogue, hold_id=offer.hold.id, now=now, actor=actor, source=source)
