"""Conversations that went quiet: none stays without an outcome or keeps a time for nobody, and dropped calls are picked up."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from booking.hold import release_hold
from booking.several.groups import release_seats
from dialog import state as states
from dialog.flows.crossing import offers_times
from dialog.flows.offering import offer_of
from dialog.model import Conversation
from dialog.offers import Offer
from dialog.record import SMS_CONVERSATION_LASTS
from dialog.state import DialogState, FlowKind, Outcome
from dialog.takeover import is_taken
from kernel.work import UnitOfWork


@dataclass(frozen=True)
class DroppedCall:
    """A call that ended with something open. `doing` is what, as a FlowKind; `offers` are times to take by their numbers."""

    conversation_id: str
    clinic_id: str
    caller: str
    language: str
    cut_off_at: datetime
    doing: str
    offers: tuple[Offer, ...]


QUIET_AFTER = timedelta(minutes=60)
_AT_ONCE = 200


def close_idle(work: UnitOfWork, *, now: datetime) -> int:
    """Note the outcome of conversations without a message for an hour, and end those on a call then and others after a day.

    Those that staff have taken over are left alone. Until it is ended a conversation may go on. Returns how many were dealt
    with; may be run again and by several at once.
    """
    rows = work.session.scalars(
        select(Conversation)
        .where(
            Conversation.ended_at.is_(None),
            Conversation.taken_by.is_(None),
            or_(
                and_(
                    Conversation.last_turn_at < now - QUIET_AFTER,
                    or_(Conversation.outcome.is_(None), Conversation.is_on_call),
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
        if row.is_on_call or row.last_turn_at < now - SMS_CONVERSATION_LASTS:
            row.ended_at = now
    return len(rows)


def dropped_calls(session: Session, *, now: datetime) -> list[str]:
    """Return the conversations whose call dropped and that wait to be picked up by text."""
    statement = (
        select(Conversation.id).where(Conversation.pick_up_at <= now).order_by(Conversation.pick_up_at).limit(_AT_ONCE)
    )
    return list(session.scalars(statement))


def take_dropped_call(work: UnitOfWork, *, conversation_id: str, now: datetime) -> DroppedCall | None:
    """Return the call, for one caller of this only; None if they have come back meanwhile, in whatever way, or text with staff."""
    taken = work.session.scalar(
        update(Conversation)
        .where(Conversation.id == conversation_id, Conversation.pick_up_at <= now)
        .values(pick_up_at=None)
        .returning(Conversation.id)
        .execution_options(synchronize_session=False)
    )
    if taken is None:
        return None
    row = work.session.get_one(Conversation, conversation_id)
    state = states.from_json(json.loads(row.state))
    if state.cut_off_at is None or state.flow is None or row.caller is None or has_come_back(work.session, row.id):
        return None
    if is_taken(work.session, clinic_id=row.clinic_id, caller=row.caller, now=now):
        return None  # the answer would reach staff, who were not asked
    return DroppedCall(
        conversation_id=row.id,
        clinic_id=row.clinic_id,
        caller=row.caller,
        language=state.language,
        cut_off_at=state.cut_off_at,
        doing=state.flow.kind.value,
        offers=_times(state),
    )


def has_come_back(session: Session, conversation_id: str, /) -> bool:
    """Say whether somebody called or texted from the number of a dropped call since, in its conversation or in another."""
    row = session.get_one(Conversation, conversation_id)
    cut_off_at = states.from_json(json.loads(row.state)).cut_off_at
    if cut_off_at is None:
        return True
    later = select(Conversation.id).where(
        Conversation.clinic_id == row.clinic_id,
        Conversation.caller_hash == row.caller_hash,
        Conversation.last_turn_at > cut_off_at,
    )
    return session.scalar(later.limit(1)) is not None


def _times(state: DialogState) -> tuple[Offer, ...]:
    """Return the times the open question is about, in the order of their numbers."""
    flow = state.flow
    if flow is None or flow.kind is not FlowKind.BOOK or not offers_times(state):
        return ()
    if flow.hold is not None:
        return (offer_of(flow.hold),)
    return tuple(one.offer for one in state.choices if one.offer is not None)
