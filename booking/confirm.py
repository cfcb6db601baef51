"""Turn a Hold into an appointment once the patient has said yes."""

import dataclasses
from datetime import datetime
from typing import Any

from booking import elsewhere, guard, ledger, tasks
from booking.availability import Wanted
from booking.claims import Need, claims_of, take
from booking.events import AppointmentBooked, AppointmentRequested
from booking.facts import gather, lock_patient_and_visit, wanted_asked
from booking.guard import Claim
from booking.order import must_wait
from booking.override import allowed_override
from booking.rules import Facts, check_booking, check_patient
from booking.task_words import TaskSays
from booking.values import AppointmentStatus, BookedVisit, Catalogue, PractitionerInfo, TaskKind
from kernel.errors import Refused
from kernel.work import UnitOfWork


class NotHeld(Refused):
    """This is not a Hold that this patient can confirm: it was given back, or is somebody else's, or moves a visit."""

    code = "not-held"


def confirm_hold(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    appointment_id: str,
    patient_id: str,
    now: datetime,
    actor: str,
    override_reason: str | None = None,
) -> BookedVisit:
    """Book the Hold for the patient. Calling again gives the same visit.

    Locks the Patient, the Appointment, and for a Hold that has run out, which is claimed anew, the Schedules. Where staff
    must say yes first (the service, or contingent time) the visit stays `pending`, without an expiry, and they get a task,
    unless it is they who confirm. Raises SlotTaken if the time went meanwhile, NotHeld, UnknownVisit, UnknownPatient, a
    rule's refusal, CalendarUnread, ScheduleBusy; the Hold is then as before.
    """
    override_reason = allowed_override(override_reason, actor=actor)
    with guard.all_or_nothing(work):
        patient, entry = lock_patient_and_visit(
            work, patient_id=patient_id, appointment_id=appointment_id, clinic_id=catalogue.clinic_id
        )
        held = entry.visit
        practitioner = practitioner_of(catalogue, held)
        wanted, known = gather(
            work,
            wanted_of(catalogue, held),
            [practitioner],
            starts_at=held.starts_at,
            now=now,
            patient_id=patient_id,
            ignoring=(appointment_id,),
            bundle_id=held.bundle_id,
            locked=patient,
        )
        if entry.replaces_id is not None or entry.visit.patient_id not in {None, patient_id}:
            raise NotHeld
        if not entry.visit.is_hold:
            return _confirmed_before(entry, patient_id=patient_id)
        # What staff set aside when it was held stays so.
        known = dataclasses.replace(known, is_overriding=override_reason is not None, waived=entry.visit.overridden)
        claims = _claims_if_ours(work, entry, now=now)
        if claims:
            overridden = check_patient(known)
            elsewhere.check_held(work, catalogue, practitioner, claims)
        else:
            overridden = check_booking(known)
            entry = _claimed_anew(work, wanted, known, entry, now=now, actor=actor)
        return _settle(
            work, wanted, entry, patient_id=patient_id, now=now, actor=actor, overridden=overridden, why=override_reason
        )


def note_patient_confirmed(work: UnitOfWork, *, appointment_id: str, now: datetime) -> None:
    """Write down that the patient said they will come. May be called again. Raises VisitClosed for one that is not ahead."""
    entry = ledger.read_locked(work, appointment_id=appointment_id)
    if entry.visit.status not in {AppointmentStatus.BOOKED, AppointmentStatus.PENDING} or entry.visit.starts_at <= now:
        raise ledger.VisitClosed(status=str(entry.visit.status))
    columns = {"patient_confirmed_at": now}
    ledger.change(
        work, entry, what="patient-confirmed", actor="patient", source=entry.visit.source, now=now, columns=columns
    )


def wanted_of(catalogue: Catalogue, visit: BookedVisit) -> Wanted:
    """Return what the visit is, with its own length and place: the service may have got another meanwhile."""
    return wanted_asked(
        catalogue,
        service_id=visit.service_id,
        location_id=visit.location_id,
        duration=visit.ends_at - visit.starts_at,
        place=visit.place,
    )


