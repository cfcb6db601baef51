"""What becomes of a call: status reports come late, twice or in the wrong order, and a call only ever moves on."""

from datetime import datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from kernel.db import Ready, one_of, table_of
from kernel.work import UnitOfWork
from voice.model import Call

ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_RANK = {"queued": 0, "ringing": 1, "in-progress": 2} | dict.fromkeys(ENDED, 3)


def note_call(work: UnitOfWork, *, call_sid: str, clinic_id: str, status: str, now: datetime) -> None:
    """Keep a call that came in. Calling again for the same call changes nothing."""
    try:
        with work.part():
            _NOTE.rows(work.session, {"call_sid": call_sid, "clinic_id": clinic_id, "status": status, "now": now})
    except IntegrityError:
        # Asked by writing: the vendor may deliver the same call twice at the same moment.
        if _clinic_of(work, call_sid) is None:
            raise


def note_status(work: UnitOfWork, *, call_sid: str, status: str, duration_s: int | None, now: datetime) -> str | None:
    """Move a call on to `status`; an earlier status than it has is ignored. Return whose it is, None if nobody knows it."""
    rank = _RANK.get(status)
    if rank is not None:
        ended = (
            {"ended_at": now, "duration_s": duration_s} if status in ENDED else {"ended_at": None, "duration_s": None}
        )
        given = {"of_call": call_sid, "status": status, "not_before": _FROM[rank], **ended}
        for (clinic_id,) in _MOVE_ON.rows(work.session, given):
            return str(clinic_id)
    return _clinic_of(work, call_sid)


def _clinic_of(work: UnitOfWork, call_sid: str) -> str | None:
    found = _CLINIC.rows(work.session, {"call_sid": call_sid})
    return found[0][0] if found else None


_FROM = {rank: sorted(status for status, other in _RANK.items() if other >= rank) for rank in set(_RANK.values())}
"""The statuses from which a call does not move on to one of a rank."""

_CALL = table_of(Call)
_NOTE = Ready(
    insert(_CALL)
    .inline()
    .values({name: bindparam(name) for name in ("call_sid", "clinic_id", "status")} | {"started_at": bindparam("now")})
)
_CLINIC = Ready(select(_CALL.c.clinic_id).where(_CALL.c.call_sid == bindparam("call_sid")))
_MOVE_ON = Ready(
    update(_CALL)
    .where(_CALL.c.call_sid == bindparam("of_call"), ~one_of(_CALL.c.status, "not_before"))
    .values({name: bindparam(name) for name in ("status", "ended_at", "duration_s")})
    .returning(_CALL.c.clinic_id)
)
