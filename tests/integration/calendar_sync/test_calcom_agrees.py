"""Whatever is done in the diary and at Cal.com, and whichever answers are lost: once the faults stop, both sides agree."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copyfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from booking import ledger
from booking.cancel import cancel_appointment
from booking.catalogue import CatalogueCache
from booking.model.appointment import Appointment
from booking.model.schedule import BusyInterval
from booking.values import AppointmentStatus, BookedVisit, Source
from calendar_sync.adapters.calcom_store import CalcomStore
from calendar_sync.context import CalendarSync
from calendar_sync.links import link_calendar, repair_link
from calendar_sync.model import CalendarLink, LinkState
from calendar_sync.tick import sync_link
from kernel.clock import FixedClock
from kernel.errors import Refused
from kernel.work import Database
from tests.support.calcom_account import Booking, CalcomAccount, EventType, Person, VendorRefusal
from tests.support.calcom_server import CalcomServer, Fault, FaultKind
from tests.support.clinic_rows import store_catalogue
from tests.support.clinics import elm_catalogue
from tests.support.databases import SECRET
from tests.support.visits import NOW, book, move

pytestmark = pytest.mark.integration

FIRST_HOUR = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)  # 9:00 in Albany
OURS = "visits@clinic.example"
CATALOGUE = elm_catalogue()

EXAMPLES = 10  # each is up to a hundred requests; hundreds of others were tried when this was written

HOURS = st.integers(0, 2)
WHICH = st.integers(0, 3)
FAULTS = st.builds(
    Fault,
    st.sampled_from(sorted(set(FaultKind) - {FaultKind.FORBIDDEN, FaultKind.INVALID})),
    st.sampled_from(["GET", "POST", "POST"]),
    st.sampled_from(["", "/bookings", "/reschedule", "/cancel", "/bookings/"]),
)
DEEDS = st.one_of(
    st.tuples(st.just("book here"), HOURS, WHICH),
    st.tuples(st.just("move here"), HOURS, WHICH),
    st.tuples(st.just("cancel here"), HOURS, WHICH),
    st.tuples(st.just("book there"), HOURS, WHICH),
    st.tuples(st.just("move there"), HOURS, WHICH),
    st.tuples(st.just("cancel there"), HOURS, WHICH),
    st.tuples(st.just("tick"), HOURS, WHICH),
    st.tuples(st.just("tick"), HOURS, WHICH),
)


@dataclass
class World:
    database: Database
    server: CalcomServer
    account: CalcomAccount
    clock: FixedClock
    cleaning: EventType
    link_id: str
    people: int = 0

    def do(self, deed: str, hour: int, which: int) -> None:
        at = FIRST_HOUR + timedelta(hours=hour)
        visits, live = self.visits(), self.account.live()
        try:
            if deed == "tick":
                self.tick()
            elif deed == "book here":
                self.people += 1
                phone = f"+1212555{self.people:04}"
                book(self.database, CATALOGUE, practitioner="lee", starts_at=at, now=self.clock.now(), phone=phone)
            elif deed == "book there":
                self.people += 1
                who = Person(
                    f"Patient {chr(64 + self.people)}", f"p{self.people}@example.com", f"+1212555{self.people:04}"
                )
                self.account.book(event_type_id=self.cleaning.id, starts_at=at, attendee=who)
            elif deed == "move here" and visits:
                visit = visits[which % len(visits)]
                move(self.database, CATALOGUE, visit, practitioner="lee", starts_at=at, now=self.clock.now())
            elif deed == "cancel here" and visits:
                self.cancel(visits[which % len(visits)])
            elif deed == "move there" and live:
                self.account.reschedule(live[which % len(live)].uid, starts_at=at)
            elif deed == "cancel there" and live:
                self.account.cancel(live[which % len(live)].uid)
        except (Refused, VendorRefusal):
            return  # the time is taken here, or there

    def tick(self, *, later: timedelta = timedelta(minutes=6)) -> None:
        self.clock.advance(later)
        sync = CalendarSync(self.database, CalcomStore, CatalogueCache())
        with self.database.begin() as work:
            # Staff see to a link that has failed, suddenly empty for instance.
            if work.session.get_one(CalendarLink, self.link_id).state == LinkState.FAILED.value:
                repair_link(
                    work,
                    clinic_id=CATALOGUE.clinic_id,
                    link_id=self.link_id,
                    actor="staff:ann",
                    now=self.clock.now(),
                )
        assert sync_link(sync, link_id=self.link_id, now=self.clock.now())

    def cancel(self, visit: BookedVisit) -> None:
        with self.database.begin() as work:
            cancel_appointment(
                work,
                CATALOGUE,
                appointment_id=visit.id,
                reason="ill",
                now=self.clock.now(),
                actor="patient",
                source=Source.PHONE,
            )

    def visits(self) -> list[BookedVisit]:
        with self.database.read() as session:
            ids = session.scalars(
                select(Appointment.id)
                .where(Appointment.status == AppointmentStatus.BOOKED.value)
                .order_by(Appointment.starts_at, Appointment.id)
            )
            return [ledger.read(session, appointment_id=appointment_id).visit for appointment_id in ids]

    def busy(self) -> list[datetime]:
        with self.database.read() as session:
            return list(session.scalars(select(BusyInterval.starts_at).order_by(BusyInterval.starts_at)))

    def is_ours(self, booking: Booking) -> bool:
        return booking.attendee.email == OURS


@contextmanager
def a_world(server: CalcomServer, template: Path) -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{copyfile(template, Path(folder) / 'frontdesk.db')}", secret=SECRET)
        clock = FixedClock(NOW)
        account = server.fresh_account(clock=clock.now)
        ours = account.add_type("Visit", minutes=45)
        cleaning = account.add_type("Dental cleaning", minutes=45)
        with database.begin() as work:
            store_catalogue(work, CATALOGUE)
            link_id = link_calendar(
                work,
                clinic_id=CATALOGUE.clinic_id,
                practitioner_id="practitioner-lee",
                kind="calcom",
                url=server.address(ours),
                username=OURS,
                password=account.key,
                now=NOW,
            )
        yield World(database, server, account, clock, cleaning, link_id)
        server.forget_faults()
        database.dispose()
        assert account.violations == []


@settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(deeds=st.lists(st.tuples(DEEDS, st.lists(FAULTS, max_size=1)), max_size=12))
def test_both_sides_agree_once_the_faults_stop(
    calcom: CalcomServer, sqlite_url: str, deeds: Sequence[tuple[tuple[str, int, int], list[Fault]]]
) -> None:
    with a_world(calcom, Path(sqlite_url.removeprefix("sqlite:///"))) as world:
        for (deed, hour, which), faults in deeds:
            calcom.will_fail(*faults)
            world.do(deed, hour, which)
        calcom.forget_faults()

        world.tick()  # may find that staff have to look
        world.tick()
        world.tick(later=timedelta(days=1))  # what was refused is tried once a day
        there = world.account.live()
        world.account.requests.clear()
        world.tick()

        # A further tick only looks.
        assert world.account.requests == ["GET /v2/bookings"]
        assert world.account.live() == there
        visits = {visit.starts_at: visit for visit in world.visits()}
        assert len(visits) == len(world.visits())
        shown = {booking.starts_at for booking in there}
        assert len(shown) == len(there)
        # Our visits are there unless somebody else has the time there.
        assert visits.keys() <= shown
        for booking in there:
            visit = visits.get(booking.starts_at)
            if world.is_ours(booking):
                assert visit is not None
                assert booking.metadata["frontdesk_uid"] == visit.uid
            elif visit is None or visit.source is not Source.CALCOM:
                assert booking.starts_at in world.busy()
        foreign = {booking.starts_at for booking in there if not world.is_ours(booking)}
        assert set(world.busy()) <= foreign
