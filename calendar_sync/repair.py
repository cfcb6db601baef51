"""The repair button, and the command: a calendar is read anew at once, and what differs is put right."""

from datetime import datetime

from calendar_sync.context import CalendarSync
from calendar_sync.links import repair_link
from calendar_sync.tick import sync_link


def repair_now(sync: CalendarSync, *, clinic_id: str, link_id: str, actor: str, now: datetime) -> None:
    """Repair a link as `repair_link` does, and look at its calendar without waiting for a worker: up to a minute.

    What goes wrong there is noted at the link. Raises UnknownLink, and Unavailable when our own database is busy.
    """
    sync.db.run(lambda work: repair_link(work, clinic_id=clinic_id, link_id=link_id, actor=actor, now=now))
    sync_link(sync, link_id=link_id, now=now)
