"""A worker process that is killed at any step of a tick: the next one finishes what it left, once, on a real server."""

import itertools
import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

import pytest
from sqlalchemy import select

from booking.cancel import cancel_appointment
from booking.catalogue import CatalogueCache
from booking.model.appointment import Appointment
from booking.model.schedule import BusyInterval
from booking.values import BookedVisit, Catalogue, Source
from calendar_sync.adapters.caldav_store import CaldavStore
from calendar_sync.context import CalendarSync
from calendar_sync.entry import CalendarEntry
from calendar_sync.links import link_calendar
from calendar_sync.ports import LinkAccess
from calendar_sync.status import link_statuses
from calendar_sync.tick import sync_link
from kernel.interval import Interval
from kernel.work import Database
from tests.races.clinic import at, eve, race_catalogue
from tests.support.calendar_servers import Calendar, CalendarServer
from tests.support.clinic_rows import store_catalogue
from tests.support.databases import SECRET, import_rows
from tests.support.visits import book, move

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

KILLINGS = 10
HALF_HOUR = timedelta(minutes=30)
ALWAYS = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC))


class _Deadly(Database):
    """A database before and after each transaction of which the process may end."""

    def __init__(self, url: str, step: Callable[[], None]) -> None:
        super().__init__(url, secret=SECRET)
        self._step = step

    def run(self, step: Callable[..., Any]) -> Any:
        self._step()
        result = super().run(step)
        self._step()
        return result


class _DeadlyStore:
    """A calendar before and after each request to which the process may end."""

    def __init__(self, store: CaldavStore, step: Callable[[], None]) -> None:
        self._store, self._step = store, step

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def asked(**given: Any) -> Any:
            self._step()
            answer = method(**given)
            self._step()
            return answer

        return method if name == "href_of" else asked


def _tick_until_killed(line: Connection, url: str, link_id: str, now: datetime, last_step: int) -> None:
    import_rows()
    steps = itertools.count()

    def step() -> None:
        if next(steps) == last_step:
            os.kill(os.getpid(), signal.SIGKILL)

    sync = CalendarSync(_Deadly(url, step), lambda access: _DeadlyStore(CaldavStore(access), step), CatalogueCache())
    sync_link(sync, link_id=link_id, now=now)
    line.send("done")


def killed_in_a_tick(url: str, link_id: str, *, now: datetime, last_step: int) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    ours, theirs = context.Pipe()
    worker = context.Process(target=_tick_until_killed, args=(theirs, url, link_id, now, last_step), daemon=True)
    worker.start()
    worker.join(timeout=120)
    assert worker.exitcode == -signal.SIGKILL, "it was not killed"
    assert not ours.poll(0)


def as_its_owner(calendar: Calendar) -> CaldavStore:
    return CaldavStore(LinkAccess("owner", calendar.url, calendar.username, calendar.password))


def test_a_tick_that_is_killed_at_any_step_is_finished_by_the_next_once(
    sqlite_url: str, radicale: CalendarServer
) -> None:
    database, catalogue, calendar = Database(sqlite_url, secret=SECRET), race_catalogue(), radicale.fresh_calendar()
    now = eve(1)
    with database.begin() as work:
        store_catalogue(work, catalogue)
        link_id = link_calendar(
            work,
            clinic_id=catalogue.clinic_id,
            practitioner_id="practitioner-ann",
            url=calendar.url,
            username=calendar.username,
            password=calendar.password,
            now=now,
        )
    sync = CalendarSync(database, CaldavStore, CatalogueCache())
    owner = as_its_owner(calendar)
    moved, deleted = visit(database, catalogue, now, day=1), visit(database, catalogue, now, day=2)
    sync_link(sync, link_id=link_id, now=now)
    school = None

    for number in range(KILLINGS):
        now += timedelta(minutes=10)
        hour = 9 + number / 2
        cancelled = visit(database, catalogue, now, day=3 + number)
        sync_link(sync, link_id=link_id, now=now)
        now += timedelta(minutes=10)
        moved = move(database, catalogue, moved, practitioner="ann", starts_at=at(1, hour + 1), now=now)
        cancel(database, catalogue, cancelled, now)
        new = visit(database, catalogue, now, day=20 + number)
        href = owner.href_of(name=deleted.id)
        there = owner.get(href=href)
        assert there is not None
        owner.delete(href=href, version=there.version)
        said = CalendarEntry("school@home", number, at(40, hour), at(40, hour) + HALF_HOUR, "School", "", True)
        school = owner.put(href=owner.href_of(name="school"), entry=said, stamped_at=now, version=school).version

        killed_in_a_tick(sqlite_url, link_id, now=now, last_step=2 * number + 1)
        now += timedelta(minutes=10)
        sync_link(sync, link_id=link_id, now=now)
        sync_link(sync, link_id=link_id, now=now + timedelta(minutes=1))

        with database.read() as session:
            [status] = link_statuses(session, catalogue, now=now + timedelta(minutes=1))
            busy = session.execute(select(BusyInterval.starts_at, BusyInterval.ends_at)).all()
            stands = session.execute(
                select(Appointment.uid, Appointment.starts_at).where(Appointment.status == "booked")
            ).all()
        changes = owner.changes(token=None, known={}, within=ALWAYS)
        shown = [(one.uid, one.entry.starts_at) for one in changes.events if one.entry and one.uid != "school@home"]
        assert (status.state, status.drift) == ("ok", ())
        assert sorted(shown) == sorted((uid, start) for uid, start in stands)
        assert new.uid in dict(shown)
        assert [tuple(one) for one in busy] == [(said.starts_at, said.ends_at)]
        assert [one.entry for one in changes.events if one.uid == "school@home"] == [replace(said)]
    database.dispose()


def visit(database: Database, catalogue: Catalogue, now: datetime, *, day: int) -> BookedVisit:
    return book(
        database,
        catalogue,
        service="visit",
        practitioner="ann",
        starts_at=at(day, 9),
        now=now,
        phone=f"+121255501{day:02}",
    )


def cancel(database: Database, catalogue: Catalogue, visit: BookedVisit, now: datetime) -> None:
    with database.begin() as work:
        cancel_appointment(
            work, catalogue, appointment_id=visit.id, reason=None, now=now, actor="patient", source=Source.SMS
        )
