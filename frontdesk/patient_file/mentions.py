"""What others' notes and cases say of a patient: found by their whole name, number or address, and struck out when they are erased.

A family name alone is somebody else's as well, and a number that somebody else has stays theirs.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from booking.model.appointment import Appointment, AppointmentNote
from booking.model.patient import ContactPoint, Patient, PatientNote
from booking.model.task import StaffTask, TaskNote
from dialog.model import Conversation, ConversationNote
from frontdesk.console.model import SavedView
from frontdesk.replay.model import Correction
from kernel.db import Base
from kernel.work import UnitOfWork

_MOST = 5000  # rows of a kind, the latest: they are encrypted, so that each is read
_LEAST_FIGURES = 7


@dataclass(frozen=True)
class Named:
    """By what somebody is recognised in a text."""

    pattern: re.Pattern[str] | None

    def is_in(self, text: str) -> bool:
        return self.pattern is not None and self.pattern.search(_folded(text)) is not None

    def struck_out(self, text: str, instead: str) -> str:
        """Return the text with `instead` in the place of each."""
        if self.pattern is None:
            return text
        for found in reversed(list(self.pattern.finditer(_folded(text)))):
            text = f"{text[: found.start()]}{instead}{text[found.end() :]}"
        return text


def named_as(session: Session, *, clinic_id: str, patient_id: str) -> Named:
    """Return by what the patient is recognised; to be asked before they are erased. Three statements."""
    names = session.scalars(
        select(Patient.name).where(
            Patient.clinic_id == clinic_id, (Patient.id == patient_id) | (Patient.merged_into == patient_id)
        )
    )
    of_others = (
        select(ContactPoint.value_hash)
        .join(Patient, Patient.id == ContactPoint.patient_id)
        .where(Patient.clinic_id == clinic_id, ContactPoint.patient_id != patient_id)
    )
    contacts = session.execute(
        select(ContactPoint.system, ContactPoint.value).where(
            ContactPoint.patient_id == patient_id, ContactPoint.value_hash.not_in(of_others)
        )
    )
    parts = [part for name in names for part in _name_patterns(name)]
    parts += [_number_pattern(value) if system == "phone" else re.escape(_folded(value)) for system, value in contacts]
    return Named(re.compile("|".join(parts)) if parts else None)


def strike_out(work: UnitOfWork, *, clinic_id: str, named: Named, instead: str) -> None:
    """Put `instead` in the place of the patient wherever others' texts name them, and remove the views that look for them.

    To be called when they are erased: what is theirs is gone by then. Calling again changes nothing.
    """
    for row, name in _texts(work.session, clinic_id):
        text = getattr(row, name)
        if named.is_in(text):
            setattr(row, name, named.struck_out(text, instead))
    views = _views(work.session, clinic_id, named)
    work.session.execute(delete(SavedView).where(SavedView.id.in_(views)))
    work.session.flush()


def _texts(session: Session, clinic_id: str) -> Iterator[tuple[Base, str]]:
    """Yield the latest rows of the clinic with the name of a column that has text in it. One statement for each kind of row."""
    patients = select(Patient.id).where(Patient.clinic_id == clinic_id)
    visits = select(Appointment.id).where(Appointment.clinic_id == clinic_id)
    talks = select(Conversation.id).where(Conversation.clinic_id == clinic_id)
    tasks = select(StaffTask.id).where(StaffTask.clinic_id == clinic_id)
    kinds: tuple[tuple[Select[Any], tuple[str, ...]], ...] = (
        (_latest(PatientNote, PatientNote.patient_id.in_(patients), PatientNote.written_at), ("text",)),
        (_latest(AppointmentNote, AppointmentNote.appointment_id.in_(visits), AppointmentNote.written_at), ("text",)),
        (_latest(ConversationNote, ConversationNote.conversation_id.in_(talks), ConversationNote.written_at), ("text",)),
        (_latest(TaskNote, TaskNote.task_id.in_(tasks), TaskNote.written_at), ("text",)),
        (_latest(StaffTask, StaffTask.clinic_id == clinic_id, StaffTask.created_at), ("text", "details", "outcome")),
        (_latest(Correction, Correction.clinic_id == clinic_id, Correction.created_at), ("meant", "note", "words")),
    )  # fmt: skip
    for latest, columns in kinds:
        for row in session.scalars(latest):
            yield from ((row, name) for name in columns if getattr(row, name))


def _latest(kind: type[Base], where: ColumnElement[bool], at: InstrumentedAttribute[datetime]) -> Select[Any]:
    return select(kind).where(where).order_by(at.desc()).limit(_MOST)


def _views(session: Session, clinic_id: str, named: Named) -> list[str]:
    rows = session.scalars(select(SavedView).where(SavedView.clinic_id == clinic_id))
    return [row.id for row in rows if named.is_in(f"{row.name} {row.wanted}")]


def _name_patterns(name: str) -> Iterator[str]:
    """Yield how a name of several words is written: in its order, or the family name first; others may stand in between."""
    words = re.findall(r"[^\W\d_]+", _folded(name))
    if len(words) > 1:
        first, last = words[0], words[-1]
        between = r"\W+(?:\w+\W+){0,2}?"
        yield rf"\b{first}{between}{last}\b"
        yield rf"\b{last}\W+{first}\b"


def _number_pattern(number: str) -> str:
    """Return how a number (E.164) is written: with its country or without, its figures in any groups."""
    figures = re.sub(r"\D", "", number)
    country, rest = figures[:-_LEAST_FIGURES], figures[-_LEAST_FIGURES:]
    before = "".join(rf"(?:{figure}[\s().-]*)?" for figure in country)
    return rf"\+?[(]?{before}" + r"[\s().-]*".join(rest) + r"(?!\d)"


def _folded(text: str) -> str:
    """Return a text in small letters without accents, each where it was."""
    return "".join(unicodedata.normalize("NFKD", letter.casefold())[:1] for letter in text)
