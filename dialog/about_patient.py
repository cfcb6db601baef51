"""What conversations hold of a patient, when their record is merged into another one, or erased."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select, update

from dialog.model import Conversation, ConversationNote, ConversationTag, Turn
from dialog.record import stored
from dialog.state import DialogState
from kernel.inbox import InboxEntry
from kernel.work import UnitOfWork


def lead_conversations(work: UnitOfWork, *, clinic_id: str, gone_id: str, kept_id: str) -> int:
    """Let the conversations of one patient be another's, those under way included; return how many. May be called again."""
    of_clinic = Conversation.clinic_id == clinic_id
    under_way = select(Conversation.id, Conversation.state).where(of_clinic, Conversation.ended_at.is_(None))
    # Who speaks for somebody else is at the other's visit just now.
    at_it = [talk_id for talk_id, state in work.session.execute(under_way) if gone_id in state]
    rows = work.session.scalars(
        select(Conversation)
        .where(of_clinic, or_(Conversation.patient_id == gone_id, Conversation.id.in_(at_it)))
        .order_by(Conversation.id)
        .with_for_update()
    ).all()
    for row in rows:
        row.patient_id = kept_id if row.patient_id == gone_id else row.patient_id
        row.state = row.state.replace(gone_id, kept_id)
        row.version += 1  # whoever is at a Turn of it decides again
    return len(rows)


@dataclass(frozen=True)
class Spoken:
    """Messages of Turns that were erased, by the keys under which they came in, the Turns, and the threads they were in."""

    message_keys: tuple[str, ...]
    turn_ids: tuple[str, ...]
    thread_hashes: tuple[str, ...]


def talks_of(patient_ids: Collection[str], conversation_ids: Collection[str]) -> ColumnElement[bool]:
    """Return the condition of a conversation of one of these patients, or one of these conversations."""
    return or_(Conversation.patient_id.in_(patient_ids), Conversation.id.in_(conversation_ids))


def erase_words(work: UnitOfWork, *, clinic_id: str, which: ColumnElement[bool], instead: str, now: datetime) -> Spoken:
    """Put `instead` in the place of all that was said in these conversations, and end those under way. May be called again.

    That they took place stays, with their outcome, and what they wrote by its id.
    """
    rows = work.session.scalars(
        select(Conversation)
        .where(Conversation.clinic_id == clinic_id, which)
        .order_by(Conversation.id)
        .with_for_update()
    ).all()
    ids = [row.id for row in rows]
    for row in rows:
        row.caller = row.caller_hash = row.pick_up_at = row.words = None
        row.state, row.thread_hash = stored(DialogState(language=row.language)), f"erased:{row.id}"
        row.ended_at, row.is_on_call, row.has_correction = row.ended_at or now, False, False
        row.version += 1
    turns = work.session.execute(
        select(Turn.id, Turn.message_key, Turn.thread_hash).where(Turn.conversation_id.in_(ids)).order_by(Turn.id)
    ).all()
    _erase_turns(work, ids, instead)
    _erase_answers(work, [turn.message_key for turn in turns])
    work.session.execute(delete(ConversationNote).where(ConversationNote.conversation_id.in_(ids)))
    work.session.execute(delete(ConversationTag).where(ConversationTag.conversation_id.in_(ids)))
    return Spoken(
        message_keys=tuple(turn.message_key for turn in turns),
        turn_ids=tuple(turn.id for turn in turns),
        thread_hashes=tuple(sorted({turn.thread_hash for turn in turns if turn.thread_hash})),
    )


def _erase_turns(work: UnitOfWork, ids: Collection[str], instead: str) -> None:
    for column in (Turn.said, Turn.reply):
        # Silence stays silence.
        worded = Turn.conversation_id.in_(ids), column != ""
        work.session.execute(update(Turn).where(*worded).values({column: instead}))
    nothing = {"commands": [], "heard": "[]", "acts": [], "results": "[]"}
    work.session.execute(update(Turn).where(Turn.conversation_id.in_(ids)).values(nothing))
    work.session.execute(
        update(Turn).where(Turn.conversation_id.in_(ids)).values(thread_hash="erased:" + Turn.conversation_id)
    )


def _erase_answers(work: UnitOfWork, keys: Collection[str]) -> None:
    """Empty the answers that are kept for messages that come in again: such a one is then answered with nothing."""
    kept = InboxEntry.key.in_(keys), InboxEntry.answer.is_not(None), InboxEntry.answer != ""
    for entry in work.session.scalars(select(InboxEntry).where(*kept)):
        entry.answer = json.dumps(json.loads(entry.answer or "{}") | {"text": "", "hints": []})
