"""Several visits that belong together: held and booked all or nothing. Afterwards each has a life of its own."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations, pairwise

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from booking import guard, ledger, taken, travel
from booking.asked import instant_asked, people_asked, service_asked
from booking.availability import Busy, can_start, starts_without_resources
from booking.cancel import cancel_appointment
from booking.choice import NO_WISH, Wish
from booking.confirm import NotHeld, confirm_hold
from booking.facts import lock_patient, wanted_asked
from booking.hold import close_hold, place_hold, release_hold
from booking.model.appointment import Appointment, Bundle
from booking.several.together import Piece, Rooms, people_for, placing_order
from booking.values import (
    AppointmentStatus,
    BookedVisit,
    BundleKind,
    Catalogue,
    Place,
    PractitionerInfo,
    ServiceInfo,
    Slot,
    Source,
)
from kernel.db import new_id
from kernel.errors import Refused
from kernel.interval import Interval
from kernel.work import UnitOfWork

MOST_PARTS = {BundleKind.PACKAGE: 10, BundleKind.HOUSEHOLD: 6, BundleKind.SERIES: 100}
"""More visits than these are not booked at once: whoever wants that many has made a mistake, or wants to talk to staff."""


class NoParts(Refused):
    """Nothing was asked for: no visit, or nobody who comes."""

    code = "no-parts"


class TooManyParts(Refused):
    """More visits were asked for than are booked at once."""

    code = "too-many-parts"


class PartsOverlap(Refused):
    """The same patient was to be at two visits at a time."""

    code = "parts-overlap"


class NotThePackage(Refused):
    """The visits are not the steps of the package, in order, at one place, and close enough after each other."""

    code = "not-the-package"


class UnknownBundle(Refused):
    """The clinic has no such group of visits."""

    code = "unknown-bundle"


class PatientMissing(Refused):
    """It was not said for whom one of the visits is."""

    code = "patient-missing"


@dataclass(frozen=True)
class PartWish:
    """One visit of several: as for `place_hold`. `practitioner_ids` empty: any who are able."""

    service_id: str
    location_id: str
    starts_at: datetime
    practitioner_ids: tuple[str, ...] = ()
    patient_id: str | None = None
    duration: timedelta | None = None
    place: Place | None = None
    wish: Wish = NO_WISH

    @staticmethod
    def of(slot: Slot, *, patient_id: str | None = None, place: Place | None = None) -> "PartWish":
        """Return the wish for exactly this Slot."""
        length = slot.ends_at - slot.starts_at
        people = (slot.practitioner_id,)
        return PartWish(slot.service_id, slot.location_id, slot.starts_at, people, patient_id, length, place)


def place_bundle(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    kind: BundleKind,
    parts: Sequence[PartWish],
    conversation_id: str | None,
    source: Source,
    now: datetime,
    rule: str | None = None,
    expires_at: datetime | None = None,
    actor: str = "patient",
    override_reason: str | None = None,
) -> tuple[BookedVisit, ...]:
    """Hold the time of all parts, or of none, and return them in the order of `parts`; their `bundle_id` is the same.

    Each part is held as by `place_hold`, with the best of those who leave the other parts possible. Locks the Patients by
    id, then all Schedules, sorted. Replaces earlier Holds of the same conversation; those stay if this is refused. Two
    people may have visits at the same time, one may not: parts without a patient are one person's, except in a household.
    Raises NoParts, TooManyParts, PartsOverlap, and for any part what `place_hold` raises.
    """
    parts = checked_parts(kind, parts, now=now)
    with guard.all_or_nothing(work):
        pieces = [asked_piece(catalogue, part) for part in parts]
        bundle_id = open_bundle(
            work, catalogue, kind=kind, pieces=pieces, parts=parts, conversation_id=conversation_id, rule=rule, now=now
        )
        busy = _busy(work.session, catalogue, pieces, now=now)
        free = _free(pieces, busy, is_overriding=override_reason is not None)
        placed: dict[int, BookedVisit] = {}
        # Where no order gives each its rooms, `place_hold` says why.
        for number in placing_order(pieces, Rooms(busy)) or range(len(parts)):
            part = parts[number]
            practitioner_ids = _who_leaves_room(free, number) or part.practitioner_ids
            placed[number] = place_hold(
                work,
                catalogue,
                service_id=part.service_id,
                location_id=part.location_id,
                starts_at=part.starts_at,
                practitioner_ids=practitioner_ids,
                conversation_id=conversation_id,
                patient_id=part.patient_id,
                source=source,
                now=now,
                duration=part.duration,
                place=part.place,
                bundle_id=bundle_id,
                expires_at=expires_at,
                actor=actor,
                override_reason=override_reason,
                wish=part.wish,
            )
            free[number] = free[number].with_one(catalogue.practitioner(placed[number].practitioner_id))
        return tuple(placed[number] for number in range(len(parts)))


def place_package(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    service_id: str,
    parts: Sequence[PartWish],
    conversation_id: str | None,
    source: Source,
    now: datetime,
    expires_at: datetime | None = None,
    actor: str = "patient",
    override_reason: str | None = None,
) -> tuple[BookedVisit, ...]:
    """Hold all steps of the package, or none: `place_bundle` for parts that are its steps, one after the other.

    `PartWish.of` makes them of a Slot's parts. Raises NotThePackage, and what `place_bundle` raises.
    """
    parts = checked_parts(BundleKind.PACKAGE, parts, now=now)
    if not _are_steps(service_asked(catalogue, service_id), [asked_piece(catalogue, part) for part in parts]):
        raise NotThePackage
    return place_bundle(
        work,
        catalogue,
        kind=BundleKind.PACKAGE,
        parts=parts,
        conversation_id=conversation_id,
        source=source,
        now=now,
        expires_at=expires_at,
        actor=actor,
        override_reason=override_reason,
    )


def confirm_bundle(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    bundle_id: str,
    patient_ids: Mapping[str, str] | str,
    now: datetime,
    actor: str,
    override_reason: str | None = None,
) -> tuple[BookedVisit, ...]:
    """Book all Holds of the bundle, or none, and return its visits by start. Calling again gives the same visits.

    `patient_ids`: whose they are, by Appointment; or the one whose all are. A part that was held for somebody is theirs.
    Locks the Patients and the Appointments by id, and for Holds that have run out, which are claimed anew, all Schedules,
    sorted. Raises UnknownBundle, PatientMissing, NotHeld if a part was given back, and for any part what `confirm_hold`
    raises; nothing is booked then.
    """
    with guard.all_or_nothing(work):
        known = [entry.visit for entry in _entries(work.session, catalogue, bundle_id=bundle_id)]
        owners = {visit.id: _owner(visit, patient_ids) for visit in known if visit.is_hold}
        for patient_id in sorted(set(owners.values())):
            lock_patient(work, patient_id=patient_id, clinic_id=catalogue.clinic_id)
        entries = _entries(work.session, catalogue, bundle_id=bundle_id, is_locking=True)
        if not any(entry.visit.is_hold for entry in entries):
            return _confirmed_before(entries)
        if any(entry.visit.status is AppointmentStatus.CANCELLED for entry in entries):
            raise NotHeld
        lapsed = [entry.visit for entry in entries if entry.visit.is_hold and not _is_kept(entry.visit, now=now)]
        if lapsed:
            pieces = [asked_piece(catalogue, _wish_of(visit)) for visit in lapsed]
            guard.lock_schedules(work, schedule_ids=_schedule_ids(pieces))

        def confirmed(visit: BookedVisit) -> BookedVisit:
            if not visit.is_hold:
                return visit
            return confirm_hold(
                work,
                catalogue,
                appointment_id=visit.id,
                patient_id=owners[visit.id],
                now=now,
                actor=actor,
                override_reason=override_reason,
            )

        return tuple(confirmed(entry.visit) for entry in entries)


def cancel_bundle(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    bundle_id: str,
    reason: str | None,
    now: datetime,
    actor: str,
    source: Source,
    from_at: datetime | None = None,
) -> tuple[BookedVisit, ...]:
    """Call off what is still ahead of the bundle, or only what starts at `from_at` or later; give back what is only held.

    All of it or nothing. Returns what is cancelled, by start; calling again changes nothing. Locks the Appointments by id.
    Raises UnknownBundle, and for patients TooLateToChange if that is so for one of them.
    """
    with guard.all_or_nothing(work):
        entries = _entries(work.session, catalogue, bundle_id=bundle_id, is_locking=True)
        ahead = [entry for entry in entries if entry.visit.starts_at > now]
        ahead = [entry for entry in ahead if from_at is None or entry.visit.starts_at >= from_at]
        cancelled = []
        for entry in ahead:
            if entry.visit.is_hold:
                close_hold(work, entry, what="released", now=now)
            elif entry.visit.status in _CALLED_OFF and entry.visit.hold_expires_at is None:
                cancelled.append(
                    cancel_appointment(
                        work,
                        catalogue,
                        appointment_id=entry.visit.id,
                        reason=reason,
                        now=now,
                        actor=actor,
                        source=source,
                    )
                )
        return tuple(cancelled)


def release_bundle(work: UnitOfWork, catalogue: Catalogue, *, bundle_id: str, now: datetime) -> None:
    """Give back the time of the bundle's Holds; what is booked stays. Calling again changes nothing. Raises UnknownBundle."""
    for entry in _entries(work.session, catalogue, bundle_id=bundle_id, is_locking=True):
        if entry.visit.is_hold:
            close_hold(work, entry, what="released", now=now)


