"""Turn a Hold into an appointment once the patient has said yes."""

from datetime import datetime

from booking import guard, ledger, tasks
from booking.availability import Wanted
from booking.claims import Need, claims_of, take
from booking.events import AppointmentBooked, AppointmentRequested
from booking.facts import time_facts, with_patient
from booking.rules import Facts, check_booking, check_patient
from booking.values import AppointmentStatus, BookedVisit, Catalogue, TaskKind
from kernel.errors import Refused
from kernel.work import UnitOfWork


class NotHeld(Refused):
    """This is not a Hold that this patient can confirm: it was given back, or is somebody else's, or moves a visit."""

    code = "not-held"


def confirm_hold(
    work: UnitOfWork, catalogue: Catalogue, *, appointment_id: str, patient_id: str, now: datetime, actor: str
) -> BookedVisit:
    """Book the Hold for the patient. Calling again gives the same visit.

    A Hold that has run out is claimed anew. If the service needs it, the visit stays `pending`, without an expiry, and staff
    get a task. Raises SlotTaken if the time went meanwhile, NotHeld, a rule's refusal, ScheduleBusy; the Hold is then as before.
    """
    with guard.all_or_nothing(work):
        known = _facts(work, catalogue, appointment_id=appointment_id, patient_id=patient_id, now=now)
        entry = ledger.read_locked(work, appointment_id=appointment_id)
        if entry.replaces_id is not None or entry.visit.patient_id not in {None, patient_id}:
            raise NotHeld
        if not entry.visit.is_hold:
            return _confirmed_before(entry)
        if _is_still_ours(work, entry, now=now):
            check_patient(known)
        else:
            check_booking(known)
            entry = _claimed_anew(work, catalogue, entry, now=now, actor=actor)
        return _settle(work, catalogue, entry, patient_id=patient_id, now=now, actor=actor)


def note_patient_confirmed(work: UnitOfWork, *, appointment_id: str, now: datetime) -> None:
    """Write down that the patient said they will come. May be called again. Raises VisitClosed for one that is not ahead."""
    entry = ledger.read_locked(work, appointment_id=appointment_id)
    if entry.visit.status not in {AppointmentStatus.BOOKED, AppointmentStatus.PENDING} or entry.visit.starts_at <= now:
        raise ledger.VisitClosed(status=str(entry.visit.status))
    columns = {"patient_confirmed_at": now}
    ledger.change(
        work, entry, what="patient-confirmed", actor="patient", source=entry.visit.source, now=now, columns=columns
    )


def _confirmed_before(entry: ledger.Entry) -> BookedVisit:
    if entry.visit.status in {AppointmentStatus.PENDING, AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED}:
        return entry.visit
    raise NotHeld


def _facts(work: UnitOfWork, catalogue: Catalogue, *, appointment_id: str, patient_id: str, now: datetime) -> Facts:
    """Gather the facts before the Appointment is locked: the Patient comes first, here as everywhere."""
    visit = ledger.read(work.session, appointment_id=appointment_id).visit
    wanted = Wanted(catalogue, catalogue.service(visit.service_id), catalogue.location(visit.location_id))
    candidates = [catalogue.practitioner(visit.practitioner_id)]
    known = time_facts(wanted, candidates, starts_at=visit.starts_at, now=now)
    return with_patient(work, known, patient_id=patient_id, zone=wanted.location.zone, ignoring=(appointment_id,))


def _is_still_ours(work: UnitOfWork, entry: ledger.Entry, *, now: datetime) -> bool:
    # A process whose clock is ahead of ours may have let it lapse already: the claims decide, not the clock alone.
    expires_at = entry.visit.hold_expires_at
    return expires_at is not None and expires_at > now and bool(claims_of(work.session, appointment_id=entry.visit.id))


def _claimed_anew(
    work: UnitOfWork, catalogue: Catalogue, entry: ledger.Entry, *, now: datetime, actor: str
) -> ledger.Entry:
    visit = entry.visit
    guard.discard(work, appointment_ids=[visit.id])
    wanted = Wanted(catalogue, catalogue.service(visit.service_id), catalogue.location(visit.location_id))
    need = Need(wanted, visit.starts_at, [catalogue.practitioner(visit.practitioner_id)], ours=(visit.id,))
    take(work, need, now=now, appointment_id=visit.id, store=lambda _: None)
    return ledger.change(work, entry, what="held-again", actor=actor, source=visit.source, now=now, columns={})


def _settle(
    work: UnitOfWork, catalogue: Catalogue, entry: ledger.Entry, *, patient_id: str, now: datetime, actor: str
) -> BookedVisit:
    service = catalogue.service(entry.visit.service_id)
    waits = service.needs_confirmation
    columns = {
        "status": AppointmentStatus.PENDING if waits else AppointmentStatus.BOOKED,
        "patient_id": patient_id,
        "hold_expires_at": None,
    }
    what = "requested" if waits else "booked"
    entry = ledger.change(work, entry, what=what, actor=actor, source=entry.visit.source, now=now, columns=columns)
    event = AppointmentRequested if waits else AppointmentBooked
    work.publish(ledger.told(event, entry, now=now))
    if waits:
        _ask_staff(work, catalogue, entry, now=now)
    return entry.visit


def _ask_staff(work: UnitOfWork, catalogue: Catalogue, entry: ledger.Entry, *, now: datetime) -> None:
    visit = entry.visit
    zone = catalogue.location(visit.location_id).zone
    tasks.open_task(
        work,
        clinic_id=entry.clinic_id,
        kind=TaskKind.BOOKING_REQUEST,
        text=f"Confirm or reject: {catalogue.service(visit.service_id).name} with "
        f"{catalogue.practitioner(visit.practitioner_id).name}, {visit.starts_at.astimezone(zone):%A %d %B %Y, %H:%M}.",
        now=now,
        conversation_id=entry.conversation_id,
        patient_id=visit.patient_id,
        appointment_id=visit.id,
        subject=f"request:{visit.id}",
    )
