"""Staff tasks with the names they concern: the open ones, oldest first, and those done lately. A constant number of queries.

A page of open tasks begins at a task, not at a number: whatever is done meanwhile, none is passed over.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from booking.model.appointment import Appointment
from booking.model.patient import Patient
from booking.model.task import StaffTask, TaskNote
from booking.task_words import unpacked
from booking.tasks import About, subject_of, text_of
from booking.values import TaskKind
from calendar_sync.model import CalendarAction
from calendar_sync.states import subject_of_link

SHOW_DONE_FOR = timedelta(days=3)
PER_PAGE = 50
MOST_DONE = 50
_MOST_OF_ONE = 200  # of a patient, or a calendar
_IS_LATER = StaffTask.kind != TaskKind.EMERGENCY.value


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
    patient_id: str | None = None
    owner: str | None = None
    outcome: str | None = None
    subject: str | None = None  # without the clinic


@dataclass(frozen=True)
class Reach:
    subject: str | None
    phone: str | None


@dataclass(frozen=True)
class Note:
    text: str
    at: datetime
    by: str


@dataclass(frozen=True)
class Wanted:
    """Which open tasks: of these kinds (empty: any), and of whom: a login, "" for nobody, None for everybody.

    `first_id`: of the task with which the page begins, or began before it was done; None for the first page.
    """

    kinds: tuple[str, ...] = ()
    owner: str | None = None
    first_id: str | None = None


@dataclass(frozen=True)
class Page:
    """Some open tasks. `next_id`: of the one with which the next page begins, if there is one."""

    tasks: list[Task]
    next_id: str | None


def open_tasks(session: Session, *, clinic_id: str, language: str, wanted: Wanted) -> Page:
    """Return a page of what staff are asked to do: emergencies first, then in the order they were raised."""
    where = [StaffTask.clinic_id == clinic_id, StaffTask.done_at.is_(None)]
    if wanted.kinds:
        where.append(StaffTask.kind.in_(wanted.kinds))
    if wanted.owner is not None:
        where.append(StaffTask.owner == wanted.owner if wanted.owner else StaffTask.owner.is_(None))
    if wanted.first_id:
        where += _from(session, clinic_id, wanted.first_id)
    order = (_IS_LATER, StaffTask.created_at.asc())
    found = _tasks(session, *where, order=order, language=language, limit=PER_PAGE + 1)
    return Page(found[:PER_PAGE], found[PER_PAGE].id if len(found) > PER_PAGE else None)


def open_by_kind(session: Session, *, clinic_id: str) -> dict[str, int]:
    """Return how many tasks of each kind are open."""
    statement = (
        select(StaffTask.kind, func.count().label("number"))
        .where(StaffTask.clinic_id == clinic_id, StaffTask.done_at.is_(None))
        .group_by(StaffTask.kind)
    )
    return {row.kind: row.number for row in session.execute(statement)}


def notes_of_tasks(session: Session, *, task_ids: Sequence[str]) -> dict[str, list[Note]]:
    """Return what was written down about each of these tasks, in order."""
    notes: dict[str, list[Note]] = defaultdict(list)
    for row in session.scalars(select(TaskNote).where(TaskNote.task_id.in_(task_ids)).order_by(TaskNote.id)):
        notes[row.task_id].append(Note(row.text, row.written_at, row.written_by))
    return dict(notes)


def tasks_of_patient(session: Session, *, clinic_id: str, patient_id: str, language: str) -> list[Task]:
    """Return the open tasks about a patient, the newest first."""
    where = (StaffTask.clinic_id == clinic_id, StaffTask.patient_id == patient_id, StaffTask.done_at.is_(None))
    return _tasks(session, *where, order=(StaffTask.created_at.desc(),), language=language, limit=_MOST_OF_ONE)


def done_tasks(session: Session, *, clinic_id: str, language: str, now: datetime) -> list[Task]:
    """Return the latest that were finished in the last days, the newest first, at most MOST_DONE."""
    where = (StaffTask.clinic_id == clinic_id, StaffTask.done_at > now - SHOW_DONE_FOR)
    return _tasks(session, *where, order=(StaffTask.done_at.desc(),), language=language, limit=MOST_DONE)


def tasks_of_link(session: Session, *, clinic_id: str, link_id: str, language: str) -> list[Task]:
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
    where = (StaffTask.clinic_id == clinic_id, concerns)
    tasks = _tasks(session, *where, order=(StaffTask.created_at.desc(),), language=language, limit=_MOST_OF_ONE)
    return sorted(tasks, key=lambda task: task.done_at is not None)


def task_exists(session: Session, *, clinic_id: str, task_id: str) -> bool:
    """Say whether the clinic has this task."""
    return reach_of_task(session, clinic_id=clinic_id, task_id=task_id) is not None


def reach_of_task(session: Session, *, clinic_id: str, task_id: str) -> Reach | None:
    """Return what a task is about, without the clinic, and which number it names; None if the clinic has no such task."""
    of_task = select(StaffTask.subject, StaffTask.phone).where(
        StaffTask.clinic_id == clinic_id, StaffTask.id == task_id
    )
    found = session.execute(of_task).one_or_none()
    return found and Reach(found.subject and found.subject.removeprefix(f"{clinic_id}:"), found.phone)


def words_of_request(session: Session, *, clinic_id: str, appointment_id: str) -> str | None:
    """Return what the patient said of a request: it is kept in the open task alone."""
    about = f"{clinic_id}:{subject_of(About.REQUEST, appointment_id)}"
    row = session.scalar(select(StaffTask).where(StaffTask.subject == about))
    if row is None:
        return None
    words = unpacked(row.details).get("words")
    return row.text if row.details is None else None if words is None else str(words)


def _from(session: Session, clinic_id: str, task_id: str) -> list[ColumnElement[bool]]:
    """Return the condition that a task is this one or comes after it; none for what is no task of the clinic."""
    of_first = select(_IS_LATER, StaffTask.created_at).where(StaffTask.clinic_id == clinic_id, StaffTask.id == task_id)
    first = session.execute(of_first).one_or_none()
    if first is None:
        return []
    is_later, created_at = first
    place = tuple_(literal(is_later), literal(created_at, StaffTask.created_at.type), literal(task_id))
    is_from: ColumnElement[bool] = tuple_(_IS_LATER, StaffTask.created_at, StaffTask.id) >= place
    return [is_from]


def _tasks(
    session: Session,
    *where: ColumnElement[bool],
    order: Sequence[ColumnElement[Any] | UnaryExpression[Any]],
    language: str,
    limit: int,
) -> list[Task]:
    found = session.execute(
        select(StaffTask, Patient.id, Patient.name)
        .outerjoin(Appointment, Appointment.id == StaffTask.appointment_id)
        .outerjoin(Patient, Patient.id == func.coalesce(StaffTask.patient_id, Appointment.patient_id))
        .where(*where)
        .order_by(*order, StaffTask.id)
        .limit(limit)
    )
    return [
        Task(
            id=row.id,
            kind=row.kind,
            text=text_of(row, language=language),
            patient=name,
            phone=row.phone,
            conversation_id=row.conversation_id,
            appointment_id=row.appointment_id,
            created_at=row.created_at,
            done_at=row.done_at,
            done_by=row.done_by,
            patient_id=patient_id,
            owner=row.owner,
            outcome=row.outcome,
            subject=row.subject and row.subject.removeprefix(f"{row.clinic_id}:"),
        )
        for row, patient_id, name in found
    ]
