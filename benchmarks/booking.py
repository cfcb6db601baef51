"""Bookings a second through the real operation, against bare INSERTs in the same run.

    python -m benchmarks.booking [--bookings N] [--clients 1,8,32]

Each client is a process with one connection. JSON goes to standard output, ratios against the targets to standard error.

bare        one row into a table with a primary key, with psycopg, a transaction each: the bound
core        the claim of `booking.guard`, as plain SQL, a transaction each
booking     `booking.book.book_visit`: rules, locks, choice, claims, appointment, history, outbox
counting    the same at a clinic that limits how many visits a practitioner has in a day: one more lock, one more count
hold        `place_hold` and `confirm_hold` in two transactions, as a conversation books
same slots  all clients want the same Slots, in the same order
control     look, then write, without lock and without constraint: must double-book
"""

import argparse
import dataclasses
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import event, insert, make_url, select, text

from benchmarks.databases import SECRET, postgresql
from booking.book import book_visit
from booking.catalogue import load_catalogue, stored_rules
from booking.confirm import confirm_hold
from booking.guard import ScheduleBusy, SlotTaken
from booking.hold import place_hold
from booking.model.appointment import NO_OVERLAP, Allocation, Appointment
from booking.model.clinic import Clinic, Location, OpeningHours
from booking.model.patient import Patient
from booking.model.schedule import AvailabilityRule, Schedule
from booking.model.staff import HealthcareService, Practitioner, ServiceOffering
from booking.values import BookingRules, Catalogue, Source
from kernel.db import new_id
from kernel.errors import Unavailable
from kernel.work import Database, UnitOfWork

NOW = datetime(2027, 3, 1, 6, 0, tzinfo=UTC)
FIRST_DAY = date(2027, 3, 2)
ZONE = ZoneInfo("UTC")
CLIENTS = (1, 8, 32)
PEOPLE = max(CLIENTS)
A_DAY = 64  # a quarter of an hour each, from 6 to 22


@dataclass(frozen=True)
class Wish:
    """Who wants what: the number of the practitioner, the start, and a name for the patient."""

    practitioner: int
    starts_at: datetime
    patient: int


@dataclass(frozen=True)
class Figure:
    """What a number of clients reached together."""

    clients: int
    done: int
    refused: int
    failed: int
    per_second: float
    p50_ms: float
    p99_ms: float
    worst_ms: float
    client_cpu_ms: float  # of one booking, in the client's process: what others on the machine disturb least


Act = Callable[[Any, Wish], bool]


def main(arguments: Sequence[str]) -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description="Bookings a second, against bare INSERTs in the same run.")
    parser.add_argument("--bookings", type=int, default=2000, help="for each figure; default 2000")
    parser.add_argument("--clients", default="1,8,32", help="numbers of clients; default 1,8,32")
    given = parser.parse_args(arguments)
    clients = [int(each) for each in given.clients.split(",")]
    with postgresql() as engine:
        url = engine.url.render_as_string(hide_password=False)
        print(json.dumps(measure(url, bookings=given.bookings, clients=clients), indent=1))


