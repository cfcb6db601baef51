"""Keep a time for somebody while the rest is talked over."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_

from booking import guard, ledger
from booking.asked import instant_asked, people_asked
from booking.availability import Wanted
from booking.choice import NO_WISH, Wish
from booking.claims import Need, Taken, claims_of, take
from booking.facts import gather, wanted_asked
from booking.model.appointment import Appointment
from booking.override import allowed_override
from booking.rules import check_booking
from booking.values import (
    AppointmentId,
    AppointmentStatus,
    BookedVisit,
    Catalogue,
    Mode,
    PatientId,
    Place,
    PractitionerInfo,
    PriorVisit,
    Source,
)
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
    override_reason = allowed_override(override_reason, actor=actor)
    starts_at = instant_asked(starts_at, now=now)
    wanted = wanted_asked(catalogue, service_id=service_id, location_id=location_id, duration=duration, place=place)
    named = people_asked(catalogue, practitioner_ids)
    candidates = _candidates(wanted, named, is_overriding=override_reason is not None)
    ours = () if replaces_appointment_id is None else (replaces_appointment_id,)
    with guard.all_or_nothing(work):
        if conversation_id is not None:
            _release(work, conversation_id=conversation_id, now=now, keeping_bundle=bundle_id)
        wanted, known = gather(
            work, wanted, candidates, starts_at=starts_at, now=now, patient_id=patient_id, ignoring=ours
        )
        known = dataclasses.replace(known, is_overriding=override_reason is not None)
        overridden = check_booking(known)
        if known.prior_visit is PriorVisit.PRACTITIONER and known.seen and not overridden:
            candidates = [one for one in candidates if one.id in known.seen]
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
                hold_expires_at=now + known.rules.hold if expires_at is None else expires_at,
                source=source,
                bundle_id=bundle_id,
                place=wanted.place,
                overridden=overridden,
            ),
            clinic_id=catalogue.clinic_id,
            revision=0,
            conversation_id=conversation_id,
            replaces_id=replaces_appointment_id,
        )
        need = Need(
            wanted,
            starts_at,
            candidates,
            seen_before=known.seen or (),
            ours=ours,
            wish=wish,
            is_overriding=known.is_overriding,
        )
        return _take_new(work, need, hold, now=now, actor=actor, override_reason=override_reason)


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


def _candidates(wanted: Wanted, named: Sequence[PractitionerInfo], *, is_overriding: bool) -> list[PractitionerInfo]:
    """Return with whom it may be: able, and named if anybody is. Staff may give it to whom they name, if still here."""
    if wanted.service not in wanted.catalogue.services or wanted.location not in wanted.catalogue.locations:
        return []
    able = wanted.catalogue.able(wanted.service, wanted.location)
    if not named:
        return list(able)
    found = [practitioner for practitioner in able if practitioner in named]
    if not found and is_overriding:
        return [practitioner for practitioner in named if practitioner in wanted.catalogue.practitioners]
    return found


def _take_new(
    work: UnitOfWork, need: Need, entry: ledger.Entry, *, now: datetime, actor: str, override_reason: str | None
) -> BookedVisit:
    given = [claim for own in need.ours for claim in claims_of(work.session, appointment_id=own)]

    def store(chosen: Taken) -> None:
        assigned = _assigned(need, entry, chosen, override_reason=override_reason)
        ledger.add(work, assigned, what="held", actor=actor, now=now)

    chosen = take(work, need, now=now, appointment_id=entry.visit.id, store=store, given=given)
    return _assigned(need, entry, chosen, override_reason=override_reason).visit


def _assigned(need: Need, entry: ledger.Entry, chosen: Taken, *, override_reason: str | None) -> ledger.Entry:
    practitioner = chosen.choice.practitioner
    overridden = (*entry.visit.overridden, *chosen.overridden)
    visit = dataclasses.replace(
        entry.visit,
        practitioner_id=practitioner.id,
        reason=str(chosen.choice.reason),
        meeting_url=practitioner.meeting_url if need.wanted.service.mode is Mode.TELEHEALTH else None,
        overridden=overridden,
    )
    return dataclasses.replace(entry, visit=visit, override_reason=override_reason if overridden else None)


def _release(work: UnitOfWork, *, conversation_id: str, now: datetime, keeping_bundle: str | None = None) -> None:
    conditions = [
        Appointment.conversation_id == conversation_id,
        Appointment.status == AppointmentStatus.PENDING,
        Appointment.hold_expires_at.is_not(None),
    ]
    if keeping_bundle is not None:
        conditions.append(or_(Appointment.bundle_id.is_(None), Appointment.bundle_id != keeping_bundle))
    statement = ledger.entries().where(*conditions).order_by(Appointment.id).with_for_update(key_share=True)
    for row in work.session.execute(statement).all():
        close_hold(work, ledger.entry_of(row), what="released", now=now)
