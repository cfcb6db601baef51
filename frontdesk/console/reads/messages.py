"""What was written to patients: texts and mails of our own accord, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, cast, func, literal, null, select, union_all
from sqlalchemy.orm import Session

from booking.model.appointment import Appointment
from booking.model.patient import Patient
from kernel.phone import readable
from sms.again import SENT_ONCE
from sms.link_texts import without_link
from sms.model import PatientMail, SmsKind, SmsMessage, SmsState

FAILED = (SmsState.FAILED, SmsState.UNDELIVERED)
SHOWN = 50  # on a page


@dataclass(frozen=True)
class Message:
    """`way`: text or mail; `to`: a number or an address; `patient` of the visit that it is about, if it is about one."""

    id: str
    way: str
    kind: str
    state: str
    note: str | None
    error_code: int | None
    at: datetime
    to: str | None
    body: str
    patient: str | None
    patient_id: str | None
    appointment_id: str | None

    @property
    def has_failed(self) -> bool:
        return self.state in FAILED

    @property
    def can_be_sent_again(self) -> bool:
        return self.has_failed and (self.way == "mail" or self.kind not in SENT_ONCE)


@dataclass(frozen=True)
class Page:
    messages: tuple[Message, ...]
    has_more: bool


def messages(
    session: Session, *, clinic_id: str, states: Sequence[SmsState] = (), kind: str | None = None, page: int = 1
) -> Page:
    """Return a page of what was written, in any or these states. Three statements, however many there are."""
    upto = page * SHOWN + 1
    found = union_all(
        _newest(SmsMessage, clinic_id, states, kind, "text", upto=upto),
        _newest(PatientMail, clinic_id, states, kind, "mail", upto=upto),
    ).subquery()
    statement = (
        select(found, Patient.id.label("patient_id"), Patient.name.label("patient"))
        .outerjoin(Appointment, Appointment.id == found.c.appointment_id)
        .outerjoin(Patient, Patient.id == Appointment.patient_id)
        .order_by(found.c.created_at.desc(), found.c.id)
        .offset((page - 1) * SHOWN)
        .limit(SHOWN + 1)
    )
    rows = session.execute(statement).all()
    said = _said(session, [row.id for row in rows])
    shown = tuple(_message(row, *said[row.way, row.id]) for row in rows[:SHOWN])
    return Page(shown, has_more=len(rows) > SHOWN)


def failed_count(session: Session, *, clinic_id: str) -> int:
    """Return how many texts and mails have failed and were not sent again. One statement."""
    texts, mails = (
        select(func.count()).where(kind.clinic_id == clinic_id, kind.state.in_(FAILED)).scalar_subquery()
        for kind in (SmsMessage, PatientMail)
    )
    return int(session.scalar(select(texts + mails)) or 0)


def _newest(
    table: type[SmsMessage] | type[PatientMail],
    clinic_id: str,
    states: Sequence[SmsState],
    kind: str | None,
    way: str,
    *,
    upto: int,
) -> Select[*tuple[Any, ...]]:
    """Return the select of as many as can be on the page: what is older need not be sorted along."""
    conditions: list[ColumnElement[bool]] = [table.clinic_id == clinic_id]
    if states:
        conditions.append(table.state.in_(states))
    if kind is not None:
        conditions.append(table.kind == kind)
    newest = (
        select(
            table.id,
            literal(way).label("way"),
            table.kind,
            table.state,
            table.note,
            (SmsMessage.error_code if table is SmsMessage else cast(null(), Integer)).label("error_code"),
            table.created_at,
            table.appointment_id,
        )
        .where(and_(*conditions))
        .order_by(table.created_at.desc(), table.id)
        .limit(upto)
    )
    return select(newest.subquery())


def _said(session: Session, ids: Sequence[str]) -> dict[tuple[str, str], tuple[str | None, str]]:
    """Return to whom the messages go and what they say. Both are encrypted, so they are not sorted along with the rest."""
    found: dict[tuple[str, str], tuple[str | None, str]] = {}
    texts = select(SmsMessage.id, SmsMessage.to, SmsMessage.body).where(SmsMessage.id.in_(ids))
    for message_id, number, body in session.execute(texts):
        found["text", message_id] = (readable(number) if number else None, body)
    mails = select(PatientMail.id, PatientMail.to, PatientMail.body).where(PatientMail.id.in_(ids))
    for message_id, address, body in session.execute(mails):
        found["mail", message_id] = (address or None, body)
    return found


def _message(row: Any, to: str | None, body: str) -> Message:
    return Message(
        id=row.id,
        way=row.way,
        kind=row.kind,
        state=row.state,
        note=row.note,
        error_code=row.error_code,
        at=row.created_at,
        to=to,
        body=without_link(body) if row.kind == SmsKind.LINK else body,
        patient=row.patient,
        patient_id=row.patient_id,
        appointment_id=row.appointment_id,
    )
