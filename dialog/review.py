"""What staff do with a transcript: review it, note something down, tag it. Conversations that went badly ask for it themselves."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite
from sqlalchemy.orm import InstrumentedAttribute

from booking.values import TaskKind
from dialog.acts import Act, Say
from dialog.model import Conversation, ConversationNote, ConversationReading, ConversationTag, Turn
from kernel.search import MOST_WORDS, words_in
from kernel.work import UnitOfWork

LONGEST_NOTE = 2000
LONGEST_TAG = 30
MOST_TAGS = 12  # of one conversation
_AT_ONCE = 200
_FAILED = frozenset({Say.APOLOGY, Say.EMERGENCY, Say.TRANSFER, Say.NOBODY_ANSWERED, Say.NOT_HEARD_GOODBYE})
_HANDED_OVER = frozenset(
    f"task {kind.value}"
    for kind in (TaskKind.HANDOVER, TaskKind.CALL_BACK, TaskKind.EMERGENCY, TaskKind.BOOKING_REQUEST)
)


def asks_for_review(acts: Iterable[Act], writes: Iterable[Mapping[str, Any]]) -> bool:
    """Say whether a Turn is one that staff should look at: something failed in it, or it was left to a person."""
    return any(act.say in _FAILED for act in acts) or any(entry.get("what") in _HANDED_OVER for entry in writes)


def ask_for_review(work: UnitOfWork, *, conversation_id: str) -> None:
    """Put the conversation among those that staff should look at. May be asked again."""
    _change(work, conversation_id, {Conversation.needs_review: True})


def mark_reviewed(work: UnitOfWork, *, conversation_id: str, login: str, seen: datetime, now: datetime) -> None:
    """Note that `login` has looked at it as it stood after the Turn at `seen`. What went badly later is still to be looked at."""
    is_later = and_(Conversation.needs_review, Conversation.last_turn_at > seen)
    changes = {Conversation.needs_review: is_later, Conversation.reviewed_at: now, Conversation.reviewed_by: login}
    _change(work, conversation_id, changes)


def note_reading(work: UnitOfWork, *, conversation_id: str, login: str, now: datetime) -> None:
    """Note that `login` has read the conversation as it stands."""
    values = {"login": login, "conversation_id": conversation_id, "read_at": now}
    on = insert_on_postgresql if work.session.get_bind().dialect.name == "postgresql" else insert_on_sqlite
    statement = on(ConversationReading).values(values)
    work.session.execute(
        statement.on_conflict_do_update(index_elements=["login", "conversation_id"], set_={"read_at": now})
    )


def forget_reading(work: UnitOfWork, *, conversation_id: str, login: str) -> None:
    """Leave the conversation unread for `login`."""
    read = ConversationReading.login == login, ConversationReading.conversation_id == conversation_id
    work.session.execute(delete(ConversationReading).where(*read))


def add_note(work: UnitOfWork, *, conversation_id: str, text: str, actor: str, now: datetime) -> None:
    """Write a note beside the conversation: `actor` is `staff:<login>`. Sent twice it is one; nothing but spaces is none."""
    text = text.replace("\r\n", "\n").strip()[:LONGEST_NOTE]  # as a browser counts: a line's end is one character
    notes = select(ConversationNote).where(ConversationNote.conversation_id == conversation_id)
    last = work.session.scalar(notes.order_by(ConversationNote.id.desc()).limit(1))
    if text and (last is None or (last.text, last.written_by) != (text, actor)):
        work.session.add(ConversationNote(conversation_id=conversation_id, text=text, written_at=now, written_by=actor))


def remove_note(work: UnitOfWork, *, conversation_id: str, note_id: int, actor: str) -> bool:
    """Remove a note that `actor` wrote; say whether there was one."""
    removed = work.session.execute(
        delete(ConversationNote).where(
            ConversationNote.id == note_id,
            ConversationNote.conversation_id == conversation_id,
            ConversationNote.written_by == actor,
        )
    )
    return _rows(removed) > 0


def read_tags(text: str) -> list[str]:
    """Return the tags that somebody typed with commas between them: in lower case, so that one word is one tag."""
    cleaned = (" ".join(part.lower().split())[:LONGEST_TAG].strip() for part in text.split(","))
    return list(dict.fromkeys(tag for tag in cleaned if tag))[:MOST_TAGS]


def add_tags(work: UnitOfWork, *, clinic_id: str, conversation_id: str, tags: Sequence[str]) -> None:
    """Tag the conversation. Tags that it has already stay; beyond a dozen no more are taken."""
    has = work.session.scalars(select(ConversationTag.tag).where(ConversationTag.conversation_id == conversation_id))
    known = set(has)
    new = [tag for tag in tags if tag not in known][: max(0, MOST_TAGS - len(known))]
    if not new:
        return
    on = insert_on_postgresql if work.session.get_bind().dialect.name == "postgresql" else insert_on_sqlite
    values = [{"conversation_id": conversation_id, "tag": tag, "clinic_id": clinic_id} for tag in new]
    work.session.execute(on(ConversationTag).values(values).on_conflict_do_nothing())


def remove_tag(work: UnitOfWork, *, conversation_id: str, tag: str) -> None:
    """Take the tag off the conversation, if it has it."""
    work.session.execute(
        delete(ConversationTag).where(ConversationTag.conversation_id == conversation_id, ConversationTag.tag == tag)
    )


def gather_words(work: UnitOfWork) -> int:
    """Gather for the search what was said in conversations whose words were not yet, the latest first; say how many.

    At most 200 at a time. May be run again and by several at once: a conversation that somebody else is at is left to them.
    """
    ids = work.session.scalars(
        select(Conversation.id)
        .where(Conversation.words.is_(None))
        .order_by(Conversation.last_turn_at.desc())
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    texts: dict[str, list[str]] = {each: [] for each in ids}
    turns = select(Turn.conversation_id, Turn.said, Turn.reply).where(Turn.conversation_id.in_(ids))
    for conversation_id, said, reply in work.session.execute(turns.order_by(Turn.number)):
        texts[conversation_id] += (said, reply)
    for conversation_id, told in texts.items():
        _change(work, conversation_id, {Conversation.words: words_in(" ".join(told))[:MOST_WORDS]})
    return len(ids)


def _change(work: UnitOfWork, conversation_id: str, values: Mapping[InstrumentedAttribute[Any], Any]) -> None:
    changed = update(Conversation).where(Conversation.id == conversation_id).values(dict(values))
    work.session.execute(changed.execution_options(synchronize_session=False))


def _rows(result: Any) -> int:
    return int(result.rowcount)
