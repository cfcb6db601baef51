"""The history of a Patient: who changed what, when, from where. What is encrypted at rest is told by name only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from booking.model.patient import PatientChange
from booking.values import Source
from kernel.work import UnitOfWork


@dataclass(frozen=True)
class PatientLine:
    """One line of a Patient's history. `encrypted` in `after` names fields whose values are not repeated there."""

    changed_at: datetime
    what: str
    actor: str
    source: str
    before: dict[str, Any] | None
    after: dict[str, Any]


def patient_history(session: Session, *, patient_id: str) -> list[PatientLine]:
    """Return who did what with the Patient's record, in order."""
    rows = session.scalars(
        select(PatientChange).where(PatientChange.patient_id == patient_id).order_by(PatientChange.id)
    )
    return [PatientLine(row.changed_at, row.what, row.actor, row.source, row.before, row.after) for row in rows]


def last_line(session: Session, *, patient_id: str) -> int:
    """Return the number of the last line of the Patient's history: it grows with every change of the record."""
    return session.scalar(select(func.max(PatientChange.id)).where(PatientChange.patient_id == patient_id)) or 0


def write_line(
    work: UnitOfWork,
    *,
    patient_id: str,
    what: str,
    actor: str,
    source: Source,
    now: datetime,
    before: dict[str, Any] | None,
    after: dict[str, Any],
) -> None:
    """Write one line, in the transaction of the change itself."""
    work.session.execute(
        insert(PatientChange).values(
            patient_id=patient_id,
            changed_at=now,
            what=what,
            actor=actor,
            source=source,
            before=before,
            after=after,
        )
    )


def named_only(fields: Sequence[str]) -> dict[str, Any]:
    """Return what a line says of `fields` that are encrypted: which they are, and nothing else. Nothing for none."""
    return {"encrypted": sorted(fields)} if fields else {}
