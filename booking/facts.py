"""Gather what the rules look at, and lock what keeps it true."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, Text, bindparam, cast, func, literal_column, null, or_, select, true, union_all
from sqlalchemy.orm import Session

from booking.asked import UnknownPatient, length_asked, location_asked, service_asked
from booking.availability import Wanted, can_start, starts_without_resources
from booking.ledger import Entry, entries, entry_of, place_of, read
from booking.loads import local_day
from booking.model.appointment import Appointment, Participant
from booking.model.patient import Patient
from booking.rules import Facts, Lengths
from booking.taken import InTheWay, Sought, in_the_way_selects
from booking.values import BLOCKING, AppointmentStatus, Catalogue, Mode, Place, PractitionerInfo
from kernel.db import EncryptedText, Ready, UtcDateTime, one_of, one_of_these, table_of
from kernel.interval import Interval
from kernel.work import UnitOfWork


def wanted_asked(
    catalogue: Catalogue,
    *,
    service_id: str,
    location_id: str,
    duration: timedelta | None = None,
    place: Place | None = None,
) -> Wanted:
    """Return the service as it is wanted at the location. Raises UnknownService, UnknownLocation, InvalidDuration."""
    service, location = service_asked(catalogue, service_id), location_asked(catalogue, location_id)
    return Wanted(catalogue, service, location, duration=length_asked(service, duration), place=place)


def offered_by(wanted: Wanted) -> tuple[PractitionerInfo, ...]:
    """Return who gives the service there today, in the clinic's order: nobody if one of the two is a thing of the past."""
    catalogue = wanted.catalogue
    if wanted.service not in catalogue.services or wanted.location not in catalogue.locations:
        return ()
    return catalogue.able(wanted.service, wanted.location)


def time_facts(wanted: Wanted, candidates: Sequence[PractitionerInfo], *, starts_at: datetime, now: datetime) -> Facts:
    """Return what the catalogue says about a visit at `starts_at` with one of `candidates`, whoever comes."""
    offered = offered_by(wanted)
    moment = Interval(starts_at, starts_at + timedelta(seconds=1))
    missing = starts_without_resources(wanted, span=moment, busy={})
    return Facts(
        rules=wanted.rules,
        now=now,
        visit=Interval(starts_at, starts_at + wanted.length),
        lengths=Lengths.of(wanted.service),
        is_offered=any(practitioner in offered for practitioner in candidates),
        is_within_hours=any(
            can_start(wanted, practitioner, starts_at=starts_at, busy={}, missing=missing)
            for practitioner in candidates
        ),
        needs_place=wanted.service.mode is Mode.HOME and wanted.place is None,
        prior_visit=wanted.service.prior_visit,
        practitioner_ids=tuple(practitioner.id for practitioner in candidates),
    )


@dataclasses.dataclass(frozen=True)
class LockedPatient:
    """As much of a Patient as booking looks at."""

    is_blocked: bool
    place: Place | None  # where they live


def lock_patient(work: UnitOfWork, *, patient_id: str, clinic_id: str) -> LockedPatient:
    """Lock the Patient until the end of the transaction, so that two conversations can't both find the time free for them.

    Raises UnknownPatient, also for another clinic's, and for one who was merged into another or erased.
    """
    rows = _LOCK_PATIENT.rows(work.session, {"patient_id": patient_id, "clinic_id": clinic_id})
    if not rows:
        raise UnknownPatient(patient_id=patient_id)
    [(is_blocked, place)] = rows
    return LockedPatient(is_blocked, place_of(place))


def lock_patient_and_visit(
    work: UnitOfWork, *, patient_id: str, appointment_id: str, clinic_id: str
) -> tuple[LockedPatient, Entry]:
    """Lock the Patient, then the Appointment, until the end of the transaction. One statement.

    Raises UnknownVisit, UnknownPatient, also for another clinic's.
    """
    given = {"patient_id": patient_id, "appointment_id": appointment_id, "clinic_id": clinic_id}
    for row in _LOCK_BOTH.rows(work.session, given):
        return LockedPatient(row[-2], place_of(row[-1])), entry_of(row)
    read(work.session, appointment_id=appointment_id, clinic_id=clinic_id)
    raise UnknownPatient(patient_id=patient_id)


def gather(
    work: UnitOfWork,
    wanted: Wanted,
    candidates: Sequence[PractitionerInfo],
    *,
    starts_at: datetime,
    now: datetime,
    patient_id: str | None,
    ignoring: Sequence[str],
    bundle_id: str | None = None,
    locked: LockedPatient | None = None,
) -> tuple[Wanted, Facts]:
    """Return all that the rules look at, apart from the Appointments `ignoring`; and what is wanted, with the place of a
    home visit where it is the patient's. Visits of one bundle count as one, and those of `bundle_id` not at all.

    Locks the Patient, if known and not `locked` already. Raises UnknownPatient, also for another clinic's.
    """
    wanted, facts, _ = gather_and_look(
        work,
        wanted,
        candidates,
        starts_at=starts_at,
        now=now,
        patient_id=patient_id,
        ignoring=ignoring,
        bundle_id=bundle_id,
        sought=None,
        locked=locked,
    )
    return wanted, facts


