"""Who came. Staff note arrivals and absences; what is over is marked by due work.

A clinic says whether it records arrivals (`rules.records_arrival`). Only there is anybody a no-show: elsewhere nobody would
know, and a visit whose time has passed took place.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from booking import guard, ledger
from booking.catalogue import rules_of
from booking.events import AttendanceNoted
from booking.guard import Claim
from booking.model.appointment import Allocation, Appointment, AppointmentChange
from booking.model.clinic import Clinic, Location
from booking.values import AppointmentStatus, BookedVisit, Catalogue, Source
from kernel.errors import Refused
from kernel.interval import Interval
from kernel.work import UnitOfWork

SETTLES = timedelta(hours=12)
"""So long after its end a visit without an arrival becomes a no-show: front desks catch up with the day's arrivals later."""

_AT_ONCE = 500
_UNDONE = "attendance-undone"


class NotStarted(Refused):
    """It is too early to say whether the patient came."""

    code = "not-started"


class ArrivalNotRecorded(Refused):
    """This clinic does not record who came, so nobody can be a no-show."""

    code = "arrival-not-recorded"


def mark_arrived(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    appointment_id: str,
    now: datetime,
    actor: str,
    source: Source = Source.STAFF,
) -> BookedVisit:
    """Note that the patient is here; also of one who was taken for a no-show. Calling again changes nothing.

    Locks the Appointment. Raises UnknownVisit, VisitClosed, NotStarted before the visit's own local day.
    """
    entry = ledger.read_locked(work, appointment_id=appointment_id)
    if entry.visit.status is AppointmentStatus.ARRIVED:
        return entry.visit
    zone = catalogue.location(entry.visit.location_id).zone
    if now.astimezone(zone).date() < entry.visit.starts_at.astimezone(zone).date():
        raise NotStarted(starts_at=entry.visit.starts_at.isoformat())
    return _note(work, entry, AppointmentStatus.ARRIVED, what="arrived", now=now, actor=actor, source=source)


def mark_noshow(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    appointment_id: str,
    now: datetime,
    actor: str,
    source: Source = Source.STAFF,
) -> BookedVisit:
    """Note that the patient did not come, and give back what is left of the time. Calling again changes nothing.

    Locks the Appointment. Raises UnknownVisit, VisitClosed, ArrivalNotRecorded, NotStarted before the visit starts.
    """
    entry = ledger.read_locked(work, appointment_id=appointment_id)
    if entry.visit.status is AppointmentStatus.NOSHOW:
        return entry.visit
    if not catalogue.rules_at(entry.visit.location_id).records_arrival:
        raise ArrivalNotRecorded
    if now < entry.visit.starts_at:
        raise NotStarted(starts_at=entry.visit.starts_at.isoformat())
    return _note(work, entry, AppointmentStatus.NOSHOW, what="noshow", now=now, actor=actor, source=source)


def mark_fulfilled(
    work: UnitOfWork, *, appointment_id: str, now: datetime, actor: str, source: Source = Source.STAFF
) -> BookedVisit:
    """Note that the visit took place, without waiting for due work to do it. Calling again changes nothing.

    Locks the Appointment. Raises UnknownVisit, VisitClosed, NotStarted before the visit starts.
    """
    entry = ledger.read_locked(work, appointment_id=appointment_id)
    if entry.visit.status is AppointmentStatus.FULFILLED:
        return entry.visit
    if now < entry.visit.starts_at:
        raise NotStarted(starts_at=entry.visit.starts_at.isoformat())
    return _note(work, entry, AppointmentStatus.FULFILLED, what="fulfilled", now=now, actor=actor, source=source)


def undo_attendance(
    work: UnitOfWork, *, appointment_id: str, now: datetime, actor: str, source: Source = Source.STAFF
) -> BookedVisit:
    """Take back that the patient came or did not come: the visit is booked as before. Calling again changes nothing.

    Due work then leaves the visit alone until staff note something else. Locks the Appointment. Raises UnknownVisit,
    VisitClosed, SlotTaken if a no-show's time has gone to somebody else; nothing is changed then.
    """
    entry = ledger.read_locked(work, appointment_id=appointment_id)
    if entry.visit.status is AppointmentStatus.BOOKED:
        return entry.visit
    if entry.visit.status not in {AppointmentStatus.ARRIVED, AppointmentStatus.NOSHOW}:
        raise ledger.VisitClosed(status=str(entry.visit.status))
    return _note(work, entry, AppointmentStatus.BOOKED, what=_UNDONE, now=now, actor=actor, source=source)


