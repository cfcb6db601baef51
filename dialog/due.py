"""Conversations that went quiet: none stays without an outcome, and none keeps a time that nobody will confirm."""

from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select

from booking.hold import release_hold
from booking.several.groups import release_seats
from dialog.inbound import Channel
from dialog.model import Conversation
from dialog.record import SMS_CONVERSATION_LASTS
from dialog.state import Outcome
from kernel.work import UnitOfWork

QUIET_AFTER = timedelta(minutes=60)
_AT_ONCE = 200


def close_idle(work: UnitOfWork, *, now: datetime) -> int:
    """Note the outcome of conversations without a message for an hour, and end texts after a day and calls at once.

    A text conversation may go on until it is ended. Returns how many were dealt with; may be run again and by several at once.
    """
    rows = work.session.scalars(
        select(Conversation)
        .where(
            Conversation.ended_at.is_(None),
            or_(
                and_(
                    Conversation.last_turn_at < now - QUIET_AFTER,
                    or_(Conversation.outcome.is_(None), Conversation.channel == Channel.VOICE.value),
                ),
                Conversation.last_turn_at < now - SMS_CONVERSATION_LASTS,
            ),
        )
        .order_by(Conversation.last_turn_at)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        release_hold(work, conversation_id=row.id, now=now)
        release_seats(work, conversation_id=row.id, now=now)
        row.outcome = row.outcome or Outcome.ABANDONED.value
        if row.channel == Channel.VOICE.value or row.last_turn_at < now - SMS_CONVERSATION_LASTS:
            row.ended_at = now
    return len(rows)