def visits_of_bundle(session: Session, catalogue: Catalogue, *, bundle_id: str) -> tuple[BookedVisit, ...]:
    """Return all visits of the bundle by start, also what was called off. Raises UnknownBundle."""
    return tuple(entry.visit for entry in _entries(session, catalogue, bundle_id=bundle_id))


def checked_parts(kind: BundleKind, parts: Sequence[PartWish], *, now: datetime) -> tuple[PartWish, ...]:
    """Return the parts with their times in UTC. Raises NoParts, TooManyParts, PartsOverlap, and for times `instant_asked`'s."""
    if not parts:
        raise NoParts
    if len(parts) > MOST_PARTS[kind]:
        raise TooManyParts(maximum=MOST_PARTS[kind])
    return tuple(dataclasses.replace(part, starts_at=instant_asked(part.starts_at, now=now)) for part in parts)


def asked_piece(catalogue: Catalogue, part: PartWish) -> Piece:
    """Return what a part asks for, with all who may give it. Raises as `wanted_asked` and `people_asked`."""
    wanted = wanted_asked(
        catalogue,
        service_id=part.service_id,
        location_id=part.location_id,
        duration=part.duration,
        place=part.place,
    )
    named = people_asked(catalogue, part.practitioner_ids)
    return Piece(wanted, part.starts_at, tuple(named or catalogue.able(wanted.service, wanted.location)))


