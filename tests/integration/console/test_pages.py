from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select

from booking.cancel import cancel_appointment
from booking.desk.requests import propose
from booking.model.task import StaffTask
from booking.values import Source
from kernel.interval import Interval
from kernel.work import Database
from tests.integration.console.conftest import Site, seal_of
from tests.support.visits import NOW, book

pytestmark = pytest.mark.integration

DAY_OF_THE_VISIT = "/console/diary?day=2027-03-15"


def test_the_diary_shows_the_visits_of_the_day_in_the_clinics_zone(site: Site):
    page = site.logged_in().get(DAY_OF_THE_VISIT).get_data(as_text=True)

    assert "Monday, March 15, 2027" in page
    assert "1 appointment" in page
    assert "9:00 AM" in page
    assert "Ann Smith" in page


def test_the_diary_of_a_location_leaves_out_the_others(site: Site):
    client = site.logged_in()

    here = client.get(f"{DAY_OF_THE_VISIT}&location=main").get_data(as_text=True)
    there = client.get(f"{DAY_OF_THE_VISIT}&location={other_location(site)}").get_data(as_text=True)

    assert "Ann Smith" in here
    assert "Ann Smith" not in there


def test_a_cancelled_visit_leaves_the_diary_and_keeps_its_page(site: Site):
    with site.db.begin() as work:
        cancel_appointment(
            work,
            site.catalogue,
            appointment_id=site.visit.id,
            reason="cold",
            now=NOW,
            actor="patient",
            source=Source.SMS,
        )
    client = site.logged_in()

    assert "Ann Smith" not in client.get(DAY_OF_THE_VISIT).get_data(as_text=True)
    page = client.get(f"/console/appointments/{site.visit.id}").get_data(as_text=True)
    assert "Cancelled" in page
    assert "cold" in page


def test_a_wish_is_in_no_diary_and_has_a_page_without_a_person(site: Site):
    with site.db.begin() as work:
        wish = propose(
            work,
            site.catalogue,
            service_id="service-cleaning",
            location_id="location-main",
            patient_id=str(site.visit.patient_id),
            span=Interval(site.visit.starts_at, site.visit.starts_at + timedelta(days=2)),
            practitioner_ids=(),
            text="after work",
            conversation_id=None,
            source=Source.WEB,
            now=NOW,
        )
    client = site.logged_in()

    assert "1 appointment" in client.get(DAY_OF_THE_VISIT).get_data(as_text=True)
    page = client.get(f"/console/appointments/{wish}")
    assert page.status_code == 200
    assert "Requested" in page.get_data(as_text=True)
    assert client.get("/console/tasks").get_data(as_text=True).count("after work") == 1


@pytest.mark.parametrize(
    "query", ["day=tomorrow", "day=2027-02-30", "day=0001-01-01", "day=9999-12-31", "location=moon"]
)
def test_a_day_or_place_that_is_not_there_is_said_not_to_be(site: Site, query: str):
    response = site.logged_in().get(f"/console/diary?{query}")

    assert response.status_code == 404
    assert "Nothing here" in response.get_data(as_text=True)


@pytest.mark.parametrize(
    "path",
    [
        "appointments/%00",
        "calendars/%00",
        "conversations?outcome=%00",
        "conversations/x/turns/99999999999999999999/correction",
    ],
)
def test_what_no_database_can_hold_is_not_there(site: Site, path: str):
    assert site.logged_in().get(f"/console/{path}").status_code == 404


def test_an_appointment_shows_who_what_where_and_how_it_came_about(site: Site):
    page = site.logged_in().get(f"/console/appointments/{site.visit.id}").get_data(as_text=True)

    for words in (
        "Ann Smith",
        "born May 2, 1984",
        "Main Street",
        "No calendar is linked",
        "Held → Booked",
        site.visit.uid,
    ):
        assert words in page


def test_a_finished_task_moves_to_those_done_with_the_name_of_who_did_it(site: Site):
    client = site.logged_in("desk")
    page = client.get("/console/tasks")
    assert "Call about the &lt;bill&gt;" in page.get_data(as_text=True)
    assert "+1 212-555-0123" in page.get_data(as_text=True)

    client.post(f"/console/tasks/{site.task_id}/done", data={"csrf_token": seal_of(page)})

    after = client.get("/console/tasks").get_data(as_text=True)
    assert "The task is marked as done." in after
    assert "Done by desk" in after
    with site.db.read() as session:
        assert session.scalars(select(StaffTask.done_by)).all() == ["desk"]


def test_another_clinics_staff_see_and_change_nothing(site: Site):
    client = site.logged_in("oak")

    tasks = client.get("/console/tasks")
    refused = client.post(f"/console/tasks/{site.task_id}/done", data={"csrf_token": seal_of(tasks)})

    assert "Call about" not in tasks.get_data(as_text=True)
    assert refused.status_code == 404
    assert client.get(f"/console/appointments/{site.visit.id}").status_code == 404
    assert "Ann Smith" not in client.get(DAY_OF_THE_VISIT).get_data(as_text=True)
    with site.db.read() as session:
        assert session.scalars(select(StaffTask.done_at)).all() == [None]


def test_a_full_day_takes_no_more_queries_than_an_empty_one(site: Site):
    client = site.logged_in()
    client.get(DAY_OF_THE_VISIT)
    empty = queries_during(site.db, lambda: client.get("/console/diary?day=2027-03-16"))
    for hour in (14, 15):
        book(site.db, site.catalogue, practitioner="lee", starts_at=datetime(2027, 3, 15, hour, 0, tzinfo=UTC))

    full = queries_during(site.db, lambda: client.get(DAY_OF_THE_VISIT))

    assert full == empty <= 5


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


def other_location(site: Site) -> str:
    return next(place.key for place in site.catalogue.locations if place.id != site.visit.location_id)
