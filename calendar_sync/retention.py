"""What is kept of calendars for a time only: the lines of their links' histories, time that was taken there, and log-ins that
came to nothing.
"""

from datetime import datetime

from sqlalchemy import delete, select

from booking.elsewhere import KEPT_FOR, forget_past_busy
from calendar_sync.model import CalendarAction
from calendar_sync.set_up import forget_set_ups
from kernel.work import UnitOfWork

HISTORY_KEPT_FOR = KEPT_FOR
_AT_ONCE = 5_000


def forget_old(work: UnitOfWork, *, now: datetime) -> int:
    """Remove what is older than it is kept for; return how many lines, at most 5,000 a call. Safe with many workers."""
    forget_set_ups(work, now=now)
    forget_past_busy(work, now=now)
    # Lines are numbered as they are written, so that the oldest are found without looking at all.
    oldest = select(CalendarAction.id, CalendarAction.at).order_by(CalendarAction.id).limit(_AT_ONCE).subquery()
    old = select(oldest.c.id).where(oldest.c.at < now - HISTORY_KEPT_FOR)
    gone = work.session.execute(delete(CalendarAction).where(CalendarAction.id.in_(old)).returning(CalendarAction.id))
    return len(gone.all())
