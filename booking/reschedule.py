"""Move a visit: the same Appointment and UID, another time."""

from datetime import datetime

from booking import guard, ledger
from booking.availability import Wanted
from booking.cancel import is_staff
from booking.claims import Need, take
from booking.confirm import NotHeld
from booking.events import AppointmentMoved
from booking.facts import time_facts, with_patient
from booking.hold import close_hold
from booking.rules import Facts, check_booking, check_change, check_patient
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
) -> BookedVisit:
    """Move the visit to the time, person and place of the Hold, which was placed for it, and end the Hold.

    Calling again gives the visit as moved. A Hold that has run out is claimed anew. Raises SlotTaken if the time went
    meanwhile, NotHeld, VisitClosed, TooLateToChange, a rule's refusal, ScheduleBusy; the visit is then as before.
    """
    with guard.all_or_nothing(work):
        known = _facts(work, catalogue, appointment_id=appointment_id, hold_id=hold_id, now=now)
        old, hold = _read_locked(work, appointment_id=appointment_id, hold_id=hold_id)
        if hold.replaces_id != appointment_id:
            raise NotHeld
        if not hold.visit.is_hold:
            return _moved_before(old, hold)
        if old.visit.status not in {AppointmentStatus.BOOKED, AppointmentStatus.PENDING}:
            raise ledger.VisitClosed(status=str(old.visit.status))
        check_change(catalogue.rules, starts_at=old.visit.starts_at, now=now, by_staff=is_staff(actor))
        if hold.visit.hold_expires_at is not None and hold.visit.hold_expires_at > now:
            check_patient(known)
        else:
            check_booking(known)
        moved = _move(work, catalogue, old, hold, now=now, actor=actor, source=source)
        work.publish(ledger.told(AppointmentMoved, moved, now=now))
        return moved.visit


def _read_locked(work: UnitOfWork, *, appointment_id: str, hold_id: str) -> tuple[ledger.Entry, ledger.Entry]:
    """Return the visit and the Hold, both locked, in the order of their ids: so two moves never wait for each other."""
    entries = {each: ledger.read_locked(work, appointment_id=each) for each in sorted({appointment_id, hold_id})}
    return entries[appointment_id], entries[hold_id]


def _moved_before(old: ledger.Entry, hold: ledger.Entry) -> BookedVisit:
    if old.visit.starts_at == hold.visit.starts_at and old.visit.practitioner_id == hold.visit.practitioner_id:
        return old.visit
    raise NotHeld


def _facts(work: UnitOfWork, catalogue: Catalogue, *, appointment_id: str, hold_id: str, now: datetime) -> Facts:
    """Gather the facts before the Appointments are locked: the Patient comes first, here as everywhere."""
    old = ledger.read(work.session, appointment_id=appointment_id).visit
    hold = ledger.read(work.session, appointment_id=hold_id).visit
    wanted = Wanted(catalogue, catalogue.service(old.service_id), catalogue.location(hold.location_id))
    candidates = [catalogue.practitioner(hold.practitioner_id)]
    known = time_facts(wanted, candidates, starts_at=hold.starts_at, now=now)
    if old.patient_id is None:
        return known
    zone = wanted.location.zone
    return with_patient(work, known, patient_id=old.patient_id, zone=zone, ignoring=(appointment_id, hold_id))


def _move(
    work: UnitOfWork,
    catalogue: Catalogue,
    old: ledger.Entry,
    hold: ledger.Entry,
    *,
    now: datetime,
    actor: str,
    source: Source,
) -> ledger.Entry:
    ours = (old.visit.id, hold.visit.id)
    # The new time may overlap the old one, so that is given back first; a savepoint brings it back if the new one is taken.
    guard.discard(work, appointment_ids=ours)
    wanted = Wanted(catalogue, catalogue.service(old.visit.service_id), catalogue.location(hold.visit.location_id))
    practitioner = catalogue.practitioner(hold.visit.practitioner_id)
    need = Need(wanted, hold.visit.starts_at, [practitioner], ours=ours)
    take(work, need, now=now, appointment_id=old.visit.id, store=lambda _: None)
    close_hold(work, hold, what="used", now=now)
    columns = {
        "starts_at": hold.visit.starts_at,
        "ends_at": hold.visit.starts_at + wanted.service.duration,
        "practitioner_id": practitioner.id,
        "location_id": wanted.location.id,
        "reason": hold.visit.reason,
        "patient_confirmed_at": None,
        "sequence": old.visit.sequence + 1,
    }
    return ledger.change(work, old, what="moved", actor=actor, source=source, now=now, columns=columns)
