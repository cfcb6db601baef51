"""The calendars that are due, looked at one after the other by a few at a time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from calendar_sync.tick import links_due, sync_link
from jobs.context import JobServices

# They mostly wait for others; one server that does not answer must not keep all the rest waiting.
_AT_A_TIME = 4


def sync_calendars(services: JobServices, now: datetime) -> None:
    """Look at every calendar that is due. What goes wrong with one is noted there; a bug with one keeps none waiting."""
    with services.db.read() as session:
        due = links_due(session, now=now)
    if not due:
        return
    with ThreadPoolExecutor(max_workers=min(_AT_A_TIME, len(due)), thread_name_prefix="calendars") as pool:
        looks = [pool.submit(sync_link, services.calendar_sync, link_id=link_id, now=now) for link_id in due]
    for look in looks:
        look.result()
