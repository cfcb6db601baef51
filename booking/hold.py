"""Keep a time for somebody while the rest is talked over."""

import dataclasses
from datetime import datetime

from booking import guard, ledger
from booking.availability import Wanted
from booking.claims import Need, Taken, claims_of, take
from booking.facts import time_facts, with_patient
from booking.model.appointment import Appointment
from booking.patients import last_practitioner
from booking.rules import check_booking
from booking.values import AppointmentId, AppointmentStatus, BookedVisit, Catalogue, PatientId, Source
from kernel.db import new_id
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
) -> BookedVisit:
    """Keep the time for `rules.hold` from `now`, with the best of `practitioner_ids` (empty: of all who are able).

    Locks the Schedules where several practitioners can be chosen from. Replaces an earlier Hold of the same conversation, which stays if this one
    is refused. The time of `replaces_appointment_id` is not an obstacle: the Hold is for moving that visit.
    Raises SlotTaken if somebody else has the time, ScheduleBusy, or the refusal of a rule (`booking.rules`).
    """
    wanted = Wanted(catalogue, catalogue.service(service_id), catalogue.location(location_id))
    candidates = [
        practitioner
        for practitioner in catalogue.able(wanted.service, wanted.location)
        if not practitioner_ids or practitioner.id in practitioner_ids
    ]
    ours = () if replaces_appointment_id is None else (replaces_appointment_id,)
    with guard.all_or_nothing(work):
        if conversation_id is not None:
            release_hold(work, conversation_id=conversation_id, now=now)
        known = time_facts(wanted, candidates, starts_at=starts_at, now=now)
        if patient_id is not None:
            known = with_patient(work, known, patient_id=patient_id, zone=wanted.location.zone, ignoring=ours)
        check_booking(known)
        hold = ledger.Entry(
            visit=BookedVisit(
                id=AppointmentId(new_id()),
                uid=f"{new_id()}@frontdesk",
                sequence=0,
                status=AppointmentStatus.PENDING,
                service_id=service_id,
                practitioner_id="",
                location_id=location_id,
                patient_id=None if patient_id is None else PatientId(patient_id),
                starts_at=starts_at,
                ends_at=known.visit.end,
                hold_expires_at=now + catalogue.rules.hold,
                source=source,
            ),
            clinic_id=catalogue.clinic_id,
            revision=0,
            conversation_id=conversation_id,
            replaces_id=replaces_appointment_id,
        )
        need = Need(wanted, starts_at, candidates, seen_before_id=_seen_before(work, patient_id, now=now), ours=ours)
        return _take_new(work, need, hold, now=now)


def _take_new(work: UnitOfWork, need: Need, entry: ledger.Entry, *, now: datetime) -> BookedVisit:
    given = [claim for own in need.ours for claim in claims_of(work.session, appointment_id=own)]

    def store(chosen: Taken) -> None:
        ledger.add(work, _assigned(entry, chosen), what="held", actor="patient", now=now)

    chosen = take(work, need, now=now, appointment_id=entry.visit.id, store=store, given=given)
    return _assigned(entry, chosen).visit


def _assigned(entry: ledger.Entry, chosen: Taken) -> ledger.Entry:
    visit = dataclasses.replace(
        entry.visit, practitioner_id=chosen.choice.practitioner.id, reason=str(chosen.choice.reason)
    )
    return dataclasses.replace(entry, visit=visit)


def _seen_before(work: UnitOfWork, patient_id: str | None, *, now: datetime) -> str | None:
    return None if patient_id is None else last_practitioner(work.session, patient_id=patient_id, now=now)


def release_hold(work: UnitOfWork, *, conversation_id: str, now: datetime) -> None:
    """Give back the time of the conversation's Hold. Nothing happens if it has none."""
    statement = (
        ledger.entries()
        .where(
            Appointment.conversation_id == conversation_id,
            Appointment.status == AppointmentStatus.PENDING,
            Appointment.hold_expires_at.is_not(None),
        )
        .order_by(Appointment.id)
        .with_for_update(key_share=True)
    )
    for row in work.session.execute(statement).all():
        entry = ledger.entry_of(row)
        close_hold(work, entry, what="released", now=now)


def close_hold(work: UnitOfWork, entry: ledger.Entry, *, what: str, now: datetime) -> None:
    """End a Hold that was read locked and give back its time. `what` is told in its history."""
    guard.release(work, appointment_id=entry.visit.id)
    columns = {"status": AppointmentStatus.CANCELLED, "cancel_reason": f"hold {what}"}
    ledger.change(work, entry, what=what, actor="patient", source=entry.visit.source, now=now, columns=columns)
