"""What staff are asked to do: every promise made to a patient is one of these rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking.events import TaskOpened
from booking.model.task import StaffTask
from booking.values import TaskKind
from kernel.db import new_id
from kernel.work import UnitOfWork


@dataclass(frozen=True)
class TaskInfo:
    id: str
    kind: TaskKind
    text: str
    phone: str | None
    patient_id: str | None
    appointment_id: str | None
    conversation_id: str | None
    created_at: datetime
    done_at: datetime | None
    done_by: str | None


def open_task(
    work: UnitOfWork,
    *,
    clinic_id: str,
    kind: TaskKind,
    text: str,
    now: datetime,
    conversation_id: str | None = None,
    patient_id: str | None = None,
    appointment_id: str | None = None,
    phone: str | None = None,
    subject: str | None = None,
) -> str:
    """Ask staff to do something and return the task's id. While a task of the same `subject` is open there is only that one."""
    subject = None if subject is None else f"{clinic_id}:{subject}"
    task = StaffTask(
        id=new_id(),
        clinic_id=clinic_id,
        kind=kind,
        subject=subject,
        text=text,
        phone=phone,
        patient_id=patient_id,
        appointment_id=appointment_id,
        conversation_id=conversation_id,
        created_at=now,
    )
    try:
        with work.part():
            work.session.add(task)
            work.session.flush()
    except IntegrityError:
        # The unique subject is asked by writing: two processes may raise the same one at the same moment.
        if subject is None:
            raise
        return work.session.scalars(select(StaffTask.id).where(StaffTask.subject == subject)).one()
    work.publish(TaskOpened(occurred_at=now, clinic_id=clinic_id, task_id=task.id, kind=kind))
    return task.id


def close_task(work: UnitOfWork, *, clinic_id: str, task_id: str, now: datetime, done_by: str) -> None:
    """Note that the task is done; who did it first stays. Its subject may then be raised again."""
    work.session.execute(
        update(StaffTask)
        .where(StaffTask.clinic_id == clinic_id, StaffTask.id == task_id, StaffTask.done_at.is_(None))
        .values(done_at=now, done_by=done_by, subject=None)
    )


class About(StrEnum):
    """What a task about a visit waits for. With the visit's id it is the task's subject."""

    REQUEST = "request"  # staff confirm or reject
    OVERDUE = "overdue"  # nobody has
    AWAY = "away"  # the practitioner is; the patient answers, or is called
    CALENDAR = "calendar"  # somebody moved or deleted it in a calendar


def subject_of(about: About, appointment_id: str) -> str:
    """Return the subject under which there is one such task for the visit."""
    return f"{about}:{appointment_id}"


def settle_tasks(
    work: UnitOfWork,
    *,
    clinic_id: str,
    appointment_id: str,
    now: datetime,
    done_by: str,
    about: Iterable[About] = About,
) -> None:
    """Note that what the open tasks about the visit wait for has happened. Nothing happens if there are none."""
    subjects = [subject_of(each, appointment_id) for each in about]
    settle_subjects(work, clinic_id=clinic_id, subjects=subjects, now=now, done_by=done_by)


def settle_subjects(work: UnitOfWork, *, clinic_id: str, subjects: Iterable[str], now: datetime, done_by: str) -> None:
    """As `settle_tasks`, for tasks that are about something else than a visit."""
    work.session.execute(
        update(StaffTask)
        .where(StaffTask.subject.in_([f"{clinic_id}:{each}" for each in subjects]), StaffTask.done_at.is_(None))
        .values(done_at=now, done_by=done_by.removeprefix("staff:"), subject=None)
    )


def open_tasks(session: Session, *, clinic_id: str) -> list[TaskInfo]:
    """Return what is still to do, oldest first."""
    return _read(session, StaffTask.clinic_id == clinic_id, StaffTask.done_at.is_(None))


def tasks_of_conversation(session: Session, *, conversation_id: str) -> list[TaskInfo]:
    """Return what came of a conversation, done or not, oldest first."""
    return _read(session, StaffTask.conversation_id == conversation_id)


def _read(session: Session, *conditions: ColumnElement[bool]) -> list[TaskInfo]:
    statement = select(StaffTask).where(*conditions).order_by(StaffTask.created_at, StaffTask.id)
    return [
        TaskInfo(
            id=task.id,
            kind=TaskKind(task.kind),
            text=task.text,
            phone=task.phone,
            patient_id=task.patient_id,
            appointment_id=task.appointment_id,
            conversation_id=task.conversation_id,
            created_at=task.created_at,
            done_at=task.done_at,
            done_by=task.done_by,
        )
        for task in session.scalars(statement)
    ]
