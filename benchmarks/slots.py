"""How long it takes to find free times, beside a plain loop in C and a bare SELECT in the same run.

`python -m benchmarks.slots [W.json] [--practitioners N] [--days N] [--seed N] [--repeats N]` loads a workload into the
product's own tables and answers through the functions the product answers with: A, the free starts of one practitioner; B,
the first of any; C, those of all with who is free. The answers go to standard output as JSON, the times to standard error.
Without a file the workload is made from the seed. `--growth` also measures how C grows with people and days.
"""

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as wall_time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from benchmarks import databases
from benchmarks.workload import Staff, Workload, make, read
from booking import availability, hours, search
from booking.catalogue import load_catalogue, stored_rules
from booking.hours import Timetable
from booking.model.appointment import Allocation, Appointment
from booking.model.clinic import Clinic, Location, OpeningHours
from booking.model.schedule import AvailabilityRule, Schedule, TimeOff
from booking.model.staff import HealthcareService, Practitioner, ServiceOffering
from booking.search import Diary, SearchPlace
from booking.spans import instant
from booking.values import AppointmentStatus, BookingRules, Catalogue, SlotQuery, Source
from kernel.db import new_id
from kernel.interval import Interval

_CLINIC, _PLACE, _VISIT = "clinic", "place", "visit"
_DAY = timedelta(days=1)


def main() -> None:
    """Measure and print."""
    asked = _arguments()
    whole = make(practitioners=200, days=90, seed=asked.seed) if asked.file is None else read(asked.file)
    sizes = (asked.practitioners, asked.days) if asked.file else (asked.practitioners or 50, asked.days or 90)
    workload = whole.cut(practitioners=sizes[0], days=sizes[1])
    report = Report()
    with databases.postgresql() as postgresql, databases.sqlite() as sqlite:
        for engine in (postgresql, sqlite):
            load(engine, workload)
        with Session(postgresql) as session:
            question = Question(load_catalogue(session, clinic_id=_CLINIC), workload)
            answers = question.answers(question.read(session))
        print(json.dumps(answers))
        _measure(report, question, postgresql, sqlite, repeats=asked.repeats)
        if answers != _answers_from(sqlite, workload):
            raise SystemExit("SQLite and PostgreSQL give different answers.")
    if asked.growth:
        _measure_growth(report, whole, repeats=asked.repeats)
    print(report, file=sys.stderr)


class Question:
    """A, B and C of one workload, asked of the product."""

    def __init__(self, catalogue: Catalogue, workload: Workload) -> None:
        self.catalogue = catalogue
        self.workload = workload
        midnight, end = (
            datetime.combine(day, wall_time(), workload.zone).astimezone(UTC)
            for day in (workload.first_day, workload.end_day)
        )
        self.now = midnight
        self.query = SlotQuery(_VISIT, Interval(midnight, end))

    def place(self, *practitioner_ids: str) -> SearchPlace:
        """Return the one place of the clinic, with these people or with everybody who works there."""
        query = replace(self.query, practitioner_ids=practitioner_ids)
        (place,) = search.places(self.catalogue, query, now=self.now)
        return place

    def read(self, session: Session) -> Diary:
        """Return what is taken, read as every search reads it."""
        return search.read_diary(session, self.catalogue, [self.place()], now=self.now)

    def a(self, diary: Diary) -> list[int]:
        """Return all free starts of the first practitioner."""
        first = self.catalogue.practitioners[0].id
        return self.place(first).starts(diary)[first]

    def b(self, diary: Diary, *, span: Interval | None = None) -> tuple[int, str] | None:
        """Return the first free start of any."""
        place = self.place()
        first = availability.first_start(place.wanted, place.practitioners, span=span or place.span, busy=diary.busy)
        return None if first is None else (first[0], first[1].id)

    def c(self, diary: Diary) -> dict[int, list[str]]:
        """Return all free starts with who is free."""
        return availability.practitioners_by_start(self.place().starts(diary))

    def answers(self, diary: Diary) -> dict[str, Any]:
        """Return all three as they are printed."""
        first = self.b(diary)
        return {
            "A": self.a(diary),
            "B": None if first is None else [first[0], _number(first[1])],
            "C": {str(start): [_number(one) for one in who] for start, who in self.c(diary).items()},
        }


