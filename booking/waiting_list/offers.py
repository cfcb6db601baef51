"""Offers of the waiting list: the first yes gets the time, and whatever happens the others are not left in the dark.

Offers of one time share its Hold. The lock on that Appointment decides between two who say yes at once, and between a yes
and the deadline.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.orm import Session

from booking import guard, ledger
from booking.confirm import NotHeld, confirm_hold
from booking.events import OfferAccepted, OfferEnded, OfferEvent
from booking.facts import lock_patient
from booking.hold import close_hold
from booking.model.appointment import Appointment
from booking.model.waitlist import Offer, WaitlistEntry
from booking.patients import reached_at
from booking.reschedule import reschedule
from booking.values import AppointmentStatus, BookedVisit, Catalogue
from booking.waiting_list import waiting_rows
from booking.waiting_list.waiting import EntryStatus, Offered, OfferStatus, Waiting
from kernel.errors import Refused
from kernel.work import UnitOfWork

_AT_ONCE = 500


class UnknownOffer(Refused):
    """The clinic has made no such offer."""

    code = "unknown-offer"


class OfferGone(Refused):
    """The time is not kept any more: somebody else was first, the deadline has passed, or it was declined."""

    code = "offer-gone"


def open_offers_of_number(session: Session, *, clinic_id: str, phone: str, now: datetime) -> list[Offered]:
    """Return the offers that somebody at this number (E.164) can say yes to, the latest first.

    Those to people with the number, and to people for whom somebody with it books.
    """
    theirs = _made_to_number(clinic_id, phone)
    return waiting_rows.offers(session, theirs, Offer.status == OfferStatus.OPEN, Offer.expires_at > now)[::-1]


def last_offer_of_number(
    session: Session, *, clinic_id: str, phone: str, since_at: datetime, now: datetime
) -> Offered | None:
    """Return the offer that an answer from this number (E.164) is about: the latest open one, else the latest since then."""
    made = waiting_rows.offers_to_number(session, clinic_id=clinic_id, phone=phone, since_at=since_at)
    return max(made, key=lambda offer: (offer.is_open_at(now), offer.offered_at), default=None)


def offer_made(session: Session, *, offer_id: str, clinic_id: str) -> tuple[Offered, Waiting]:
    """Return an offer of the clinic, and to which entry it was made. Raises UnknownOffer."""
    for offer in waiting_rows.offers(session, Offer.id == offer_id):
        for entry in waiting_rows.entries(
            session, WaitlistEntry.id == offer.entry_id, WaitlistEntry.clinic_id == clinic_id
        ):
            return offer, entry
    raise UnknownOffer(offer_id=offer_id)


def accept_offer(work: UnitOfWork, catalogue: Catalogue, *, offer_id: str, now: datetime, actor: str) -> BookedVisit:
    """Give the time to who was offered it: the Hold is booked, or the visit moved that the patient wants another time for.

    Calling again gives the same visit. Whoever else was offered the time hears that it is gone. Locks the Patient, the Hold
    and the visit to move in the order of their ids, and what `reschedule` locks. Raises UnknownOffer, OfferGone, and what
    `confirm_hold` or `reschedule` says of the rules; the offer is then as before.
    """
    with guard.all_or_nothing(work):
        offer, entry = offer_made(work.session, offer_id=offer_id, clinic_id=catalogue.clinic_id)
        lock_patient(work, patient_id=entry.patient_id, clinic_id=catalogue.clinic_id)
        touched = {offer.hold_id} if entry.replaces_id is None else {offer.hold_id, entry.replaces_id}
        held = {each: ledger.read_locked(work, appointment_id=each) for each in sorted(touched)}[offer.hold_id]
        # Read again, now that nobody else can answer.
        offer, entry = offer_made(work.session, offer_id=offer_id, clinic_id=catalogue.clinic_id)
        if offer.status is OfferStatus.ACCEPTED:
            return ledger.read(work.session, appointment_id=entry.replaces_id or offer.hold_id).visit
        if offer.status is not OfferStatus.OPEN or offer.expires_at <= now or not held.visit.is_hold:
            raise OfferGone(status=str(offer.status if offer.expires_at > now else OfferStatus.EXPIRED))
        try:
            visit = _take(work, catalogue, entry, held, now=now, actor=actor)
        except (NotHeld, guard.SlotTaken):
            raise OfferGone(status=str(OfferStatus.GONE)) from None
        _end(work, offer.id, OfferStatus.ACCEPTED, now=now)
        _set_entry(work, entry.id, EntryStatus.BOOKED)
        accepted = ledger.read(work.session, appointment_id=visit.id)
        work.publish(_told(OfferAccepted, accepted, offer_id=offer.id, now=now))
        _end_others(work, accepted, hold_id=offer.hold_id, now=now)
        return visit


def decline_offer(work: UnitOfWork, catalogue: Catalogue, *, offer_id: str, now: datetime) -> None:
    """Let the offer go; the patient goes on waiting, and is not offered this time again.

    When nobody else was offered it, it is free for the next in line. Nothing happens if it is over already. Locks the Hold.
    Raises UnknownOffer, and OfferGone for one that was accepted: then there is a visit to cancel.
    """
    with guard.all_or_nothing(work):
        offer, _ = offer_made(work.session, offer_id=offer_id, clinic_id=catalogue.clinic_id)
        held = ledger.read_locked(work, appointment_id=offer.hold_id)
        offer, _ = offer_made(work.session, offer_id=offer_id, clinic_id=catalogue.clinic_id)
        if offer.status is OfferStatus.ACCEPTED:
            raise OfferGone(status=str(offer.status))
        if offer.status is OfferStatus.OPEN:
            _end(work, offer.id, OfferStatus.DECLINED, now=now)
            _tell_end(work, held, offer_id=offer.id, how=OfferStatus.DECLINED, now=now)
            _close_unless_offered(work, held, now=now)


def let_go(work: UnitOfWork, *, entry_ids: list[str], now: datetime) -> None:
    """End the open offers of these entries, as `decline_offer` does. Locks their Holds in the order of their ids."""
    theirs = (Offer.entry_id.in_(entry_ids), Offer.status == OfferStatus.OPEN)
    hold_ids = sorted(set(work.session.scalars(select(Offer.hold_id).where(*theirs))))
    for held in [ledger.read_locked(work, appointment_id=each) for each in hold_ids]:
        ended = update(Offer).where(*theirs, Offer.hold_id == held.visit.id)
        values = ended.values(status=OfferStatus.DECLINED, answered_at=now).returning(Offer.id)
        for offer_id in work.session.scalars(values).all():
            _tell_end(work, held, offer_id=offer_id, how=OfferStatus.DECLINED, now=now)
        _close_unless_offered(work, held, now=now)


def expire_offers(work: UnitOfWork, *, now: datetime) -> int:
    """End offers whose deadline has passed or whose time the clinic took back, and say how many, at most those of 500 Holds.

    Entries that have waited long enough, or whose visit is not there to be moved any more, expire as well. Safe with many
    workers: what somebody else is just answering is left to them.
    """
    is_over = or_(
        Offer.expires_at <= now,
        Appointment.status != AppointmentStatus.PENDING,
        Appointment.hold_expires_at.is_(None),
    )
    holds = (
        ledger.entries()
        .where(exists().where(Offer.hold_id == Appointment.id, Offer.status == OfferStatus.OPEN, is_over))
        .order_by(Appointment.id)
        .limit(_AT_ONCE)
        .with_for_update(key_share=True, skip_locked=True)
    )
    ended = 0
    for held in [ledger.entry_of(row) for row in work.session.execute(holds)]:
        ended += _end_due(work, held, now=now)
        _close_unless_offered(work, held, now=now)
    _expire_entries(work, now=now)
    return ended


def _made_to_number(clinic_id: str, phone: str) -> ColumnElement[bool]:
    theirs = select(WaitlistEntry.id).where(
        WaitlistEntry.clinic_id == clinic_id, WaitlistEntry.patient_id.in_(reached_at(phone))
    )
    return Offer.entry_id.in_(theirs)


def _take(
    work: UnitOfWork, catalogue: Catalogue, entry: Waiting, held: ledger.Entry, *, now: datetime, actor: str
) -> BookedVisit:
    if entry.replaces_id is None:
        return confirm_hold(
            work, catalogue, appointment_id=held.visit.id, patient_id=entry.patient_id, now=now, actor=actor
        )
    if held.replaces_id is None:
        # One of several who were offered it: from now on it is a Hold for moving their visit.
        columns = {"replaces_id": entry.replaces_id, "patient_id": entry.patient_id}
        ledger.change(work, held, what="taken", actor=actor, source=entry.source, now=now, columns=columns)
    return reschedule(
        work,
        catalogue,
        appointment_id=entry.replaces_id,
        hold_id=held.visit.id,
        now=now,
        actor=actor,
        source=entry.source,
    )


def _end(work: UnitOfWork, offer_id: str, status: OfferStatus, *, now: datetime) -> None:
    work.session.execute(update(Offer).where(Offer.id == offer_id).values(status=status, answered_at=now))


def _end_others(work: UnitOfWork, accepted: ledger.Entry, *, hold_id: str, now: datetime) -> None:
    others = (
        update(Offer)
        .where(Offer.hold_id == hold_id, Offer.status == OfferStatus.OPEN)
        .values(status=OfferStatus.GONE, answered_at=now)
        .returning(Offer.id)
    )
    for offer_id in work.session.scalars(others).all():
        _tell_end(work, accepted, offer_id=offer_id, how=OfferStatus.GONE, now=now)


def _end_due(work: UnitOfWork, held: ledger.Entry, *, now: datetime) -> int:
    # Read after the lock: somebody may have answered while we looked.
    is_theirs = (Offer.hold_id == held.visit.id, Offer.status == OfferStatus.OPEN)
    due = [
        one for one in waiting_rows.offers(work.session, *is_theirs) if one.expires_at <= now or not held.visit.is_hold
    ]
    for offer in due:
        how = OfferStatus.EXPIRED if offer.expires_at <= now else OfferStatus.GONE
        _end(work, offer.id, how, now=now)
        _tell_end(work, held, offer_id=offer.id, how=how, now=now)
    return len(due)


def _tell_end(work: UnitOfWork, held: ledger.Entry, *, offer_id: str, how: OfferStatus, now: datetime) -> None:
    work.publish(
        OfferEnded(
            occurred_at=now,
            clinic_id=held.clinic_id,
            appointment_id=held.visit.id,
            revision=held.revision,
            sequence=held.visit.sequence,
            offer_id=offer_id,
            how=str(how),
        )
    )


def _told(event: type[OfferEvent], entry: ledger.Entry, *, offer_id: str, now: datetime) -> OfferEvent:
    return event(
        occurred_at=now,
        clinic_id=entry.clinic_id,
        appointment_id=entry.visit.id,
        revision=entry.revision,
        sequence=entry.visit.sequence,
        offer_id=offer_id,
    )


def _close_unless_offered(work: UnitOfWork, held: ledger.Entry, *, now: datetime) -> None:
    still_open = select(Offer.id).where(Offer.hold_id == held.visit.id, Offer.status == OfferStatus.OPEN)
    if held.visit.is_hold and work.session.scalars(still_open.limit(1)).first() is None:
        close_hold(work, held, what="offer over", now=now)


def _set_entry(work: UnitOfWork, entry_id: str, status: EntryStatus) -> None:
    work.session.execute(update(WaitlistEntry).where(WaitlistEntry.id == entry_id).values(status=status))


def _expire_entries(work: UnitOfWork, *, now: datetime) -> None:
    stands = select(Appointment.id).where(
        Appointment.id == WaitlistEntry.replaces_id,
        Appointment.status.in_((AppointmentStatus.PENDING, AppointmentStatus.BOOKED)),
        Appointment.starts_at > now,
    )
    is_answering = exists().where(Offer.entry_id == WaitlistEntry.id, Offer.status == OfferStatus.OPEN)
    has_lost_visit = WaitlistEntry.replaces_id.is_not(None) & ~stands.exists()
    work.session.execute(
        update(WaitlistEntry)
        .where(
            WaitlistEntry.status == EntryStatus.WAITING,
            or_(WaitlistEntry.expires_at <= now, has_lost_visit),
            ~is_answering,
        )
        .values(status=EntryStatus.EXPIRED)
        .execution_options(synchronize_session=False)
    )
