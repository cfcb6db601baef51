"""Appointments as staff see them, with names: the diary of a day, one appointment, those of a conversation.

A constant number of queries per page. Retired staff and services keep their names here, which the catalogue no longer has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from booking.model.appointment import Appointment, AppointmentChange, Participant
from booking.model.clinic import Location
from booking.model.patient import Patient
from booking.model.staff import HealthcareService, Practitioner
from booking.values import BLOCKING, AppointmentStatus
from frontdesk.console.reads.own import own_appointments
from kernel.interval import Interval

_HIDDEN_IN_DIARY = (
    AppointmentStatus.ENTERED_IN_ERROR,
    AppointmentStatus.CANCELLED,
    AppointmentStatus.WAITLIST,
    AppointmentStatus.PROPOSED,
)


@dataclass(frozen=True)
class Visit:
    """One appointment. Times ending in `_local` are in the zone of its location."""

    id: str
    status: str
    service: str
    practitioner: str
    practitioner_id: str
    location: str
    patient: str | None
    starts_at: datetime
    ends_at: datetime
    starts_local: datetime
    ends_local: datetime
    hold_expires_at: datetime | None
    revision: int = 0
    service_id: str = ""
    location_id: str = ""
    patient_id: str | None = None
    participants: int = 0  # of a group: who has a place in it
    patient_confirmed_at: datetime | None = None

    def is_lapsed(self, *, now: datetime) -> bool:
        """Say whether this was a Hold that nobody confirmed in time: it is no longer anybody's."""
        return (
            self.status == AppointmentStatus.PENDING
            and self.hold_expires_at is not None
            and self.hold_expires_at <= now
        )

    @property
    def was_only_held(self) -> bool:
        """Say whether this was a Hold that ended without ever becoming an appointment."""
        return self.status == AppointmentStatus.CANCELLED and self.hold_expires_at is not None

    @property
    def is_hold(self) -> bool:
        """Say whether it is only kept for somebody who has not said yes yet."""
        return self.status == AppointmentStatus.PENDING and self.hold_expires_at is not None

    @property
    def waits_for_staff(self) -> bool:
        return self.status == AppointmentStatus.PENDING and self.hold_expires_at is None

    @property
    def is_expected(self) -> bool:
        """Say whether the patient said that they will come, of a visit that is still to begin."""
        return self.status == AppointmentStatus.BOOKED and self.patient_confirmed_at is not None

    @property
    def may_move(self) -> bool:
        return self.status == AppointmentStatus.BOOKED or self.waits_for_staff


@dataclass(frozen=True)
class Change:
    """A line of an appointment's history, as it was stored."""

    at: datetime
    what: str
    actor: str
    source: str
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True)
class AppointmentPage:
    visit: Visit
    uid: str
    zone: str
    birth_date: date | None
    is_placeholder: bool
    source: str
    reason: str | None
    cancel_reason: str | None
    overridden: tuple[str, ...]
    override_reason: str | None
    conversation_id: str | None
    history: tuple[Change, ...]


def visits_between(
    session: Session,
    *,
    clinic_id: str,
    span: Interval,
    location_id: str | None = None,
    practitioner_id: str | None = None,
    now: datetime,
) -> list[Visit]:
    """Return what is in the diary during `span`, in order of time. Holds that ran out are left out."""
    where = [
        Appointment.clinic_id == clinic_id,
        Appointment.starts_at < span.end,
        Appointment.ends_at > span.start,
        Appointment.status.not_in(_HIDDEN_IN_DIARY),
        own_appointments(practitioner_id),
    ]
    if location_id:
        where.append(Appointment.location_id == location_id)
    return [visit for visit in _visits(session, where) if not visit.is_lapsed(now=now)]


def visits_by_id(
    session: Session, *, clinic_id: str, appointment_ids: Sequence[str], practitioner_id: str | None = None
) -> list[Visit]:
    """Return these appointments of the clinic, in order of time."""
    if not appointment_ids:
        return []
    ours = [Appointment.clinic_id == clinic_id, own_appointments(practitioner_id)]
    return _visits(session, [*ours, Appointment.id.in_(appointment_ids)])


