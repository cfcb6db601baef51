"""Recordings of the calls of a conversation, and whether the caller agreed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dialog.model import Turn
from voice.model import Call, CallRecording


@dataclass(frozen=True)
class RecordedCall:
    """A call whose caller was asked whether it may be recorded. `consent_version` is that of the question they heard."""

    started_at: datetime
    consent: str
    consent_at: datetime
    consent_version: str
    recordings: tuple[str, ...]  # the vendor's ids


def recorded_calls(session: Session, *, clinic_id: str, conversation_id: str) -> list[RecordedCall]:
    """Return the calls of a conversation whose callers were asked, in order. Two queries."""
    threads = select(Turn.thread_hash).where(Turn.conversation_id == conversation_id)
    calls = list(
        session.scalars(
            select(Call)
            .where(Call.clinic_id == clinic_id, Call.thread_hash.in_(threads), Call.recording_consent.is_not(None))
            .order_by(Call.started_at)
        )
    )
    by_call: dict[str, list[str]] = {}
    statement = select(CallRecording).where(CallRecording.call_sid.in_([call.call_sid for call in calls]))
    for recording in session.scalars(statement.order_by(CallRecording.created_at)) if calls else ():
        by_call.setdefault(recording.call_sid, []).append(recording.recording_sid)
    return [
        RecordedCall(
            started_at=call.started_at,
            consent=call.recording_consent or "",
            consent_at=call.consent_at or call.started_at,
            consent_version=call.consent_version or "",
            recordings=tuple(by_call.get(call.call_sid, ())),
        )
        for call in calls
    ]
