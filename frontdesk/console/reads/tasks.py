"""Staff tasks with the names they concern: the open ones, oldest first, and those done lately."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, and_, or_, select
from sqlalchemy.orm import Session

from booking.model.patient import Patient
from booking.model.task import StaffTask
from booking.values import TaskKind
from calendar_sync.model import CalendarAction
from calendar_sync.states import subject_of_link

SHOW_DONE_FOR = timedelta(days=3)
_LIMIT = 200


@dataclass(frozen=True)
class Task:
    id: str
    kind: str
    text: str
    patient: str | None
    phone: str | None
    conversation_id: str | None
    appointment_id: str | None
    created_at: datetime
    done_at: datetime | None
    done_by: str | None


def open_tasks(session: Session, *, clinic_id: str) -> list[Task]:
    """Return what staff are asked to do: emergencies first, then in the order they were raised."""
    tasks = _tasks(
        session, StaffTask.clinic_id == clinic_id, StaffTask.done_at.is_(None), order=StaffTask.created_at.asc()
    )
    return sorted(tasks, key=lambda task: task.kind != "emergency")


def done_tasks(session: Session, *, clinic_id: str, now: datetime) -> list[Task]:
    """Return what was finished in the last days, the newest first."""
    lately = StaffTask.done_at > now - SHOW_DONE_FOR
    return _tasks(session, StaffTask.clinic_id == clinic_id, lately, order=StaffTask.done_at.desc())


def tasks_of_link(session: Session, *, clinic_id: str, link_id: str) -> list[Task]:
    """Return what came of a calendar's link for staff to do: open tasks first, then done ones, the newest first."""
    subject = StaffTask.subject
    touched = select(CalendarAction.appointment_id).where(
        CalendarAction.link_id == link_id, CalendarAction.appointment_id.is_not(None)
    )
    concerns = or_(
        subject == f"{clinic_id}:{subject_of_link(link_id)}",
        subject.startswith(f"{clinic_id}:calendar-booking:{link_id} ", autoescape=True),
        and_(StaffTask.kind == TaskKind.CALENDAR.value, StaffTask.appointment_id.in_(touched)),
    )
    tasks = _tasks(session, StaffTask.clinic_id == clinic_id, concerns, order=StaffTask.created_at.desc())
    return sorted(tasks, key=lambda task: task.done_at is not None)


def task_exists(session: Session, *, clinic_id: str, task_id: str) -> bool:
    """Say whether the clinic has this task."""
    return (
        session.scalar(select(StaffTask.id).where(StaffTask.clinic_id == clinic_id, StaffTask.id == task_id))
        is not None
    )


def _tasks(session: Session, *where: ColumnElement[bool], order: UnaryExpression[Any]) -> list[Task]:
    found = session.execute(
        select(StaffTask, Patient.name)
        .outerjoin(Patient, Patient.id == StaffTask.patient_id)
        .where(*where)
        .order_by(order, StaffTask.id)
        .limit(_LIMIT)
    )
    return [
        Task(
            id=row.id,
            kind=row.kind,
            text=row.text,
            patient=name,
            phone=row.phone,
            conversation_id=row.conversation_id,
            appointment_id=row.appointment_id,
            created_at=row.created_at,
            done_at=row.done_at,
            done_by=row.done_by,
        )
        for row, name in found
    ]
