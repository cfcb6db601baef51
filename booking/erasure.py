"""A patient is erased: who it was is gone from the record and the diary, and the visits stay for the figures, without a name.

Knows what booking keeps. What was said and sent is erased by those who keep that, along what this gives back. What stays: that
it was done, by whom and when; and which numbers want no texts, which are kept as hashes and hold for whoever has them next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from booking import history
from booking.asked import UnknownPatient
from booking.model.appointment import Appointment, AppointmentChange, AppointmentNote, Participant
from booking.model.patient import ContactPoint, Patient, PatientChange, PatientMerge, PatientNote, RelatedPerson
from booking.model.reminder import Reminder
from booking.model.task import StaffTask, TaskNote
from booking.model.waitlist import WaitlistEntry
from booking.values import AppointmentStatus, Source
from kernel.errors import Refused
from kernel.work import UnitOfWork

ERASED = "—"
"""What stands where a name or words stood."""

_S = AppointmentStatus
_AHEAD = (_S.PROPOSED, _S.PENDING, _S.BOOKED, _S.ARRIVED)
_PERSONAL = frozenset(
    {"place", "cancel_reason", "override_reason", "reason", "wish"}
)  # of what a visit's history tells


class VisitsAhead(Refused):
    """A patient who still has visits ahead is not erased: they have to be cancelled first."""

    code = "visits-ahead"


@dataclass(frozen=True)
class Traces:
    """Where else there may be something of a patient. `addresses`: hashes of their numbers and mail addresses."""

    patient_ids: tuple[str, ...]
    appointment_ids: tuple[str, ...]
    session_ids: tuple[str, ...]  # of groups they took part in
    conversation_ids: tuple[str, ...]
    addresses: tuple[str, ...]


def visits_ahead(session: Session, *, patient_id: str, now: datetime) -> list[str]:
    """Return the ids of what the patient has ahead or is at: visits, requests, wishes. Holds end by themselves."""
    return list(
        session.scalars(
            select(Appointment.id)
            .where(
                Appointment.patient_id == patient_id,
                Appointment.status.in_(_AHEAD),
                Appointment.ends_at > now,
                Appointment.hold_expires_at.is_(None),
            )
            .order_by(Appointment.starts_at, Appointment.id)
        )
    )


def seats_ahead(session: Session, *, patient_id: str, now: datetime) -> list[str]:
    """Return the ids of the places that the patient has in groups ahead."""
    return list(
        session.scalars(
            select(Participant.id)
            .join(Appointment, Appointment.id == Participant.appointment_id)
            .where(Participant.patient_id == patient_id, Participant.status.in_(_AHEAD), Appointment.ends_at > now)
            .order_by(Participant.id)
        )
    )


def traces_of(session: Session, *, clinic_id: str, patient_id: str) -> Traces:
    """Return where there may be something of the patient, and of records that were merged into theirs."""
    ids = session.scalars(
        select(Patient.id).where(
            Patient.clinic_id == clinic_id, or_(Patient.id == patient_id, Patient.merged_into == patient_id)
        )
    ).all()
    visits = session.execute(
        select(Appointment.id, Appointment.conversation_id).where(Appointment.patient_id.in_(ids))
    ).all()
    seats = session.execute(
        select(Participant.appointment_id, Participant.conversation_id).where(Participant.patient_id.in_(ids))
    ).all()
    addresses = session.scalars(select(ContactPoint.value_hash).where(ContactPoint.patient_id.in_(ids))).all()
    talks = {conversation_id for _, conversation_id in (*visits, *seats) if conversation_id is not None}
    return Traces(
        patient_ids=tuple(sorted(ids)),
        appointment_ids=tuple(sorted(row.id for row in visits)),
        session_ids=tuple(sorted({row.appointment_id for row in seats})),
        conversation_ids=tuple(sorted(talks)),
        addresses=tuple(sorted(addresses)),
    )


def tasks_about(traces: Traces) -> ColumnElement[bool]:
    """Return the condition of a task that may say something of the patient."""
    return or_(
        StaffTask.patient_id.in_(traces.patient_ids),
        StaffTask.appointment_id.in_(traces.appointment_ids),
        StaffTask.conversation_id.in_(traces.conversation_ids),
    )


def keep_from_booking(work: UnitOfWork, *, patient_id: str) -> None:
    """Lock the Patient until the end of the transaction, before their visits are cancelled one by one."""
    work.session.execute(select(Patient.id).where(Patient.id == patient_id).with_for_update(key_share=True))


def erase_patient(
    work: UnitOfWork, *, clinic_id: str, patient_id: str, traces: Traces, now: datetime, actor: str
) -> None:
    """Erase who the patient is from the record, the diary, the waiting list and the tasks. Calling again erases what came since.

    Locks the Patients. Raises UnknownPatient, VisitsAhead.
    """
    rows = work.session.scalars(
        select(Patient)
        .where(Patient.id.in_(traces.patient_ids), Patient.clinic_id == clinic_id)
        .order_by(Patient.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    if patient_id not in {row.id for row in rows} or any(row.id == patient_id and row.merged_into for row in rows):
        raise UnknownPatient
    if visits_ahead(work.session, patient_id=patient_id, now=now) or seats_ahead(
        work.session, patient_id=patient_id, now=now
    ):
        raise VisitsAhead
    for row in rows:
        _empty(row, now=now)
    _erase_beside(work, traces.patient_ids)
    _erase_in_diary(work, traces)
    _erase_tasks(work, traces, now=now, actor=actor)
    _erase_history(work, traces)
    work.session.flush()
    history.write_line(
        work, patient_id=patient_id, what="erased", actor=actor, source=Source.STAFF, now=now, before=None, after={}
    )


def _empty(row: Patient, *, now: datetime) -> None:
    row.name = ERASED
    row.birth_date = row.birth_date_hash = row.language = row.address = row.place = row.block_reason = row.key = None
    row.blocked = row.is_placeholder = False
    row.gone_at = row.gone_at or now


def _erase_beside(work: UnitOfWork, patient_ids: Sequence[str]) -> None:
    session = work.session
    session.execute(delete(ContactPoint).where(ContactPoint.patient_id.in_(patient_ids)))
    session.execute(delete(PatientNote).where(PatientNote.patient_id.in_(patient_ids)))
    session.execute(update(PatientMerge).where(PatientMerge.kept_id.in_(patient_ids)).values(record="{}"))
    session.execute(
        delete(RelatedPerson).where(
            or_(RelatedPerson.patient_id.in_(patient_ids), RelatedPerson.by_patient_id.in_(patient_ids))
        )
    )
    waits = WaitlistEntry.patient_id.in_(patient_ids), WaitlistEntry.status == "waiting"
    session.execute(update(WaitlistEntry).where(*waits).values(status="left"))


def _erase_in_diary(work: UnitOfWork, traces: Traces) -> None:
    session, ids = work.session, traces.appointment_ids
    session.execute(
        update(Appointment).where(Appointment.id.in_(ids)).values(place=None, cancel_reason=None, override_reason=None)
    )
    session.execute(delete(AppointmentNote).where(AppointmentNote.appointment_id.in_(ids)))
    session.execute(update(Reminder).where(Reminder.appointment_id.in_(ids)).values(number_hash=None))
    for line in session.scalars(select(AppointmentChange).where(AppointmentChange.appointment_id.in_(ids))):
        if _PERSONAL & {*(line.before or {}), *line.after}:
            line.before = line.before and {name: each for name, each in line.before.items() if name not in _PERSONAL}
            line.after = {name: each for name, each in line.after.items() if name not in _PERSONAL}


def _erase_tasks(work: UnitOfWork, traces: Traces, *, now: datetime, actor: str) -> None:
    about = tasks_about(traces)
    ids = work.session.scalars(select(StaffTask.id).where(about)).all()
    work.session.execute(delete(TaskNote).where(TaskNote.task_id.in_(ids)))
    still_open = StaffTask.id.in_(ids), StaffTask.done_at.is_(None)
    closed = {"done_at": now, "done_by": actor.removeprefix("staff:"), "subject": None}
    work.session.execute(update(StaffTask).where(*still_open).values(**closed))
    empty = {"says": None, "details": None, "text": ERASED, "phone": None, "outcome": None}
    work.session.execute(update(StaffTask).where(StaffTask.id.in_(ids)).values(**empty))


def _erase_history(work: UnitOfWork, traces: Traces) -> None:
    """Leave of the record's history what was done, when and by whom."""
    theirs = PatientChange.patient_id.in_(traces.patient_ids)
    for line in work.session.scalars(select(PatientChange).where(theirs)):
        line.before, line.after = None, {}
