"""What staff should hear of wherever in the console they are: how much waits, and what has just come up.

Each is one small query, since every open page asks for them every few seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, literal, select, true
from sqlalchemy.orm import Session

from booking.model.appointment import Appointment, AppointmentChange
from booking.model.clinic import Location
from booking.model.patient import Patient
from booking.model.task import StaffTask
from booking.values import TaskKind
from dialog.model import Conversation
from frontdesk.console.queues import URGENT, late_after
from frontdesk.console.reads.live import is_under_way, waits_for_staff
from frontdesk.console.reads.own import own_conversations

NEWS_FOR = timedelta(minutes=15)
"""So long something that came up is told to staff who open the console."""
_MOST = 3
_CHANGES = ("booked", "moved", "cancelled")


@dataclass(frozen=True)
class Pending:
    """How much there is to see to. `waiting` are of the conversations under way (`live`), `overdue` of the open tasks."""

    live: int = 0
    waiting: int = 0
    tasks: int = 0
    overdue: int = 0


@dataclass(frozen=True)
class UrgentTask:
    id: str
    kind: str
    patient: str | None
    at: datetime


@dataclass(frozen=True)
class WaitingPatient:
    """Somebody who wrote to staff and has no answer yet."""

    conversation_id: str
    patient: str | None
    login: str  # of whoever has the conversation
    since: datetime


@dataclass(frozen=True)
class ChangedVisit:
    """`starts_local`: as it is now, in the zone of its location."""

    change_id: int
    appointment_id: str
    what: str  # booked, moved or cancelled
    patient: str | None
    starts_local: datetime


def count_pending(session: Session, *, clinic_id: str, practitioner_id: str | None, now: datetime) -> Pending:
    """Return how much there is to see to. A practitioner has only the conversations of their own patients. One query."""
    is_waiting = case((waits_for_staff(now), 1), else_=0)
    live = (
        select(func.count().label("live"), func.coalesce(func.sum(is_waiting), 0).label("waiting"))
        .where(is_under_way(clinic_id, now), own_conversations(practitioner_id))
        .subquery()
    )
    late = {kind.value: literal(now - late_after(kind), StaffTask.created_at.type) for kind in TaskKind}
    is_overdue = case((StaffTask.created_at <= case(late, value=StaffTask.kind), 1), else_=0)
    tasks = (
        select(func.count().label("tasks"), func.coalesce(func.sum(is_overdue), 0).label("overdue"))
        .where(StaffTask.clinic_id == clinic_id, StaffTask.done_at.is_(None))
        .subquery()
    )
    row = session.execute(
        select(live.c.live, live.c.waiting, tasks.c.tasks, tasks.c.overdue).select_from(live.join(tasks, true()))
    ).one()
    return Pending(live=row.live, waiting=row.waiting, tasks=row.tasks, overdue=row.overdue)


def urgent_tasks(session: Session, *, clinic_id: str, now: datetime) -> Sequence[UrgentTask]:
    """Return what came up of late, is urgent, and that nobody is at yet, the newest first."""
    found = session.execute(
        select(StaffTask.id, StaffTask.kind, Patient.name, StaffTask.created_at)
        .outerjoin(Patient, Patient.id == StaffTask.patient_id)
        .where(
            StaffTask.clinic_id == clinic_id,
            StaffTask.done_at.is_(None),
            StaffTask.owner.is_(None),
            StaffTask.kind.in_([kind.value for kind in URGENT]),
            StaffTask.created_at > now - NEWS_FOR,
        )
        .order_by(StaffTask.created_at.desc(), StaffTask.id)
        .limit(_MOST)
    )
    return [UrgentTask(row.id, row.kind, row.name, row.created_at) for row in found]


def waiting_patients(session: Session, *, clinic_id: str, now: datetime) -> Sequence[WaitingPatient]:
    """Return who waits for an answer of staff, the longest first."""
    found = session.execute(
        select(Conversation.id, Patient.name, Conversation.taken_by, Conversation.waits_since)
        .outerjoin(Patient, Patient.id == Conversation.patient_id)
        .where(is_under_way(clinic_id, now), waits_for_staff(now))
        .order_by(Conversation.waits_since, Conversation.id)
        .limit(_MOST)
    )
    return [WaitingPatient(row.id, row.name, row.taken_by, row.waits_since) for row in found]


def changed_visits(
    session: Session, *, clinic_id: str, practitioner_id: str, actor: str, now: datetime
) -> Sequence[ChangedVisit]:
    """Return which visits ahead of a practitioner others than `actor` booked, moved or cancelled of late, the newest first.

    Of each there is the last change.
    """
    lately = (
        select(func.max(AppointmentChange.id))
        .join(Appointment, Appointment.id == AppointmentChange.appointment_id)
        .where(
            Appointment.clinic_id == clinic_id,
            Appointment.practitioner_id == practitioner_id,
            Appointment.starts_at > now,
            AppointmentChange.what.in_(_CHANGES),
            AppointmentChange.changed_at > now - NEWS_FOR,
            AppointmentChange.actor != actor,
        )
        .group_by(AppointmentChange.appointment_id)
    )
    found = session.execute(
        select(
            AppointmentChange.id,
            Appointment.id.label("appointment_id"),
            AppointmentChange.what,
            Patient.name,
            Appointment.starts_at,
            Location.timezone,
        )
        .join(Appointment, Appointment.id == AppointmentChange.appointment_id)
        .join(Location, Location.id == Appointment.location_id)
        .outerjoin(Patient, Patient.id == Appointment.patient_id)
        .where(AppointmentChange.id.in_(lately))
        .order_by(AppointmentChange.id.desc())
        .limit(_MOST)
    )
    return [
        ChangedVisit(
            row.id,
            row.appointment_id,
            row.what,
            row.name,
            row.starts_at.astimezone(ZoneInfo(row.timezone)),
        )
        for row in found
    ]
