"""Conversations as staff read them: each with every Turn, what was noted about it, and who looked at it.

A constant number of queries, for one conversation and for many.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model.patient import Patient
from dialog.model import Conversation, ConversationNote, ConversationTag, Turn
from frontdesk.console.reads.own import own_conversations
from frontdesk.console.stored_turn import StoredTurn
from frontdesk.console.wanted import OPEN
from kernel.phone import masked
from sms.model import SmsMessage


@dataclass(frozen=True)
class SentText:
    """A text of our own accord: the one that picks a dropped call up."""

    at: datetime
    body: str
    state: str


@dataclass(frozen=True)
class Note:
    id: int
    text: str
    written_at: datetime
    written_by: str  # staff:<login>


@dataclass(frozen=True)
class ConversationPage:
    id: str
    channel: str
    outcome: str
    language: str
    patient: str | None
    number: str | None  # masked
    started_at: datetime
    last_at: datetime
    ended_at: datetime | None
    needs_review: bool
    reviewed_at: datetime | None
    reviewed_by: str | None
    has_correction: bool
    turns: tuple[StoredTurn, ...]
    texts: tuple[SentText, ...]
    notes: tuple[Note, ...]
    tags: tuple[str, ...]


def read_conversation(
    session: Session, *, clinic_id: str, practitioner_id: str | None, conversation_id: str
) -> ConversationPage | None:
    """Return one conversation with its Turns in order, or None when the clinic, or the practitioner, has no such one."""
    found = read_conversations(
        session, clinic_id=clinic_id, practitioner_id=practitioner_id, conversation_ids=[conversation_id]
    )
    return found[0] if found else None


def is_theirs(session: Session, *, clinic_id: str, practitioner_id: str | None, conversation_id: str) -> bool:
    """Say whether the clinic, and the practitioner, has such a conversation."""
    ours = Conversation.clinic_id == clinic_id, own_conversations(practitioner_id)
    return session.scalar(select(Conversation.id).where(Conversation.id == conversation_id, *ours)) is not None


def read_conversations(
    session: Session, *, clinic_id: str, practitioner_id: str | None, conversation_ids: Sequence[str]
) -> list[ConversationPage]:
    """Return these conversations, in this order; those that the clinic, or the practitioner, does not have are left out."""
    found = session.execute(
        select(Conversation, Patient.name)
        .outerjoin(Patient, Patient.id == Conversation.patient_id)
        .where(
            Conversation.clinic_id == clinic_id,
            Conversation.id.in_(conversation_ids),
            own_conversations(practitioner_id),
        )
    ).all()
    ids = [row.id for row, _ in found]
    beside = _Beside.read(session, ids)
    pages = {row.id: _page(row, patient, beside) for row, patient in found}
    return [pages[each] for each in conversation_ids if each in pages]


@dataclass(frozen=True)
class _Beside:
    """What belongs to conversations, by their ids."""

    turns: dict[str, list[StoredTurn]]
    texts: dict[str, list[SentText]]
    notes: dict[str, list[Note]]
    tags: dict[str, list[str]]

    @classmethod
    def read(cls, session: Session, ids: Sequence[str]) -> "_Beside":
        beside = cls(defaultdict(list), defaultdict(list), defaultdict(list), defaultdict(list))
        for turn in session.scalars(select(Turn).where(Turn.conversation_id.in_(ids)).order_by(Turn.number)):
            beside.turns[turn.conversation_id].append(_stored(turn))
        for sent in session.scalars(select(SmsMessage).where(SmsMessage.conversation_id.in_(ids))):
            text = SentText(at=sent.sent_at or sent.due_at, body=sent.body, state=sent.state)
            beside.texts[str(sent.conversation_id)].append(text)
        notes = select(ConversationNote).where(ConversationNote.conversation_id.in_(ids)).order_by(ConversationNote.id)
        for note in session.scalars(notes):
            beside.notes[note.conversation_id].append(Note(note.id, note.text, note.written_at, note.written_by))
        tags = select(ConversationTag).where(ConversationTag.conversation_id.in_(ids)).order_by(ConversationTag.tag)
        for tag in session.scalars(tags):
            beside.tags[tag.conversation_id].append(tag.tag)
        return beside


def _page(row: Conversation, patient: str | None, beside: _Beside) -> ConversationPage:
    return ConversationPage(
        id=row.id,
        channel=row.channel,
        outcome=row.outcome or OPEN,
        language=row.language,
        patient=patient,
        number=masked(row.caller) if row.caller else None,
        started_at=row.started_at,
        last_at=row.last_turn_at,
        ended_at=row.ended_at,
        needs_review=row.needs_review,
        reviewed_at=row.reviewed_at,
        reviewed_by=row.reviewed_by,
        has_correction=row.has_correction,
        turns=tuple(beside.turns[row.id]),
        texts=tuple(beside.texts[row.id]),
        notes=tuple(beside.notes[row.id]),
        tags=tuple(beside.tags[row.id]),
    )


def _stored(turn: Turn) -> StoredTurn:
    return StoredTurn(
        number=turn.number,
        channel=turn.channel,
        at=turn.at,
        kind=turn.kind,
        said=turn.said,
        reply=turn.reply,
        message_key=turn.message_key,
        catalogue_version=turn.catalogue_version,
        commands=turn.commands,
        acts=turn.acts,
        writes=turn.writes,
        results=json.loads(turn.results),
        timings=turn.timings,
        tokens_in=turn.tokens_in,
        tokens_out=turn.tokens_out,
        cost=turn.cost,
        staff=turn.staff,
    )