class Report:
    """Lines of times and ratios."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def say(self, text: str) -> None:
        self._lines.append(text)

    def time(self, what: str, seconds: float) -> None:
        self.say(f"{what:<58}{1000 * seconds:>10.3f} ms")

    def ratio(self, what: str, value: float, target: str) -> None:
        self.say(f"{what:<58}{value:>10.2f} x   target {target}")

    def __str__(self) -> str:
        return "\n".join(self._lines)


def medians(
    actions: Sequence[Callable[[], object]], *, repeats: int, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Return the median of the seconds that each of `actions` takes, in turn, so that all see the same machine.

    Each is done once before it is timed: what another left in the processor's caches is not its to pay for.
    """
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(repeats):
        for spent, action in zip(times, actions, strict=True):
            action()
            begin = clock()
            action()
            spent.append(clock() - begin)
    return [statistics.median(spent) for spent in times]


# What is reckoned in memory is measured in the time of the processor: a loop of half a millisecond is hardly ever
# interrupted, a search of ten is wherever somebody else has work to do, and the ratio should be that of the two.
_IN_MEMORY = time.process_time


def _measure(report: Report, question: Question, postgresql: Engine, sqlite: Engine, *, repeats: int) -> None:
    workload = question.workload
    size = f"{len(workload.staff)} practitioners, {workload.days} days, {len(workload.busy)} visits"
    report.say(f"{size}; medians of {repeats}")
    with Session(postgresql) as session, Session(sqlite) as file_session:
        diary = question.read(session)
        first_day = Interval(question.query.span.start, question.query.span.start + _DAY)
        bound = _c_loop(question, diary)
        a, b, b_of_one_day, c, c_cold, in_c = medians(
            [
                lambda: question.a(diary),
                lambda: question.b(diary),
                lambda: question.b(diary, span=first_day),
                lambda: question.c(diary),
                lambda: _after_a_restart(question, diary),
                bound,
            ],
            repeats=repeats,
            clock=_IN_MEMORY,
        )
        bare, bare_numbers, from_postgresql, bare_sqlite, from_sqlite = medians(
            [
                lambda: _bare_select(session, question),
                lambda: _bare_select_of_numbers(session, question),
                lambda: question.c(question.read(session)),
                lambda: _bare_select(file_session, question),
                lambda: question.c(question.read(file_session)),
            ],
            repeats=repeats,
        )
    report.time("A, in memory", a)
    report.time("B, in memory", b)
    report.time("B of one day, in memory", b_of_one_day)
    report.time("C, in memory", c)
    report.time("C, in memory, hours not worked out before", c_cold)
    report.time("C by a loop in C", in_c)
    report.time("bare SELECT, PostgreSQL", bare)
    report.time("bare SELECT of seconds, PostgreSQL", bare_numbers)
    report.time("C from PostgreSQL", from_postgresql)
    report.time("bare SELECT, SQLite", bare_sqlite)
    report.time("C from SQLite", from_sqlite)
    report.ratio("C / loop in C", c / in_c, "<= 40, aim 25")
    report.ratio("C with hours not worked out before / loop in C", c_cold / in_c, "<= 40, aim 25")
    report.ratio("A / C * practitioners", a / c * len(workload.staff), "<= 2")
    report.ratio("B / B of one day", b / b_of_one_day, "<= 2 with a free time on day one")
    report.ratio("C from PostgreSQL / bare SELECT", from_postgresql / bare, "<= 3.0, aim 2.0")
    report.ratio("C from PostgreSQL / bare SELECT of seconds", from_postgresql / bare_numbers, "<= 3.0, aim 2.0")


def _measure_growth(report: Report, whole: Workload, *, repeats: int) -> None:
    sizes = [(10, 90), (50, 14), (50, 90), (200, 90)]
    with databases.sqlite() as engine:
        load(engine, whole)
        with Session(engine) as session:
            everything = load_catalogue(session, clinic_id=_CLINIC)
            runs = []
            for practitioners, days in sizes:
                people = everything.practitioners[:practitioners]
                # The same clinic with fewer people: what it keeps of others by id is not looked at.
                smaller = _with_people(everything, people)
                question = Question(smaller, whole.cut(practitioners=practitioners, days=days))
                diary = question.read(session)
                runs.append(lambda question=question, diary=diary: question.c(diary))
            times = dict(zip(sizes, medians(runs, repeats=repeats, clock=_IN_MEMORY), strict=True))
    for (practitioners, days), spent in times.items():
        report.time(f"C of {practitioners} practitioners, {days} days, in memory", spent)
    report.ratio("C(200, 90) / C(10, 90)", times[200, 90] / times[10, 90], "<= 25")
    report.ratio("C(50, 90) / C(50, 14)", times[50, 90] / times[50, 14], "<= 8")