def open_bundle(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    kind: BundleKind,
    pieces: Sequence[Piece],
    parts: Sequence[PartWish],
    conversation_id: str | None,
    rule: str | None,
    now: datetime,
) -> str:
    """Write the bundle and return its id, with everything locked that its parts may need, in the order of all locks.

    To be called in `guard.all_or_nothing`. Raises PartsOverlap, UnknownPatient.
    """
    _check_overlaps(kind, parts, pieces)
    for patient_id in sorted({part.patient_id for part in parts if part.patient_id is not None}):
        lock_patient(work, patient_id=patient_id, clinic_id=catalogue.clinic_id)
    if conversation_id is not None:
        release_hold(work, conversation_id=conversation_id, now=now)
    guard.lock_schedules(work, schedule_ids=_schedule_ids(pieces))
    bundle_id = new_id()
    values = {"id": bundle_id, "clinic_id": catalogue.clinic_id, "kind": kind, "rule": rule, "created_at": now}
    work.session.execute(insert(Bundle).values(**values))
    return bundle_id


# Also what is cancelled already. A Hold that was given back keeps its expiry: it never was a visit.
_CALLED_OFF = {AppointmentStatus.BOOKED, AppointmentStatus.PENDING, AppointmentStatus.CANCELLED}
_KEPT = {AppointmentStatus.PENDING, AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED}


def _check_overlaps(kind: BundleKind, parts: Sequence[PartWish], pieces: Sequence[Piece]) -> None:
    for (part, piece), (other, another) in combinations(zip(parts, pieces, strict=True), 2):
        both_unknown = part.patient_id is None and other.patient_id is None
        if part.patient_id != other.patient_id or (both_unknown and kind is BundleKind.HOUSEHOLD):
            continue
        if Interval(piece.starts_at, piece.ends_at).overlaps(Interval(another.starts_at, another.ends_at)):
            raise PartsOverlap(starts_at=max(part.starts_at, other.starts_at).isoformat())


