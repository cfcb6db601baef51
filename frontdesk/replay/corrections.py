"""What staff say was misunderstood: noted, changed, taken back. Several may hold of one conversation."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from dialog.model import Conversation, Turn
from dialog.review import mark_reviewed
from frontdesk.replay.model import Correction
from kernel.db import new_id
from kernel.errors import Refused
from kernel.work import UnitOfWork


class UnknownCorrection(Refused):
    """There is no such correction, or no such Turn to correct."""

    code = "unknown-correction"


class NothingExpected(Refused):
    """A correction that says neither what should have been understood nor what should have come of it is no case."""

    code = "nothing-expected"


@dataclass(frozen=True)
class Meaning:
    """What was meant. `commands` are names; `visit` is what should have been written, by keys, `start` in wall time: None
    says nothing about it, and an empty one that nothing should have been.
    """

    meant: str
    note: str = ""
    commands: tuple[str, ...] = ()
    outcome: str | None = None
    visit: Mapping[str, str] | None = None

    @property
    def is_case(self) -> bool:
        return bool(self.commands or self.outcome or self.visit is not None)


@dataclass(frozen=True)
class StoredCorrection:
    """`read`: the words of the Turns as staff wrote them anew for the case; None until somebody has read it."""

    id: str
    conversation_id: str
    turn_number: int
    said: str
    meaning: Meaning
    read: Mapping[int, str] | None
    created_by: str
    created_at: datetime
    changed_by: str
    changed_at: datetime
    withdrawn_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.withdrawn_at is None


def correct_turn(
    work: UnitOfWork,
    *,
    clinic_id: str,
    conversation_id: str,
    turn_number: int,
    meaning: Meaning,
    login: str,
    now: datetime,
) -> str:
    """Note that a Turn was misunderstood and return the correction's id; its conversation counts as reviewed.

    Raises UnknownCorrection when the clinic has no such Turn, NothingExpected.
    """
    _refuse_empty(meaning)
    turn_id = work.session.scalar(
        select(Turn.id)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(
            Conversation.clinic_id == clinic_id,
            Conversation.id == conversation_id,
            Turn.number == turn_number,
            Turn.staff.is_(None),
        )
    )
    if turn_id is None:
        raise UnknownCorrection
    row = Correction(
        id=new_id(),
        clinic_id=clinic_id,
        conversation_id=conversation_id,
        turn_number=turn_number,
        created_by=login,
        created_at=now,
    )
    _set(row, meaning, login=login, now=now)
    work.session.add(row)
    work.session.execute(update(Conversation).where(Conversation.id == conversation_id).values(has_correction=True))
    mark_reviewed(work, conversation_id=conversation_id, login=login, seen=now, now=now)
    return row.id


def change_correction(
    work: UnitOfWork, *, clinic_id: str, correction_id: str, meaning: Meaning, login: str, now: datetime
) -> None:
    """Say otherwise what was meant. What staff had read of the case is to be read again. Raises as `correct_turn`."""
    _refuse_empty(meaning)
    _set(_open_row(work, clinic_id, correction_id), meaning, login=login, now=now)


def read_case_words(
    work: UnitOfWork, *, clinic_id: str, correction_id: str, words: Mapping[int, str], login: str, now: datetime
) -> None:
    """Keep the words of the case as staff want them to leave the house. Raises UnknownCorrection."""
    row = _open_row(work, clinic_id, correction_id)
    row.words, row.changed_by, row.changed_at = json.dumps(words, ensure_ascii=False), login, now


def withdraw_correction(work: UnitOfWork, *, clinic_id: str, correction_id: str, login: str, now: datetime) -> None:
    """Take a correction back: it was understood after all. It stays on file and is no case any more. Raises UnknownCorrection."""
    row = _open_row(work, clinic_id, correction_id)
    row.withdrawn_at = row.changed_at = now
    row.changed_by = login
    work.session.flush()
    left = select(func.count()).where(
        Correction.conversation_id == row.conversation_id, Correction.withdrawn_at.is_(None)
    )
    if not work.session.scalar(left):
        work.session.execute(
            update(Conversation).where(Conversation.id == row.conversation_id).values(has_correction=False)
        )


def read_correction(session: Session, *, clinic_id: str, correction_id: str) -> StoredCorrection | None:
    """Return a correction of the clinic, or None."""
    found = list_corrections(session, clinic_id=clinic_id, correction_id=correction_id)
    return found[0] if found else None


def list_corrections(
    session: Session,
    *,
    clinic_id: str,
    conversation_id: str | None = None,
    correction_id: str | None = None,
    limit: int = 500,
) -> list[StoredCorrection]:
    """Return the clinic's corrections, or those of one conversation, the latest first."""
    statement = (
        select(Correction, Turn.said)
        .join(
            Turn,
            (Turn.conversation_id == Correction.conversation_id) & (Turn.number == Correction.turn_number),
        )
        .where(Correction.clinic_id == clinic_id)
        .order_by(Correction.created_at.desc(), Correction.id)
        .limit(limit)
    )
    if conversation_id is not None:
        statement = statement.where(Correction.conversation_id == conversation_id)
    if correction_id is not None:
        statement = statement.where(Correction.id == correction_id)
    return [_stored(row, said) for row, said in session.execute(statement)]


def _open_row(work: UnitOfWork, clinic_id: str, correction_id: str) -> Correction:
    row = work.session.scalar(
        select(Correction)
        .where(Correction.id == correction_id, Correction.clinic_id == clinic_id, Correction.withdrawn_at.is_(None))
        .with_for_update()
    )
    if row is None:
        raise UnknownCorrection
    return row


def _refuse_empty(meaning: Meaning) -> None:
    if not meaning.is_case:
        raise NothingExpected


def _set(row: Correction, meaning: Meaning, *, login: str, now: datetime) -> None:
    row.meant, row.note = meaning.meant, meaning.note
    row.commands, row.outcome = list(meaning.commands), meaning.outcome
    row.visit = None if meaning.visit is None else dict(meaning.visit)
    row.words = None
    row.changed_by, row.changed_at = login, now


def _stored(row: Correction, said: str) -> StoredCorrection:
    words: dict[str, str] | None = None if row.words is None else json.loads(row.words)
    return StoredCorrection(
        id=row.id,
        conversation_id=row.conversation_id,
        turn_number=row.turn_number,
        said=said,
        meaning=Meaning(row.meant, row.note, tuple(row.commands), row.outcome, row.visit),
        read=None if words is None else {int(number): text for number, text in words.items()},
        created_by=row.created_by,
        created_at=row.created_at,
        changed_by=row.changed_by,
        changed_at=row.changed_at,
        withdrawn_at=row.withdrawn_at,
    )
