"""What must be true of every diary at any time, whoever wrote it and whatever died on the way: found with plain reads."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model.appointment import Allocation, Appointment, AppointmentChange
from booking.values import BLOCKING, AppointmentStatus, Catalogue
from kernel.work import OutboxEntry

TOLD = {
    "booked": "booking.appointment.booked",
    "accepted": "booking.appointment.booked",
    "opened": "booking.appointment.booked",
    "granted": "booking.appointment.booked",
    "requested": "booking.appointment.requested",
    "moved": "booking.appointment.moved",  # or requested, where staff must say yes to the new time
    "cancelled": "booking.appointment.cancelled",
    "unanswered": "booking.appointment.cancelled",
    "rejected": "booking.appointment.rejected",
    "proposed": "booking.appointment.proposed",
    "arrived": "booking.appointment.attendance",
    "noshow": "booking.appointment.attendance",
    "fulfilled": "booking.appointment.attendance",
    "attendance-undone": "booking.appointment.attendance",
    "expired": "booking.hold.expired",
}
"""The event that tells of a line of history."""

Rows = dict[str, list[tuple[datetime, datetime]]]
AnyRow = Any  # of the columns of one table


def diary_faults(session: Session, catalogue: Catalogue) -> list[str]:
    """Return what is wrong, a sentence each; nothing for a sound diary. Every visit must be one of `catalogue`'s services."""
    appointments = {row.id: row for row in session.execute(select(*Appointment.__table__.columns))}
    live: dict[str, Rows] = defaultdict(lambda: defaultdict(list))
    by_schedule: Rows = defaultdict(list)
    for row in session.execute(select(*Allocation.__table__.columns).where(Allocation.live)):
        live[row.appointment_id][row.schedule_id].append((row.starts_at, row.ends_at))
        by_schedule[row.schedule_id].append((row.starts_at, row.ends_at))
    return [
        *_overlaps(by_schedule),
        *(fault for row in appointments.values() for fault in _time_faults(catalogue, row, live[row.id])),
        *_telling_faults(session, appointments),
    ]


def doubles(session: Session) -> int:
    """Return how often a live Allocation begins before the one before it in the same Schedule has ended."""
    by_schedule: Rows = defaultdict(list)
    for row in session.execute(select(*Allocation.__table__.columns).where(Allocation.live)):
        by_schedule[row.schedule_id].append((row.starts_at, row.ends_at))
    return len(list(_overlaps(by_schedule)))


def _overlaps(by_schedule: Rows) -> Iterator[str]:
    for schedule_id, spans in by_schedule.items():
        for one, other in itertools.pairwise(sorted(spans)):
            if other[0] < one[1]:
                yield f"{schedule_id} is taken twice at {other[0]}"


def _time_faults(catalogue: Catalogue, row: AnyRow, live: Rows) -> Iterator[str]:
    status = AppointmentStatus(row.status)
    is_hold = status is AppointmentStatus.PENDING and row.hold_expires_at is not None
    if status not in BLOCKING:
        if live:
            yield f"{row.id} is {status} and takes time"
    elif live:
        # One that is to move a visit takes only what that does not have.
        if not (is_hold and row.replaces_id is not None):
            yield from _claim_faults(catalogue, row, live)
    elif not is_hold:  # a Hold that ran out gives its time back and stays as it is
        yield f"{row.id} is {status} and has no time"


def _claim_faults(catalogue: Catalogue, row: AnyRow, live: Rows) -> Iterator[str]:
    """Its own time with buffers, at its Practitioner, and at one Resource of each kind that it needs."""
    service = catalogue.service(row.service_id)
    wanted = (row.starts_at - service.buffer_before, row.ends_at + service.buffer_after)
    for schedule_id, spans in live.items():
        pieces = sorted(spans)
        if (pieces[0][0], pieces[-1][1]) != wanted or any(a[1] != b[0] for a, b in itertools.pairwise(pieces)):
            yield f"{row.id} takes other time than its own in {schedule_id}"
    kind_of = {item.schedule_id: item.kind for item in catalogue.resources}
    kind_of[catalogue.practitioner(row.practitioner_id).schedule_id] = "practitioner"
    kinds = Counter(kind_of.get(schedule_id, "a stranger") for schedule_id in live)
    if kinds != Counter(("practitioner", *service.resources)):
        yield f"{row.id} takes time of {dict(kinds)}"


@dataclass(frozen=True)
class _SeatLine:
    """Stands for a revision that tells of a seat."""

    what: str = "seat"
    after: Mapping[str, Any] = field(default_factory=dict)


_SEAT = _SeatLine()


def _telling_faults(session: Session, appointments: Mapping[str, AnyRow]) -> Iterator[str]:
    """History has a line for each revision; the outbox tells of each change that concerns others, once and in order.

    What is told of a seat has a revision of its group's session, apart from the session's own history.
    """
    lines: dict[str, list[AnyRow]] = defaultdict(list)
    for row in session.execute(select(*AppointmentChange.__table__.columns).order_by(AppointmentChange.id)):
        if not row.what.startswith("seat-"):
            lines[row.appointment_id].append(row)
    events, seats = _told(session)
    for appointment_id, row in appointments.items():
        history = lines[appointment_id]
        for revision in seats[appointment_id]:
            history.insert(revision, _SEAT)
        if len(history) != row.revision + 1 or len(set(seats[appointment_id])) != len(seats[appointment_id]):
            yield f"{appointment_id} is at revision {row.revision} and has {len(history)} lines of history"
        yield from _illegal(appointment_id, history)
        must = [(TOLD[line.what], number) for number, line in enumerate(history) if line.what in TOLD]
        waiting = [(TOLD["requested"], number) if name == TOLD["moved"] else (name, number) for name, number in must]
        told = events[appointment_id]
        if len(told) != len(must) or any(one not in both for one, *both in zip(told, must, waiting, strict=True)):
            yield f"{appointment_id} was to be told of as {must} and was as {told}"
    if strangers := set(events) - set(appointments):
        yield f"told of appointments that are not there: {sorted(strangers)}"


def _told(session: Session) -> tuple[dict[str, list[tuple[str, int]]], dict[str, list[int]]]:
    """Return what the outbox tells of each Appointment, with revisions; and the revisions in which it tells of seats."""
    events: dict[str, list[tuple[str, int]]] = defaultdict(list)
    seats: dict[str, list[int]] = defaultdict(list)
    statement = select(OutboxEntry.aggregate_id, OutboxEntry.name, OutboxEntry.payload).order_by(OutboxEntry.id)
    for entry in session.execute(statement):
        if entry.name in TOLD.values():
            events[entry.aggregate_id].append((entry.name, entry.payload["revision"]))
        elif entry.name.startswith("booking.seat."):
            seats[entry.payload["appointment_id"]].append(entry.payload["revision"])
    return events, seats


def _illegal(appointment_id: str, history: list[AnyRow]) -> Iterator[str]:
    statuses = [AppointmentStatus(line.after["status"]) for line in history if "status" in line.after]
    for before, after in itertools.pairwise(statuses):
        if before is not after and not before.may_become(after):
            yield f"{appointment_id} went from {before} to {after}"
