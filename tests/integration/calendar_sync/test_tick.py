"""A look at a calendar: what is somebody else's keeps them busy, what is ours is brought together with the diary."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from booking.cancel import cancel_appointment
from booking.catalogue import CatalogueCache
from booking.guard import SlotTaken
from booking.values import AppointmentStatus, CalendarPolicy, Outside, Source
from calendar_sync.adapters.caldav_store import CaldavStore
from calendar_sync.context import CalendarSync
from calendar_sync.links import link_calendar, pause_link, unlink_calendar
from calendar_sync.model import LinkError, LinkState, ObjectState, RemoteObject
from calendar_sync.ports import AccessRefused, LinkAccess, TimeRefused
from calendar_sync.status import Difference, history
from calendar_sync.tick import LEASE, sync_link
from kernel.errors import Unavailable
from kernel.work import Database, OutboxEntry
from tests.support.calendar_scene import DAY, HOUR, MINUTE, MONDAY_9, Scene
from tests.support.calendar_servers import Calendar
from tests.support.calendars import raising, url_of
from tests.support.databases import SECRET

pytestmark = pytest.mark.integration

SECOND = "https://calendar.test/lee-at-home/"


@pytest.fixture
def scene(sqlite_url: str) -> Iterator[Scene]:
    database = Database(sqlite_url, secret=SECRET)
    yield Scene(database)
    database.dispose()


# Somebody else's events.


def test_what_stands_in_the_calendar_is_not_offered_nor_booked(scene: Scene) -> None:
    scene.link()
    scene.add_there("school", hours=0)

    scene.tick()

    assert MONDAY_9 not in scene.offered()
    with pytest.raises(SlotTaken):
        scene.book()


def test_what_is_moved_or_deleted_there_frees_the_time(scene: Scene) -> None:
    scene.link()
    scene.add_there("school", hours=0)
    scene.add_there("gym", hours=4)
    scene.tick()

    scene.add_there("school", hours=2)
    scene.lee.remove(href="gym")
    scene.tick()

    assert scene.busy() == [(MONDAY_9 + 2 * HOUR, MONDAY_9 + 3 * HOUR)]
    assert MONDAY_9 in scene.offered()


def test_a_tick_without_changes_asks_once_and_writes_nothing(scene: Scene) -> None:
    scene.shown()
    scene.add_there("school", hours=4)
    scene.tick()
    scene.calendars.asked.clear()

    scene.tick()

    assert dict(scene.calendars.asked) == {"changes": 1}


def test_what_we_wrote_keeps_nobody_busy_nor_does_a_copy_of_it(scene: Scene) -> None:
    visit = scene.shown()
    scene.link(url=SECOND)
    scene.tick()
    copied = scene.lee.objects[scene.href_of(visit)].entry
    scene.lee.place(href="copy", uid=visit.uid, entry=copied)
    scene.calendars.at(SECOND).place(href="copy", uid=visit.uid, entry=copied)

    scene.tick()
    scene.tick()

    assert scene.busy() == []
    assert {"copy", scene.href_of(visit)} == set(scene.lee.objects) == set(scene.calendars.at(SECOND).objects)


def test_a_visit_put_in_the_place_of_another_event_gives_back_the_time_of_that_one_only(scene: Scene) -> None:
    visit = scene.shown()
    scene.add_there("a", hours=2)
    scene.add_there("ab", hours=4)
    scene.tick()
    entry = scene.lee.objects[scene.href_of(visit)].entry
    scene.delete_there(visit)
    scene.lee.place(href="a", uid=visit.uid, entry=entry)

    scene.tick()

    assert scene.busy() == [(MONDAY_9 + 4 * HOUR, MONDAY_9 + 5 * HOUR)]
    assert scene.visit(visit).starts_at == visit.starts_at


def test_every_day_all_is_read_anew_so_that_far_events_come_into_sight(scene: Scene) -> None:
    scene.link()
    scene.add_there("far", hours=24 * 400)
    scene.tick()
    before = scene.busy()

    scene.tick(after=8 * DAY)

    assert before == []
    assert scene.busy() == [(MONDAY_9 + 400 * DAY, MONDAY_9 + 400 * DAY + HOUR)]


def test_what_could_not_be_read_rightly_is_told_once_in_the_history(scene: Scene) -> None:
    scene.link()
    scene.lee.place(href="odd", uid="odd@home", faults=("unknown-zone",))
    scene.tick()
    scene.tick(after=2 * DAY)

    with scene.db.read() as session:
        lines = [(one.action, one.outcome) for one in history(session, link_id=scene.status().link_id)]

    assert lines == [("read", "unknown-zone")]


def test_an_unlinked_calendar_gives_all_its_time_back(scene: Scene) -> None:
    link_id = scene.link()
    scene.add_there("school", hours=0)
    scene.tick()

    with scene.db.begin() as work:
        unlink_calendar(work, clinic_id=scene.catalogue.clinic_id, link_id=link_id, now=scene.now)

    assert scene.busy() == []
    assert scene.tick() == 0
    assert list(scene.lee.objects) == ["school"]


def test_a_paused_calendar_is_asked_nothing_until_it_is_repaired(scene: Scene) -> None:
    link_id = scene.link()
    with scene.db.begin() as work:
        pause_link(work, clinic_id=scene.catalogue.clinic_id, link_id=link_id, actor="staff:kim", now=scene.now)
    scene.push(scene.book())
    scene.tick()
    asked, is_paused = sum(scene.calendars.asked.values()), scene.status().is_paused

    scene.repair(link_id)
    scene.tick()

    assert (asked, is_paused) == (0, True)
    assert scene.status().drift == ()
    assert len(scene.lee.objects) == 1


# What is done to ours there.


def test_a_visit_moved_there_is_moved_here_told_to_the_patient_and_not_written_back(scene: Scene) -> None:
    visit = scene.shown()
    scene.link(url=SECOND)
    scene.tick()
    scene.calendars.asked.clear()
    scene.move_there(visit, hours=2)

    scene.tick()
    scene.push(visit)
    other = scene.calendars.at(SECOND).objects[scene.href_of(visit)].entry
    writes = scene.calendars.writes
    scene.push(visit)
    scene.tick()

    moved = scene.visit(visit)
    assert (moved.starts_at, moved.uid, moved.times_moved) == (MONDAY_9 + 2 * HOUR, visit.uid, 1)
    assert scene.stands(visit) == MONDAY_9 + 2 * HOUR
    assert other is not None
    assert other.starts_at == MONDAY_9 + 2 * HOUR
    assert (writes, scene.calendars.writes) == (1, 1)
    assert len(scene.tasks()) == 1
    with scene.db.read() as session:
        told = session.scalars(select(OutboxEntry.name).where(OutboxEntry.aggregate_id == visit.id)).all()
    assert told.count("booking.appointment.moved") == 1


@pytest.mark.parametrize(
    ("hours", "why"),
    [
        (1, "Somebody else has this time."),  # another visit has it
        (3.5, "Nothing can be booked for that time."),  # lunch
        (-2, "Nothing can be booked for that time."),
    ],
)
def test_a_move_that_the_diary_does_not_allow_is_undone_and_staff_are_told_why(
    scene: Scene, hours: float, why: str
) -> None:
    visit = scene.shown()
    scene.book(hours=1)
    scene.move_there(visit, hours=hours)

    scene.tick()

    assert scene.visit(visit).starts_at == MONDAY_9
    assert scene.stands(visit) == MONDAY_9
    [told] = scene.tasks()
    assert why in told


def test_whose_calendar_it_is_may_move_a_visit_at_short_notice(scene: Scene) -> None:
    visit = scene.shown()
    scene.move_there(visit, hours=1)

    scene.tick(after=MONDAY_9 - scene.now - HOUR / 2)

    assert scene.visit(visit).starts_at == MONDAY_9 + HOUR


def test_a_clinic_that_does_not_follow_puts_a_moved_visit_back(scene: Scene) -> None:
    scene.decide(CalendarPolicy(moved_outside=Outside.RESTORE))
    visit = scene.shown()
    scene.move_there(visit, hours=2)

    scene.tick()

    assert (scene.stands(visit), scene.visit(visit).starts_at) == (MONDAY_9, MONDAY_9)
    assert len(scene.tasks()) == 1


def test_a_deleted_visit_is_put_back_and_staff_are_asked(scene: Scene) -> None:
    visit = scene.shown()
    scene.delete_there(visit)

    scene.tick()

    assert scene.stands(visit) == MONDAY_9
    assert scene.visit(visit).status is AppointmentStatus.BOOKED
    [told] = scene.tasks()
    assert "Is the visit to be cancelled?" in told


def test_a_clinic_that_follows_cancels_what_was_deleted(scene: Scene) -> None:
    scene.decide(CalendarPolicy(deleted_outside=Outside.FOLLOW))
    visit = scene.shown()
    scene.delete_there(visit)

    scene.tick()
    scene.tick()

    assert scene.stands(visit) is None
    assert scene.visit(visit).status is AppointmentStatus.CANCELLED


def test_a_visit_called_off_there_is_as_one_deleted(scene: Scene) -> None:
    visit = scene.shown()
    scene.change_there(visit)
    href = scene.href_of(visit)
    scene.lee.objects[href] = replace(scene.lee.objects[href], is_called_off=True)

    scene.tick()

    assert not scene.lee.objects[href].is_called_off
    assert "Deleted" in scene.tasks()[0]


def test_a_visit_made_a_series_is_put_right(scene: Scene) -> None:
    visit = scene.shown()
    scene.lee.place(href=scene.href_of(visit), uid=visit.uid, entry=None)

    scene.tick()

    assert scene.stands(visit) == MONDAY_9
    assert scene.busy() == []
    assert len(scene.tasks()) == 1


def test_words_written_there_stay_until_the_visit_itself_changes(scene: Scene) -> None:
    visit = scene.shown()
    scene.change_there(visit, summary="Bring the file")
    scene.tick()
    kept = scene.lee.objects[scene.href_of(visit)].entry
    [drift] = scene.status().drift

    scene.move(visit, hours=1)
    scene.tick()
    moved = scene.lee.objects[scene.href_of(visit)].entry

    assert kept is not None
    assert moved is not None
    assert (kept.summary, drift.difference) == ("Bring the file", Difference.OWN_WORDS)
    assert (moved.summary, moved.starts_at) == ("Dental cleaning", MONDAY_9 + HOUR)
    assert scene.tasks() == []


def test_moved_on_both_sides_ours_stays_and_staff_are_told(scene: Scene) -> None:
    visit = scene.shown()
    scene.move_there(visit, hours=2)
    scene.move(visit, hours=4)

    scene.tick()

    assert (scene.stands(visit), scene.visit(visit).starts_at) == (MONDAY_9 + 4 * HOUR, MONDAY_9 + 4 * HOUR)
    assert len(scene.tasks()) == 1


def test_what_was_read_before_the_visit_changed_is_not_taken_for_a_change_there(scene: Scene) -> None:
    visit = scene.shown()
    scene.change_there(visit, summary="Bring the file")

    def patient_moves_and_another_worker_pushes(name: str, _url: str) -> None:
        if name == "changes":
            scene.calendars.recover()
            scene.push(scene.move(visit, hours=4))

    scene.calendars.after = patient_moves_and_another_worker_pushes
    scene.tick()

    assert (scene.stands(visit), scene.visit(visit).starts_at) == (MONDAY_9 + 4 * HOUR, MONDAY_9 + 4 * HOUR)
    assert scene.visit(visit).times_moved == 1


def test_a_visit_that_has_begun_is_left_as_it_is(scene: Scene) -> None:
    visit = scene.shown()
    scene.tick(after=MONDAY_9 - scene.now)
    scene.calendars.asked.clear()
    scene.move_there(visit, hours=4)

    scene.tick()
    scene.tick()

    assert scene.calendars.writes == 0
    assert scene.tasks() == []


def test_a_cancelled_visit_leaves_the_calendar_though_no_event_was_delivered(scene: Scene) -> None:
    visit = scene.shown()
    with scene.db.begin() as work:
        cancel_appointment(
            work,
            scene.catalogue,
            appointment_id=visit.id,
            reason=None,
            now=scene.now,
            actor="patient",
            source=Source.SMS,
        )

    scene.tick()

    assert scene.stands(visit) is None


def test_a_visit_that_went_to_somebody_else_changes_calendars(scene: Scene) -> None:
    visit = scene.shown()
    scene.link("ben-carter")
    scene.move(visit, hours=0, practitioner="ben-carter")

    scene.tick()

    assert scene.stands(visit) is None
    assert scene.stands(visit, practitioner="ben-carter") == MONDAY_9


# Trouble.


def test_a_calendar_that_has_something_else_then_is_a_task_and_is_asked_again_when_the_visit_changes(
    scene: Scene,
) -> None:
    scene.link()
    visit = scene.book()
    scene.calendars.before_put.append(raising(TimeRefused("taken")))
    scene.tick()
    scene.tick()
    asked = scene.calendars.asked["put"]
    [drift] = scene.status().drift

    scene.tick()
    scene.move(visit, hours=1)
    scene.tick()

    assert (asked, drift.difference) == (1, Difference.REFUSED)
    assert scene.stands(visit) == MONDAY_9 + HOUR


def test_a_calendar_that_is_suddenly_empty_is_not_believed_until_staff_say_so(scene: Scene) -> None:
    visit = scene.shown()
    link_id = scene.status().link_id
    scene.add_there("school", hours=4)
    scene.tick()
    scene.lee.objects.clear()
    scene.lee.forget_tokens()

    moved = scene.move(visit, hours=1)
    scene.tick()
    scene.push(moved)
    scene.tick(after=5 * MINUTE)
    found = (scene.state(), scene.stands(visit), len(scene.tasks()))
    scene.repair(link_id)
    scene.tick()

    assert found == ((LinkState.FAILED, LinkError.SUDDENLY_EMPTY), None, 1)
    assert scene.state() == (LinkState.OK, None)
    assert scene.stands(visit) == MONDAY_9 + HOUR
    assert scene.busy() == []


def test_a_calendar_that_was_empty_by_mistake_goes_on_by_itself(scene: Scene) -> None:
    visit = scene.shown()
    scene.add_there("school", hours=4)
    scene.tick()
    before = dict(scene.lee.objects)
    scene.lee.objects.clear()
    scene.lee.forget_tokens()
    scene.tick()

    scene.lee.objects.update(before)
    scene.tick(after=5 * MINUTE)

    assert scene.state() == (LinkState.OK, None)
    assert scene.tasks() == []
    assert (scene.stands(visit), len(scene.busy())) == (MONDAY_9, 1)


def test_an_hour_out_of_reach_is_stale_then_failed_and_all_is_caught_up_once(scene: Scene) -> None:
    visit = scene.shown()
    scene.add_there("school", hours=4)
    scene.tick()
    scene.calendars.fail(Unavailable("down"))
    seen = []
    for minute in range(1, 66):
        scene.tick()
        if minute in {5, 20, 65}:
            seen.append((scene.status().state, len(scene.busy())))
        if minute == 30:
            scene.move(visit, hours=1)
            booked = scene.book(hours=6)
    asked = scene.calendars.asked["changes"]
    told = scene.tasks()

    scene.calendars.recover()
    scene.add_there("gym", hours=7.5)
    scene.calendars.asked.clear()
    scene.tick(after=5 * MINUTE)
    puts = scene.calendars.asked["put"]
    scene.tick()

    assert seen == [(LinkState.OK, 1), (LinkState.STALE, 1), (LinkState.FAILED, 2)]
    assert asked < 20
    assert len(told) == 1
    assert scene.tasks() == []
    assert (scene.stands(visit), scene.stands(booked)) == (MONDAY_9 + HOUR, MONDAY_9 + 6 * HOUR)
    assert (puts, scene.calendars.asked["put"]) == (2, 2)
    assert len(scene.busy()) == 2
    assert scene.state() == (LinkState.OK, None)


@pytest.mark.parametrize(("policy", "is_offered"), [("stop-offering", False), ("go-on", True)])
def test_the_clinic_decides_whether_a_failed_calendar_stops_what_is_offered(
    scene: Scene, policy: str, is_offered: bool
) -> None:
    scene.decide(CalendarPolicy(when_failed=type(CalendarPolicy().when_failed)(policy)))
    scene.link()
    scene.tick()
    scene.calendars.fail(AccessRefused("401"))

    scene.tick()

    assert scene.state() == (LinkState.FAILED, LinkError.ACCESS_REFUSED)
    assert bool(scene.offered()) is is_offered


def test_what_a_broken_tick_left_is_done_by_the_next_and_nobody_else_is_let_in_before(scene: Scene) -> None:
    class Killed(BaseException):
        pass

    scene.link()
    visit = scene.book()
    scene.calendars.after_put.append(raising(Killed()))  # type: ignore[arg-type]  # no process survives it
    with pytest.raises(Killed):
        scene.tick()

    let_in = scene.tick()
    scene.tick(after=LEASE)

    assert let_in == 0
    assert scene.calendars.asked["put"] == 1
    assert scene.stands(visit) == MONDAY_9
    assert scene.status().drift == ()


def test_one_visit_that_cannot_be_written_does_not_keep_the_rest_waiting(scene: Scene) -> None:
    scene.link()
    first, second = scene.book(), scene.book(hours=1)
    scene.calendars.before_put.append(raising(Unavailable("500")))

    scene.tick()
    found = (scene.stands(first), scene.stands(second), scene.state())
    scene.tick()

    assert found == (None, MONDAY_9 + HOUR, (LinkState.OK, None))
    assert scene.stands(first) == MONDAY_9


def test_a_deletion_that_could_not_be_undone_at_once_is_not_forgotten(scene: Scene) -> None:
    visit = scene.shown()
    scene.delete_there(visit)
    scene.calendars.before_put.append(raising(Unavailable("500")))

    scene.tick()
    scene.tick()

    assert scene.stands(visit) == MONDAY_9
    assert len(scene.tasks()) == 1


def test_what_a_calendar_in_trouble_was_not_asked_any_more_is_not_forgotten(scene: Scene) -> None:
    scene.link()
    visits = [scene.book(hours=hours) for hours in (0, 1, 4)]
    scene.tick()
    for visit in visits:
        scene.delete_there(visit)
    scene.calendars.before_put += [raising(Unavailable("500")), raising(Unavailable("500"))]
    scene.calendars.asked.clear()

    scene.tick()
    asked = scene.calendars.asked["put"]
    scene.tick()

    assert asked == 2
    assert [scene.stands(visit) for visit in visits] == [visit.starts_at for visit in visits]


def test_what_was_done_is_told_in_the_history(scene: Scene) -> None:
    visit = scene.shown()
    scene.move_there(visit, hours=2)
    scene.tick()

    with scene.db.read() as session:
        lines = [(one.action, one.outcome) for one in history(session, link_id=scene.status().link_id)]

    assert lines == [("moved-outside", "followed"), ("create", "done")]


def test_of_somebody_elses_event_only_where_and_when_is_kept(scene: Scene) -> None:
    scene.link()
    scene.add_there("school", hours=0, length=timedelta(minutes=30))
    scene.tick()

    with scene.db.read() as session:
        row = session.scalars(select(RemoteObject)).one()
        columns = {name: getattr(row, name) for name in RemoteObject.__table__.columns.keys()}  # noqa: SIM118 -- no mapping

    kept = {name for name, value in columns.items() if value not in (None, [])}
    assert kept == {"id", "link_id", "href", "etag", "state", "changed_at"}
    assert columns["state"] == ObjectState.FOREIGN
    assert url_of("lee") not in str(columns)


def test_on_real_servers_both_sides_hear_of_each_other(scene: Scene, remote_calendar: Calendar) -> None:
    with scene.db.begin() as work:
        link_id = link_calendar(
            work,
            clinic_id=scene.catalogue.clinic_id,
            practitioner_id="practitioner-lee",
            url=remote_calendar.url,
            username=remote_calendar.username,
            password=remote_calendar.password,
            now=scene.now,
        )
    owner = CaldavStore(LinkAccess("owner", remote_calendar.url, remote_calendar.username, remote_calendar.password))
    sync = CalendarSync(scene.db, CaldavStore, CatalogueCache())
    visit = scene.book()

    def look() -> None:
        scene.now += MINUTE
        sync_link(sync, link_id=link_id, now=scene.now)

    look()
    there = owner.get(href=owner.href_of(name=visit.id))
    assert there is not None
    assert there.entry is not None
    later = replace(there.entry, starts_at=MONDAY_9 + HOUR, ends_at=there.entry.ends_at + HOUR)
    owner.put(href=there.href, entry=later, stamped_at=scene.now, version=there.version)
    school = replace(there.entry, uid="school@home", starts_at=MONDAY_9 + 5 * HOUR, ends_at=MONDAY_9 + 6 * HOUR)
    owner.put(href=owner.href_of(name="school"), entry=school, stamped_at=scene.now, version=None)
    look()
    moved, busy = scene.visit(visit).starts_at, scene.busy()
    before = remote_calendar.objects()
    look()
    unchanged = remote_calendar.objects()
    owner.delete(href=owner.href_of(name=visit.id), version=owner.get(href=there.href).version)  # type: ignore[union-attr]  # it is there
    look()

    assert moved == MONDAY_9 + HOUR
    assert busy == [(MONDAY_9 + 5 * HOUR, MONDAY_9 + 6 * HOUR)]
    assert unchanged == before
    assert sum(visit.uid in text for text in remote_calendar.objects().values()) == 1
    assert scene.status().drift == ()
