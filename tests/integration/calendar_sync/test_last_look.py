"""A last look into the calendars before a visit is booked, where the clinic wants one."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from booking.catalogue import load_catalogue
from booking.confirm import confirm_hold
from booking.elsewhere import CalendarUnread
from booking.guard import SlotTaken
from booking.hold import place_hold
from booking.model.appointment import Appointment
from booking.patients import register_patient
from booking.values import AppointmentStatus, BookedVisit, CalendarPolicy, Source, WhenFailed
from calendar_sync.last_look import LastLook
from calendar_sync.link_policy import stored_policy
from calendar_sync.links import LinkChanges, change_link, unlink_calendar
from calendar_sync.model import CalendarLink, LinkState
from calendar_sync.tick import LEASE
from kernel.clock import FixedClock
from kernel.errors import Unavailable
from kernel.work import Database
from tests.support.calendar_scene import LEE, MINUTE, MONDAY_9, Scene
from tests.support.calendars import sync_with
from tests.support.databases import SECRET
from tests.support.visits import PATIENT_PHONE

pytestmark = pytest.mark.integration

LOOKS = CalendarPolicy(check_at_commit=True)
GOES_ON = replace(LOOKS, when_failed=WhenFailed.GO_ON)
MANIFOLD_S = 30.0  # a deadline that is not the point
BEN = "practitioner-ben-carter"


class Desk(Scene):
    """The clinic, with Dr. Lee's calendar read a moment ago, and a desk that may look there before it books."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.decide(LOOKS)
        self.link_id = self.link()
        self.tick()
        self.calendars.asked.clear()
        self.sit_down()

    def sit_down(self, *, deadline_s: float = MANIFOLD_S) -> None:
        """Give the desk somebody to ask."""
        look = LastLook(sync_with(self.db, self.calendars), clock=FixedClock(self.now), deadline_s=deadline_s)
        self.desk = self.db.asking(look)

    def want(self, **policy: object) -> None:
        """Let the calendar have a policy of its own, and read the clinic anew as every process does."""
        with self.db.begin() as work:
            change_link(
                work, clinic_id=self.catalogue.clinic_id, link_id=self.link_id, actor="staff:kim", now=self.now,
                changes=LinkChanges(policy=stored_policy(policy)), clinic_policy=self.catalogue.calendars,
            )  # fmt: skip
            work.session.flush()
            self.catalogue = load_catalogue(work.session, clinic_id=self.catalogue.clinic_id)
        self.tick()

    def hold(self, *practitioners: str, hours: float = 0) -> BookedVisit:
        return self.desk.run(
            lambda work: place_hold(
                work,
                self.catalogue,
                service_id="service-cleaning",
                location_id="location-main",
                starts_at=MONDAY_9 + timedelta(hours=hours),
                practitioner_ids=practitioners or (LEE,),
                conversation_id="conversation-1",
                source=Source.SMS,
                now=self.now,
            )
        )

    def confirm(self, hold: BookedVisit) -> BookedVisit:
        with self.db.begin() as work:
            patient = register_patient(
                work,
                clinic_id=self.catalogue.clinic_id,
                name="Ann Smith",
                birth_date=date(1984, 5, 2),
                phone=PATIENT_PHONE,
                language="en",
                now=self.now,
            )
        return self.desk.run(
            lambda work: confirm_hold(
                work, self.catalogue, appointment_id=hold.id, patient_id=patient.id, now=self.now, actor="patient"
            )
        )

    def change_link(self, **columns: object) -> None:
        with self.db.begin() as work:
            work.session.execute(update(CalendarLink).values(columns))


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    database = Database(sqlite_url, secret=SECRET)
    yield Desk(database)
    database.dispose()


def test_what_came_into_the_calendar_a_moment_ago_is_not_booked_over(desk: Desk) -> None:
    desk.add_there("school", hours=0)

    with pytest.raises(SlotTaken):
        desk.hold()

    assert MONDAY_9 not in desk.offered()


def test_what_came_in_since_the_time_was_held_is_seen_at_the_yes(desk: Desk) -> None:
    hold = desk.hold()
    desk.add_there("school", hours=0)

    with pytest.raises(SlotTaken):
        desk.confirm(hold)

    assert desk.visit(hold).status is AppointmentStatus.PENDING


def test_a_visit_is_booked_where_nothing_came_in_and_the_calendar_is_asked_once_a_step(desk: Desk) -> None:
    booked = desk.confirm(desk.hold())

    assert booked.status is AppointmentStatus.BOOKED
    assert dict(desk.calendars.asked) == {"changes": 2}


