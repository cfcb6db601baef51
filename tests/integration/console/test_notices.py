"""What the bar of every page counts, and what staff hear of without reloading."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient

from booking.cancel import cancel_appointment
from booking.model.appointment import AppointmentChange
from booking.task_words import TaskSays
from booking.tasks import open_task
from booking.values import Source, TaskKind
from tests.integration.console.conftest import Site, seal_of
from tests.integration.console.test_conversations import a_conversation
from tests.integration.console.test_pages import queries_during
from tests.support.visits import NOW, book

pytestmark = pytest.mark.integration

# For what depends on no database.
on_one = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_the_bar_counts_what_waits_at_one_query_and_only_where_somebody_may_go(site: Site):
    empty = queries_during(site.db, lambda: site.logged_in().get("/console/account"))
    for number in range(3):
        a_conversation(site, caller=f"+1212555013{number}", patient_id=site.visit.patient_id)
    an_emergency(site, age=timedelta(minutes=10))

    desk, practitioner = site.logged_in("desk"), site.logged_in("lee")

    assert marks(desk) == {"live": "(3 conversations)", "tasks": "(2 open, 1 overdue)"}
    assert marks(practitioner) == {"live": "(3 conversations)"}
    assert marks(site.logged_in("ruiz")) == {}
    assert marks(site.logged_in("oak")) == {}
    a_waiting_patient(site)
    assert marks(desk)["live"] == "(1 patient is waiting for staff)"
    assert queries_during(site.db, lambda: site.logged_in().get("/console/account")) == empty


@on_one
def test_the_desk_hears_of_an_urgent_task_until_somebody_is_at_it(site: Site):
    task_id = an_emergency(site)
    an_emergency(site, age=timedelta(minutes=16))
    desk = site.logged_in("desk")

    told = news(desk)
    first = desk.get("/console/notices")
    same = desk.get("/console/notices", headers={"If-None-Match": first.headers["ETag"]})
    desk.post(f"/console/tasks/{task_id}/take", data={"csrf_token": seal_of(desk.get("/console/account"))})

    assert told == {f"task-{task_id}": "Emergency, 10:00 AM: no name known"}
    assert (same.status_code, same.data) == (304, b"")
    assert news(desk) == {}


@on_one
def test_staff_hear_of_a_patient_who_waits_for_one_of_them(site: Site):
    conversation_id = a_waiting_patient(site, patient_id=site.visit.patient_id)

    others, own = news(site.logged_in("admin")), news(site.logged_in("desk"))

    [key] = own
    assert key.startswith(f"waiting-{conversation_id}")
    assert own == {key: "Ann Smith has been waiting for your answer since 9:55 AM."}
    assert others == {
        key: "Ann Smith has been waiting for an answer since 9:55 AM. The conversation is with desk.",
    }


def test_practitioners_hear_of_the_last_change_of_each_visit_of_theirs_and_of_nothing_else(site: Site):
    an_emergency(site)
    a_waiting_patient(site)
    book(site.db, site.catalogue, practitioner="lee", starts_at=at(15), now=NOW - timedelta(minutes=15))
    book(site.db, site.catalogue, practitioner="lee", starts_at=at(18))
    with site.db.begin() as work:
        cancel_appointment(
            work, site.catalogue, appointment_id=site.visit.id, reason=None, now=NOW, actor="staff:desk",
            source=Source.STAFF,
        )  # fmt: skip

    told = news(site.logged_in("lee"))

    assert list(told.values()) == [
        "Cancelled: Ann Smith, Mon, Mar 15, 9:00 AM",
        "Booked: Ann Smith, Mon, Mar 15, 2:00 PM",
    ]
    for login in ("ruiz", "audit", "oak"):
        assert news(site.logged_in(login)) == {}


@on_one
def test_a_visit_that_is_changed_again_and_again_leaves_room_for_news_of_others(site: Site):
    book(site.db, site.catalogue, practitioner="lee", starts_at=at(18))
    with site.db.begin() as work:
        for _ in range(3):
            moved = AppointmentChange(
                appointment_id=site.visit.id, changed_at=NOW, what="moved", actor="staff:desk", source=Source.STAFF,
                after={},
            )  # fmt: skip
            work.session.add(moved)

    assert sorted(news(site.logged_in("lee")).values()) == [
        "Booked: Ann Smith, Mon, Mar 15, 2:00 PM",
        "Moved: Ann Smith, Mon, Mar 15, 9:00 AM",
    ]


@on_one
def test_news_is_in_the_language_of_whoever_hears_it(site: Site):
    an_emergency(site)
    desk = site.logged_in("desk")
    desk.post("/console/language", data={"language": "es", "csrf_token": seal_of(desk.get("/console/account"))})

    assert list(news(desk).values()) == ["Emergencia, 10:00 a.m.: nombre desconocido"]


def at(hour: int) -> datetime:
    return datetime(2027, 3, 15, hour, 0, tzinfo=UTC)


def an_emergency(site: Site, *, age: timedelta = timedelta(0)) -> str:
    with site.db.begin() as work:
        return open_task(
            work, clinic_id=site.catalogue.clinic_id, kind=TaskKind.EMERGENCY, says=TaskSays.EMERGENCY,
            details={"words": "chest pain"}, now=NOW - age,
        )  # fmt: skip


def a_waiting_patient(site: Site, *, patient_id: str | None = None) -> str:
    return a_conversation(
        site, caller="+12125550199", patient_id=patient_id, taken_by="desk", taken_at=NOW - timedelta(minutes=9),
        taken_until=NOW + timedelta(minutes=5), waits_since=NOW - timedelta(minutes=5),
    )  # fmt: skip


def marks(client: FlaskClient) -> dict[str, str]:
    """Return what the bar says of each entry that has a number."""
    page = client.get("/console/account").get_data(as_text=True)
    assert marks_in(client.get("/console/notices").get_data(as_text=True)) == marks_in(page)
    return marks_in(page)


def marks_in(text: str) -> dict[str, str]:
    return dict(re.findall(r'data-mark="([a-z_]+)"> <span.*?<span class="hidden">(.*?)</span>', text))


def news(client: FlaskClient) -> dict[str, str]:
    text = client.get("/console/notices").get_data(as_text=True)
    return {key: unescape(told) for key, told in re.findall(r'data-notice="([^"]+)"><a [^>]*>(.*?)</a>', text)}
