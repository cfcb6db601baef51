"""Recordings of calls with a patient who is erased: nothing here leads to them any more."""

from collections.abc import Collection

from sqlalchemy import delete, select

from kernel.work import UnitOfWork
from voice.model import Call, CallRecording


def forget_recordings(work: UnitOfWork, *, thread_hashes: Collection[str]) -> list[str]:
    """Forget the recordings of these calls, and return the vendor's ids of what the vendor still has. May be called again."""
    calls = select(Call.call_sid).where(Call.thread_hash.in_(thread_hashes))
    gone = delete(CallRecording).where(CallRecording.call_sid.in_(calls)).returning(CallRecording.recording_sid)
    return sorted(work.session.scalars(gone))
