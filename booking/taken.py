"""What is taken: the reads that availability and rules work on. Each is one statement, whatever the span."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select, union_all
from sqlalchemy.orm import Session

from booking.availability import Busy
from booking.model.appointment import Allocation, Appointment
from booking.model.schedule import BusyInterval
from booking.spans import Span, span_of
from booking.values import BLOCKING
from kernel.interval import Interval


def counts_at(now: datetime) -> ColumnElement[bool]:
    """Return the condition that an Appointment is one that others must respect: not a Hold that has run out."""
    return or_(Appointment.hold_expires_at.is_(None), Appointment.hold_expires_at > now)


def busy_spans(
    session: Session,
    *,
    schedule_ids: Iterable[str],
    within: Interval,
    now: datetime,
    ignoring: Sequence[str] = (),
    ignoring_hold_of: str | None = None,
) -> Busy:
    """Return what is taken in each Schedule around `within`: visits with their buffers, Holds, and busy time of calendars.

    Left out: Holds that have run out, the Appointments `ignoring`, and the Hold of the conversation `ignoring_hold_of`.
    """
    ids = sorted(schedule_ids)
    counted = [counts_at(now)]
    if ignoring:
        counted.append(Allocation.appointment_id.not_in(ignoring))
    if ignoring_hold_of is not None:
        counted.append(_is_not_hold_of(ignoring_hold_of))
    visits = (
        select(Allocation.schedule_id, Allocation.starts_at, Allocation.ends_at)
        .join(Appointment, Appointment.id == Allocation.appointment_id)
        .where(
            Allocation.live,
            Allocation.schedule_id.in_(ids),
            Allocation.ends_at > within.start,
            Allocation.starts_at < within.end,
            *counted,
        )
    )
    elsewhere = select(BusyInterval.schedule_id, BusyInterval.starts_at, BusyInterval.ends_at).where(
        BusyInterval.schedule_id.in_(ids), BusyInterval.ends_at > within.start, BusyInterval.starts_at < within.end
    )
    found: dict[str, list[Span]] = {}
    for schedule_id, starts_at, ends_at in session.execute(union_all(visits, elsewhere)):
        found.setdefault(schedule_id, []).append(span_of(starts_at, ends_at))
    return found


def visit_starts(
    session: Session,
    *,
    practitioner_ids: Iterable[str],
    within: Interval,
    now: datetime,
    ignoring: Sequence[str] = (),
    ignoring_hold_of: str | None = None,
) -> list[tuple[str, datetime]]:
    """Return the Practitioner and the start of each visit that starts within `within`, for counting them by day."""
    conditions: list[ColumnElement[bool]] = [Appointment.id.not_in(ignoring)]
    if ignoring_hold_of is not None:
        conditions.append(_is_not_hold_of(ignoring_hold_of))
    rows = session.execute(
        select(Appointment.practitioner_id, Appointment.starts_at).where(
            Appointment.practitioner_id.in_(sorted(practitioner_ids)),
            Appointment.status.in_(BLOCKING),
            Appointment.starts_at >= within.start,
            Appointment.starts_at < within.end,
            counts_at(now),
            *conditions,
        )
    )
    return [(str(practitioner_id), starts_at) for practitioner_id, starts_at in rows]


def visits_of_patient(
    session: Session, *, patient_id: str, around: Interval, now: datetime, ignoring: Sequence[str] = ()
) -> tuple[Interval, ...]:
    """Return when the patient has visits that touch `around`."""
    rows = session.execute(
        select(Appointment.starts_at, Appointment.ends_at).where(
            Appointment.patient_id == patient_id,
            Appointment.id.not_in(ignoring),
            Appointment.status.in_(BLOCKING),
            Appointment.starts_at < around.end,
            Appointment.ends_at > around.start,
            counts_at(now),
        )
    )
    return tuple(Interval(starts_at, ends_at) for starts_at, ends_at in rows)


def _is_not_hold_of(conversation_id: str) -> ColumnElement[bool]:
    return or_(
        Appointment.hold_expires_at.is_(None),
        Appointment.conversation_id.is_(None),
        Appointment.conversation_id != conversation_id,
    )
