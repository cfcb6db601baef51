"""Which conversations may be replayed together: the latest ones, narrowed down. One query."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.model.patient import Patient
from dialog.model import Conversation, Turn

AT_MOST = (10, 25, 50)


@dataclass(frozen=True)
class WantedReplays:
    """Empty means any. `at_most` is one of AT_MOST."""

    outcome: str = ""
    channel: str = ""
    corrected: bool = False
    at_most: int = AT_MOST[0]


@dataclass(frozen=True)
class ReplayLine:
    id: str
    patient: str | None
    channel: str
    outcome: str | None
    last_at: datetime


def latest_conversations(session: Session, *, clinic_id: str, wanted: WantedReplays) -> list[ReplayLine]:
    """Return the clinic's latest conversations in which something was said, the newest first."""
    statement = (
        select(
            Conversation.id, Patient.name, Conversation.channel, Conversation.outcome, Conversation.last_turn_at
        )
        .outerjoin(Patient, Patient.id == Conversation.patient_id)
        .where(Conversation.clinic_id == clinic_id, select(Turn.id).where(Turn.conversation_id == Conversation.id).exists())
        .order_by(Conversation.last_turn_at.desc(), Conversation.id)
        .limit(wanted.at_most)
    )  # fmt: skip
    if wanted.outcome:
        statement = statement.where(Conversation.outcome == wanted.outcome)
    if wanted.channel:
        statement = statement.where(Conversation.channel == wanted.channel)
    if wanted.corrected:
        statement = statement.where(Conversation.has_correction)
    return [ReplayLine(*row) for row in session.execute(statement)]
