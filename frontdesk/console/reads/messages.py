"""What was written to patients: texts and mails of our own accord, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, null, select, union_all
from sqlalchemy.orm import Session

from booking.model.appointment import Appointment
from booking.model.patient import Patient
from sms.model import PatientMail, SmsMessage, SmsState

FAILED = (SmsState.FAILED, SmsState.UNDELIVERED)
SHOWN = 50  # on a page


@dataclass(frozen=True)
class Message:
    """`way`: text or mail; `patient` of the visit that it is about, if it is about one."""

    id: str
    way: str
    kind: str
    state: str
    note: str | None
    error_code: int | None
    at: datetime
    body: str
    patient: str | None
    patient_id: str | None
    appointment_id: str | None

    @property
    def has_failed(self) -> bool:
        return self.state in FAILED


@dataclass(frozen=True)
class Page:
    messages: tuple[Message, ...]
    has_more: bool


def messages(
    session: Session, *, clinic_id: str, states: Sequence[SmsState] = (), kind: str | None = None, page: int = 1
) -> Page:
    """Return a page of what was written, in any or these states. Three statements, however many there are."""
    found = union_all(
        _of(SmsMessage, clinic_id, states, kind, "text"), _of(PatientMail, clinic_id, states, kind, "mail")
    ).subquery()
    statement = select(found).order_by(found.c.created_at.desc(), found.c.id).offset((page - 1) * SHOWN)
    rows = session.execute(statement.limit(SHOWN + 1)).all()
    bodies = _bodies(session, [row.id for row in rows])
    shown = tuple(_message(row, bodies[row.way, row.id]) for row in rows[:SHOWN])
    return Page(shown, has_more=len(rows) > SHOWN)


def failed_count(session: Session, *, clinic_id: str) -> int:
    """Return how many texts and mails have failed and were not sent again. One statement."""
    texts, mails = (
        select(func.count()).where(kind.clinic_id == clinic_id, kind.state.in_(FAILED)).scalar_subquery()
        for kind in (SmsMessage, PatientMail)
    )
    return int(session.scalar(select(texts + mails)) or 0)


def _of(
    table: type[SmsMessage] | type[PatientMail],
    clinic_id: str,
    states: Sequence[SmsState],
    kind: str | None,
    way: str,
) -> Select[*tuple[Any, ...]]:
    conditions: list[ColumnElement[bool]] = [table.clinic_id == clinic_id]
    if states:
        conditions.append(table.state.in_(states))
    if kind is not None:
        conditions.append(table.kind == kind)
    return (
        select(
            table.id,
            literal(way).label("way"),
            table.kind,
            table.state,
            table.note,
            (SmsMessage.error_code if table is SmsMessage else null()).label("error_code"),
            table.created_at,
            table.appointment_id,
            Patient.id.label("patient_id"),
            Patient.name.label("patient"),
        )
        .select_from(table)
        .outerjoin(Appointment, Appointment.id == table.appointment_id)
        .outerjoin(Patient, Patient.id == Appointment.patient_id)
        .where(and_(*conditions))
    )


def _bodies(session: Session, ids: Sequence[str]) -> dict[tuple[str, str], str]:
    """Return what the messages say. They are encrypted, so they are not sorted along with the rest."""
    texts = session.execute(select(SmsMessage.id, SmsMessage.body).where(SmsMessage.id.in_(ids)))
    mails = session.execute(select(PatientMail.id, PatientMail.body).where(PatientMail.id.in_(ids)))
    return {("text", row.id): row.body for row in texts} | {("mail", row.id): row.body for row in mails}


def _message(row: Any, body: str) -> Message:
    return Message(
        id=row.id,
        way=row.way,
        kind=row.kind,
        state=row.state,
        note=row.note,
        error_code=row.error_code,
        at=row.created_at,
        body=body,
        patient=row.patient,
        patient_id=row.patient_id,
        appointment_id=row.appointment_id,
    )
