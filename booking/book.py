"""Book a visit in one step, for a patient who is known: by staff at the desk, or by a system that has asked already."""

from datetime import datetime, timedelta

from booking import guard
from booking.choice import NO_WISH, Wish
from booking.confirm import ask_staff
from booking.order import Order, place_order
from booking.values import AppointmentStatus, BookedVisit, Catalogue, Place, Source
from kernel.work import UnitOfWork


def book_visit(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    service_id: str,
    location_id: str,
    starts_at: datetime,
    patient_id: str,
    practitioner_ids: tuple[str, ...] = (),
    conversation_id: str | None = None,
    source: Source,
    now: datetime,
    duration: timedelta | None = None,
    place: Place | None = None,
    bundle_id: str | None = None,
    actor: str,
    override_reason: str | None = None,
    wish: Wish = NO_WISH,
) -> BookedVisit:
    """Book the time with the best of `practitioner_ids` (empty: of all who are able), as a Hold that is confirmed at once.

    Each call makes a visit. Locks the Patient, and the Schedules where several practitioners can be chosen from. Where staff
    must say yes first, and it is not they who book, the visit waits as `pending` with a task for them. Raises what
    `place_hold` raises; nothing is written then.
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
        is_hold=False,
        duration=duration,
        place=place,
        bundle_id=bundle_id,
        override_reason=override_reason,
        wish=wish,
    )
    with guard.all_or_nothing(work):
        entry = place_order(work, catalogue, order, now=now)
        if entry.visit.status is not AppointmentStatus.BOOKED:
            ask_staff(work, catalogue, entry, now=now)
        return entry.visit
