"""The rows of Appointments and their history: read for showing, read for changing, written with a line of who did what.

Knows what an Appointment may become. Knows nothing of free time (`guard`) or of rules (`rules`). Plain statements rather
than mapped objects: a booking is the one write that many do at the same second.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.orm import Session

from booking.events import AppointmentEvent
from booking.model.appointment import Appointment, AppointmentChange
from booking.values import AppointmentId, AppointmentStatus, BookedVisit, PatientId, Source
from kernel.errors import Refused
from kernel.work import UnitOfWork

AnyEvent = TypeVar("AnyEvent", bound=AppointmentEvent)


class UnknownVisit(Refused):
    """There is no such Appointment."""

    code = "unknown-visit"


class VisitClosed(Refused):
    """The Appointment is in a status from which this can't be done: it was cancelled, or is over."""

    code = "visit-closed"


@dataclass(frozen=True)
class Entry:
    """An Appointment as it stands, with what only operations need."""

    visit: BookedVisit
    clinic_id: str
    revision: int
    conversation_id: str | None
    replaces_id: str | None


_COLUMNS = (
    Appointment.id,
    Appointment.uid,
    Appointment.sequence,
    Appointment.status,
    Appointment.service_id,
    Appointment.practitioner_id,
    Appointment.location_id,
    Appointment.patient_id,
    Appointment.starts_at,
    Appointment.ends_at,
    Appointment.hold_expires_at,
    Appointment.source,
    Appointment.reason,
    Appointment.clinic_id,
    Appointment.revision,
    Appointment.conversation_id,
    Appointment.replaces_id,
)


def entries() -> Select[*tuple[Any, ...]]:
    """Return the select of Entries, to be narrowed by the caller and read with `entry_of`."""
    return select(*_COLUMNS)


def entry_of(row: Row[*tuple[Any, ...]]) -> Entry:
    """Make an Entry of a row of `entries()`."""
    visit = BookedVisit(
        id=AppointmentId(row.id),
        uid=row.uid,
        sequence=row.sequence,
        status=AppointmentStatus(row.status),
        service_id=row.service_id,
        practitioner_id=row.practitioner_id,
        location_id=row.location_id,
        patient_id=None if row.patient_id is None else PatientId(row.patient_id),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        hold_expires_at=row.hold_expires_at,
        source=Source(row.source),
        reason=row.reason,
    )
    return Entry(visit, row.clinic_id, row.revision, row.conversation_id, row.replaces_id)


def read(session: Session, *, appointment_id: str) -> Entry:
    """Return the Appointment. Raises UnknownVisit."""
    row = session.execute(entries().where(Appointment.id == appointment_id)).one_or_none()
    if row is None:
        raise UnknownVisit
    return entry_of(row)


def read_locked(work: UnitOfWork, *, appointment_id: str) -> Entry:
    """Return the Appointment and keep others from changing it until the end of the transaction. Raises UnknownVisit."""
    statement = entries().where(Appointment.id == appointment_id).with_for_update(key_share=True)
    row = work.session.execute(statement).one_or_none()
    if row is None:
        raise UnknownVisit
    return entry_of(row)


def add(work: UnitOfWork, entry: Entry, *, what: str, actor: str, now: datetime) -> None:
    """Write a new Appointment and the first line of its history."""
    visit = entry.visit
    work.session.execute(
        insert(Appointment).values(
            id=visit.id,
            clinic_id=entry.clinic_id,
            uid=visit.uid,
            sequence=visit.sequence,
            revision=entry.revision,
            status=visit.status,
            service_id=visit.service_id,
            practitioner_id=visit.practitioner_id,
            location_id=visit.location_id,
            patient_id=visit.patient_id,
            conversation_id=entry.conversation_id,
            replaces_id=entry.replaces_id,
            starts_at=visit.starts_at,
            ends_at=visit.ends_at,
            hold_expires_at=visit.hold_expires_at,
            source=visit.source,
            reason=visit.reason,
            created_at=now,
            changed_at=now,
        )
    )
    after = {name: getattr(visit, name) for name in _TOLD_AT_FIRST}
    _write_line(work, entry, what=what, actor=actor, source=visit.source, now=now, before=None, after=after)


def change(
    work: UnitOfWork,
    entry: Entry,
    *,
    what: str,
    actor: str,
    source: Source,
    now: datetime,
    columns: Mapping[str, Any],
) -> Entry:
    """Write `columns` of an Appointment that was read locked, with a line of its history, and return it as it is now.

    Raises VisitClosed if its status may not become the new one.
    """
    status = AppointmentStatus(columns.get("status", entry.visit.status))
    if status is not entry.visit.status and not entry.visit.status.may_become(status):
        raise VisitClosed(status=str(entry.visit.status))
    work.session.execute(
        update(Appointment)
        .where(Appointment.id == entry.visit.id)
        .values(**columns, revision=entry.revision + 1, changed_at=now)
    )
    told = {name: columns[name] for name in columns if name in _VISIT_FIELDS}
    visit = dataclasses.replace(entry.visit, **(told | {"status": status}))
    before = {name: getattr(entry.visit, name) for name in told}
    _write_line(work, entry, what=what, actor=actor, source=source, now=now, before=before, after=dict(columns))
    return dataclasses.replace(entry, visit=visit, revision=entry.revision + 1)


def told(event: type[AnyEvent], entry: Entry, *, now: datetime) -> AnyEvent:
    """Return the `event` that tells of the Appointment as it stands."""
    return event(
        occurred_at=now,
        clinic_id=entry.clinic_id,
        appointment_id=entry.visit.id,
        revision=entry.revision,
        sequence=entry.visit.sequence,
    )


_VISIT_FIELDS = {field.name for field in dataclasses.fields(BookedVisit)}
_TOLD_AT_FIRST = (
    "status",
    "service_id",
    "practitioner_id",
    "location_id",
    "patient_id",
    "starts_at",
    "ends_at",
    "hold_expires_at",
)


def _write_line(
    work: UnitOfWork,
    entry: Entry,
    *,
    what: str,
    actor: str,
    source: Source,
    now: datetime,
    before: dict[str, Any] | None,
    after: dict[str, Any],
) -> None:
    work.session.execute(
        insert(AppointmentChange).values(
            appointment_id=entry.visit.id,
            changed_at=now,
            what=what,
            actor=actor,
            source=source,
            before=None if before is None else _plain(before),
            after=_plain(after),
        )
    )


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
        if value is not None or name == "hold_expires_at"
    }
