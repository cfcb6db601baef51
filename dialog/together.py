"""Visits of several steps, and seats in groups, as the visits they are to the patient. With `tools` the only module that calls booking."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy.orm import Session

from booking import queries
from booking.confirm import note_patient_confirmed
from booking.hold import release_hold
from booking.sessions import Seat, seats_of_patients
from booking.several.bundles import PartWish, cancel_bundle, confirm_bundle, place_package, visits_of_bundle
from booking.several.groups import join_session, start_session
from booking.values import AppointmentStatus, BookedVisit, Catalogue, ServiceInfo, Slot, Source
from kernel.work import UnitOfWork

_KEPT = {AppointmentStatus.PENDING, AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED}


def hold_package(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    slot: Slot,
    patient_id: str | None,
    conversation_id: str,
    source: Source,
    now: datetime,
) -> BookedVisit:
    """Hold all steps of a Slot with `parts`, or none. Raises what `place_package` raises."""
    parts = [PartWish.of(part, patient_id=patient_id) for part in slot.parts]
    held = place_package(
        work,
        catalogue,
        service_id=slot.service_id,
        parts=parts,
        conversation_id=conversation_id,
        source=source,
        now=now,
    )
    return _as_one(catalogue.service(slot.service_id), held)


def confirm_package(
    work: UnitOfWork, catalogue: Catalogue, *, bundle_id: str, patient_id: str, now: datetime, actor: str
) -> BookedVisit:
    """Book all that is held for the bundle, or nothing. Raises what `confirm_bundle` raises."""
    booked = confirm_bundle(work, catalogue, bundle_id=bundle_id, patient_ids=patient_id, now=now, actor=actor)
    package = _package_of(catalogue, booked)
    return booked[0] if package is None else _as_one(package, booked)


def cancel_package(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    whole: BookedVisit,
    reason: str,
    now: datetime,
    actor: str,
    source: Source,
) -> BookedVisit | None:
    """Call off every step that is ahead; None if there is none. Raises what `cancel_bundle` raises."""
    cancelled = cancel_bundle(
        work, catalogue, bundle_id=whole.bundle_id or "", reason=reason, now=now, actor=actor, source=source
    )
    return _as_one(catalogue.service(whole.service_id), cancelled) if cancelled else None


def note_package_confirmed(work: UnitOfWork, catalogue: Catalogue, *, whole: BookedVisit, now: datetime) -> None:
    """Write down at every step that is ahead that the patient will come."""
    for part in visits_of_bundle(work.session, catalogue, bundle_id=whole.bundle_id or ""):
        if part.status in _KEPT and part.starts_at > now:
            note_patient_confirmed(work, appointment_id=part.id, now=now)


def package_with(session: Session, catalogue: Catalogue, *, appointment_id: str) -> BookedVisit | None:
    """Return the package that an Appointment is a step of, as one visit; None if it is none that still is whole."""
    part = queries.visit(session, appointment_id=appointment_id)
    if part.bundle_id is None:
        return None
    kept = [
        one
        for one in visits_of_bundle(session, catalogue, bundle_id=part.bundle_id)
        if _stands(one) and _is_with(one, part)
    ]
    package = _package_of(catalogue, kept)
    return None if package is None else _as_one(package, kept)


def put_together(session: Session, catalogue: Catalogue, visits: Sequence[BookedVisit]) -> list[BookedVisit]:
    """Return the visits with the steps of each package that still is whole as one, where the first of them stood."""
    found: list[BookedVisit] = []
    told: set[str] = set()
    for visit in visits:
        if visit.bundle_id is None:
            found.append(visit)
        elif visit.bundle_id not in told:
            whole = package_with(session, catalogue, appointment_id=visit.id)
            if whole is not None:
                told.add(visit.bundle_id)
            found.append(whole or visit)
    return found


def hold_seat(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    slot: Slot,
    patient_id: str | None,
    conversation_id: str,
    source: Source,
    now: datetime,
) -> tuple[BookedVisit, str]:
    """Hold a seat in the session of a Slot, or start one, and return the session and the seat's id. Raises what `join_session`
    and `start_session` raise.
    """
    if slot.session_id is None:
        seat = start_session(
            work,
            catalogue,
            service_id=slot.service_id,
            location_id=slot.location_id,
            starts_at=slot.starts_at,
            practitioner_ids=(slot.practitioner_id,),
            patient_id=patient_id,
            conversation_id=conversation_id,
            source=source,
            now=now,
        )
    else:
        release_hold(work, conversation_id=conversation_id, now=now)
        seat = join_session(
            work,
            catalogue,
            session_id=slot.session_id,
            patient_id=patient_id,
            conversation_id=conversation_id,
            source=source,
            now=now,
        )
    return seat_visit(work.session, seat), seat.id


def seat_visit(session: Session, seat: Seat) -> BookedVisit:
    """Return the session of a seat as the visit that it is to who has the seat."""
    visit = queries.visit(session, appointment_id=seat.session_id)
    return replace(visit, patient_id=seat.patient_id, status=seat.status)


def seats_ahead(session: Session, catalogue: Catalogue, *, patient_id: str, now: datetime) -> list[BookedVisit]:
    """Return the sessions ahead of the patient, or under way."""
    found = seats_of_patients(session, catalogue, patient_ids=(patient_id,), now=now)
    return [seat_visit(session, seat) for seat in found]


def _stands(visit: BookedVisit) -> bool:
    return visit.status in _KEPT and visit.hold_expires_at is None


def _is_with(visit: BookedVisit, other: BookedVisit) -> bool:
    return visit.patient_id == other.patient_id and visit.location_id == other.location_id


def _package_of(catalogue: Catalogue, parts: Sequence[BookedVisit]) -> ServiceInfo | None:
    """Return the package whose steps these are, in order and close enough after each other. One that staff took apart is none."""
    done = tuple(part.service_id for part in parts)
    waits = [after.starts_at - before.ends_at for before, after in pairwise(parts)]
    fitting = (
        one
        for one in _packages(catalogue)
        if one.steps == done and all(timedelta(0) <= wait <= one.step_gap for wait in waits)
    )
    return next(fitting, None)


def _packages(catalogue: Catalogue) -> Iterator[ServiceInfo]:
    for one in (*catalogue.services, *catalogue.retired):
        if isinstance(one, ServiceInfo) and one.steps:
            yield one


def _as_one(package: ServiceInfo, parts: Sequence[BookedVisit]) -> BookedVisit:
    """Return the steps as one visit: from the first, with whom it begins, to the last. It waits for staff if any of them does."""
    first, waiting = parts[0], [part for part in parts if part.status is AppointmentStatus.PENDING]
    status = AppointmentStatus.PENDING if waiting else first.status
    return replace(first, service_id=package.id, ends_at=max(part.ends_at for part in parts), status=status)