def _schedule_ids(pieces: Sequence[Piece]) -> set[str]:
    return {each for piece in pieces for each in piece.wanted.schedule_ids(piece.candidates)}


def _are_steps(package: ServiceInfo, pieces: Sequence[Piece]) -> bool:
    if package.steps != tuple(piece.wanted.service.id for piece in pieces):
        return False
    waits = [after.starts_at - before.ends_at for before, after in pairwise(pieces)]
    are_close = all(timedelta(0) <= wait <= package.step_gap for wait in waits)
    return are_close and len({piece.wanted.location.id for piece in pieces}) == 1


def _busy(session: Session, catalogue: Catalogue, pieces: Sequence[Piece], *, now: datetime) -> Busy:
    claims = [piece.wanted.claim(piece.starts_at) for piece in pieces]
    return taken.busy_spans(
        session,
        schedule_ids=_schedule_ids(pieces),
        within=Interval(min(claim.start for claim in claims), max(claim.end for claim in claims)),
        now=now,
        addresses=travel.addresses(catalogue),
    )


def _free(pieces: Sequence[Piece], busy: Busy, *, is_overriding: bool) -> list[Piece]:
    """Return the pieces with those of their candidates who are free: among them people are divided."""

    def is_free(piece: Piece, candidate: PractitionerInfo) -> bool:
        if is_overriding:
            return not any(
                start < piece.claim[1] and piece.claim[0] < end for start, end in busy.get(candidate.schedule_id, ())
            )
        moment = Interval(piece.starts_at, piece.starts_at + timedelta(seconds=1))
        missing = starts_without_resources(piece.wanted, span=moment, busy=busy)
        return can_start(piece.wanted, candidate, starts_at=piece.starts_at, busy=busy, missing=missing)

    return [
        dataclasses.replace(piece, candidates=tuple(one for one in piece.candidates if is_free(piece, one)))
        for piece in pieces
    ]


def _who_leaves_room(pieces: Sequence[Piece], number: int) -> tuple[str, ...]:
    """Return those candidates of a piece with whom the other pieces are possible; nobody if it makes no difference."""
    piece = pieces[number]
    if len(piece.candidates) < 2:
        return ()
    found = [
        candidate.id
        for candidate in piece.candidates
        if people_for([*pieces[:number], piece.with_one(candidate), *pieces[number + 1 :]]) is not None
    ]
    return tuple(found) if len(found) < len(piece.candidates) else ()


def _entries(session: Session, catalogue: Catalogue, *, bundle_id: str, is_locking: bool = False) -> list[ledger.Entry]:
    """Return the Appointments of the bundle by start; locked in the order of their ids. Raises UnknownBundle."""
    bundle = select(Bundle.id).where(Bundle.id == bundle_id, Bundle.clinic_id == catalogue.clinic_id)
    statement = ledger.entries().where(Appointment.bundle_id.in_(bundle)).order_by(Appointment.id)
    if is_locking:
        statement = statement.with_for_update(key_share=True)
    found = [ledger.entry_of(row) for row in session.execute(statement)]
    if not found:
        raise UnknownBundle(bundle_id=bundle_id)
    return sorted(found, key=lambda entry: (entry.visit.starts_at, entry.visit.id))


def _owner(visit: BookedVisit, patient_ids: Mapping[str, str] | str) -> str:
    if isinstance(patient_ids, str):
        return visit.patient_id or patient_ids
    owner = patient_ids.get(visit.id, visit.patient_id)
    if owner is None:
        raise PatientMissing(appointment_id=visit.id)
    return owner


def _confirmed_before(entries: Sequence[ledger.Entry]) -> tuple[BookedVisit, ...]:
    visits = tuple(entry.visit for entry in entries if entry.visit.status in _KEPT)
    if not visits:
        raise NotHeld
    return visits


def _is_kept(visit: BookedVisit, *, now: datetime) -> bool:
    return visit.hold_expires_at is not None and visit.hold_expires_at > now


def _wish_of(visit: BookedVisit) -> PartWish:
    length = visit.ends_at - visit.starts_at
    people = (visit.practitioner_id,)
    return PartWish(visit.service_id, visit.location_id, visit.starts_at, people, duration=length, place=visit.place)