def test_a_clinic_that_does_not_want_it_asks_nobody(desk: Desk) -> None:
    desk.decide(CalendarPolicy())
    desk.add_there("school", hours=0)

    assert desk.confirm(desk.hold()).status is AppointmentStatus.BOOKED
    assert not desk.calendars.asked


def test_a_calendar_may_want_a_look_though_the_clinic_does_not_and_the_other_way_round(desk: Desk) -> None:
    desk.decide(CalendarPolicy())
    desk.want(check_at_commit=True)
    desk.add_there("school", hours=0)
    with pytest.raises(SlotTaken):
        desk.hold()

    desk.want(check_at_commit=False)
    desk.decide(LOOKS)
    desk.calendars.asked.clear()
    desk.add_there("dentist", hours=2)

    assert desk.hold(hours=2).practitioner_id == LEE
    assert not desk.calendars.asked


def test_what_follows_when_it_cannot_be_read_is_for_each_calendar_to_say(desk: Desk) -> None:
    desk.want(when_failed=WhenFailed.GO_ON)
    desk.calendars.fail(Unavailable("down"))

    assert desk.hold().practitioner_id == LEE


def test_nobody_is_asked_any_more_when_the_calendar_that_wanted_it_is_no_longer_linked(desk: Desk) -> None:
    desk.decide(CalendarPolicy())
    desk.want(check_at_commit=True)
    with desk.db.begin() as work:
        unlink_calendar(work, clinic_id=desk.catalogue.clinic_id, link_id=desk.link_id, now=desk.now)
        desk.catalogue = load_catalogue(work.session, clinic_id=desk.catalogue.clinic_id)

    assert not desk.catalogue.practitioner(LEE).is_looked_up


def test_somebody_else_is_chosen_when_the_first_is_found_taken(desk: Desk) -> None:
    desk.add_there("school", hours=0)

    assert desk.hold(LEE, BEN).practitioner_id == BEN
    assert desk.calendars.asked  # that of the one who was chosen first


@pytest.mark.parametrize("trouble", ["out-of-reach", "backing-off", "paused"])
def test_nothing_is_booked_when_the_calendar_cannot_be_read_and_the_clinic_stops_then(desk: Desk, trouble: str) -> None:
    _TROUBLES[trouble](desk)

    with pytest.raises(CalendarUnread):
        desk.hold()
    with desk.db.read() as session:
        assert session.scalars(select(Appointment)).all() == []


@pytest.mark.parametrize("trouble", ["out-of-reach", "backing-off", "paused"])
def test_the_visit_is_booked_all_the_same_where_the_clinic_goes_on(desk: Desk, trouble: str) -> None:
    desk.decide(GOES_ON)
    _TROUBLES[trouble](desk)

    assert desk.confirm(desk.hold()).status is AppointmentStatus.BOOKED


def test_who_can_be_read_gets_the_visit_when_somebody_else_cannot(desk: Desk) -> None:
    desk.calendars.fail(Unavailable("down"))

    assert desk.hold(LEE, BEN).practitioner_id == BEN
    assert desk.calendars.asked  # that of the one who was chosen first


def test_a_calendar_that_answers_too_late_counts_as_unread_and_is_read_to_its_end(desk: Desk) -> None:
    answer, given = threading.Event(), threading.Event()
    desk.calendars.before = lambda _name, _url: _none(answer.wait(60))
    desk.calendars.after = lambda _name, _url: given.set()
    desk.add_there("school", hours=0)
    desk.sit_down(deadline_s=0.2)

    with pytest.raises(CalendarUnread):
        desk.hold()
    assert not given.is_set()
    answer.set()

    assert given.wait(60)


def test_the_look_waits_for_a_worker_that_is_at_the_calendar(desk: Desk) -> None:
    desk.change_link(lease_until=desk.now + LEASE)
    desk.add_there("school", hours=0)
    freed = threading.Timer(0.2, lambda: desk.change_link(lease_until=None))
    freed.start()

    with pytest.raises(SlotTaken):
        desk.hold()
    freed.join()


def test_the_link_notes_that_it_was_out_of_reach(desk: Desk) -> None:
    desk.calendars.fail(Unavailable("down"))

    with pytest.raises(CalendarUnread):
        desk.hold()

    assert desk.status().error == "unreachable"
    assert desk.status().state is LinkState.OK


def _none(_value: object) -> None:
    return


_TROUBLES: dict[str, Callable[[Desk], None]] = {
    "out-of-reach": lambda desk: desk.calendars.fail(Unavailable("down")),
    "backing-off": lambda desk: desk.change_link(failures=1, next_try_at=desk.now + 5 * MINUTE),
    "paused": lambda desk: desk.change_link(paused_at=desk.now - timedelta(minutes=1)),
}