def load(engine: Engine, workload: Workload) -> None:
    """Write the workload as a clinic: its configuration as an import would, its visits as bookings."""
    with Session(engine) as session, session.begin():
        rules = BookingRules(
            step=timedelta(minutes=workload.grid),
            minimum_notice=timedelta(0),
            maximum_advance=timedelta(days=workload.days + 1),
        )
        for row in _clinic(workload, rules):
            session.add(row)
            session.flush()
        people = [row for position, one in enumerate(workload.staff) for row in _somebody(workload, one, position)]
        for kind in (Practitioner, Schedule, ServiceOffering, AvailabilityRule, TimeOff):
            session.add_all(row for row in people if isinstance(row, kind))
            session.flush()
        visits, claims = _visits(workload)
        if visits:
            session.execute(insert(Appointment), visits)
            session.execute(insert(Allocation), claims)
    if engine.dialect.name == "postgresql":
        # As autovacuum does soon after so much was written.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def _clinic(workload: Workload, rules: BookingRules) -> Iterator[Any]:
    yield Clinic(
        id=_CLINIC,
        key=_CLINIC,
        name="Clinic",
        timezone=workload.tz,
        country="US",
        languages=["en"],
        rules=stored_rules(vars(rules)),
        answers=[],
    )
    yield Location(
        id=_PLACE,
        clinic_id=_CLINIC,
        key=_PLACE,
        position=0,
        name="Place",
        aliases=[],
        address="",
        timezone=workload.tz,
    )
    for weekday in range(7):
        yield OpeningHours(location_id=_PLACE, weekday=weekday, start_minute=0, end_minute=24 * 60)
    yield HealthcareService(
        id=_VISIT,
        clinic_id=_CLINIC,
        key=_VISIT,
        position=0,
        name="Visit",
        aliases=[],
        reasons=[],
        duration_min=workload.len,
        buffer_before_min=workload.pre,
        buffer_after_min=workload.post,
        skills=[],
        resource_kinds=[],
        needs_confirmation=False,
    )


def _somebody(workload: Workload, one: Staff, position: int) -> Iterator[Any]:
    key = _key(one.id)
    yield Practitioner(
        id=key,
        clinic_id=_CLINIC,
        key=key,
        position=position,
        name=key,
        aliases=[],
        languages=["en"],
        skills=[],
    )
    yield Schedule(id=f"diary-{key}", clinic_id=_CLINIC, practitioner_id=key)
    yield ServiceOffering(practitioner_id=key, service_id=_VISIT)
    for day in one.days:
        for start, end in ((one.start, one.break_[0]), (one.break_[1], one.end)):
            yield AvailabilityRule(
                schedule_id=f"diary-{key}",
                location_id=_PLACE,
                weekday=(day - 1) % 7,
                start_minute=start,
                end_minute=end,
            )
    for first in (datetime.fromisoformat(day).date() for who, day in workload.off if who == one.id):
        yield TimeOff(schedule_id=f"diary-{key}", starts_on=first, ends_on=first + _DAY)


def _visits(workload: Workload) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    before, after = timedelta(minutes=workload.pre), timedelta(minutes=workload.post)
    visits, claims = [], []
    for who, start, end in workload.busy:
        visit_id, starts_at, ends_at = new_id(), instant(start), instant(end)
        visits.append(
            {
                "id": visit_id,
                "clinic_id": _CLINIC,
                "uid": visit_id,
                "status": AppointmentStatus.BOOKED,
                "service_id": _VISIT,
                "practitioner_id": _key(who),
                "location_id": _PLACE,
                "starts_at": starts_at,
                "ends_at": ends_at,
                "source": Source.STAFF,
                "created_at": starts_at,
                "changed_at": starts_at,
            }
        )
        claims.append(
            {
                "id": new_id(),
                "appointment_id": visit_id,
                "schedule_id": f"diary-{_key(who)}",
                "starts_at": starts_at - before,
                "ends_at": ends_at + after,
                "live": True,
            }
        )
    return visits, claims