def practitioner_of(catalogue: Catalogue, held: BookedVisit) -> PractitionerInfo:
    """Return with whom the Hold is. Raises NotHeld for a request, which nobody may be chosen for yet."""
    if not held.practitioner_id:
        raise NotHeld
    return catalogue.practitioner(held.practitioner_id)


def ask_staff(work: UnitOfWork, catalogue: Catalogue, entry: ledger.Entry, *, now: datetime) -> None:
    """Give staff the task to confirm or reject the visit; there is one at most."""
    visit = entry.visit
    zone = catalogue.location(visit.location_id).zone
    tasks.open_task(
        work,
        clinic_id=entry.clinic_id,
        kind=TaskKind.BOOKING_REQUEST,
        says=TaskSays.CONFIRM,
        details={
            "service": catalogue.service(visit.service_id).name,
            "practitioner": catalogue.practitioner(visit.practitioner_id).name,
            "visit_at": visit.starts_at.astimezone(zone),
        },
        now=now,
        conversation_id=entry.conversation_id,
        patient_id=visit.patient_id,
        appointment_id=visit.id,
        subject=tasks.subject_of(tasks.About.REQUEST, visit.id),
    )


def _confirmed_before(entry: ledger.Entry, *, patient_id: str) -> BookedVisit:
    # The session of a group is nobody's visit.
    is_theirs = entry.visit.patient_id == patient_id
    if is_theirs and entry.visit.status in {
        AppointmentStatus.PENDING,
        AppointmentStatus.BOOKED,
        AppointmentStatus.ARRIVED,
    }:
        return entry.visit
    raise NotHeld


def _claims_if_ours(work: UnitOfWork, entry: ledger.Entry, *, now: datetime) -> list[Claim]:
    """Return the time that the Hold has, and none once it has run out."""
    # A process whose clock is ahead of ours may have let it lapse already: the claims decide, not the clock alone.
    expires_at = entry.visit.hold_expires_at
    if expires_at is None or expires_at <= now:
        return []
    return claims_of(work.session, appointment_id=entry.visit.id)


def _claimed_anew(
    work: UnitOfWork, wanted: Wanted, known: Facts, entry: ledger.Entry, *, now: datetime, actor: str
) -> ledger.Entry:
    visit = entry.visit
    guard.discard(work, appointment_ids=[visit.id])
    need = Need(
        wanted,
        visit.starts_at,
        [wanted.catalogue.practitioner(visit.practitioner_id)],
        ours=(visit.id,),
        is_overriding=known.is_overriding or bool(known.waived),
    )
    take(work, need, now=now, appointment_id=visit.id)
    return ledger.change(work, entry, what="held-again", actor=actor, source=visit.source, now=now, columns={})


def _settle(
    work: UnitOfWork,
    wanted: Wanted,
    entry: ledger.Entry,
    *,
    patient_id: str,
    now: datetime,
    actor: str,
    overridden: tuple[str, ...],
    why: str | None,
) -> BookedVisit:
    practitioner = wanted.catalogue.practitioner(entry.visit.practitioner_id)
    waits = must_wait(wanted, practitioner, starts_at=entry.visit.starts_at, actor=actor)
    columns: dict[str, Any] = {
        "status": AppointmentStatus.PENDING if waits else AppointmentStatus.BOOKED,
        "patient_id": patient_id,
        "hold_expires_at": None,
    }
    if wanted.place != entry.visit.place:
        columns["place"] = wanted.place
    if overridden:
        columns |= {"overridden": tuple(dict.fromkeys((*entry.visit.overridden, *overridden))), "override_reason": why}
    what = "requested" if waits else "booked"
    event = AppointmentRequested if waits else AppointmentBooked
    source = entry.visit.source
    entry = ledger.change(work, entry, what=what, actor=actor, source=source, now=now, columns=columns, telling=event)
    if waits:
        ask_staff(work, wanted.catalogue, entry, now=now)
    return entry.visit
