"""Calendars in the console: how each is, where it differs, and setting up, changing, mending and leaving it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select, text
from werkzeug.test import TestResponse

from calendar_sync.discovery import FoundCalendar
from calendar_sync.feeds import find_feed
from calendar_sync.history import note_action
from calendar_sync.links import link_calendar
from calendar_sync.model import CALCOM, CalendarLink, CalendarSetUp
from calendar_sync.ports import AccessRefused, OutOfReach
from calendar_sync.tick import sync_link
from kernel.work import Database
from tests.integration.console.conftest import Site, seal_of
from tests.support.calendars import link, sync_with, url_of
from tests.support.visits import NOW, book

pytestmark = pytest.mark.integration

MINE = FoundCalendar("https://cal.test/lee/mine/", "Mine & more", can_read=True, can_write=True)
TEAM = FoundCalendar("https://cal.test/team/", "Team", can_read=True, can_write=False)
PAGES = ("", "/change", "/leave", "/services")
BUTTONS = ("repair", "test", "pause", "resume", "change", "leave", "webhook-secret", "services")


def page_of(client: FlaskClient, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response.status
    return response.get_data(as_text=True)


def send(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    """Send a form with its seal; follow where the answer leads."""
    seal = seal_of(client.get("/console/calendars"))
    return client.post(path, data={"csrf_token": seal, **fields}, follow_redirects=True)


def linked(site: Site, practitioner: str = "lee") -> str:
    return link(site.db, site.catalogue, practitioner, now=NOW)


def look(site: Site, link_id: str) -> None:
    sync_link(sync_with(site.db, site.calendars), link_id=link_id, now=site.clock.now())


def links(site: Site) -> list[CalendarLink]:
    with site.db.read() as session:
        return list(session.scalars(select(CalendarLink).order_by(CalendarLink.url)))


def test_a_difference_is_named_with_what_we_have_and_what_is_there(site: Site):
    link_id = linked(site)
    client = site.logged_in("desk")

    overview, one = page_of(client, "/console/calendars"), page_of(client, f"/console/calendars/{link_id}")

    assert "1 difference" in overview
    assert "Read never" in overview
    assert "Dental cleaning, Ann Smith" in one
    assert "It is not in the calendar yet." in one
    assert "Mon, Mar 15, 9:00 AM" in one


def test_a_repair_puts_right_what_differs_and_says_so(site: Site):
    link_id = linked(site)

    done = send(site.logged_in(), f"/console/calendars/{link_id}/repair").get_data(as_text=True)

    assert "Diary and calendar agree." in done
    assert "In step" in done
    assert "Visit written" in done
    assert len(site.calendars.of("lee").objects) == 1


def test_what_is_wrong_and_what_follows_is_said_where_it_shows(site: Site):
    link_id = linked(site)
    site.calendars.fail(AccessRefused("no", code="log-in-refused"))
    site.finder.gives = AccessRefused("no", code="log-in-refused")
    client = site.logged_in()

    repaired = send(client, f"/console/calendars/{link_id}/repair").get_data(as_text=True)
    tested = send(client, f"/console/calendars/{link_id}/test").get_data(as_text=True)

    assert "could not be put right" in repaired
    assert "It refuses us." in repaired
    assert "No time of this practitioner is offered" in repaired
    assert "The calendar of Dr. Mina Lee refuses us" in repaired  # the task that came of it
    assert "many providers want an app password" in tested


def test_the_history_is_turned_page_by_page(site: Site):
    link_id = linked(site)
    client = site.logged_in()
    with site.db.begin() as work:
        for _ in range(27):
            note_action(work, link_id=link_id, action="resume", outcome="done", now=NOW, actor="staff:kim")

    first, last = (page_of(client, f"/console/calendars/{link_id}?page={page}") for page in (1, 99))

    assert ("Page 1 of 2" in first, "Page 2 of 2" in last) == (True, True)
    assert (first.count("Let go on"), last.count("Let go on")) == (25, 2)


def test_the_desk_reads_and_only_administrators_act(site: Site):
    link_id = linked(site)
    client = site.logged_in("desk")

    refused = [send(client, f"/console/calendars/{link_id}/{button}").status_code for button in BUTTONS]

    assert set(refused) == {403}
    assert client.get("/console/calendars/new/caldav").status_code == 403
    assert "<button" not in page_of(client, f"/console/calendars/{link_id}").split("<main")[1]


def test_links_of_another_clinic_are_not_there(site: Site):
    link_id = linked(site)
    client = site.logged_in("oak")

    seen = [client.get(f"/console/calendars/{link_id}{page}").status_code for page in PAGES]
    sent = [send(client, f"/console/calendars/{link_id}/{button}").status_code for button in BUTTONS]

    assert (set(seen), set(sent)) == ({404}, {404})
    assert "calendar.test" not in page_of(client, "/console/calendars")
    assert [one.paused_at for one in links(site)] == [None]


def test_nothing_is_done_without_the_forms_seal(site: Site):
    link_id = linked(site)

    refused = site.logged_in().post(f"/console/calendars/{link_id}/leave", data={"visits": "stay"})

    assert refused.status_code == 400
    assert len(links(site)) == 1


def test_a_log_in_shows_its_calendars_and_each_gets_its_rights(site: Site):
    client, site.finder.gives = site.logged_in(), [MINE, TEAM]

    choose = send(
        client,
        "/console/calendars/new/caldav",
        practitioner="lee",
        url="cal.test",
        username="lee",
        password="p4ss wort",
    ).get_data(as_text=True)
    [set_up] = rows(site, CalendarSetUp)
    done = send(client, f"/console/calendars/set-up/{set_up.id}", **{"right-0": "both", "right-1": "read"})

    assert "Mine &amp; more" in choose
    assert choose.count('value="write"') == 1  # the team's may not be written
    assert "2 calendars are linked." in done.get_data(as_text=True)
    assert [(one.url, one.password, one.reads_busy, one.shows_visits) for one in links(site)] == [
        ("https://cal.test/lee/mine/", "p4ss wort", True, True),
        ("https://cal.test/team/", "p4ss wort", True, False),
    ]
    assert rows(site, CalendarSetUp) == []
    assert "p4ss" not in choose + done.get_data(as_text=True) + page_of(
        client, f"/console/calendars/{links(site)[0].id}/change"
    )
    with site.db.read() as session:
        stored = session.execute(text("SELECT password FROM calendar_link")).scalars().all()
    assert [one for one in stored if "p4ss" in one] == []


def test_a_refused_log_in_is_corrected_without_typing_all_of_it_again(site: Site):
    client, site.finder.gives = site.logged_in(), AccessRefused("no", code="address-internal")
    typed = {"practitioner": "lee", "url": "https://10.0.0.1", "username": "lee", "password": "p4ss"}
    refused = send(client, "/console/calendars/new/caldav", **typed).get_data(as_text=True)
    [set_up] = rows(site, CalendarSetUp)
    site.finder.gives = [MINE]

    found = send(
        client,
        "/console/calendars/new/caldav",
        **(typed | {"url": "https://cal.test", "password": "", "again": set_up.id}),
    )

    assert "inside a private network" in refused
    assert 'value="https://10.0.0.1"' in refused
    assert "p4ss" not in refused
    assert "Mine &amp; more" in found.get_data(as_text=True)
    assert (site.finder.asked[-1].url, site.finder.asked[-1].secret) == ("https://cal.test", "p4ss")


def test_a_form_that_lacks_something_says_what_and_keeps_the_rest(site: Site):
    typed = {"practitioner": "lee", "url": "https://cal.test", "username": "lee", "password": ""}

    refused = send(site.logged_in(), "/console/calendars/new/caldav", **typed)

    assert refused.status_code == 400
    assert "Enter the password or key." in refused.get_data(as_text=True)
    assert 'value="https://cal.test"' in refused.get_data(as_text=True)
    assert rows(site, CalendarSetUp) == []


def test_cal_com_is_linked_with_its_kinds_of_booking_and_a_secret_shown_once(site: Site):
    kinds = [
        FoundCalendar("https://api.cal.com/v2/event-types/1", "Visit", can_read=True, can_write=True, slug="visit"),
        FoundCalendar("https://api.cal.com/v2/event-types/2", "Zahn", can_read=True, can_write=True, slug="zahn"),
    ]
    client, site.finder.gives = site.logged_in(), kinds
    send(
        client, "/console/calendars/new/calcom", practitioner="lee", url="https://api.cal.com/v2",
        username="visits@clinic.example", password="cal_key",
    )  # fmt: skip
    [set_up] = rows(site, CalendarSetUp)

    shown = send(
        client, f"/console/calendars/set-up/{set_up.id}", **{"calendar": kinds[0].url, "service-zahn": "cleaning"}
    ).get_data(as_text=True)

    [made] = links(site)
    assert (made.kind, made.auth, made.options) == (CALCOM, "bearer", {"services": {"zahn": "cleaning"}})
    assert f"/calcom/{made.id}" in shown
    assert str(made.webhook_secret) in shown
    assert str(made.webhook_secret) not in page_of(client, f"/console/calendars/{made.id}")
    renewed = send(client, f"/console/calendars/{made.id}/webhook-secret").get_data(as_text=True)
    assert str(made.webhook_secret) not in renewed
    assert str(links(site)[0].webhook_secret) in renewed
    send(client, f"/console/calendars/{made.id}/services", **{"service-zahn": ""})
    assert links(site)[0].options == {"services": {}}


def test_a_change_keeps_the_password_unless_another_is_entered_which_is_tested(site: Site):
    link_id = linked(site)
    client, site.finder.gives = site.logged_in(), OutOfReach("no", code="time-out")
    fields = {"name": "Rounds", "username": "lee", "rights": "read", "stale_after": "60", "when_failed": "go-on"}

    kept = send(client, f"/console/calendars/{link_id}/change", **fields).get_data(as_text=True)
    [before] = links(site)
    another = send(client, f"/console/calendars/{link_id}/change", **fields, password="other").get_data(as_text=True)

    assert (before.password, links(site)[0].password) == ("secret", "other")
    assert (before.name, before.reads_busy, before.shows_visits, before.all_day_is_busy) == (
        "Rounds",
        True,
        False,
        False,
    )
    assert before.policy == {"stale_after": 3600, "when_failed": "go-on"}
    assert "does not answer in time" not in kept
    assert "does not answer in time" in another
    form = page_of(client, f"/console/calendars/{link_id}/change")
    assert '<option value="60" selected>1 hour</option>' in form
    assert "As for the clinic: 1 hour" in form


def test_who_removes_a_calendar_may_have_the_visits_in_it_taken_out_first(site: Site):
    link_id = linked(site)
    look(site, link_id)
    client = site.logged_in()
    asked = page_of(client, f"/console/calendars/{link_id}/leave")

    send(client, f"/console/calendars/{link_id}/leave", visits="take-out")
    look(site, link_id)

    assert "1 visit ahead stands in the calendar." in asked
    assert (links(site), site.calendars.of("lee").objects) == ([], {})


def test_a_private_address_of_the_visits_is_shown_once_and_revoked(site: Site):
    client, desk = site.logged_in(), site.logged_in("desk")
    path = "/console/calendars/feed/practitioner-lee"

    shown = send(client, path).get_data(as_text=True)
    [secret] = re.findall(r"/feeds/([^.]+)\.ics", shown)
    overview = page_of(desk, "/console/calendars")
    forbidden = [send(desk, path), send(desk, f"{path}/revoke")]
    elsewhere = [send(site.logged_in("oak"), path), send(site.logged_in("oak"), f"{path}/revoke")]
    with site.db.read() as session:
        assert find_feed(session, secret=secret) is not None
    revoked = send(client, f"{path}/revoke").get_data(as_text=True)

    assert ("Nobody has read it yet" in overview, secret in overview) == (True, False)
    assert [one.status_code for one in forbidden] == [403, 403]
    assert [one.status_code for one in elsewhere] == [404, 404]
    assert "opens nothing any more" in revoked
    with site.db.read() as session:
        assert find_feed(session, secret=secret) is None


def test_a_calendar_that_is_only_read_keeps_no_visit_waiting(site: Site):
    with site.db.begin() as work:
        link_calendar(
            work, clinic_id=site.catalogue.clinic_id, practitioner_id="practitioner-lee", url=url_of("lee"),
            username="lee", password="secret", shows_visits=False, now=NOW,
        )  # fmt: skip

    assert "No calendar is linked" in page_of(site.logged_in(), f"/console/appointments/{site.visit.id}")


def test_many_calendars_take_no_more_queries_than_one(site: Site):
    linked(site)
    client = site.logged_in()
    page_of(client, "/console/calendars")
    one = queries_during(site.db, lambda: page_of(client, "/console/calendars"))
    for practitioner in ("ruiz", "ben-carter"):
        linked(site, practitioner)
    book(site.db, site.catalogue, practitioner="lee", starts_at=datetime(2027, 3, 15, 15, 0, tzinfo=UTC))

    assert queries_during(site.db, lambda: page_of(client, "/console/calendars")) == one <= 8


def rows(site: Site, kind: type[CalendarSetUp]) -> list[CalendarSetUp]:
    with site.db.read() as session:
        return list(session.scalars(select(kind)))


def queries_during(database: Database, step: Callable[[], object]) -> int:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        step()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    return len([statement for statement in seen if statement.lstrip().upper().startswith("SELECT")])