def _key(number: int) -> str:
    return f"p{number:06}"


def _number(practitioner_id: str) -> int:
    return int(practitioner_id[1:])


def _with_people(catalogue: Catalogue, people: Sequence[Any]) -> Catalogue:
    return replace(catalogue, practitioners=tuple(people), _by_id={})


def _answers_from(engine: Engine, workload: Workload) -> dict[str, Any]:
    with Session(engine) as session:
        question = Question(load_catalogue(session, clinic_id=_CLINIC), workload)
        return question.answers(question.read(session))


def _bare_select(session: Session, question: Question) -> list[Any]:
    """Read the busy rows as they are stored, by the driver alone."""
    marks = "?" if session.get_bind().dialect.name == "sqlite" else "%s"
    span = question.query.span
    cursor = session.connection().connection.cursor()
    cursor.execute(
        f"SELECT schedule_id, starts_at, ends_at FROM allocation WHERE live AND ends_at > {marks} AND starts_at < {marks}",  # noqa: S608 -- marks are ours
        [str(one.replace(tzinfo=None)) if marks == "?" else one for one in (span.start, span.end)],
    )
    return list(cursor.fetchall())


def _bare_select_of_numbers(session: Session, question: Question) -> list[Any]:
    """Read the busy rows with times as whole numbers, which takes the database longer and the driver less."""
    span = question.query.span
    cursor = session.connection().connection.cursor()
    cursor.execute(
        "SELECT schedule_id, EXTRACT(epoch FROM starts_at)::bigint, EXTRACT(epoch FROM ends_at)::bigint"
        " FROM allocation WHERE live AND ends_at > %s AND starts_at < %s",
        [span.start, span.end],
    )
    return list(cursor.fetchall())


def _after_a_restart(question: Question, diary: Diary) -> object:
    """Answer C with nothing kept of what was worked out of hours before."""
    availability._runs.cache_clear()  # noqa: SLF001 -- nothing else needs to forget
    hours.days.cache_clear()
    hours._day.cache_clear()  # noqa: SLF001 -- as above
    return question.c(diary)


def _c_loop(question: Question, diary: Diary) -> Callable[[], object]:
    """Return C by a loop in C, from arrays made before: what could not be done faster."""
    loop = _built_c_loop()
    place = question.place()
    wanted = place.wanted
    inputs = []
    for one in place.practitioners:
        tables = Timetable.of_location(wanted.location), Timetable.of_practitioner(one, wanted.location)
        around = hours.days_around(place.span, wanted.location.zone, reach=timedelta(0))
        inputs.append((_flat(hours.spans(tables, around)), _flat(diary.busy.get(one.schedule_id, ()))))
    sizes = wanted.length_s, wanted.before_s, wanted.after_s, wanted.step_s

    def everybody() -> list[list[int]]:
        return [loop.free_starts(work, busy, *sizes) for work, busy in inputs]

    _make_sure(everybody(), question, diary)
    return everybody


def _make_sure(found: Sequence[Sequence[int]], question: Question, diary: Diary) -> None:
    span = question.query.span
    first, end = span.start.timestamp(), span.end.timestamp()
    ours = question.place().starts(diary).values()
    if [[one for one in starts if first <= one < end] for starts in found] != list(ours):
        raise SystemExit("The loop in C and the engine give different answers.")


def _flat(spans: Sequence[tuple[int, int]]) -> bytes:
    return array("q", [edge for span in spans for edge in span]).tobytes()


def _built_c_loop() -> Any:
    source = Path(__file__).with_name("c_loop.c")
    with tempfile.TemporaryDirectory(prefix="fd-bench-") as folder:
        target = Path(folder) / f"c_loop{sysconfig.get_config_var('EXT_SUFFIX')}"
        include = sysconfig.get_paths()["include"]
        command = ["cc", "-O2", "-shared", "-fPIC", f"-I{include}", str(source), "-o", str(target)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"The loop in C can't be built: {done.stderr}")
        spec = importlib.util.spec_from_file_location("c_loop", target)
        if spec is None or spec.loader is None:
            raise SystemExit("The loop in C can't be loaded.")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.slots", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, help="a workload; without it one is made")
    parser.add_argument("--practitioners", type=int, help="only the first so many")
    parser.add_argument("--days", type=int, help="only the first so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--growth", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