def complete_past(work: UnitOfWork, *, now: datetime) -> int:
    """Mark what is over as fulfilled, or as a no-show where arrivals are recorded and none was; say how many, at most 500.

    Safe with many workers: a visit that somebody else is just changing is left to them. May be called at any time again.
    """
    recording = _locations_that_record(work.session)
    statement = (
        ledger.entries()
        .where(_is_over(recording, now=now), Appointment.practitioner_id.is_not(None))
        .order_by(Appointment.id)
        .limit(_AT_ONCE)
        .with_for_update(key_share=True, skip_locked=True)
    )
    over = [ledger.entry_of(row) for row in work.session.execute(statement)]
    for entry in over:
        # Whose arrival nobody noted; a group's session takes place whoever comes.
        missed = (
            entry.visit.status is AppointmentStatus.BOOKED
            and entry.visit.location_id in recording
            and entry.visit.patient_id is not None
        )
        status, what = (AppointmentStatus.NOSHOW, "noshow") if missed else (AppointmentStatus.FULFILLED, "fulfilled")
        _note(work, entry, status, what=what, now=now, actor="system", source=entry.visit.source)
    return len(over)


def _note(
    work: UnitOfWork,
    entry: ledger.Entry,
    status: AppointmentStatus,
    *,
    what: str,
    now: datetime,
    actor: str,
    source: Source,
) -> BookedVisit:
    with guard.all_or_nothing(work):
        noted = ledger.change(work, entry, what=what, actor=actor, source=source, now=now, columns={"status": status})
        if status is AppointmentStatus.NOSHOW:
            guard.release(work, appointment_id=entry.visit.id)
        elif entry.visit.status is AppointmentStatus.NOSHOW:
            _claim_back(work, appointment_id=entry.visit.id, now=now)
        work.publish(ledger.told(AttendanceNoted, noted, now=now))
    return noted.visit


def _claim_back(work: UnitOfWork, *, appointment_id: str, now: datetime) -> None:
    """Take the very time again that a no-show gave back, whatever the clinic's hours are by now."""
    rows = work.session.execute(
        select(Allocation.schedule_id, Allocation.starts_at, Allocation.ends_at).where(
            Allocation.appointment_id == appointment_id
        )
    )
    claims = [Claim(schedule_id, Interval(starts_at, ends_at)) for schedule_id, starts_at, ends_at in rows]
    guard.discard(work, appointment_ids=[appointment_id])
    # A Hold that has run out is in nobody's way.
    for claim in claims:
        guard.drop_expired_holds(work, schedule_ids=[claim.schedule_id], within=claim.time, now=now)
    guard.claim(work, appointment_id=appointment_id, claims=claims)


def _locations_that_record(session: Session) -> set[str]:
    rows = session.execute(
        select(Location.id, Clinic.rules, Location.rules).join(Clinic, Clinic.id == Location.clinic_id)
    )
    return {location_id for location_id, clinic, own in rows if rules_of({**clinic, **own}).records_arrival}


def _is_over(recording: Collection[str], *, now: datetime) -> ColumnElement[bool]:
    ended = Appointment.ends_at <= now
    arrived = and_(Appointment.status == AppointmentStatus.ARRIVED, ended)
    booked = Appointment.status == AppointmentStatus.BOOKED
    took_place = and_(booked, Appointment.location_id.not_in(recording), ended)
    missed = and_(
        booked,
        Appointment.location_id.in_(recording),
        Appointment.ends_at <= now - SETTLES,
        # Staff said that what due work found was wrong.
        ~select(AppointmentChange.id)
        .where(AppointmentChange.appointment_id == Appointment.id, AppointmentChange.what == _UNDONE)
        .exists(),
    )
    return or_(arrived, took_place, missed)
