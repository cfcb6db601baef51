"""A clinic whose Dr. Lee has a calendar, and everybody who writes to either."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from booking.catalogue import stored_rules
from booking.model.clinic import Clinic
from booking.model.schedule import BusyInterval
from booking.queries import find_slots
from booking.queries import visit as visit_of
from booking.tasks import open_tasks
from booking.values import BookedVisit, CalendarPolicy, SlotQuery, TaskKind
from calendar_sync.adapters.memory_store import MemoryStore
from calendar_sync.entry import CalendarEntry
from calendar_sync.links import repair_link
from calendar_sync.model import CalendarLink
from calendar_sync.push import push_appointment
from calendar_sync.status import LinkStatus, link_statuses
from calendar_sync.tick import links_due, sync_link
from kernel.interval import Interval
from kernel.work import Database
from tests.support.calendars import Calendars, link, sync_with
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.visits import NOW, book, move

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONDAY_9 = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)  # 9:00 in Albany
LEE = "practitioner-lee"


class Scene:
    """The clinic, its calendars, and a clock that is moved by hand."""

    def __init__(self, database: Database) -> None:
        self.db, self.catalogue, self.now = database, elm_catalogue(), NOW
        self.calendars = Calendars()
        with database.begin() as work:
            store_catalogue(work, self.catalogue)

    @property
    def lee(self) -> MemoryStore:
        return self.calendars.of("lee")

    def decide(self, policy: CalendarPolicy) -> None:
        """Let the clinic have another policy."""
        with self.db.begin() as work:
            clinic = work.session.get_one(Clinic, self.catalogue.clinic_id)
            clinic.calendars, clinic.version = stored_rules(vars(policy)), clinic.version + 1
        self.catalogue = replace(self.catalogue, calendars=policy, _by_id={})

    def link(self, practitioner: str = "lee", *, url: str | None = None) -> str:
        return link(self.db, self.catalogue, practitioner, now=self.now, url=url)

    def book(self, *, hours: float = 0, practitioner: str = "lee") -> BookedVisit:
        return book(
            self.db,
            self.catalogue,
            practitioner=practitioner,
            starts_at=MONDAY_9 + timedelta(hours=hours),
            now=self.now,
        )

    def move(self, visit: BookedVisit, *, hours: float, practitioner: str = "lee") -> BookedVisit:
        starts_at = MONDAY_9 + timedelta(hours=hours)
        return move(self.db, self.catalogue, visit, practitioner=practitioner, starts_at=starts_at, now=self.now)

    def shown(self) -> BookedVisit:
        """Book a visit with Dr. Lee on Monday at nine that stands in the linked calendar as well."""
        self.link()
        visit = self.book()
        self.tick()
        assert self.stands(visit) == MONDAY_9
        return visit

    def push(self, visit: BookedVisit) -> None:
        push_appointment(sync_with(self.db, self.calendars), appointment_id=visit.id, now=self.now)

    def tick(self, *, after: timedelta = MINUTE) -> int:
        """Let time pass, look at all that is due, and return how many were."""
        self.now += after
        with self.db.read() as session:
            due = links_due(session, now=self.now)
        return sum(sync_link(sync_with(self.db, self.calendars), link_id=one, now=self.now) for one in due)

    def repair(self, link_id: str) -> None:
        with self.db.begin() as work:
            repair_link(work, clinic_id=self.catalogue.clinic_id, link_id=link_id, actor="staff:kim", now=self.now)

    # In the calendar.

    def change_there(self, visit: BookedVisit, **changes: object) -> None:
        """Let somebody change the visit's event in Dr. Lee's calendar."""
        href = self.href_of(visit)
        entry = self.lee.objects[href].entry
        assert entry is not None
        self.lee.place(href=href, uid=visit.uid, entry=replace(entry, **changes))  # type: ignore[arg-type]  # fields of it

    def move_there(self, visit: BookedVisit, *, hours: float) -> None:
        start = MONDAY_9 + timedelta(hours=hours)
        self.change_there(visit, starts_at=start, ends_at=start + (visit.ends_at - visit.starts_at), sequence=3)

    def delete_there(self, visit: BookedVisit) -> None:
        self.lee.remove(href=self.href_of(visit))

    def add_there(self, href: str, *, hours: float, length: timedelta = HOUR, url: str | None = None) -> None:
        """Let Dr. Lee have something of their own."""
        start = MONDAY_9 + timedelta(hours=hours)
        entry = CalendarEntry(f"{href}@home", 0, start, start + length, "School", "", is_confirmed=True)
        store = self.lee if url is None else self.calendars.at(url)
        store.place(href=href, uid=entry.uid, entry=entry)

    def href_of(self, visit: BookedVisit) -> str:
        return self.lee.href_of(name=visit.id)

    def stands(self, visit: BookedVisit, *, practitioner: str = "lee") -> datetime | None:
        """Return when the visit's event is in the calendar."""
        event = self.calendars.of(practitioner).objects.get(self.href_of(visit))
        return None if event is None or event.entry is None else event.entry.starts_at

    # Here.

    def visit(self, visit: BookedVisit) -> BookedVisit:
        with self.db.read() as session:
            return visit_of(session, appointment_id=visit.id)

    def busy(self) -> list[tuple[datetime, datetime]]:
        with self.db.read() as session:
            rows = session.execute(
                select(BusyInterval.starts_at, BusyInterval.ends_at).order_by(BusyInterval.starts_at)
            )
            return [(start, end) for start, end in rows]

    def offered(self) -> set[datetime]:
        """Return when Dr. Lee could start a cleaning on Monday."""
        span = Interval(MONDAY_9 - 9 * HOUR, MONDAY_9 + 15 * HOUR)
        with self.db.read() as session:
            query = SlotQuery("service-cleaning", span, practitioner_ids=(LEE,))
            return {slot.starts_at for slot in find_slots(session, self.catalogue, query=query, now=self.now)}

    def tasks(self) -> list[str]:
        with self.db.read() as session:
            found = open_tasks(session, clinic_id=self.catalogue.clinic_id)
        return [task.text for task in found if task.kind is TaskKind.CALENDAR]

    def status(self) -> LinkStatus:
        with self.db.read() as session:
            [found] = link_statuses(session, self.catalogue, now=self.now)
            return found

    def state(self) -> tuple[str, str | None]:
        with self.db.read() as session:
            row = session.scalars(select(CalendarLink)).one()
            return row.state, row.error
