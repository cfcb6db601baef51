"""A last look into a practitioner's calendars before a visit is booked, by the process that books."""

import time
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime

from sqlalchemy import select

from booking.elsewhere import CalendarsRead
from booking.values import CalendarPolicy, WhenFailed
from calendar_sync.context import CalendarSync
from calendar_sync.link_policy import policy_for
from calendar_sync.model import CalendarLink
from calendar_sync.tick import sync_link
from kernel.clock import Clock
from kernel.errors import Unavailable

DEADLINE_S = 3.0
"""A caller hears nothing meanwhile, and Twilio waits 15 s for the whole answer."""

_AT_A_TIME = 8
_POLLED_EVERY_S = 0.05  # while a worker is at the link


class LastLook:
    """Answers whether a practitioner's calendars are read by now, by reading them. Safe with threads.

    A calendar that takes longer than `deadline_s` is read to its end all the same, only too late for who asked.
    """

    def __init__(self, sync: CalendarSync, *, clock: Clock, deadline_s: float = DEADLINE_S) -> None:
        self._sync, self._clock, self._deadline_s = sync, clock, deadline_s
        self._pool = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="last-look")

    def __call__(self, question: Hashable) -> bool:
        """Say whether the practitioner may be booked: each calendar that is to be looked into was read since we were asked.

        One that can't be read stops nothing where its policy is to go on. True where nothing is linked.
        """
        if not isinstance(question, CalendarsRead):
            raise TypeError(f"calendars don't know of {question!r}")
        now, until = self._clock.now(), time.monotonic() + self._deadline_s
        looks = {
            self._pool.submit(self._is_read, link_id, now, until): policy
            for link_id, policy in self._links_of(question)
            if policy.check_at_commit
        }
        done, _ = wait(looks, timeout=self._deadline_s)
        return all(
            policy.when_failed is WhenFailed.GO_ON or (look in done and look.result()) for look, policy in looks.items()
        )

    def _links_of(self, question: CalendarsRead) -> list[tuple[str, CalendarPolicy]]:
        with self._sync.db.read() as session:
            links = session.scalars(
                select(CalendarLink).where(
                    CalendarLink.practitioner_id == question.practitioner_id, CalendarLink.reads_busy
                )
            ).all()
            return [
                (link.id, policy_for(link, self._sync.catalogues.get(session, clinic_id=link.clinic_id).calendars))
                for link in links
            ]

    def _is_read(self, link_id: str, now: datetime, until: float) -> bool:
        """Read the calendar, after whoever is at it now: their look may have begun before what is new came in."""
        while time.monotonic() < until:
            try:
                was_due = sync_link(self._sync, link_id=link_id, now=now, is_urgent=True)
            except Unavailable:
                return False
            with self._sync.db.read() as session:
                link = session.get(CalendarLink, link_id)
            if link is None:
                return True
            if was_due:
                return link.error is None
            if link.lease_until is None or link.lease_until <= now:
                return False  # paused, or to be left alone for a while
            time.sleep(_POLLED_EVERY_S)
        return False
