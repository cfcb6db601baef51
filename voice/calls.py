"""What becomes of a call: status reports come late, twice or in the wrong order, and a call only ever moves on."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError

from kernel.work import UnitOfWork
from voice.model import Call

ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_RANK = {"queued": 0, "ringing": 1, "in-progress": 2} | dict.fromkeys(ENDED, 3)


def note_call(work: UnitOfWork, *, call_sid: str, clinic_id: str, status: str, now: datetime) -> None:
    """Keep a call that came in. Calling again for the same call changes nothing."""
    try:
        with work.part():
            work.session.add(Call(call_sid=call_sid, clinic_id=clinic_id, status=status, started_at=now))
    except IntegrityError:
        # Asked by writing: the vendor may deliver the same call twice at the same moment.
        if work.session.get(Call, call_sid) is None:
            raise


def note_status(work: UnitOfWork, *, call_sid: str, status: str, duration_s: int | None, now: datetime) -> Call | None:
    """Move a call on to `status`; an earlier status than it has is ignored. Return it, None if nobody knows it."""
    call = work.session.get(Call, call_sid)
    if call is None:
        return None
    if _RANK.get(status, -1) > _RANK.get(call.status, -1):
        call.status = status
        if status in ENDED:
            call.ended_at, call.duration_s = now, duration_s
    return call
