"""The rows of the waiting list as values."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from booking.model.waitlist import Offer, WaitlistEntry
from booking.values import Source
from booking.waiting_list.waiting import EntryStatus, Offered, OfferStatus, Waiting
from kernel.interval import Interval


def entries(session: Session, *conditions: ColumnElement[bool]) -> list[Waiting]:
    """Return the entries that fulfil the conditions, the oldest first. One statement."""
    columns = WaitlistEntry.__table__.columns
    statement = select(*columns).where(*conditions).order_by(WaitlistEntry.created_at, WaitlistEntry.id)
    return [
        Waiting(
            id=row.id,
            clinic_id=row.clinic_id,
            patient_id=row.patient_id,
            service_id=row.service_id,
            practitioner_ids=tuple(row.practitioner_ids),
            location_ids=tuple(row.location_ids),
            spans=tuple(Interval(*map(datetime.fromisoformat, span)) for span in row.spans),
            replaces_id=row.replaces_id,
            conversation_id=row.conversation_id,
            source=Source(row.source),
            status=EntryStatus(row.status),
            created_at=row.created_at,
            expires_at=row.expires_at,
        )
        for row in session.execute(statement)
    ]


def offers(session: Session, *conditions: ColumnElement[bool]) -> list[Offered]:
    """Return the offers that fulfil the conditions, the oldest first. One statement."""
    columns = Offer.__table__.columns
    statement = select(*columns).where(*conditions).order_by(Offer.offered_at, Offer.id)
    return [
        Offered(
            id=row.id,
            entry_id=row.entry_id,
            hold_id=row.hold_id,
            status=OfferStatus(row.status),
            offered_at=row.offered_at,
            expires_at=row.expires_at,
            answered_at=row.answered_at,
        )
        for row in session.execute(statement)
    ]


def waits(clinic_id: str, *, now: datetime) -> ColumnElement[bool]:
    """Return the condition of an entry of the clinic that still waits."""
    return and_(
        WaitlistEntry.clinic_id == clinic_id,
        WaitlistEntry.status == EntryStatus.WAITING,
        WaitlistEntry.expires_at > now,
    )
