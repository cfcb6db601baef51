"""A diary and three calendars that several people write to, and workers that are hindered in bringing them together."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import select

from booking.cancel import cancel_appointment
from booking.catalogue import CatalogueCache
from booking.confirm import confirm_hold
from booking.hold import place_hold
from booking.model.appointment import Allocation, Appointment, AppointmentChange
from booking.model.schedule import BusyInterval
from booking.model.task import StaffTask
from booking.reschedule import reschedule
from booking.values import AppointmentStatus, Catalogue, Outside, Source
from calendar_sync.adapters.memory_store import MemoryStore
from calendar_sync.context import CalendarSync
from calendar_sync.entry import CalendarEntry
from calendar_sync.links import repair_link
from calendar_sync.model import CalendarAction, CalendarLink, LinkError, ObjectState, RemoteObject
from calendar_sync.ports import AccessRefused, ChangedMeanwhile
from calendar_sync.push import push_appointment
from calendar_sync.status import Difference, link_statuses
from calendar_sync.tick import sync_link
from kernel.db import Base, table_of
from kernel.errors import Refused, Unavailable
from kernel.interval import Interval
from kernel.work import Database, OutboxEntry, UnitOfWork
from tests.races.clinic import at, eve
from tests.support.calendars import WRITES, Calendars, link
from tests.support.diary_faults import diary_faults

NAMES = ("one", "two")
HALF_HOUR = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)
WRITTEN = (
    Appointment,
    Allocation,
    AppointmentChange,
    RemoteObject,
    BusyInterval,
    StaffTask,
    OutboxEntry,
    CalendarAction,
)

Deed = tuple[Any, ...]
Hindrance = tuple[int, Deed]  # at which moment of a worker's work, and what happens then
T = TypeVar("T")


class Killed(BaseException):
    """The process ends here."""


class World:
    """The diary, the calendars, and what the people outside of us know that they did."""

    def __init__(
        self,
        db: Database,
        catalogue: Catalogue,
        patient_ids: Sequence[str],
        *,
        people: Sequence[str],
        catalogues: CatalogueCache,
        ids: random.Random,
    ) -> None:
        """Make one with a calendar of each of `people`, who may be the same. `ids`: where new ids come from, so that it can be done again just so."""
        ids.seed(20270104)
        self.catalogue, self.patient_ids, self.now = catalogue, patient_ids, eve(1)
        self.db = db
        self.calendars = Calendars()
        self.calendars.before, self.calendars.after = self._before_request, self._after_request
        self._moments: dict[int, Deed] = {}
        self._moment = 0
        self._sync = CalendarSync(_Watched(db, self._meet), self.calendars.open, catalogues)
        self.wanted_times: dict[str, list[datetime]] = {}  # that patients asked for, by visit
        self.moved_to: dict[str, set[datetime]] = defaultdict(set)
        self.cancelled: set[str] = set()
        self.deleted_there: set[str] = set()
        self.touched_there: set[str] = set()
        self.foreign: dict[str, dict[str, str]] = defaultdict(dict)  # versions that somebody else wrote, by calendar
        self._clear()
        self._people = dict(zip(NAMES, people, strict=True))
        self.link_ids = {
            name: link(db, catalogue, person, now=self.now, url=f"{name}/") for name, person in self._people.items()
        }
        # So that there is something to disagree about.
        self.book(people[0], 9)
        self.book(people[1], 14)
        self.tick_all()

    def do(self, deed: Deed, hindrances: Iterable[Hindrance] = ()) -> None:
        """Let somebody do something; workers meet the `hindrances` on the way."""
        self._moments, self._moment = dict(hindrances), 0
        try:
            getattr(self, deed[0])(*deed[1:])
        except Killed:
            pass
        finally:
            self._moments = {}

    # What patients do.

    def book(self, person: str, hour: float) -> None:
        patient_id = self.patient_ids[len(self.wanted_times) % len(self.patient_ids)]

        def do(work: UnitOfWork) -> str:
            hold = self._hold(work, person, hour, patient_id=patient_id)
            confirm_hold(
                work, self.catalogue, appointment_id=hold, patient_id=patient_id, now=self.now, actor="patient"
            )
            return hold

        visit_id = self._try(do)
        if visit_id is not None:
            self.wanted_times[visit_id] = [at(1, hour)]

    def move(self, pick: int, person: str, hour: float) -> None:
        visit_id = _picked(list(self.wanted_times), pick)
        if visit_id is None:
            return

        def do(work: UnitOfWork) -> str:
            hold = self._hold(work, person, hour, replaces=visit_id)
            reschedule(
                work,
                self.catalogue,
                appointment_id=visit_id,
                hold_id=hold,
                now=self.now,
                actor="patient",
                source=Source.SMS,
            )
            return hold

        if self._try(do) is not None:
            self.wanted_times[visit_id].append(at(1, hour))

    def move_and_push(self, pick: int, person: str, hour: float) -> None:
        """Move a visit, which another worker brings into the calendars at once."""
        self.move(pick, person, hour)
        self.push(pick)

    def cancel(self, pick: int) -> None:
        visit_id = _picked(list(self.wanted_times), pick)
        if visit_id is None:
            return

        def do(work: UnitOfWork) -> str:
            cancel_appointment(
                work,
                self.catalogue,
                appointment_id=visit_id,
                reason=None,
                now=self.now,
                actor="patient",
                source=Source.SMS,
            )
            return visit_id

        if self._try(do) is not None:
            self.cancelled.add(visit_id)

    # What practitioners do in their calendars.

    def add_own(self, name: str, hour: float) -> None:
        self._place_own(name, f"own-{sum(map(len, self.foreign.values()))}", hour)

    def move_own(self, name: str, pick: int, hour: float) -> None:
        href = _picked(list(self.foreign[name]), pick)
        if href is not None and href in self._store(name).objects:
            self._place_own(name, href, hour)

    def delete_own(self, name: str, pick: int) -> None:
        href = _picked(list(self.foreign[name]), pick)
        if href is not None and href in self._store(name).objects:
            self._store(name).remove(href=href)
            del self.foreign[name][href]

    def move_visit_there(self, name: str, pick: int, hour: float) -> None:
        def moved(entry: CalendarEntry) -> CalendarEntry:
            self.moved_to[self._visit_of(entry)].add(at(1, hour))
            return replace(
                entry, starts_at=at(1, hour), ends_at=at(1, hour) + HALF_HOUR, sequence=entry.sequence + pick % 3
            )

        self._change_visit(name, pick, moved)

    def write_on_visit_there(self, name: str, pick: int) -> None:
        self._change_visit(name, pick, lambda entry: replace(entry, summary="Bring the file"))

    def make_visit_a_series_there(self, name: str, pick: int) -> None:
        self._change_visit(name, pick, lambda _entry: None)

    def delete_visit_there(self, name: str, pick: int) -> None:
        href = _picked(self._of_ours(name), pick)
        if href is not None:
            entry = self._store(name).objects[href].entry
            self.deleted_there |= {self._visit_of(entry)} if entry else set(self.wanted_times)
            self.touched_there |= self.deleted_there
            self._store(name).remove(href=href)

    # What workers do, and what becomes of them.

    def push(self, pick: int) -> None:
        visit_id = _picked(list(self.wanted_times), pick)
        if visit_id is not None:
            try:
                push_appointment(self._sync, appointment_id=visit_id, now=self.now)
            except Unavailable:
                return  # as the job that runs it does: it would be tried again

    def tick(self, name: str) -> None:
        try:
            sync_link(self._sync, link_id=self.link_ids[name], now=self.now)
        except Unavailable:
            return

    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    def lose_tokens(self) -> None:
        for name in self.link_ids:
            self._store(name).forget_tokens()

    def calm_down(self) -> None:
        """Let the trouble be over: pauses and leases end, and staff mend what waits for them."""
        self.now += timedelta(minutes=10)
        with self.db.begin() as work:
            for row in work.session.scalars(select(CalendarLink)).all():
                if row.paused_at is not None or row.error is not None:
                    repair_link(work, clinic_id=row.clinic_id, link_id=row.id, actor="staff:kim", now=self.now)

    def tell_that_it_is_empty(self) -> None:
        """Let staff answer for a calendar that lost all that it held, which nobody may believe by itself; then it is looked at again."""
        with self.db.begin() as work:
            doubted = work.session.scalars(
                select(CalendarLink).where(CalendarLink.error == LinkError.SUDDENLY_EMPTY)
            ).all()
            for row in doubted:
                repair_link(work, clinic_id=row.clinic_id, link_id=row.id, actor="staff:kim", now=self.now)
        if doubted:
            self.tick_all()

    def tick_all(self) -> None:
        self.now += MINUTE
        for name in self.link_ids:
            sync_link(self._sync, link_id=self.link_ids[name], now=self.now)

    # What is true of it.

    def faults(self) -> list[str]:
        """Return everything that is not as it should be once diary and calendars were brought together."""
        with self.db.read() as session:
            visits = session.scalars(select(Appointment)).all()
            statuses = link_statuses(session, self.catalogue, now=self.now)
            rows = session.scalars(select(RemoteObject)).all()
            busy = session.scalars(select(BusyInterval)).all()
            told_of = session.scalars(select(StaffTask.appointment_id).where(StaffTask.appointment_id.is_not(None)))
            alarms = set(told_of) - self.touched_there
            found = diary_faults(session, self.catalogue) + [
                f"staff are told of {one} without reason" for one in alarms
            ]
        found += [f"{row.state}: {row.id}" for row in rows if row.state == ObjectState.BEHIND.value]
        found += [f"drift: {one}" for each in statuses for one in each.drift if one.difference != Difference.OWN_WORDS]
        found += [f"{each.url} is {each.state}" for each in statuses if each.state != "ok"]
        for name, person in self._people.items():
            found += self._wrong_events(
                name, [one for one in visits if one.practitioner_id == f"practitioner-{person}"]
            )
            found += self._wrong_busy_times(name, busy)
        for visit_id in self.wanted_times:
            found += self._wrong_in_diary(next(one for one in visits if one.id == visit_id))
        return found

    def snapshot(self) -> dict[str, list[Any]]:
        """Return all that may not change when there is nothing to do."""
        with self.db.read() as session:
            rows = {
                kind.__tablename__: [tuple(row) for row in session.execute(select(table_of(kind)).order_by(kind.id))]
                for kind in WRITTEN
            }
            # Up to where it was read grows with our own writes of the tick before.
            links = session.execute(
                select(CalendarLink.id, CalendarLink.state, CalendarLink.error).order_by(CalendarLink.id)
            )
            rows["calendar_link"] = [tuple(row) for row in links]
        rows["writes"] = [self.calendars.asked[name] for name in WRITES]
        return rows

    def _wrong_events(self, name: str, visits: Iterable[Appointment]) -> list[str]:
        there = sorted(
            (event.uid, event.entry.starts_at, event.entry.ends_at) if event.entry else (event.uid, None, None)
            for event in self._store(name).objects.values()
            if event.uid.endswith("@frontdesk")
        )
        should = sorted(
            (one.uid, one.starts_at, one.ends_at) for one in visits if one.status == AppointmentStatus.BOOKED.value
        )
        foreign = {
            event.href: event.version
            for event in self._store(name).objects.values()
            if not event.uid.endswith("@frontdesk")
        }
        wrong = [] if there == should else [f"{name} shows {there}, not {should}"]
        return wrong if foreign == self.foreign[name] else [*wrong, f"{name}: somebody else's events were changed"]

    def _wrong_busy_times(self, name: str, busy: Iterable[BusyInterval]) -> list[str]:
        prefix = f"{self.link_ids[name]} "
        taken = sorted((one.origin, one.starts_at, one.ends_at) for one in busy if one.origin.startswith(prefix))
        theirs = sorted(
            (prefix + href, span.start, span.end)
            for href in self.foreign[name]
            for span in self._store(name).objects[href].busy
        )
        return [] if taken == theirs else [f"{name} keeps busy {taken}, not {theirs}"]

    def _wrong_in_diary(self, visit: Appointment) -> list[str]:
        policy = self.catalogue.calendars
        may_be_deleted = policy.deleted_outside is Outside.FOLLOW and visit.id in self.deleted_there
        statuses = {AppointmentStatus.CANCELLED if visit.id in self.cancelled else AppointmentStatus.BOOKED}
        statuses |= {AppointmentStatus.CANCELLED} if may_be_deleted else set()
        times = {self.wanted_times[visit.id][-1]}
        if policy.moved_outside is Outside.FOLLOW:
            times |= self.moved_to[visit.id]
        wrong = [] if visit.status in statuses else [f"{visit.id} is {visit.status}, not {statuses}"]
        return wrong if visit.starts_at in times else [*wrong, f"{visit.id} is at {visit.starts_at}, not {times}"]

    def _hold(
        self, work: UnitOfWork, person: str, hour: float, *, patient_id: str | None = None, replaces: str | None = None
    ) -> str:
        return place_hold(
            work,
            self.catalogue,
            service_id="service-visit",
            location_id="location-main",
            starts_at=at(1, hour),
            practitioner_ids=(f"practitioner-{person}",),
            conversation_id=None,
            patient_id=patient_id,
            source=Source.SMS,
            now=self.now,
            replaces_appointment_id=replaces,
        ).id

    def _try(self, do: Callable[[UnitOfWork], str]) -> str | None:
        try:
            with self.db.begin() as work:
                return do(work)
        except Refused:
            return None

    def _store(self, name: str) -> MemoryStore:
        return self.calendars.at(f"{name}/")

    def _of_ours(self, name: str) -> list[str]:
        objects = self._store(name).objects
        return sorted(href for href, event in objects.items() if event.uid.endswith("@frontdesk"))

    def _visit_of(self, entry: CalendarEntry) -> str:
        with self.db.read() as session:
            return session.scalars(select(Appointment.id).where(Appointment.uid == entry.uid)).one()

    def _change_visit(self, name: str, pick: int, change: Callable[[CalendarEntry], CalendarEntry | None]) -> None:
        href = _picked(self._of_ours(name), pick)
        if href is None:
            return
        event = self._store(name).objects[href]
        if event.entry is not None:
            changed = change(event.entry)
            self.touched_there.add(self._visit_of(event.entry))
            span = Interval(event.entry.starts_at, event.entry.ends_at)
            self._store(name).place(href=href, uid=event.uid, entry=changed, busy=() if changed else (span,))

    def _place_own(self, name: str, href: str, hour: float) -> None:
        entry = CalendarEntry(f"{href}@home", 0, at(1, hour), at(1, hour) + HALF_HOUR, "School", "", is_confirmed=True)
        self.foreign[name][href] = self._store(name).place(href=href, uid=entry.uid, entry=entry)

    def _clear(self) -> None:
        with self.db.begin() as work:
            written = {kind.__tablename__ for kind in (*WRITTEN, CalendarLink)}
            for table in reversed(Base.metadata.sorted_tables):
                if table.name in written:
                    work.session.execute(table.delete())

    # What workers meet.

    def _before_request(self, name: str, _url: str) -> None:
        self._meet(name, is_write=name in WRITES)

    def _after_request(self, name: str, _url: str) -> None:
        self._meet(name)

    def _meet(self, name: str, *, is_write: bool = False) -> None:
        hindrance = self._moments.pop(self._moment, None)
        self._moment += 1
        match hindrance:
            case None:
                return
            case ("killed",):
                raise Killed
            case ("out-of-reach", seconds):
                raise Unavailable("out of reach", retry_after=timedelta(seconds=seconds))
            case ("refused",) if name != "database":
                raise AccessRefused("no")
            case ("changed",) if is_write:
                raise ChangedMeanwhile("another was faster")
            case ("refused",) | ("changed",):
                return
            case deed:
                getattr(self, deed[0])(*deed[1:])


class _Watched(Database):
    """The same database, whose transactions are moments at which something may happen to a worker."""

    def __init__(self, db: Database, meet: Callable[[str], None]) -> None:
        vars(self).update(vars(db))
        self._meet = meet

    def run(self, step: Callable[[UnitOfWork], T]) -> T:
        self._meet("database")
        result = super().run(step)
        self._meet("database")
        return result


def _picked(some: Sequence[T], pick: int) -> T | None:
    return some[-1 - pick % len(some)] if some else None
