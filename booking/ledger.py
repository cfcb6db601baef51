"""The rows of Appointments and their history: read for showing, read for changing, written with a line of who did what.

Knows what an Appointment may become. Knows nothing of free time (`guard`) or of rules (`rules`). Plain statements rather
than mapped objects: a booking is the one write that many do at the same second.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Select, Update, bindparam, insert, select, update
from sqlalchemy.orm import Session

from booking.events import AppointmentEvent
from booking.model.appointment import Appointment, AppointmentChange
from booking.values import AppointmentId, AppointmentStatus, BookedVisit, PatientId, Place, Source
from kernel.db import NewRow, Ready, table_of
from kernel.errors import Refused
from kernel.together import change_and_write
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
    override_reason: str | None = None  # why staff set the rules aside that the visit names
    wish: Mapping[str, Any] | None = None  # of a request: what the patient asked for
    patient_confirmed_at: datetime | None = None  # they said that they will come


# Columns of the table rather than of the class: a booking is written by many at the same second, and the mapper costs more
# than the statement.
_TABLE = table_of(Appointment)
_ROW = _TABLE.c
_HISTORY = table_of(AppointmentChange)
_COLUMNS = (
    _ROW.id,
    _ROW.uid,
    _ROW.sequence,
    _ROW.status,
    _ROW.service_id,
    _ROW.practitioner_id,
    _ROW.location_id,
    _ROW.patient_id,
    _ROW.starts_at,
    _ROW.ends_at,
    _ROW.hold_expires_at,
    _ROW.source,
    _ROW.reason,
    _ROW.bundle_id,
    _ROW.times_moved,
    _ROW.meeting_url,
    _ROW.place,
    _ROW.overridden,
    _ROW.override_reason,
    _ROW.wish,
    _ROW.patient_confirmed_at,
    _ROW.clinic_id,
    _ROW.revision,
    _ROW.conversation_id,
    _ROW.replaces_id,
)


_NAMES = tuple(column.name for column in _COLUMNS)
_READ = Ready(select(*_COLUMNS).where(_ROW.id == bindparam("appointment_id")))
_READ_LOCKED = Ready(select(*_COLUMNS).where(_ROW.id == bindparam("appointment_id")).with_for_update(key_share=True))


def entries() -> Select[*tuple[Any, ...]]:
    """Return the select of Entries, to be narrowed by the caller and read with `entry_of`."""
    return select(*_COLUMNS)


def entry_of(row: Sequence[Any]) -> Entry:
    """Make an Entry of a row that begins with the columns of `entries()`."""
    columns = dict(zip(_NAMES, row, strict=False))
    visit = BookedVisit(
        id=AppointmentId(columns["id"]),
        uid=columns["uid"],
        sequence=columns["sequence"],
        status=AppointmentStatus(columns["status"]),
        service_id=columns["service_id"],
        practitioner_id=columns["practitioner_id"] or "",  # of a request nobody may be chosen yet
        location_id=columns["location_id"],
        patient_id=None if columns["patient_id"] is None else PatientId(columns["patient_id"]),
        starts_at=columns["starts_at"],
        ends_at=columns["ends_at"],
        hold_expires_at=columns["hold_expires_at"],
        source=Source(columns["source"]),
        reason=columns["reason"],
        bundle_id=columns["bundle_id"],
        times_moved=columns["times_moved"],
        meeting_url=columns["meeting_url"],
        place=place_of(columns["place"]),
        overridden=tuple(columns["overridden"]),
    )
    return Entry(
        visit,
        columns["clinic_id"],
        columns["revision"],
        columns["conversation_id"],
        columns["replaces_id"],
        columns["override_reason"],
        columns["wish"],
        columns["patient_confirmed_at"],
    )


def place_of(stored: str | None) -> Place | None:
    """Return a place as it is stored with a visit or a patient."""
    if stored is None:
        return None
    latitude, longitude = stored.split(",")
    return Place(float(latitude), float(longitude))


def stored_place(place: Place | None) -> str | None:
    """Return a place as it is stored with a visit or a patient."""
    return None if place is None else f"{place.latitude},{place.longitude}"


def read(session: Session, *, appointment_id: str, clinic_id: str | None = None) -> Entry:
    """Return the Appointment, of any clinic or of this one. Raises UnknownVisit."""
    return _found(_READ.rows(session, {"appointment_id": appointment_id}), clinic_id=clinic_id)


def read_locked(work: UnitOfWork, *, appointment_id: str, clinic_id: str | None = None) -> Entry:
    """Return the Appointment, of any clinic or of this one, and keep others from changing it until the end of the
    transaction. Raises UnknownVisit.
    """
    return _found(_READ_LOCKED.rows(work.session, {"appointment_id": appointment_id}), clinic_id=clinic_id)


def _found(rows: Sequence[Sequence[Any]], *, clinic_id: str | None) -> Entry:
    entries_found = [entry_of(row) for row in rows]
    if not entries_found or clinic_id not in {None, entries_found[0].clinic_id}:
        raise UnknownVisit
    return entries_found[0]


def add(work: UnitOfWork, entry: Entry, *, what: str, actor: str, now: datetime) -> None:
    """Write a new Appointment and the first line of its history."""
    for row in new_rows(entry, what=what, actor=actor, now=now):
        work.session.execute(insert(row.table).inline(), row.values)


def new_rows(entry: Entry, *, what: str, actor: str, now: datetime) -> list[NewRow]:
    """Return the rows of a new Appointment and the first line of its history, for the caller to write."""
    visit = entry.visit
    values = {
        "id": visit.id,
        "clinic_id": entry.clinic_id,
        "uid": visit.uid,
        "sequence": visit.sequence,
        "revision": entry.revision,
        "status": visit.status,
        "service_id": visit.service_id,
        "practitioner_id": visit.practitioner_id or None,
        "location_id": visit.location_id,
        "patient_id": visit.patient_id,
        "bundle_id": visit.bundle_id,
        "conversation_id": entry.conversation_id,
        "replaces_id": entry.replaces_id,
        "starts_at": visit.starts_at,
        "ends_at": visit.ends_at,
        "hold_expires_at": visit.hold_expires_at,
        "source": visit.source,
        "reason": visit.reason,
        "times_moved": visit.times_moved,
        "overridden": list(visit.overridden),
        "override_reason": entry.override_reason,
        "meeting_url": visit.meeting_url,
        "place": stored_place(visit.place),
        "created_at": now,
        "changed_at": now,
        "wish": entry.wish,
    }
    after = {name: getattr(visit, name) for name in _TOLD_AT_FIRST}
    after |= {name: value for name, value in (("overridden", visit.overridden), ("place", visit.place)) if value}
    after |= {} if entry.override_reason is None else {"override_reason": entry.override_reason}
    line = _line(entry, what=what, actor=actor, source=visit.source, now=now, before=None, after=after)
    # What is None is left out: half of the columns, and in one of JSON it would be stored as the word null.
    return [
        NewRow(_TABLE, {name: value for name, value in values.items() if value is not None}),
        NewRow(_HISTORY, line),
    ]


def change(
    work: UnitOfWork,
    entry: Entry,
    *,
    what: str,
    actor: str,
    source: Source,
    now: datetime,
    columns: Mapping[str, Any],
    telling: type[AppointmentEvent] | None = None,
) -> Entry:
    """Write `columns` of an Appointment that was read locked, with a line of its history, and return it as it is now.

    `telling`: the event that tells of it as it is then; it leaves with the change. One statement on PostgreSQL.
    Values are given as in `BookedVisit`: a place is a Place, the rules set aside a tuple. Raises VisitClosed if its status
    may not become the new one.
    """
    status = AppointmentStatus(columns.get("status", entry.visit.status))
    if status is not entry.visit.status and not entry.visit.status.may_become(status):
        raise VisitClosed(status=str(entry.visit.status))
    values = _stored(columns) | {"revision": entry.revision + 1, "changed_at": now}
    shown = {name: columns[name] for name in columns if name in _VISIT_FIELDS}
    visit = dataclasses.replace(entry.visit, **(shown | {"status": status}))
    others = {name: columns[name] for name in columns if name in _ENTRY_FIELDS}
    changed = dataclasses.replace(entry, visit=visit, revision=entry.revision + 1, **others)
    before = {name: getattr(entry.visit, name) for name in shown}
    line = _line(entry, what=what, actor=actor, source=source, now=now, before=before, after=dict(columns))
    event = [] if telling is None else [work.telling(told(telling, changed, now=now))]
    rows = [NewRow(_HISTORY, line), *event]
    change_and_write(work.session, _changing(tuple(values)), values | {"of_appointment": entry.visit.id}, rows=rows)
    return changed


@lru_cache(maxsize=64)
def _changing(names: tuple[str, ...]) -> Update:
    """Return the statement that writes these columns of an Appointment."""
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    return update(_TABLE).where(_ROW.id == bindparam("of_appointment")).values(values)


def note(
    work: UnitOfWork, entry: Entry, *, what: str, actor: str, source: Source, now: datetime, after: Mapping[str, Any]
) -> None:
    """Write a line into the history of an Appointment that was read locked, without changing it."""
    line = _line(entry, what=what, actor=actor, source=source, now=now, before=None, after=dict(after))
    _NOTING.rows(work.session, line)


def _stored(columns: Mapping[str, Any]) -> dict[str, Any]:
    stored = dict(columns)
    if "place" in stored:
        stored["place"] = stored_place(stored["place"])
    if "overridden" in stored:
        stored["overridden"] = list(stored["overridden"])
    if "practitioner_id" in stored:
        stored["practitioner_id"] = stored["practitioner_id"] or None
    return stored


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
_ENTRY_FIELDS = {"conversation_id", "replaces_id", "override_reason", "wish", "patient_confirmed_at"}
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


# As `_line` makes it where nothing was before.
_LINE = ("appointment_id", "changed_at", "what", "actor", "source", "after")
_NOTING = Ready(insert(_HISTORY).inline().values({name: bindparam(name) for name in _LINE}))


def _line(
    entry: Entry,
    *,
    what: str,
    actor: str,
    source: Source,
    now: datetime,
    before: dict[str, Any] | None,
    after: dict[str, Any],
) -> dict[str, Any]:
    return {
        "appointment_id": entry.visit.id,
        "changed_at": now,
        "what": what,
        "actor": actor,
        "source": source,
        "after": _plain(after),
        **({} if before is None else {"before": _plain(before)}),
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _told(value) for name, value in values.items() if value is not None or name == "hold_expires_at"}


def _told(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    # Where somebody lives is encrypted with the visit; a history is not.
    return "given" if isinstance(value, Place) else value
