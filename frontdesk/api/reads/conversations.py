"""Conversations as a list, and one as it was said."""

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, load_only

from booking.values import Catalogue
from dialog.model import Conversation, Turn
from frontdesk.api.forms.desk import ConversationOut, ConversationsQuery, TranscriptOut, TurnOut
from frontdesk.api.reads.cursors import cursor_after, read_cursor
from frontdesk.api.times import shown

# Not whole rows: each holds the dialog's state, encrypted, which nobody asks for here.
_SHOWN = load_only(
    Conversation.channel,
    Conversation.language,
    Conversation.outcome,
    Conversation.needs_review,
    Conversation.patient_id,
    Conversation.started_at,
    Conversation.last_turn_at,
    Conversation.ended_at,
    raiseload=True,
)


def list_page(
    session: Session, catalogue: Catalogue, *, query: ConversationsQuery
) -> tuple[list[ConversationOut], str | None]:
    """Return one page, the latest first, and the cursor of the next. One statement. Raises Problem."""
    statement = (
        select(Conversation)
        .options(_SHOWN)
        .where(*_conditions(catalogue, query))
        .order_by(Conversation.last_turn_at.desc(), Conversation.id)
        .limit(query.limit + 1)
    )
    rows = list(session.scalars(statement))
    found = [_shown(row, catalogue) for row in rows[: query.limit]]
    if len(rows) <= query.limit:
        return found, None
    last = rows[query.limit - 1]
    return found, cursor_after(last.last_turn_at, last.id)


def read_transcript(session: Session, catalogue: Catalogue, *, conversation_id: str) -> TranscriptOut | None:
    """Return the clinic's conversation with its Turns in order, or None if it has no such one."""
    row = session.scalar(
        select(Conversation)
        .options(_SHOWN)
        .where(Conversation.clinic_id == catalogue.clinic_id, Conversation.id == conversation_id)
    )
    if row is None:
        return None
    turns = session.execute(
        select(Turn.number, Turn.at, Turn.kind, Turn.said, Turn.reply)
        .where(Turn.conversation_id == conversation_id)
        .order_by(Turn.number)
    )
    return TranscriptOut(
        conversation=_shown(row, catalogue),
        turns=[
            TurnOut(number=turn.number, at=shown(turn.at, catalogue), kind=turn.kind, said=turn.said, reply=turn.reply)
            for turn in turns
        ],
    )


def _conditions(catalogue: Catalogue, query: ConversationsQuery) -> list[ColumnElement[bool]]:
    where = [Conversation.clinic_id == catalogue.clinic_id]
    if query.outcome is not None:
        where.append(Conversation.outcome == query.outcome)
    if query.channel is not None:
        where.append(Conversation.channel == query.channel)
    if query.patient is not None:
        where.append(Conversation.patient_id == query.patient)
    if query.cursor is not None:
        at, row_id = read_cursor(query.cursor)
        where.append(
            or_(
                Conversation.last_turn_at < at,
                and_(Conversation.last_turn_at == at, Conversation.id > row_id),
            )
        )
    return where


def _shown(row: Conversation, catalogue: Catalogue) -> ConversationOut:
    return ConversationOut(
        id=row.id,
        channel=row.channel,
        language=row.language,
        outcome=row.outcome,
        needs_review=row.needs_review,
        patient_id=row.patient_id,
        started_at=shown(row.started_at, catalogue),
        last_turn_at=shown(row.last_turn_at, catalogue),
        ended_at=None if row.ended_at is None else shown(row.ended_at, catalogue),
    )
