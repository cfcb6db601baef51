"""Keep a time for somebody while the rest is talked over."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_

from booking import guard, ledger
from booking.choice import NO_WISH, Wish
from booking.model.appointment import Appointment
from booking.order import Order, place_order
from booking.values import AppointmentStatus, BookedVisit, Catalogue, Place, Source
from kernel.db import Ready, one_of_these, table_of
from kernel.work import UnitOfWork


def place_hold(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    service_id: str,
    location_id: str,
    starts_at: datetime,
    practitioner_ids: tuple[str, ...] = (),
    conversation_id: str | None,
    patient_id: str | None = None,
    source: Source,
    now: datetime,
    replaces_appointment_id: str | None = None,
    duration: timedelta | None = None,
    place: Place | None = None,
    bundle_id: str | None = None,
    expires_at: datetime | None = None,
    actor: str = "patient",
    override_reason: str | None = None,
    wish: Wish = NO_WISH,
) -> BookedVisit:
    """Keep the time until `expires_at` (None: for `rules.hold` from `now`), with the best of `practitioner_ids` (empty: of
    all who are able).

    Locks the Patient, and the Schedules where several practitioners can be chosen from. Replaces an earlier Hold of the same
    conversation, unless it is of the same bundle; that one stays if this one is refused. The time of
    `replaces_appointment_id` is not an obstacle: the Hold is for moving that visit. `place` is where a home visit is wanted,
    if not at the patient's address. With `override_reason` staff set aside the rules that may be, which the visit tells.
    Raises SlotTaken if somebody else has the time, ScheduleBusy, the refusal of a rule (`booking.rules`, all others as its
    `also`), or of what makes no sense (`booking.asked`, `booking.override`).
    """
    order = Order(
        service_id=service_id,
        location_id=location_id,
        starts_at=starts_at,
        practitioner_ids=practitioner_ids,
        conversation_id=conversation_id,
        patient_id=patient_id,
        source=source,
        actor=actor,
        is_hold=True,
        replaces_id=replaces_appointment_id,
        duration=duration,
        place=place,
        bundle_id=bundle_id,
        expires_at=expires_at,
        override_reason=override_reason,
        wish=wish,
    )
    with guard.all_or_nothing(work):
        if conversation_id is not None:
            _release(work, conversation_id=conversation_id, now=now, keeping_bundle=bundle_id)
        return place_order(work, catalogue, order, now=now).visit


def release_hold(work: UnitOfWork, *, conversation_id: str, now: datetime) -> None:
    """Give back the time of the conversation's Holds. Nothing happens if it has none."""
    _release(work, conversation_id=conversation_id, now=now)


def release_one(work: UnitOfWork, *, appointment_id: str, now: datetime) -> None:
    """Give back the time of this Hold. Nothing happens if it is none any more. Raises UnknownVisit."""
    entry = ledger.read_locked(work, appointment_id=appointment_id)
    if entry.visit.is_hold:
        close_hold(work, entry, what="released", now=now)


def close_hold(work: UnitOfWork, entry: ledger.Entry, *, what: str, now: datetime) -> None:
    """End a Hold that was read locked and give back its time. `what` is told in its history."""
    guard.release(work, appointment_id=entry.visit.id)
    columns = {"status": AppointmentStatus.CANCELLED, "cancel_reason": f"hold {what}"}
    ledger.change(work, entry, what=what, actor="patient", source=entry.visit.source, now=now, columns=columns)


def _release(work: UnitOfWork, *, conversation_id: str, now: datetime, keeping_bundle: str | None = None) -> None:
    given = {"conversation_id": conversation_id}
    if keeping_bundle is None:
        rows = _HOLDS.rows(work.session, given)
    else:
        rows = _OTHER_HOLDS.rows(work.session, given | {"bundle_id": keeping_bundle})
    for row in rows:
        close_hold(work, ledger.entry_of(row), what="released", now=now)


_VISIT = table_of(Appointment).c
_THEIR_HOLDS = (
    ledger.entries()
    .where(
        _VISIT.conversation_id == bindparam("conversation_id"),
        one_of_these(_VISIT.status, [AppointmentStatus.PENDING]),
        _VISIT.hold_expires_at.is_not(None),
    )
    .order_by(_VISIT.id)
    .with_for_update(key_share=True)
)
_HOLDS = Ready(_THEIR_HOLDS)
_OTHER_HOLDS = Ready(_THEIR_HOLDS.where(or_(_VISIT.bundle_id.is_(None), _VISIT.bundle_id != bindparam("bundle_id"))))
