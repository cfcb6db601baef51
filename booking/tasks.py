"""What staff are asked to do: every promise made to a patient is one of these rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking.events import TaskOpened
from booking.model.task import StaffTask, TaskNote
from booking.task_words import LANGUAGES, TaskDetails, TaskSays, packed, told
from booking.values import TaskKind
from kernel.db import new_id
from kernel.errors import Refused
from kernel.work import UnitOfWork

_UNDELIVERED = "undelivered:"
_DONE = "done:"


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
    says: TaskSays,
    now: datetime,
    details: TaskDetails = MappingProxyType({}),
    conversation_id: str | None = None,
    patient_id: str | None = None,
    appointment_id: str | None = None,
    phone: str | None = None,
    subject: str | None = None,
) -> str:
    """Ask staff to do something and return the task's id. While a task of the same `subject` is open there is only that one.

    `details`: what the sentence `says` names, a patient's own words as they were said.
    """
    stored = packed(details)
    subject = None if subject is None else f"{clinic_id}:{subject}"
    task = StaffTask(
        id=new_id(),
        clinic_id=clinic_id,
        kind=kind,
        subject=subject,
        says=says,
        details=stored,
        text=told(says, stored, language=LANGUAGES[0]),
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


def close_task(
    work: UnitOfWork, *, clinic_id: str, task_id: str, now: datetime, done_by: str, outcome: str | None = None
) -> bool:
    """Note that the task is done, and what was done; False if it was already, then who did it first stays.

    Its subject may be raised again.
    """
    changed = work.session.execute(
        update(StaffTask)
        .where(*_is(clinic_id, task_id), StaffTask.done_at.is_(None))
        .values(done_at=now, done_by=done_by, outcome=outcome, subject=_SUBJECT_OF_DONE)
        .returning(StaffTask.id)
    )
    return changed.first() is not None


class UnknownTask(Refused):
    """The clinic has no such task."""

    code = "unknown-task"


class TaskDone(Refused):
    """The task is done already. `by` is the login of who did it."""

    code = "task-done"


class TaskTaken(Refused):
    """Somebody else took the task meanwhile, or gave it away. `by` is the login of its owner, empty if it has none."""

    code = "task-taken"


def hand_task(
    work: UnitOfWork, *, clinic_id: str, task_id: str, seen_owner: str | None, owner: str | None, now: datetime
) -> None:
    """Make `owner` (a login, None: nobody) the one who is at the task, if `seen_owner` still is: of two only one wins.

    Calling again changes nothing. Raises UnknownTask, TaskDone, TaskTaken.
    """
    changed = work.session.execute(
        update(StaffTask)
        .where(
            *_is(clinic_id, task_id),
            StaffTask.done_at.is_(None),
            or_(StaffTask.owner.is_not_distinct_from(seen_owner), StaffTask.owner.is_not_distinct_from(owner)),
        )
        .values(owner=owner, owned_at=None if owner is None else now)
        .returning(StaffTask.id)
    )
    if changed.first() is None:
        row = _one(work, clinic_id=clinic_id, task_id=task_id)
        raise TaskDone(by=row.done_by or "") if row.done_at else TaskTaken(by=row.owner or "")


def reopen_task(work: UnitOfWork, *, clinic_id: str, task_id: str, now: datetime, actor: str) -> None:
    """Let a task that was done wait again. What was said of it then stays as a note. Calling again changes nothing.

    It has its subject back, unless that was raised again since: then the newer task is about it. Raises UnknownTask.
    """
    row = _one(work, clinic_id=clinic_id, task_id=task_id)
    if row.done_at is None:
        return
    if row.outcome:
        work.session.add(
            TaskNote(task_id=row.id, text=row.outcome, written_at=row.done_at, written_by=row.done_by or "")
        )
    row.done_at = row.done_by = row.outcome = None
    row.owner, row.owned_at = actor, now
    work.session.flush()
    try:
        with work.part():
            row.subject = row.subject and row.subject.removeprefix(f"{_DONE}{row.id}:")
            work.session.flush()
    except IntegrityError:
        row.subject = None
    work.publish(TaskOpened(occurred_at=now, clinic_id=clinic_id, task_id=row.id, kind=row.kind))


def note_on_task(work: UnitOfWork, *, clinic_id: str, task_id: str, text: str, now: datetime, actor: str) -> None:
    """Write down something about the task. Each call is a note. Raises UnknownTask."""
    row = _one(work, clinic_id=clinic_id, task_id=task_id)
    work.session.add(TaskNote(task_id=row.id, text=text, written_at=now, written_by=actor))


def _is(clinic_id: str, task_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return StaffTask.clinic_id == clinic_id, StaffTask.id == task_id


def _one(work: UnitOfWork, *, clinic_id: str, task_id: str) -> StaffTask:
    row = work.session.scalar(select(StaffTask).where(*_is(clinic_id, task_id)).with_for_update())
    if row is None:
        raise UnknownTask
    return row


_SUBJECT_OF_DONE = _DONE + StaffTask.id + ":" + StaffTask.subject
"""What a task was about when it was done: others may be about it now."""


class About(StrEnum):
    """What a task about a visit waits for. With the visit's id it is the task's subject."""

    REQUEST = "request"  # staff confirm or reject
    OVERDUE = "overdue"  # nobody has
    AWAY = "away"  # the practitioner is; the patient answers, or is called
    CALENDAR = "calendar"  # somebody moved or deleted it in a calendar


def subject_of(about: About, appointment_id: str) -> str:
    """Return the subject under which there is one such task for the visit."""
    return f"{about}:{appointment_id}"


def subject_of_undelivered(message_id: str) -> str:
    """Return the subject under which there is one task for a text, or the mail in its place, that did not arrive."""
    return f"{_UNDELIVERED}{message_id}"


def message_of_undelivered(subject: str | None) -> str | None:
    """Return the id of the text or mail that a task of this subject (without the clinic) is about; None if it is about none."""
    return subject.removeprefix(_UNDELIVERED) if subject and subject.startswith(_UNDELIVERED) else None


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
        .values(done_at=now, done_by=done_by.removeprefix("staff:"), subject=_SUBJECT_OF_DONE)
    )


def settle_placeholder(work: UnitOfWork, *, clinic_id: str, patient_id: str, now: datetime, done_by: str) -> None:
    """Note that the patient's record is complete: what asked for it is done."""
    work.session.execute(
        update(StaffTask)
        .where(
            StaffTask.clinic_id == clinic_id,
            StaffTask.patient_id == patient_id,
            StaffTask.kind == TaskKind.PLACEHOLDER.value,
            StaffTask.done_at.is_(None),
        )
        .values(done_at=now, done_by=done_by.removeprefix("staff:"), subject=_SUBJECT_OF_DONE)
    )


def open_tasks(session: Session, *, clinic_id: str, language: str = LANGUAGES[0]) -> list[TaskInfo]:
    """Return what is still to do, oldest first, in a reader's language."""
    return _read(session, StaffTask.clinic_id == clinic_id, StaffTask.done_at.is_(None), language=language)


def tasks_of_conversation(session: Session, *, conversation_id: str, language: str = LANGUAGES[0]) -> list[TaskInfo]:
    """Return what came of a conversation, done or not, oldest first, in a reader's language."""
    return _read(session, StaffTask.conversation_id == conversation_id, language=language)


def text_of(task: StaffTask, *, language: str) -> str:
    """Return what the task says in a reader's language, or as it was stored where that can't be made of it."""
    return (task.says and told(task.says, task.details, language=language)) or task.text


def _read(session: Session, *conditions: ColumnElement[bool], language: str) -> list[TaskInfo]:
    statement = select(StaffTask).where(*conditions).order_by(StaffTask.created_at, StaffTask.id)
    return [
        TaskInfo(
            id=task.id,
            kind=TaskKind(task.kind),
            text=text_of(task, language=language),
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
