"""What it takes to keep fifty calendars read that hold five thousand events, on a real CalDAV server.

    python -m benchmarks.calendars [--links N] [--events N]

JSON goes to standard output, the figures against their bounds to standard error; a bound that is broken ends with an error.

first read    every link read for the first time: all events fetched, their busy times stored
nothing new   a tick in which nothing changed: at most two requests a link
one change    a tick after one event changed in every calendar
full read     the nightly listing: every event read again
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests
from sqlalchemy import func, select

from benchmarks.databases import SECRET
from booking.catalogue import CatalogueCache
from booking.model.schedule import BusyInterval
from calendar_sync.adapters.caldav_store import CaldavStore
from calendar_sync.adapters.guarded_http import GuardedHttp
from calendar_sync.context import CalendarSync
from calendar_sync.links import link_calendar
from calendar_sync.model import CalendarLink, LinkState
from calendar_sync.tick import sync_link
from frontdesk.schema import migrate
from kernel.work import Database
from tests.support.calendar_servers import CalendarServer, radicale_server
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
MOST_REQUESTS = 2  # of a link in which nothing changed
FIRST_READ_S = 60.0


@dataclass(frozen=True)
class Figure:
    """What a round over all links took."""

    seconds: float
    cpu_seconds: float  # of this process, without the server's
    requests: int
    requests_of_a_link: float
    slowest_link_s: float


def main(arguments: Sequence[str]) -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description="Calendars read from a real CalDAV server.")
    parser.add_argument("--links", type=int, default=50, help="calendars; default 50")
    parser.add_argument("--events", type=int, default=5000, help="events in all of them; default 5000")
    given = parser.parse_args(arguments)
    # The server's own disk is not what is measured: it waits for it once for each event that it has not indexed yet.
    memory = next((str(one) for one in [Path("/dev/shm")] if one.is_dir()), None)  # noqa: S108 -- the usual place of memory, looked for
    with tempfile.TemporaryDirectory(dir=memory) as served, tempfile.TemporaryDirectory() as ours:
        for number in range(given.links):
            _fill(_collection(Path(served), number), number, given.events // given.links)
        with radicale_server(Path(served)) as server:
            _let_index(server, given.links)
            found = measure(Path(served), Path(ours), server, links=given.links)
    print(json.dumps(found, indent=1))
    _compare(found)


def measure(served: Path, ours: Path, server: CalendarServer, *, links: int) -> dict[str, Any]:
    """Return all figures by name. The server keeps its data in `served`, we ours in `ours`."""
    database = Database(f"sqlite:///{ours / 'frontdesk.db'}", secret=SECRET)
    migrate(database.engine)
    sync = CalendarSync(db=database, open_calendar=CaldavStore, catalogues=CatalogueCache())
    ids = _link(database, server, links)
    found: dict[str, Any] = {"first read": asdict(_round(sync, ids, NOW))}
    with database.read() as session:
        found["busy times"] = session.scalar(select(func.count()).select_from(BusyInterval))
        found["links that are not ok"] = session.scalar(
            select(func.count()).select_from(CalendarLink).where(CalendarLink.state != LinkState.OK.value)
        )
    found["nothing new"] = asdict(_round(sync, ids, NOW + timedelta(minutes=10)))
    for number in range(links):
        (_collection(served, number) / "event-0.ics").write_bytes(_event(number, 0, moved=True))
    found["one change"] = asdict(_round(sync, ids, NOW + timedelta(minutes=20)))
    found["full read"] = asdict(_round(sync, ids, NOW + timedelta(hours=25)))
    database.dispose()
    return found


def _round(sync: CalendarSync, ids: Sequence[str], now: datetime) -> Figure:
    sent = 0
    send: Callable[..., Any] = GuardedHttp.request

    def count(self: GuardedHttp, *args: Any, **options: Any) -> Any:
        nonlocal sent
        sent += 1
        return send(self, *args, **options)

    times, cpu = [], time.process_time()
    with patch.object(GuardedHttp, "request", count):
        for link_id in ids:
            began = time.perf_counter()
            if not sync_link(sync, link_id=link_id, now=now):
                raise SystemExit(f"the link {link_id} was not due")
            times.append(time.perf_counter() - began)
    return Figure(
        seconds=round(sum(times), 2),
        cpu_seconds=round(time.process_time() - cpu, 2),
        requests=sent,
        requests_of_a_link=sent / len(ids),
        slowest_link_s=round(max(times), 3),
    )


def _link(database: Database, server: CalendarServer, links: int) -> list[str]:
    catalogue = elm_catalogue()
    people = [one.id for one in catalogue.practitioners]
    with database.begin() as work:
        store_catalogue(work, catalogue)
        return [
            link_calendar(
                work,
                clinic_id=catalogue.clinic_id,
                practitioner_id=people[number % len(people)],
                url=f"{server.url}/{server.username}/calendar-{number}/",
                username=server.username,
                password=server.password,
                now=NOW,
            )
            for number in range(links)
        ]


def _collection(folder: Path, number: int) -> Path:
    return folder / "collections" / "collection-root" / "clinic" / f"calendar-{number}"


def _fill(collection: Path, number: int, events: int) -> None:
    """Write a calendar as Radicale keeps it: five thousand requests would measure only the server."""
    collection.mkdir(parents=True)
    (collection / ".Radicale.props").write_text(json.dumps({"tag": "VCALENDAR", "D:displayname": f"Calendar {number}"}))
    for event in range(events):
        (collection / f"event-{event}.ics").write_bytes(_event(number, event))


def _let_index(server: CalendarServer, links: int) -> None:
    """Let the server read what was laid into its folder, as it would have when the events were sent to it."""
    for number in range(links):
        url = f"{server.url}/{server.username}/calendar-{number}/"
        login = (server.username, server.password)
        requests.request("PROPFIND", url, headers={"Depth": "1"}, auth=login, timeout=300).raise_for_status()


def _event(number: int, event: int, *, moved: bool = False) -> bytes:
    """Return one event: of twenty, one is a day, three are weekly series in local time, the others single meetings."""
    starts = NOW + timedelta(days=event % 300, hours=event % 9 + (1 if moved else 0))
    when = [f"DTSTART:{starts:%Y%m%dT%H%M%S}Z", "DURATION:PT45M"]
    if event % 20 == 1:
        when = [f"DTSTART;VALUE=DATE:{starts:%Y%m%d}"]
    elif event % 20 in {2, 3, 4}:
        when = [f"DTSTART;TZID=America/New_York:{starts:%Y%m%dT%H%M%S}", "DURATION:PT45M", "RRULE:FREQ=WEEKLY;COUNT=60"]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Bench//EN", "BEGIN:VEVENT", f"UID:{number}-{event}@bench"]
    lines += ["DTSTAMP:20270101T000000Z", *when, f"SUMMARY:Meeting {event}", "END:VEVENT", "END:VCALENDAR", ""]
    return "\r\n".join(lines).encode()


def _compare(found: dict[str, Any]) -> None:
    first, quiet = found["first read"]["seconds"], found["nothing new"]["requests_of_a_link"]
    print(f"first read: {first:.1f} s, bound {FIRST_READ_S:.0f} s", file=sys.stderr)
    print(f"nothing new: {quiet:.1f} requests a link, bound {MOST_REQUESTS}", file=sys.stderr)
    if first > FIRST_READ_S or quiet > MOST_REQUESTS or found["links that are not ok"]:
        raise SystemExit("a bound is broken")


if __name__ == "__main__":
    main(sys.argv[1:])
