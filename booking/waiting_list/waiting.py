"""Who waits for what, and whose turn it is. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from booking.values import BookedVisit, BookingRules, Slot, Source
from kernel.interval import Interval


class EntryStatus(StrEnum):
    """What became of a wish."""

    WAITING = "waiting"
    BOOKED = "booked"  # by an offer that was accepted
    LEFT = "left"
    EXPIRED = "expired"


class OfferStatus(StrEnum):
    """What became of an offer."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"  # nobody answered in time
    GONE = "gone"  # somebody else was first, or the clinic took the time back


@dataclass(frozen=True)
class Waiting:
    """An entry of the waiting list. Empty: anything will do. `spans` bound the starts."""

    id: str
    clinic_id: str
    patient_id: str
    service_id: str
    practitioner_ids: tuple[str, ...]
    location_ids: tuple[str, ...]
    spans: tuple[Interval, ...]
    replaces_id: str | None  # the visit that is to be moved
    conversation_id: str | None
    source: Source
    status: EntryStatus
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Offered:
    """Time that is offered to who waits: `hold_id` keeps it until `expires_at`."""

    id: str
    entry_id: str
    hold_id: str
    status: OfferStatus
    offered_at: datetime
    expires_at: datetime
    answered_at: datetime | None

    def is_open_at(self, now: datetime) -> bool:
        return self.status is OfferStatus.OPEN and self.expires_at > now


def match(entry: Waiting, slot: Slot, *, replaces: BookedVisit | None = None) -> bool:
    """Say whether the Slot is what the entry waits for.

    Who has a visit already (`replaces`) and names no times wants an earlier one.
    """
    if slot.service_id != entry.service_id or slot.is_contingent:
        return False
    if entry.practitioner_ids and slot.practitioner_id not in entry.practitioner_ids:
        return False
    if entry.location_ids and slot.location_id not in entry.location_ids:
        return False
    if not entry.spans:
        return replaces is None or slot.starts_at < replaces.starts_at
    return any(span.start <= slot.starts_at < span.end for span in entry.spans)


def in_line(entries: Iterable[Waiting], *, asked: Collection[str], now: datetime) -> list[Waiting]:
    """Return whose turn it is: first come, first served. Who is `asked` already (ids of Patients) is not asked again."""
    waiting = [
        entry
        for entry in entries
        if entry.status is EntryStatus.WAITING and entry.expires_at > now and entry.patient_id not in asked
    ]
    return sorted(waiting, key=lambda entry: (entry.created_at, entry.id))


def answer_by(
    slot: Slot,
    *,
    rules: BookingRules,
    told_at: datetime,
    replaces: BookedVisit | None = None,
    rules_of_replaced: BookingRules | None = None,
) -> datetime | None:
    """Return until when who is told at `told_at` may say yes, or None if that is too late for a yes.

    Never later than the visit could be booked, nor than the one that it replaces could be moved.
    """
    ends = [told_at + rules.offer_for, slot.starts_at - rules.minimum_notice]
    if replaces is not None:
        ends.append(replaces.starts_at - (rules_of_replaced or rules).cancel_notice)
    return min(ends) if min(ends) > told_at else None
