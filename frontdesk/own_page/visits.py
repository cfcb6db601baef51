"""What a patient has ahead and has been to, and what they do with it: the same operations as in a conversation, by the same rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from booking import queries
from booking.cancel import cancel_appointment
from booking.hold import place_hold
from booking.ledger import UnknownVisit
from booking.reschedule import reschedule
from booking.values import AppointmentStatus, BookedVisit, Catalogue, Slot, SlotQuery, Source
from frontdesk.own_page.links import Opened
from kernel.interval import Interval, day_interval
from kernel.work import UnitOfWork

DAYS_AT_A_TIME = 7
_MOST_PAST = 20
_MOST_A_DAY = 12


@dataclass(frozen=True)
class Visits:
    """What is on the page, soonest and latest first."""

    ahead: tuple[BookedVisit, ...]
    past: tuple[BookedVisit, ...]


@dataclass(frozen=True)
class FreeDay:
    """A local day and the times of it that can be chosen."""

    day: date
    slots: tuple[Slot, ...]


def read_visits(session: Session, page: Opened, *, now: datetime) -> Visits:
    """Return what the patients of the page have ahead and behind them."""
    ahead = queries.upcoming_visits(session, patient_ids=page.patient_ids, now=now)
    past = queries.past_visits(session, patient_ids=page.patient_ids, now=now, limit=_MOST_PAST)
    return Visits(tuple(ahead), tuple(past))


def read_own(session: Session, page: Opened, *, appointment_id: str, now: datetime) -> BookedVisit:
    """Return a visit ahead that is theirs. Raises UnknownVisit for everybody else's, which is told apart by nothing."""
    ahead = queries.upcoming_visits(session, patient_ids=page.patient_ids, now=now)
    found = next((visit for visit in ahead if visit.id == appointment_id), None)
    if found is None:
        raise UnknownVisit
    return found


def was_cancelled(session: Session, page: Opened, *, appointment_id: str) -> BookedVisit | None:
    """Return a visit of theirs that was called off: the button was tapped twice, or they went back to it."""
    try:
        found = queries.visit(session, appointment_id=appointment_id)
    except UnknownVisit:
        return None
    is_theirs = found.patient_id in page.patient_ids
    return found if is_theirs and found.status is AppointmentStatus.CANCELLED else None


def may_be_moved(catalogue: Catalogue, visit: BookedVisit) -> bool:
    """Say whether it can be moved by itself: not what belongs to other visits, nor what has a place in a group."""
    is_bookable = any(service.id == visit.service_id and service.group is None for service in catalogue.services)
    is_one = visit.bundle_id is None and visit.status in {AppointmentStatus.BOOKED, AppointmentStatus.PENDING}
    return is_bookable and is_one and bool(visit.practitioner_id)


def free_days(
    session: Session, catalogue: Catalogue, visit: BookedVisit, *, first: date, now: datetime
) -> Sequence[FreeDay]:
    """Return for the days from `first` on when the visit could be instead, with the same person at the same place."""
    zone = catalogue.location(visit.location_id).zone
    days = [first + timedelta(days=number) for number in range(DAYS_AT_A_TIME)]
    span = Interval(day_interval(days[0], zone).start, day_interval(days[-1], zone).end)
    query = SlotQuery(
        visit.service_id,
        span,
        practitioner_ids=(visit.practitioner_id,),
        location_ids=(visit.location_id,),
        duration=_length(catalogue, visit),
        place=visit.place,
    )
    slots = queries.find_slots(session, catalogue, query=query, now=now, replaces_appointment_id=visit.id)
    others = [slot for slot in slots if slot.starts_at != visit.starts_at]
    by_day = {day: [slot for slot in others if slot.starts_at.astimezone(zone).date() == day] for day in days}
    return [FreeDay(day, _spread(found)) for day, found in by_day.items() if found]


def cancel(work: UnitOfWork, catalogue: Catalogue, page: Opened, *, appointment_id: str, now: datetime) -> BookedVisit:
    """Call a visit of theirs off; again changes nothing. Raises UnknownVisit, and what `cancel_appointment` raises."""
    if (before := was_cancelled(work.session, page, appointment_id=appointment_id)) is not None:
        return before
    read_own(work.session, page, appointment_id=appointment_id, now=now)
    return cancel_appointment(
        work, catalogue, appointment_id=appointment_id, reason=None, now=now, actor="patient", source=Source.WEB
    )


def move(
    work: UnitOfWork, catalogue: Catalogue, page: Opened, *, appointment_id: str, starts_at: datetime, now: datetime
) -> BookedVisit:
    """Move a visit of theirs. Raises UnknownVisit, and what `place_hold` and `reschedule` raise: then it is as before."""
    visit = read_own(work.session, page, appointment_id=appointment_id, now=now)
    if not may_be_moved(catalogue, visit):
        raise UnknownVisit
    if visit.starts_at == starts_at:
        return visit  # sent twice
    hold = place_hold(
        work,
        catalogue,
        service_id=visit.service_id,
        location_id=visit.location_id,
        starts_at=starts_at,
        practitioner_ids=(visit.practitioner_id,),
        conversation_id=None,
        patient_id=visit.patient_id,
        source=Source.WEB,
        now=now,
        replaces_appointment_id=visit.id,
        duration=_length(catalogue, visit),
        place=visit.place,
    )
    return reschedule(
        work, catalogue, appointment_id=visit.id, hold_id=hold.id, now=now, actor="patient", source=Source.WEB
    )


def _length(catalogue: Catalogue, visit: BookedVisit) -> timedelta | None:
    service = catalogue.service(visit.service_id)
    return None if service.longest is None else visit.ends_at - visit.starts_at


def _spread(slots: Sequence[Slot]) -> tuple[Slot, ...]:
    """Return a number of times that can be looked over, spread over the day."""
    step = max(1, -(-len(slots) // _MOST_A_DAY))
    return tuple(slots[::step])