def visits_of_conversation(
    session: Session, *, clinic_id: str, practitioner_id: str | None, conversation_id: str
) -> list[Visit]:
    """Return the appointments that a conversation made, in order of time. Holds that came to nothing and wishes are left out."""
    ours = [Appointment.clinic_id == clinic_id, own_appointments(practitioner_id)]
    made = _visits(session, [*ours, Appointment.conversation_id == conversation_id])
    return [visit for visit in made if not visit.was_only_held and visit.practitioner_id]


def visits_of_patient(
    session: Session, *, clinic_id: str, practitioner_id: str | None, patient_id: str, limit: int
) -> list[Visit]:
    """Return the latest of the patient's appointments and places in groups, the newest first, without what was only held."""
    seats = select(Participant.appointment_id).where(
        Participant.patient_id == patient_id, Participant.hold_expires_at.is_(None)
    )
    statement = _joined(
        [
            Appointment.clinic_id == clinic_id,
            own_appointments(practitioner_id),
            or_(Appointment.patient_id == patient_id, Appointment.id.in_(seats)),
            Appointment.hold_expires_at.is_(None),
        ]
    )
    found = session.execute(statement.order_by(Appointment.starts_at.desc(), Appointment.id).limit(limit))
    return [_visit(row) for row in found]


def read_appointment(
    session: Session, *, clinic_id: str, practitioner_id: str | None, appointment_id: str
) -> AppointmentPage | None:
    """Return one appointment with its history, or None when the clinic, or the practitioner, has no such one."""
    ours = [Appointment.clinic_id == clinic_id, own_appointments(practitioner_id)]
    found = session.execute(_joined([*ours, Appointment.id == appointment_id])).one_or_none()
    if found is None:
        return None
    row, patient = found.Appointment, found.Patient
    changes = session.scalars(
        select(AppointmentChange).where(AppointmentChange.appointment_id == row.id).order_by(AppointmentChange.id)
    )
    return AppointmentPage(
        visit=_visit(found),
        uid=row.uid,
        zone=found.timezone,
        birth_date=patient.birth_date if patient else None,
        is_placeholder=bool(patient and patient.is_placeholder),
        source=row.source,
        reason=row.reason,
        cancel_reason=row.cancel_reason,
        overridden=tuple(row.overridden),
        override_reason=row.override_reason,
        conversation_id=row.conversation_id,
        history=tuple(
            Change(
                at=change.changed_at,
                what=change.what,
                actor=change.actor,
                source=change.source,
                before=change.before or {},
                after=change.after,
            )
            for change in changes
        ),
    )


_PLACES_TAKEN = (
    select(func.count())
    .where(
        Participant.appointment_id == Appointment.id,
        Participant.status.in_(BLOCKING),
        Participant.hold_expires_at.is_(None),
    )
    .correlate(Appointment)
    .scalar_subquery()
)


def _visits(session: Session, where: Sequence[ColumnElement[bool]]) -> list[Visit]:
    found = session.execute(_joined(where).order_by(Appointment.starts_at, Appointment.id))
    return [_visit(row) for row in found]


def _joined(where: Sequence[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Appointment,
            Patient,
            HealthcareService.name.label("service"),
            Practitioner.name.label("practitioner"),
            Location.name.label("location"),
            Location.timezone.label("timezone"),
            _PLACES_TAKEN.label("participants"),
        )
        .join(HealthcareService, HealthcareService.id == Appointment.service_id)
        .outerjoin(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .join(Location, Location.id == Appointment.location_id)
        .outerjoin(Patient, Patient.id == Appointment.patient_id)
        .where(*where)
    )


def _visit(found: Any) -> Visit:
    row = found.Appointment
    zone = ZoneInfo(found.timezone)
    return Visit(
        id=row.id,
        status=row.status,
        service=found.service,
        practitioner=found.practitioner or "",  # of a wish nobody is chosen yet
        practitioner_id=row.practitioner_id or "",
        location=found.location,
        patient=found.Patient.name if found.Patient else None,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        starts_local=row.starts_at.astimezone(zone),
        ends_local=row.ends_at.astimezone(zone),
        hold_expires_at=row.hold_expires_at,
        revision=row.revision,
        service_id=row.service_id,
        location_id=row.location_id,
        patient_id=row.patient_id,
        participants=found.participants,
        patient_confirmed_at=row.patient_confirmed_at,
    )
