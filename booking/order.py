"""A visit that is asked for, as one value, and giving it a place in the diary: what holding and booking at once have in common."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from booking import ledger
from booking.asked import instant_asked, people_asked
from booking.availability import Wanted, is_contingent
from booking.choice import NO_WISH, Wish
from booking.claims import Need, Taken, claims_of, sought, take
from booking.events import AppointmentBooked, AppointmentRequested
from booking.facts import gather_and_look, offered_by, wanted_asked
from booking.override import allowed_override, is_staff
from booking.rules import Facts, NotOffered, check_booking
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
from kernel.db import NewRow, new_id
from kernel.work import UnitOfWork


@dataclass(frozen=True)
class Order:
    """What is asked for, and by whom. `is_hold`: the time is only kept, until `expires_at` or for as long as the clinic does."""

    service_id: str
    location_id: str
    starts_at: datetime
    practitioner_ids: tuple[str, ...]
    conversation_id: str | None
    patient_id: str | None
    source: Source
    actor: str
    is_hold: bool
    replaces_id: str | None = None
    duration: timedelta | None = None
    place: Place | None = None
    bundle_id: str | None = None
    expires_at: datetime | None = None
    override_reason: str | None = None
    wish: Wish = NO_WISH


def place_order(work: UnitOfWork, catalogue: Catalogue, order: Order, *, now: datetime) -> ledger.Entry:
    """Choose who and which rooms, take their time, write the Appointment and, unless it is a Hold, tell of it.

    To be called in `guard.all_or_nothing`.

    Locks the Patient, then, where several practitioners can be chosen from or something is counted, the Schedules.
    """
    why = allowed_override(order.override_reason, actor=order.actor)
    starts_at = instant_asked(order.starts_at, now=now)
    wanted = wanted_asked(
        catalogue,
        service_id=order.service_id,
        location_id=order.location_id,
        duration=order.duration,
        place=order.place,
    )
    named = people_asked(catalogue, order.practitioner_ids)
    candidates = _candidates(wanted, named, is_overriding=why is not None)
    ours = () if order.replaces_id is None else (order.replaces_id,)
    wanted, known, met = gather_and_look(
        work,
        wanted,
        candidates,
        starts_at=starts_at,
        now=now,
        patient_id=order.patient_id,
        ignoring=ours,
        bundle_id=order.bundle_id,
        sought=sought(wanted, candidates, starts_at=starts_at, ours=ours),
    )
    if why is not None:
        known = dataclasses.replace(known, is_overriding=True)
    overridden = check_booking(known)
    if not candidates:
        # Staff may give it to somebody who does not offer it, if they say to whom.
        raise NotOffered
    need = Need(
        wanted,
        starts_at,
        _whom_they_may_see(candidates, known),
        seen_before=known.seen or (),
        ours=ours,
        wish=order.wish,
        is_overriding=known.is_overriding,
    )
    entry = _entry(order, wanted, known, overridden=overridden, why=why, now=now)
    given = [claim for own in ours for claim in claims_of(work.session, appointment_id=own)]

    placed = entry

    def rows(chosen: Taken) -> list[NewRow]:
        nonlocal placed
        placed = _assigned(order, wanted, entry, chosen, why=why)
        return _rows(work, order, placed, now=now)

    take(work, need, now=now, appointment_id=entry.visit.id, rows=rows, given=given, met=met)
    return placed


def must_wait(wanted: Wanted, practitioner: PractitionerInfo, *, starts_at: datetime, actor: str) -> bool:
    """Say whether staff must say yes to the visit first: to the service, or to the time. What they book they agree to."""
    if is_staff(actor):
        return False
    return wanted.service.needs_confirmation or is_contingent(wanted, practitioner, starts_at=starts_at)


def _candidates(wanted: Wanted, named: Sequence[PractitionerInfo], *, is_overriding: bool) -> list[PractitionerInfo]:
    """Return with whom it may be: able, and named if anybody is. Staff may give it to whom they name, if still here."""
    able = offered_by(wanted)
    if not named:
        return list(able)
    found = [practitioner for practitioner in able if practitioner in named]
    if not found and is_overriding:
        return [practitioner for practitioner in named if practitioner in wanted.catalogue.practitioners]
    return found


def _whom_they_may_see(candidates: list[PractitionerInfo], known: Facts) -> list[PractitionerInfo]:
    """Return those of `candidates` who have seen the patient, where the service asks for that and staff did not set it aside."""
    if known.prior_visit is not PriorVisit.PRACTITIONER or known.seen is None:
        return candidates
    return [one for one in candidates if one.id in known.seen] or candidates


def _entry(
    order: Order, wanted: Wanted, known: Facts, *, overridden: tuple[str, ...], why: str | None, now: datetime
) -> ledger.Entry:
    expires_at = now + known.rules.hold if order.expires_at is None else order.expires_at
    visit = BookedVisit(
        id=AppointmentId(new_id()),
        uid=f"{new_id()}@frontdesk",
        sequence=0,
        status=AppointmentStatus.PENDING,
        service_id=order.service_id,
        practitioner_id="",
        location_id=order.location_id,
        patient_id=None if order.patient_id is None else PatientId(order.patient_id),
        starts_at=known.visit.start,
        ends_at=known.visit.end,
        hold_expires_at=expires_at if order.is_hold else None,
        source=order.source,
        bundle_id=order.bundle_id,
        place=wanted.place,
        overridden=overridden,
    )
    return ledger.Entry(
        visit=visit,
        clinic_id=wanted.catalogue.clinic_id,
        revision=0,
        conversation_id=order.conversation_id,
        replaces_id=order.replaces_id,
        override_reason=why if overridden else None,
    )


def _assigned(order: Order, wanted: Wanted, entry: ledger.Entry, chosen: Taken, *, why: str | None) -> ledger.Entry:
    practitioner = chosen.choice.practitioner
    overridden = (*entry.visit.overridden, *chosen.overridden)
    is_booked = not order.is_hold and not must_wait(
        wanted, practitioner, starts_at=entry.visit.starts_at, actor=order.actor
    )
    visit = dataclasses.replace(
        entry.visit,
        status=AppointmentStatus.BOOKED if is_booked else entry.visit.status,
        practitioner_id=practitioner.id,
        reason=str(chosen.choice.reason),
        meeting_url=practitioner.meeting_url if wanted.service.mode is Mode.TELEHEALTH else None,
        overridden=overridden,
    )
    return dataclasses.replace(entry, visit=visit, override_reason=why if overridden else None)


def _rows(work: UnitOfWork, order: Order, entry: ledger.Entry, *, now: datetime) -> list[NewRow]:
    """Return what is written of it. Of a Hold nobody else is told."""
    if order.is_hold:
        return ledger.new_rows(entry, what="held", actor=order.actor, now=now)
    is_booked = entry.visit.status is AppointmentStatus.BOOKED
    told = ledger.told(AppointmentBooked if is_booked else AppointmentRequested, entry, now=now)
    what = "booked" if is_booked else "requested"
    return [*ledger.new_rows(entry, what=what, actor=order.actor, now=now), work.telling(told)]