def gather_and_look(
    work: UnitOfWork,
    wanted: Wanted,
    candidates: Sequence[PractitionerInfo],
    *,
    starts_at: datetime,
    now: datetime,
    patient_id: str | None,
    ignoring: Sequence[str],
    bundle_id: str | None,
    sought: Sought | None,
    locked: LockedPatient | None = None,
) -> tuple[Wanted, Facts, InTheWay | None]:
    """As `gather`, and what is in the way of `sought`, in the same statement; None if nobody asked or nobody is known."""
    if patient_id is None:
        return wanted, time_facts(wanted, candidates, starts_at=starts_at, now=now), None
    patient = locked or lock_patient(work, patient_id=patient_id, clinic_id=wanted.catalogue.clinic_id)
    if wanted.service.mode is Mode.HOME and wanted.place is None:
        wanted = dataclasses.replace(wanted, place=patient.place)
    facts = time_facts(wanted, candidates, starts_at=starts_at, now=now)
    day = local_day(starts_at, wanted.location.zone)
    around = Interval(min(day.start, facts.visit.start), max(day.end, facts.visit.end))
    record, met = _read(work.session, patient_id=patient_id, around=around, now=now, ignoring=ignoring, sought=sought)
    facts = dataclasses.replace(
        facts,
        patient_is_blocked=patient.is_blocked,
        seen=record.seen,
        patient_visits=tuple(time for time, _ in record.visits),
        patient_visits_that_day=len(
            {whole for time, whole in record.visits if day.start <= time.start < day.end} - {bundle_id}
        ),
    )
    return wanted, facts, met


class _Record(NamedTuple):
    """When a patient has visits or seats in groups, each with the id of its bundle or its own; and who has seen them, the
    last one first.
    """

    visits: tuple[tuple[Interval, str], ...]
    seen: tuple[str, ...]


def _read(
    session: Session,
    *,
    patient_id: str,
    around: Interval,
    now: datetime,
    ignoring: Sequence[str],
    sought: Sought | None,
) -> tuple[_Record, InTheWay | None]:
    """Return the patient's record, with the visits that touch `around`, and what is in the way. One statement."""
    given = {"patient_id": patient_id, "ignoring": list(ignoring), "now": now, "start": around.start, "end": around.end}
    if sought is None:
        rows = _RECORD.rows(session, given)
    else:
        rows = _RECORD_AND_WAY.rows(session, given | sought.given())
    seen = sorted(((row[2], row[1]) for row in rows if row[0] == "seen"), reverse=True)
    record = _Record(
        tuple((Interval(row[2], row[3]), str(row[4])) for row in rows if row[0] == "visit"),
        tuple(str(practitioner_id) for _, practitioner_id in seen),
    )
    if sought is None:
        return record, None
    return record, sought.met_by((row for row in rows if row[0] == "taken"), now=now)


# On tables rather than classes, and made once: the mapper, and making them anew, cost more than the statements.
_PATIENT, _VISIT, _SEAT = table_of(Patient).c, table_of(Appointment).c, table_of(Participant).c
_SEEN = (AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED)
_THE_PATIENT = (
    select(_PATIENT.blocked, _PATIENT.place)
    .where(
        _PATIENT.id == bindparam("patient_id"), _PATIENT.clinic_id == bindparam("clinic_id"), _PATIENT.gone_at.is_(None)
    )
    .with_for_update(key_share=True)
)
_LOCK_PATIENT = Ready(_THE_PATIENT)
# The row of a query with a lock in it is there, and locked, before it can be joined with anything.
_LOCKED_FIRST = _THE_PATIENT.cte("locked_first")
_LOCK_BOTH = Ready(
    entries()
    .add_columns(_LOCKED_FIRST.c.blocked, _LOCKED_FIRST.c.place)
    .join(_LOCKED_FIRST, true())
    .where(_VISIT.id == bindparam("appointment_id"), _VISIT.clinic_id == bindparam("clinic_id"))
    .with_for_update(key_share=True, of=table_of(Appointment))
)
_THEIRS = (_VISIT.patient_id == bindparam("patient_id"), ~one_of(_VISIT.id, "ignoring"))
_LASTS = (
    one_of_these(_VISIT.status, BLOCKING),
    _VISIT.starts_at < bindparam("end"),
    _VISIT.ends_at > bindparam("start"),
    or_(_VISIT.hold_expires_at.is_(None), _VISIT.hold_expires_at > bindparam("now")),
)
_TIME = (_VISIT.practitioner_id, _VISIT.starts_at, _VISIT.ends_at, func.coalesce(_VISIT.bundle_id, _VISIT.id))
# What the reads of the diary tell besides, so that both can be one statement.
_NOTHING = (cast(null(), UtcDateTime()), *(cast(null(), kind()) for kind in (Text, Text, EncryptedText)))
_RECORD_SELECTS: tuple[Select[*tuple[Any, ...]], ...] = (
    select(literal_column("'visit'"), *_TIME, *_NOTHING).where(*_THEIRS, *_LASTS),
    select(literal_column("'visit'"), *_TIME, *_NOTHING).where(
        _SEAT.appointment_id == _VISIT.id,
        _SEAT.patient_id == bindparam("patient_id"),
        # As `sessions.seats_count`.
        one_of_these(_SEAT.status, BLOCKING),
        or_(_SEAT.hold_expires_at.is_(None), _SEAT.hold_expires_at > bindparam("now")),
        ~one_of(_VISIT.id, "ignoring"),
        *_LASTS,
    ),
    select(
        literal_column("'seen'"),
        _VISIT.practitioner_id,
        func.max(_VISIT.starts_at),
        func.max(_VISIT.ends_at),
        literal_column("''"),
        *_NOTHING,
    )
    .where(*_THEIRS, one_of_these(_VISIT.status, _SEEN), _VISIT.starts_at <= bindparam("now"))
    .group_by(_VISIT.practitioner_id),
)
_RECORD = Ready(union_all(*_RECORD_SELECTS))
_RECORD_AND_WAY = Ready(union_all(*_RECORD_SELECTS, *in_the_way_selects()))
