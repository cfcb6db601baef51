"""Move a visit: the same Appointment and UID, another time."""

import dataclasses
from datetime import datetime

from booking import guard, ledger, tasks
from booking.availability import Wanted
from booking.claims import Need, take
from booking.confirm import NotHeld, ask_staff, practitioner_of, wanted_of
from booking.events import AppointmentMoved, AppointmentRequested
from booking.facts import gather
from booking.hold import close_hold
from booking.order import must_wait
from booking.override import allowed_override, is_staff
from booking.rules import Facts, check_booking, check_move, check_patient
from booking.values import AppointmentStatus, BookedVisit, Catalogue, Source
from kernel.work import UnitOfWork


def reschedule(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    appointment_id: str,
    hold_id: str,
    now: datetime,
    actor: str,
    source: Source,
    override_reason: str | None = None,
) -> BookedVisit:
    """Move the visit to the time, length, person and place of the Hold, which was placed for it, and end the Hold.

    Locks the Patient, both Appointments in the order of their ids, then their Schedules. Calling again gives the visit as
    moved. A Hold that has run out is claimed anew. Raises SlotTaken if the time went meanwhile, NotHeld, UnknownVisit,
    VisitClosed, for patients TooLateToChange, TooManyMoves or AlreadyOver, a rule's refusal, ScheduleBusy; the visit is then
    as before. A time that staff must agree to makes the visit `pending` again, with a task for them.
    """
    override_reason = allowed_override(override_reason, actor=actor)
    with guard.all_or_nothing(work):
        wanted, known = _facts(work, catalogue, appointment_id=appointment_id, hold_id=hold_id, now=now)
        old, hold = _read_locked(work, appointment_id=appointment_id, hold_id=hold_id)
        if hold.replaces_id != appointment_id:
            raise NotHeld
        if not hold.visit.is_hold:
            return _moved_before(old, hold)
        # A Hold is not a visit yet: it is given back, not moved.
        if old.visit.is_hold or old.visit.status not in {AppointmentStatus.BOOKED, AppointmentStatus.PENDING}:
            raise ledger.VisitClosed(status=str(old.visit.status))
        known = dataclasses.replace(
            known,
            stands_at=old.visit.starts_at,
            times_moved=old.visit.times_moved,
            is_overriding=override_reason is not None,
            waived=hold.visit.overridden,
        )
        if not is_staff(actor):
            check_move(dataclasses.replace(known, rules=catalogue.rules_at(old.visit.location_id)))
        is_ours = hold.visit.hold_expires_at is not None and hold.visit.hold_expires_at > now
        overridden = check_patient(known) if is_ours else check_booking(known)
        overridden = tuple(dict.fromkeys((*hold.visit.overridden, *overridden)))
        moved = _move(
            work,
            wanted,
            known,
            old,
            hold,
            now=now,
            actor=actor,
            source=source,
            overridden=overridden,
            why=override_reason or hold.override_reason,
        )
        # They tell staff of the time that it was before.
        tasks.settle_tasks(work, clinic_id=catalogue.clinic_id, appointment_id=appointment_id, now=now, done_by=actor)
        waits = moved.visit.status is AppointmentStatus.PENDING
        work.publish(ledger.told(AppointmentRequested if waits else AppointmentMoved, moved, now=now))
        if waits:
            ask_staff(work, catalogue, moved, now=now)
        return moved.visit


def _read_locked(work: UnitOfWork, *, appointment_id: str, hold_id: str) -> tuple[ledger.Entry, ledger.Entry]:
    """Return the visit and the Hold, both locked, in the order of their ids: so two moves never wait for each other."""
    entries = {each: ledger.read_locked(work, appointment_id=each) for each in sorted({appointment_id, hold_id})}
    return entries[appointment_id], entries[hold_id]


def _moved_before(old: ledger.Entry, hold: ledger.Entry) -> BookedVisit:
    if old.visit.starts_at == hold.visit.starts_at and old.visit.practitioner_id == hold.visit.practitioner_id:
        return old.visit
    raise NotHeld


def _facts(
    work: UnitOfWork, catalogue: Catalogue, *, appointment_id: str, hold_id: str, now: datetime
) -> tuple[Wanted, Facts]:
    """Gather the facts before the Appointments are locked: the Patient comes first, here as everywhere."""
    clinic_id = catalogue.clinic_id
    old = ledger.read(work.session, appointment_id=appointment_id, clinic_id=clinic_id).visit
    hold = ledger.read(work.session, appointment_id=hold_id, clinic_id=clinic_id).visit
    practitioner = practitioner_of(catalogue, hold)
    return gather(
        work,
        wanted_of(catalogue, hold),
        [practitioner],
        starts_at=hold.starts_at,
        now=now,
        patient_id=old.patient_id,
        ignoring=(appointment_id, hold_id),
        bundle_id=old.bundle_id,
    )


def _move(
    work: UnitOfWork,
    wanted: Wanted,
    known: Facts,
    old: ledger.Entry,
    hold: ledger.Entry,
    *,
    now: datetime,
    actor: str,
    source: Source,
    overridden: tuple[str, ...],
    why: str | None,
) -> ledger.Entry:
    ours = (old.visit.id, hold.visit.id)
    # The new time may overlap the old one, so that is given back first; a savepoint brings it back if the new one is taken.
    guard.discard(work, appointment_ids=ours)
    practitioner = wanted.catalogue.practitioner(hold.visit.practitioner_id)
    is_overriding = known.is_overriding or bool(known.waived)
    need = Need(wanted, hold.visit.starts_at, [practitioner], ours=ours, is_overriding=is_overriding)
    take(work, need, now=now, appointment_id=old.visit.id)
    close_hold(work, hold, what="used", now=now)
    waits = old.visit.status is AppointmentStatus.PENDING or must_wait(
        wanted, practitioner, starts_at=hold.visit.starts_at, actor=actor
    )
    columns = {
        "status": AppointmentStatus.PENDING if waits and not is_staff(actor) else AppointmentStatus.BOOKED,
        "starts_at": hold.visit.starts_at,
        "ends_at": hold.visit.ends_at,
        "practitioner_id": practitioner.id,
        "location_id": wanted.location.id,
        "reason": hold.visit.reason,
        "meeting_url": hold.visit.meeting_url,
        "place": wanted.place,
        "times_moved": old.visit.times_moved + 1,
        "overridden": overridden,
        "override_reason": why if overridden else None,
        "patient_confirmed_at": None,
        "sequence": old.visit.sequence + 1,
    }
    return ledger.change(work, old, what="moved", actor=actor, source=source, now=now, columns=columns)
