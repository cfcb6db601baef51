"""What was said in a chat, as the page shows it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from dialog.inbound import Channel, StaffTurn
from dialog.model import Conversation, Turn
from dialog.record import hash_of_thread

_MOST = 200


class Voice(StrEnum):
    """Whose words they are."""

    PATIENT = "patient"
    AGENT = "agent"
    STAFF = "staff"
    NEWS = "news"  # nobody's: that staff answer from here on, or the agent again


@dataclass(frozen=True)
class Words:
    """Words of a Turn. `turn` is what it is known by; text of `NEWS` is the Turn's kind."""

    turn: str
    at: datetime
    voice: Voice
    text: str


def thread_key(visitor: str) -> str:
    """Return what the dialog calls the thread of a visitor."""
    return f"web:{visitor}"


def read_talk(session: Session, *, clinic_id: str, visitor: str) -> list[Words]:
    """Return what was said in a visitor's chat lately, in order."""
    thread = hash_of_thread(clinic_id=clinic_id, channel=Channel.WEB, thread_key=thread_key(visitor))
    statement = (
        select(Turn)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(Turn.thread_hash == thread)
        .order_by(Conversation.started_at.desc(), Turn.number.desc())
        .limit(_MOST)
    )
    turns = reversed(list(session.scalars(statement)))
    return [words for turn in turns for words in _words_of(turn)]


def _words_of(turn: Turn) -> list[Words]:
    found = []
    if turn.said:
        found.append(Words(turn.id, turn.at, Voice.PATIENT, turn.said))
    if turn.kind in {StaffTurn.TAKEN_OVER, StaffTurn.GIVEN_BACK, StaffTurn.LAPSED}:
        found.append(Words(turn.id, turn.at, Voice.NEWS, turn.kind))
    if turn.reply:
        found.append(
            Words(turn.id, turn.at, Voice.STAFF if turn.kind == StaffTurn.STAFF_SAID else Voice.AGENT, turn.reply)
        )
    return found