def measure(url: str, *, bookings: int, clients: Sequence[int]) -> dict[str, Any]:
    """Return all figures by name, and print how they compare."""
    _make_clinic(url, patients=bookings)
    found: dict[str, Any] = {
        "statements of a booking": statements(url, _book),
        "statements of a counting booking": statements(url, _book_counting),
        "statements of a hold and its confirmation": statements(url, _hold_and_confirm),
    }
    for number in clients:
        for name, act in _ACTS.items():
            _clear(url)
            found[f"{name} {number}"] = asdict(run(url, act, distinct(bookings, number)))
    _clear(url)
    most = max(clients)
    slots = max(20, bookings // most)
    found["same slots"] = asdict(run(url, _book, same(slots, most)))
    found["same slots doubles"] = doubles(url)
    _clear(url)
    found["control doubles"] = control(url, slots=20, clients=8)
    compare(found, clients)
    return found


def distinct(bookings: int, clients: int) -> list[list[Wish]]:
    """Return for each client its wishes: each at a practitioner of its own, so that nobody meets anybody."""
    each = bookings // clients
    return [
        [Wish(client, _slot(number), client * each + number) for number in range(each)] for client in range(clients)
    ]


def same(slots: int, clients: int) -> list[list[Wish]]:
    """Return for each client the same wishes in the same order."""
    return [[Wish(0, _slot(number), client) for number in range(slots)] for client in range(clients)]


def run(url: str, act: Act, wishes: list[list[Wish]]) -> Figure:
    """Let each client, a process, act on its wishes, all from the same moment on."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.databases", "booking.book", "booking.catalogue"])
    barrier, results = context.Barrier(len(wishes) + 1), context.SimpleQueue()
    processes = [
        context.Process(target=_client, args=(url, act, mine, number, barrier, results))
        for number, mine in enumerate(wishes)
    ]
    for process in processes:
        process.start()
    barrier.wait(120)
    started = time.perf_counter()
    reports = [results.get() for _ in processes]
    took = time.perf_counter() - started
    for process in processes:
        process.join(30)
    times = sorted(each for report in reports for each in report["times"])
    done, refused, failed = (sum(report[name] for report in reports) for name in ("done", "refused", "failed"))
    return Figure(
        clients=len(wishes),
        done=done,
        refused=refused,
        failed=failed,
        per_second=round((done + refused) / took, 1),
        p50_ms=round(1000 * statistics.median(times), 2),
        p99_ms=round(1000 * times[min(len(times) - 1, int(0.99 * len(times)))], 2),
        worst_ms=round(1000 * times[-1], 2),
        client_cpu_ms=round(1000 * sum(report["cpu"] for report in reports) / len(times), 3),
    )


def _client(url: str, act: Act, wishes: list[Wish], number: int, barrier: Any, results: Any) -> None:  # noqa: PLR0917 -- as a Process hands it over
    tool = _PREPARED[act.__name__](url)
    # The first booking of a process compiles its statements.
    act(tool, Wish(number, _slot(A_DAY * 60), number))
    report: dict[str, Any] = {"times": [], "done": 0, "refused": 0, "failed": 0}
    barrier.wait(120)
    cpu = time.process_time()
    for wish in wishes:
        begun = time.perf_counter()
        try:
            report["done" if act(tool, wish) else "refused"] += 1
        except Exception as error:  # noqa: BLE001 -- whatever reaches a caller is what is counted
            report["failed"] += 1
            print(repr(error), file=sys.stderr)
        report["times"].append(time.perf_counter() - begun)
    results.put(report | {"cpu": time.process_time() - cpu})


@dataclass
class Desk:
    """What a process of the product has at hand: its database, and the clinic as it stands."""

    database: Database
    catalogue: Catalogue
    counting: Catalogue  # the same clinic, with a limit to a practitioner's day


def _open_desk(url: str) -> Desk:
    database = Database(url, secret=SECRET)
    with database.read() as session:
        catalogue = load_catalogue(session, clinic_id="clinic")
    limited = dataclasses.replace(catalogue.rules, max_per_practitioner_per_day=A_DAY)
    return Desk(database, catalogue, dataclasses.replace(catalogue, rules=limited, _by_id={}))


def _open_connection(url: str) -> psycopg.Connection[Any]:
    folder = make_url(url).query["host"]
    return psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True, prepare_threshold=1)


def _bare(connection: psycopg.Connection[Any], wish: Wish) -> bool:
    values = (new_id(), f"schedule-{wish.practitioner}", wish.starts_at, wish.starts_at + timedelta(minutes=15))
    connection.execute("INSERT INTO bare (id, schedule_id, starts_at, ends_at) VALUES (%s, %s, %s, %s)", values)
    return True


_CLAIM = f"""INSERT INTO allocation (id, appointment_id, schedule_id, starts_at, ends_at, live)
    VALUES (%s, 'appointment', %s, %s, %s, true) ON CONFLICT ON CONSTRAINT {NO_OVERLAP} DO NOTHING RETURNING id
"""  # noqa: S608 -- made of constants


def _core(connection: psycopg.Connection[Any], wish: Wish) -> bool:
    end = wish.starts_at + timedelta(minutes=15)
    found = connection.execute(
        _CLAIM,
        (new_id(), f"schedule-{wish.practitioner}", wish.starts_at, end),
    )
    return found.fetchone() is not None


def _book(desk: Desk, wish: Wish) -> bool:
    return _book_at(desk, desk.catalogue, wish)


def _book_counting(desk: Desk, wish: Wish) -> bool:
    return _book_at(desk, desk.counting, wish)


def _book_at(desk: Desk, catalogue: Catalogue, wish: Wish) -> bool:
    def book(work: UnitOfWork) -> None:
        book_visit(
            work,
            catalogue,
            service_id="service",
            location_id="location",
            starts_at=wish.starts_at,
            practitioner_ids=(f"practitioner-{wish.practitioner}",),
            patient_id=f"patient-{wish.patient}",
            source=Source.API,
            actor="patient",
            now=NOW,
        )

    return _is_booked(desk, book)


def _hold_and_confirm(desk: Desk, wish: Wish) -> bool:
    patient_id = f"patient-{wish.patient}"
    held: list[str] = []

    def hold(work: UnitOfWork) -> None:
        visit = place_hold(
            work,
            desk.catalogue,
            service_id="service",
            location_id="location",
            starts_at=wish.starts_at,
            practitioner_ids=(f"practitioner-{wish.practitioner}",),
            conversation_id=f"conversation-{wish.patient}",
            patient_id=patient_id,
            source=Source.PHONE,
            now=NOW,
        )
        held.append(visit.id)

    def confirm(work: UnitOfWork) -> None:
        confirm_hold(work, desk.catalogue, appointment_id=held[-1], patient_id=patient_id, now=NOW, actor="patient")

    return _is_booked(desk, hold) and _is_booked(desk, confirm)


def _is_booked(desk: Desk, step: Callable[[UnitOfWork], None]) -> bool:
    for _ in range(5):
        try:
            desk.database.run(step)
            return True
        except SlotTaken:
            return False
        except ScheduleBusy:
            continue
    raise Unavailable("the diary stayed busy")


_ACTS: dict[str, Act] = {
    "bare": _bare,
    "core": _core,
    "booking": _book,
    "counting": _book_counting,
    "hold": _hold_and_confirm,
}
_PREPARED: dict[str, Callable[[str], Any]] = {
    "_bare": _open_connection,
    "_core": _open_connection,
    "_book": _open_desk,
    "_book_counting": _open_desk,
    "_hold_and_confirm": _open_desk,
    "_look_then_write": _open_desk,
}


def control(url: str, *, slots: int, clients: int) -> int:
    """Return how often the same time was given twice when nobody guards it."""
    with _open_connection(url) as connection:
        connection.execute(f"ALTER TABLE allocation DROP CONSTRAINT {NO_OVERLAP}")
    run(url, _look_then_write, same(slots, clients))
    return doubles(url)


def _look_then_write(desk: Desk, wish: Wish) -> bool:
    with desk.database.begin() as work:
        schedule_id = f"schedule-{wish.practitioner}"
        end = wish.starts_at + timedelta(minutes=15)
        mine = Allocation.schedule_id == schedule_id
        there = select(Allocation.id).where(mine, Allocation.starts_at < end, Allocation.ends_at > wish.starts_at)
        if work.session.execute(there).first() is not None:
            return False
        appointment_id = new_id()
        work.session.execute(insert(Appointment).values(**_ANYTHING | {"id": appointment_id, "uid": appointment_id}))
        claim = {"id": new_id(), "appointment_id": appointment_id, "schedule_id": schedule_id, "live": True}
        work.session.execute(insert(Allocation).values(starts_at=wish.starts_at, ends_at=end, **claim))
        return True


def doubles(url: str) -> int:
    """Return how many pairs of live Allocations of one Schedule overlap."""
    with _open_connection(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM allocation a JOIN allocation b ON a.schedule_id = b.schedule_id AND a.id < b.id"
            " AND a.live AND b.live AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at"
        ).fetchone()
    return int(row[0]) if row else 0


def statements(url: str, act: Act) -> int:
    """Return how many statements one booking sends, without the beginning and the end of its transactions."""
    _clear(url)
    desk = _open_desk(url)
    act(desk, Wish(1, _slot(A_DAY * 60), 1))
    sent: list[str] = []
    event.listen(desk.database.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    for name in ("savepoint", "release_savepoint"):
        event.listen(desk.database.engine, name, lambda *_: sent.append("savepoint"))
    act(desk, Wish(0, _slot(A_DAY * 60), 0))
    desk.database.dispose()
    return len(sent)


def compare(found: dict[str, Any], clients: Sequence[int]) -> None:
    """Print each ratio beside its target."""
    for number in clients:
        bare = found[f"bare {number}"]["per_second"]
        print(f"{number} clients: bare INSERT {bare:.0f}/s", file=sys.stderr)
        for name in [each for each in _ACTS if each != "bare"]:
            figure = found[f"{name} {number}"]
            ratio = figure["per_second"] / bare
            target = _TARGETS.get((name, number), "")
            print(
                f"  {name:8} {figure['per_second']:8.0f}/s  {ratio:6.3f} x bare {target:28}"
                f"  p50 {figure['p50_ms']} ms, p99 {figure['p99_ms']} ms, client's processor {figure['client_cpu_ms']} ms,"
                f" failed {figure['failed']}",
                file=sys.stderr,
            )
    one = found["same slots"]
    apart = found[f"booking {one['clients']}"]["p99_ms"]
    print(
        f"{one['clients']} clients on the same Slots: {found['same slots doubles']} doubles (target 0), {one['failed']} errors"
        f" (0), worst {one['worst_ms']} ms (500), p99 {one['p99_ms'] / apart:.2f} x that of distinct Slots (2)",
        file=sys.stderr,
    )
    print(f"control: {found['control doubles']} doubles (must be some)", file=sys.stderr)
    for name in [each for each in found if each.startswith("statements")]:
        print(f"{name}: {found[name]}", file=sys.stderr)


_TARGETS = {
    ("core", 8): "(target 0.45)",
    ("core", 32): "(target 0.35)",
    ("booking", 8): "(target 0.05, aim 0.12)",
}


def _slot(number: int) -> datetime:
    day, quarter = divmod(number, A_DAY)
    return datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, 6, tzinfo=ZONE) + timedelta(
        days=day, minutes=15 * quarter
    )


def _clear(url: str) -> None:
    """Empty the diary, and let the server tidy up, so that each figure begins with the same."""
    with _open_connection(url) as connection:
        connection.execute("DELETE FROM allocation")
        connection.execute("DELETE FROM appointment_change")
        connection.execute("DELETE FROM appointment WHERE id <> 'appointment'")
        connection.execute("TRUNCATE bare, outbox_entry CASCADE")
        connection.execute("VACUUM ANALYZE")


def _make_clinic(url: str, *, patients: int) -> None:
    rules = BookingRules(minimum_notice=timedelta(hours=1), max_per_patient_per_day=99)
    database = Database(url, secret=SECRET)
    with database.begin() as work:
        add = work.session.add
        add(
            Clinic(
                id="clinic",
                key="bench",
                version=1,
                name="Bench",
                timezone=ZONE.key,
                country="US",
                languages=["en"],
                phone=None,
                transfer_to=None,
                rules=stored_rules(vars(rules)),
                answers=[],
            )
        )
        work.session.flush()
        add(
            Location(
                id="location",
                clinic_id="clinic",
                key="main",
                position=0,
                name="Main",
                aliases=[],
                address="Main Street",
                timezone=ZONE.key,
            )
        )
        add(_service())
        work.session.flush()
        for number in range(PEOPLE):
            _add_practitioner(work, number)
        work.session.add_all(
            OpeningHours(location_id="location", weekday=day, start_minute=360, end_minute=1320) for day in range(7)
        )
        for number in range(patients):
            add(Patient(id=f"patient-{number}", clinic_id="clinic", name=f"Patient {number}", created_at=NOW))
        work.session.flush()
        work.session.execute(insert(Appointment).values(**_ANYTHING))
        work.session.execute(
            text(
                "CREATE TABLE bare (id varchar PRIMARY KEY, schedule_id varchar, starts_at timestamptz, ends_at timestamptz)"
            )
        )
    database.dispose()


_ANYTHING = {
    "id": "appointment",
    "clinic_id": "clinic",
    "uid": "appointment",
    "status": "booked",
    "service_id": "service",
    "practitioner_id": None,
    "location_id": "location",
    "starts_at": NOW - timedelta(days=300),
    "ends_at": NOW - timedelta(days=299),
    "source": "api",
    "created_at": NOW,
    "changed_at": NOW,
}


def _service() -> HealthcareService:
    return HealthcareService(
        id="service",
        clinic_id="clinic",
        key="visit",
        position=0,
        name="Visit",
        aliases=[],
        reasons=[],
        duration_min=15,
        buffer_before_min=0,
        buffer_after_min=0,
        skills=[],
        resource_kinds=[],
        needs_confirmation=False,
    )


def _add_practitioner(work: UnitOfWork, number: int) -> None:
    practitioner_id, schedule_id = f"practitioner-{number}", f"schedule-{number}"
    work.session.add(
        Practitioner(
            id=practitioner_id,
            clinic_id="clinic",
            key=f"p{number}",
            position=number,
            name=f"Dr. {number}",
            aliases=[],
            languages=["en"],
            skills=[],
        )
    )
    work.session.flush()
    work.session.add(Schedule(id=schedule_id, clinic_id="clinic", practitioner_id=practitioner_id))
    work.session.add(ServiceOffering(practitioner_id=practitioner_id, service_id="service"))
    work.session.flush()
    work.session.add_all(
        AvailabilityRule(
            schedule_id=schedule_id, location_id="location", weekday=day, start_minute=360, end_minute=1320
        )
        for day in range(7)
    )


if __name__ == "__main__":
    main(sys.argv[1:])
