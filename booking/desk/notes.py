"""Notes that staff write on a visit: for themselves, never told to the patient."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import ledger
from booking.model.appointment import AppointmentNote
from booking.values import Source
from kernel.work import UnitOfWork

LONGEST = 4000


@dataclass(frozen=True)
class Note:
    text: str
    written_at: datetime
    written_by: str


def add_note(work: UnitOfWork, *, clinic_id: str, appointment_id: str, text: str, now: datetime, actor: str) -> None:
    """Keep the note, cut after `LONGEST` characters, and a line in the visit's history that does not tell what it says.

    Each call is another note; a blank one is none. Locks the Appointment. Raises UnknownVisit.
    """
    entry = ledger.read_locked(work, appointment_id=appointment_id, clinic_id=clinic_id)
    text = text.strip()[:LONGEST]
    if not text:
        return
    work.session.add(AppointmentNote(appointment_id=appointment_id, text=text, written_at=now, written_by=actor))
    ledger.note(work, entry, what="note-written", actor=actor, source=Source.STAFF, now=now, after={})


def notes_of(session: Session, *, appointment_id: str) -> tuple[Note, ...]:
    """Return the notes on the visit, the latest first."""
    rows = session.scalars(
        select(AppointmentNote)
        .where(AppointmentNote.appointment_id == appointment_id)
        .order_by(AppointmentNote.written_at.desc(), AppointmentNote.id.desc())
    )
    return tuple(Note(row.text, row.written_at, row.written_by) for row in rows)
