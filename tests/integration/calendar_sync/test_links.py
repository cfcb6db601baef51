"""What staff change of a link, and what follows in the calendar and in the diary."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from booking.model.appointment import Appointment
from booking.values import Source, WhenFailed
from calendar_sync.discovery import FoundCalendar
from calendar_sync.link_policy import stored_policy
from calendar_sync.links import (
    LinkChanges,
    NoRights,
    UnknownLink,
    change_link,
    clear_and_unlink,
    pause_link,
    resume_link,
)
from calendar_sync.model import CalendarAction, CalendarLink, CalendarSetUp, Clearing, LinkState
from calendar_sync.ports import AccessRefused, LinkAccess, OutOfReach
from calendar_sync.retention import HISTORY_KEPT_FOR, forget_old
from calendar_sync.set_up import AlreadyLinked, Chosen, LogIn, UnknownSetUp, begin_set_up, finish_set_up
from calendar_sync.status import Difference, history_page
from calendar_sync.trial import Trial, try_link
from kernel.errors import Unavailable
from kernel.work import Database
from tests.support.calendar_scene import HOUR, LEE, MINUTE, Scene
from tests.support.calendars import url_of

pytestmark = pytest.mark.integration

KIM = "staff:kim"


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


def change(scene: Scene, changes: LinkChanges) -> None:
    with scene.db.begin() as work:
        change_link(
            work, clinic_id=scene.catalogue.clinic_id, link_id=scene.status().link_id, changes=changes,
            clinic_policy=scene.catalogue.calendars, actor=KIM, now=scene.now,
        )  # fmt: skip


def remove_all(scene: Scene) -> None:
    with scene.db.begin() as work:
        clear_and_unlink(
            work, clinic_id=scene.catalogue.clinic_id, link_id=scene.status().link_id, actor=KIM, now=scene.now
        )


def links(scene: Scene) -> list[CalendarLink]:
    with scene.db.read() as session:
        return list(session.scalars(select(CalendarLink)))


def test_a_calendar_is_left_only_when_our_visits_ahead_are_out_of_it(scene: Scene) -> None:
    visit = scene.shown()
    scene.add_there("school", hours=3)
    scene.tick()
    remove_all(scene)

    left = [(one.difference, one.appointment_id) for one in scene.status().drift]
    busy = scene.busy()
    scene.tick()

    assert (left, busy) == ([(Difference.LEFT_OVER, visit.id)], [])
    assert scene.stands(visit) is None
    assert (links(scene), list(scene.lee.objects)) == ([], ["school"])


def test_a_link_that_is_left_waits_for_a_calendar_that_is_out_of_reach(scene: Scene) -> None:
    visit = scene.shown()
    remove_all(scene)
    scene.calendars.fail(Unavailable("down"))
    scene.tick()

    [waiting] = links(scene)
    scene.calendars.recover()
    scene.tick(after=5 * MINUTE)

    assert waiting.clearing == Clearing.THEN_REMOVE
    assert (links(scene), scene.stands(visit)) == ([], None)


def test_visits_that_are_not_shown_any_more_stay_or_go_as_staff_say(scene: Scene) -> None:
    visit = scene.shown()
    change(scene, LinkChanges(shows_visits=False))
    scene.tick()
    stayed = scene.stands(visit)
    change(scene, LinkChanges(shows_visits=True))
    scene.tick()

    change(scene, LinkChanges(shows_visits=False, takes_out=True))
    scene.tick()

    assert (stayed, scene.stands(visit)) == (visit.starts_at, None)
    [link] = links(scene)
    assert (link.clearing, link.state, scene.status().drift) == (None, LinkState.OK, ())


@pytest.mark.parametrize("is_by_command", [True, False], ids=["linked anew", "given rights"])
def test_a_calendar_that_is_being_left_stays_when_it_is_wanted_again(scene: Scene, *, is_by_command: bool) -> None:
    visit = scene.shown()
    remove_all(scene)

    if is_by_command:
        scene.link()
    else:
        change(scene, LinkChanges(reads_busy=True))
    scene.tick()

    assert ([link.clearing for link in links(scene)], scene.stands(visit)) == ([None], visit.starts_at)


def test_a_calendar_that_is_to_be_read_again_and_cannot_be_is_as_bad_as_before(scene: Scene) -> None:
    scene.link()
    scene.tick()
    scene.calendars.fail(Unavailable("down"))
    for _ in range(4):
        scene.tick(after=HOUR)
    change(scene, LinkChanges(reads_busy=False))
    offered = scene.offered()

    change(scene, LinkChanges(reads_busy=True))
    scene.tick(after=HOUR)

    assert (scene.state(), offered != set(), scene.offered()) == (("failed", "unreachable"), True, set())


def test_what_a_patient_booked_on_the_page_is_not_taken_out_with_our_visits(scene: Scene) -> None:
    visit = scene.shown()
    with scene.db.begin() as work:
        work.session.execute(update(Appointment).values(source=Source.CALCOM.value))
        work.session.execute(update(CalendarLink).values(kind="calcom"))
    remove_all(scene)

    scene.tick()

    assert (links(scene), scene.stands(visit)) == ([], visit.starts_at)


def test_a_calendar_no_longer_read_gives_back_the_time_it_took(scene: Scene) -> None:
    scene.link()
    scene.add_there("school", hours=0)
    scene.tick()
    was_busy = bool(scene.busy())

    change(scene, LinkChanges(reads_busy=False))
    scene.tick()

    assert (was_busy, scene.busy()) == (True, [])
    with pytest.raises(NoRights):
        change(scene, LinkChanges(shows_visits=False))


def test_another_password_ends_the_pause_of_a_link_that_was_refused(scene: Scene) -> None:
    scene.link()
    scene.calendars.fail(AccessRefused("no", code="log-in-refused"))
    scene.tick()
    assert scene.state() == ("failed", "access-refused")
    scene.calendars.recover()

    change(scene, LinkChanges(password="another"))
    scene.tick(after=timedelta(0))

    assert scene.state() == ("ok", None)
    with scene.db.read() as session:
        newest = history_page(session, link_id=scene.status().link_id, page=1).lines
    assert [(line.action, line.outcome, line.actor) for line in newest if line.actor == KIM] == [
        ("change", "password", KIM)
    ]


def test_a_link_has_patience_of_its_own_and_says_what_follows_from_failing(scene: Scene) -> None:
    scene.link()
    scene.tick()
    change(scene, LinkChanges(policy=stored_policy({"failed_after": 4 * HOUR, "stale_after": 2 * HOUR})))
    scene.calendars.fail(Unavailable("down"))
    for _ in range(3):
        scene.tick(after=30 * MINUTE)
    patient = scene.state()
    for _ in range(8):
        scene.tick(after=30 * MINUTE)

    assert (patient, scene.state()) == (("ok", "unreachable"), ("failed", "unreachable"))
    assert scene.offered() == set()
    change(scene, LinkChanges(policy=stored_policy({"when_failed": WhenFailed.GO_ON})))
    assert scene.offered() != set()


def test_a_pause_is_taken_back_without_reading_all_anew(scene: Scene) -> None:
    link_id = scene.link()
    scene.tick()
    with scene.db.begin() as work:
        pause_link(work, clinic_id=scene.catalogue.clinic_id, link_id=link_id, actor=KIM, now=scene.now)
    assert scene.tick() == 0
    with scene.db.begin() as work:
        resume_link(work, clinic_id=scene.catalogue.clinic_id, link_id=link_id, actor=KIM, now=scene.now)

    assert scene.tick() == 1
    assert links(scene)[0].listed_at != scene.now


def test_a_link_of_another_clinic_is_not_changed(scene: Scene) -> None:
    link_id = scene.link()

    with scene.db.begin() as work, pytest.raises(UnknownLink):
        change_link(
            work, clinic_id="clinic-oak", link_id=link_id, changes=LinkChanges(name="Mine"),
            clinic_policy=scene.catalogue.calendars, actor=KIM, now=scene.now,
        )  # fmt: skip


def test_a_log_in_becomes_links_of_the_calendars_that_were_chosen(scene: Scene) -> None:
    mine = FoundCalendar("https://cal.test/lee/mine", "Mine", can_read=True, can_write=True)
    team = FoundCalendar(
        "https://cal.test/team/", "Team", can_read=True, can_write=False, owner_addresses=("a@b.test",)
    )
    clinic_id, log_in = scene.catalogue.clinic_id, LogIn("caldav", "https://cal.test", "lee", "secret")
    with scene.db.begin() as work:
        first = begin_set_up(work, clinic_id=clinic_id, practitioner_id=LEE, log_in=log_in, now=scene.now)
        again = LogIn("caldav", "https://cal.test", "lee@b.test", None)
        same = begin_set_up(work, clinic_id=clinic_id, practitioner_id=LEE, log_in=again, now=scene.now, again=first)
    with scene.db.begin() as work, pytest.raises(UnknownSetUp):
        finish_set_up(work, clinic_id="clinic-oak", set_up_id=first, chosen=[Chosen(mine, True, True)], now=scene.now)
    with scene.db.begin() as work, pytest.raises(NoRights):
        finish_set_up(work, clinic_id=clinic_id, set_up_id=first, chosen=[Chosen(mine, False, False)], now=scene.now)

    with scene.db.begin() as work:
        chosen = [Chosen(mine, True, True), Chosen(team, True, False)]
        finish_set_up(work, clinic_id=clinic_id, set_up_id=first, chosen=chosen, now=scene.now)

    assert first == same
    assert {(one.url, one.name, one.username, one.password, one.shows_visits) for one in links(scene)} == {
        ("https://cal.test/lee/mine/", "Mine", "lee@b.test", "secret", True),
        ("https://cal.test/team/", "Team", "lee@b.test", "secret", False),
    }
    with scene.db.begin() as work:
        second = begin_set_up(work, clinic_id=clinic_id, practitioner_id=LEE, log_in=log_in, now=scene.now)
    with scene.db.begin() as work, pytest.raises(AlreadyLinked):
        finish_set_up(work, clinic_id=clinic_id, set_up_id=second, chosen=[Chosen(mine, True, True)], now=scene.now)


def test_old_history_and_log_ins_that_came_to_nothing_are_forgotten(scene: Scene) -> None:
    scene.shown()
    with scene.db.begin() as work:
        log_in = LogIn("caldav", "https://cal.test", "lee", "secret")
        begin_set_up(work, clinic_id=scene.catalogue.clinic_id, practitioner_id=LEE, log_in=log_in, now=scene.now)
    before = scene.now + HISTORY_KEPT_FOR

    with scene.db.begin() as work:
        kept = forget_old(work, now=before)
        gone = forget_old(work, now=before + MINUTE)
        again = forget_old(work, now=before + MINUTE)

    assert (kept, gone > 0, again) == (0, True, 0)
    with scene.db.read() as session:
        assert session.scalar(select(func.count()).select_from(CalendarAction)) == 0
        assert session.scalar(select(func.count()).select_from(CalendarSetUp)) == 0


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([FoundCalendar(url_of("lee"), "Lee", can_read=True, can_write=True)], "ok"),
        ([FoundCalendar(url_of("lee"), "Lee", can_read=True, can_write=False)], "no-write-right"),
        ([FoundCalendar(url_of("lee"), "Lee", can_read=False, can_write=True)], "no-read-right"),
        ([FoundCalendar(url_of("ruiz"), "Ruiz", can_read=True, can_write=True)], "not-there"),
        (AccessRefused("no", code="log-in-refused"), "log-in-refused"),
        (OutOfReach("no", code="time-out"), "time-out"),
        (Unavailable("busy"), "out-of-reach"),
    ],
)
def test_the_test_button_says_what_is_in_the_way(
    scene: Scene, found: list[FoundCalendar] | Exception, code: str
) -> None:
    scene.link()

    def find(_access: LinkAccess) -> tuple[FoundCalendar, ...]:
        if isinstance(found, Exception):
            raise found
        return tuple(found)

    trial: Trial = try_link(find, LinkAccess("link", url_of("lee"), "lee", "secret"), links(scene)[0])

    assert (trial.code, trial.works) == (code, code == "ok")
