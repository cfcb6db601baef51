"""The rows of the waiting list as values."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, select
from sqlalchemy.orm import Session

from booking.model.waitlist import Offer, WaitlistEntry
from booking.patients import REACHED_AT, phone_hash
from booking.values import Source
from booking.waiting_list.waiting import EntryStatus, Offered, OfferStatus, Waiting
from kernel.db import Ready, one_of_these, table_of
from kernel.interval import Interval

_ENTRY, _OFFER = table_of(WaitlistEntry), table_of(Offer)
_ENTRIES = select(_ENTRY).order_by(_ENTRY.c.created_at, _ENTRY.c.id)
_OFFERS = select(_OFFER).order_by(_OFFER.c.offered_at, _OFFER.c.id)


def entries(session: Session, *conditions: ColumnElement[bool]) -> list[Waiting]:
    """Return the entries that fulfil the conditions, the oldest first. One statement."""
    return [_waiting(row) for row in session.execute(_ENTRIES.where(*conditions))]


def entries_of_patient(session: Session, *, clinic_id: str, patient_id: str, now: datetime) -> list[Waiting]:
    """Return what the patient waits for at the clinic, the oldest first. Whoever books is asked about."""
    rows = _OF_PATIENT.rows(session, {"clinic_id": clinic_id, "patient_id": patient_id, "now": now})
    return [_waiting(row) for row in rows]


def offers(session: Session, *conditions: ColumnElement[bool]) -> list[Offered]:
    """Return the offers that fulfil the conditions, the oldest first. One statement."""
    return [_offered(row) for row in session.execute(_OFFERS.where(*conditions))]


def offers_to_number(session: Session, *, clinic_id: str, phone: str, since_at: datetime) -> list[Offered]:
    """Return what was offered since then to who is reached at this number (E.164), the oldest first. Many a text asks."""
    given = {"clinic_id": clinic_id, "number_hash": phone_hash(phone), "since_at": since_at}
    return [_offered(row) for row in _TO_NUMBER.rows(session, given)]


def waits(clinic_id: str, *, now: datetime) -> ColumnElement[bool]:
    """Return the condition of an entry of the clinic that still waits."""
    return and_(
        WaitlistEntry.clinic_id == clinic_id,
        WaitlistEntry.status == EntryStatus.WAITING,
        WaitlistEntry.expires_at > now,
    )


_OF_PATIENT = Ready(
    _ENTRIES.where(
        _ENTRY.c.clinic_id == bindparam("clinic_id"),
        _ENTRY.c.patient_id == bindparam("patient_id"),
        one_of_these(_ENTRY.c.status, [EntryStatus.WAITING]),
        _ENTRY.c.expires_at > bindparam("now"),
    )
)
MADE_TO_NUMBER = _OFFERS.where(
    _OFFER.c.offered_at > bindparam("since_at"),
    _OFFER.c.entry_id.in_(
        select(_ENTRY.c.id).where(_ENTRY.c.clinic_id == bindparam("clinic_id"), _ENTRY.c.patient_id.in_(REACHED_AT))
    ),
)
"""What `offers_to_number` reads, for those who first ask whether there is anything at all."""
_TO_NUMBER = Ready(MADE_TO_NUMBER)


def _waiting(row: Sequence[Any]) -> Waiting:
    columns = dict(zip(_ENTRY.c.keys(), row, strict=True))
    return Waiting(
        id=columns["id"],
        clinic_id=columns["clinic_id"],
        patient_id=columns["patient_id"],
        service_id=columns["service_id"],
        practitioner_ids=tuple(columns["practitioner_ids"]),
        location_ids=tuple(columns["location_ids"]),
        spans=tuple(Interval(*map(datetime.fromisoformat, span)) for span in columns["spans"]),
        replaces_id=columns["replaces_id"],
        conversation_id=columns["conversation_id"],
        source=Source(columns["source"]),
        status=EntryStatus(columns["status"]),
        created_at=columns["created_at"],
        expires_at=columns["expires_at"],
    )


def _offered(row: Sequence[Any]) -> Offered:
    columns = dict(zip(_OFFER.c.keys(), row, strict=True))
    return Offered(
        id=columns["id"],
        entry_id=columns["entry_id"],
        hold_id=columns["hold_id"],
        status=OfferStatus(columns["status"]),
        offered_at=columns["offered_at"],
        expires_at=columns["expires_at"],
        answered_at=columns["answered_at"],
    )
