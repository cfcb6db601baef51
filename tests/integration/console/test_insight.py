"""A small diary and a few conversations, counted by hand: on both databases, by the clinic's own days."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from booking.model.appointment import Appointment
from booking.values import AppointmentStatus
from tests.integration.console.conftest import Site
from tests.integration.console.test_conversations import a_conversation
from tests.integration.console.test_pages import queries_during
from tests.support.visits import NOW

pytestmark = pytest.mark.integration

# Clocks go forward in New York on the Sunday within.
WEEK = "first=2027-03-09&last=2027-03-15"
OFFERED: list[dict[str, object]] = [{"say": "offer", "fields": {}, "variant": 0}]


@pytest.fixture
def week(site: Site) -> Site:
    """The site's visit (made on the 10th for the 15th) and what is around it."""
    an_appointment(site, "noshow", made=at(1, 15), starts=at(9, 14))
    an_appointment(site, "fulfilled", made=at(1, 15), starts=at(10, 13), practitioner="ruiz")
    an_appointment(site, "cancelled", made=at(10, 15), starts=at(11, 15))
    # None of these is counted: a Hold that ran out, a mistake, and bookings of the evening before and the day after.
    an_appointment(site, "cancelled", made=at(10, 15), starts=at(12, 15), hold_expires_at=at(10, 16))
    an_appointment(site, "entered-in-error", made=at(10, 15), starts=at(12, 16))
    an_appointment(site, "booked", made=at(9, 3), starts=at(16, 5))
    a_conversation(site, outcome="booked", turns=4, acts=OFFERED)
    a_conversation(site, outcome="handed-over", turns=2, acts=OFFERED)
    a_conversation(site, outcome="abandoned")
    a_conversation(
        site, outcome="informed", minutes_ago=int((NOW - at(9, 4)).total_seconds() // 60)
    )  # still the 8th there
    return site


def test_the_figures_of_a_week_are_those_counted_by_hand(week: Site):
    figures = table(week.logged_in(), "totals")

    assert {name: now for name, now, _ in figures[1:]} == {
        "Conversations": "3",
        "Conversations a day": str(3 / 7),
        "Bookings": "2",
        "Bookings a day": str(2 / 7),
        "Searches that led to a booking": "0.5",
        "Settled without a person": "0.5",
        "Turns to book": "4.0",
        "Visits": "3",
        "Days ahead": str((timedelta(days=4, hours=22) + timedelta(days=1)) / 2 / timedelta(days=1)),
        "Cancelled": "0.25",
        "Did not come": "0.5",
    }
    before = {name: number for name, _, number in figures[1:]}
    assert (before["Conversations"], before["Bookings"], before["Visits"]) == ("1", "1", "0")


def test_charts_show_the_clinics_own_days_and_hours(week: Site):
    client = week.logged_in()

    days = [row for row in table(client, "days")[1:] if row[2:] != ["0", "0"]]
    times = {row[0]: row[1:] for row in table(client, "times")[1:]}

    assert days == [["2027-03-10", "1", "3", "2"]]
    # Tuesday 9:00 in winter time; Wednesday 8:00; Monday 9:00 in summer time. The cancelled one is not there.
    assert times == {"8 AM": ["0", "0", "1", "0", "0", "0", "0"], "9 AM": ["1", "1", "0", "0", "0", "0", "0"]}
    assert table(client, "sources")[1:] == [["Text", "2", "100%"]]
    assert table(client, "services")[1:] == [["Dental cleaning", "2", "100%"]]
    lee = next(row for row in table(client, "people")[1:] if row[0] == "Dr. Mina Lee")
    assert lee[1] == "1.5"  # what was missed, and what is to come


def test_the_third_next_available_time_is_told_for_each_service(week: Site):
    page = {row[0]: row[1:] for row in table(week.logged_in(), "access")[1:]}

    days_away, when = page["Dental cleaning"]
    assert int(days_away) >= 0
    assert when.startswith(("Wed, Mar 10", "Thu, Mar 11"))


def test_a_practitioner_sees_only_their_own_figures(week: Site):
    lee, ruiz = week.logged_in("lee"), week.logged_in("ruiz")

    assert [row[0] for row in table(lee, "people")[1:]] == ["Dr. Mina Lee"]
    assert {name: number for name, number, _ in table(ruiz, "totals")[1:]}["Visits"] == "1"
    assert {name: number for name, number, _ in table(ruiz, "totals")[1:]}["Conversations"] == ""
    assert "Dr. Mina Lee" not in ruiz.get("/console/insight").get_data(as_text=True)
    assert ruiz.get("/console/insight?practitioner=lee").status_code == 404


def test_figures_of_one_place_or_person_leave_conversations_out(week: Site):
    client = week.logged_in()
    page = client.get(f"/console/insight?{WEEK}&location=main&practitioner=lee").get_data(as_text=True)

    assert "Conversations belong to the whole clinic." in page
    assert {name: number for name, number, _ in table(client, "totals", "&practitioner=lee")[1:]}["Visits"] == "2"


def test_another_clinic_sees_nothing_of_it(week: Site):
    figures = {name: now for name, now, _ in table(week.logged_in("oak"), "totals")[1:]}

    assert (figures["Conversations"], figures["Bookings"], figures["Visits"]) == ("0", "0", "0")


def test_what_names_nothing_is_not_found(site: Site):
    client = site.logged_in()
    asked = ("?first=soon", "?last=0001-01-01", "?location=oak", "?practitioner=nobody", "/x.csv")

    assert [client.get(f"/console/insight{address}").status_code for address in asked] == [404] * len(asked)


def test_a_period_of_ages_is_cut_to_a_year(site: Site):
    page = site.logged_in().get("/console/insight?first=1999-01-01&last=2027-03-10").get_data(as_text=True)

    assert 'value="2026-03-10"' in page


def test_a_year_takes_as_many_queries_as_a_day(week: Site):
    client = week.logged_in()

    def look(first: str) -> None:
        assert client.get(f"/console/insight?first={first}&last=2027-03-15").status_code == 200

    look("2027-03-15")  # reads the catalogue once
    day = queries_during(week.db, lambda: look("2027-03-15"))

    assert queries_during(week.db, lambda: look("2026-03-16")) == day <= 12


def table(client: FlaskClient, chart: str, more: str = "") -> list[list[str]]:
    answer = client.get(f"/console/insight/{chart}.csv?{WEEK}{more}")
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def at(day: int, hour: int) -> datetime:
    return datetime(2027, 3, day, hour, 0, tzinfo=UTC)


def an_appointment(
    site: Site,
    status: str,
    *,
    made: datetime,
    starts: datetime,
    practitioner: str = "lee",
    hold_expires_at: datetime | None = None,
) -> None:
    with site.db.begin() as work:
        work.session.add(
            Appointment(
                clinic_id=site.catalogue.clinic_id, uid=f"{status}-{starts.isoformat()}@elm", status=AppointmentStatus(status).value,
                service_id="service-cleaning", practitioner_id=f"practitioner-{practitioner}", location_id="location-main",
                starts_at=starts, ends_at=starts + timedelta(minutes=45), source="sms", hold_expires_at=hold_expires_at,
                created_at=made, changed_at=made,
            )
        )  # fmt: skip
