"""A small diary and a few conversations, counted by hand: on both databases, by the clinic's own days."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from booking.clinic_file.snapshots import keep_snapshot
from booking.model.appointment import Appointment
from booking.model.clinic import Clinic, Location
from booking.patients import register_patient
from booking.several.groups import confirm_seat, join_session, leave_session, open_session, release_seats
from booking.values import AppointmentStatus, Catalogue, Source
from frontdesk.console.figures import Period
from frontdesk.console.reads.insight import Part, due_during, made_during
from frontdesk.console.reads.third_next import third_next_available
from frontdesk.users import Role
from kernel.work import Database, UnitOfWork
from tests.integration.console.conftest import Site, a_user
from tests.integration.console.test_conversations import a_conversation
from tests.integration.console.test_pages import queries_during
from tests.support.clinic_rows import store_catalogue
from tests.support.together import GROUP, elm_with_more
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
    a_conversation(week, patient_id=week.visit.patient_id, outcome="booked", turns=3)
    lee, ruiz = week.logged_in("lee"), week.logged_in("ruiz")

    assert [row[0] for row in table(lee, "people")[1:]] == ["Dr. Mina Lee"]
    assert {row[0] for row in table(lee, "access")[1:]} == services_of(week, "practitioner-lee")
    assert now_of(ruiz)["Visits"] == "1"
    assert now_of(ruiz)["Conversations that booked here"] == "0"
    assert table(ruiz, "services")[1:] == table(ruiz, "sources")[1:] == table(ruiz, "channels")[1:] == []
    assert "Dr. Mina Lee" not in ruiz.get("/console/insight").get_data(as_text=True)
    assert ruiz.get("/console/insight?practitioner=lee").status_code == 404


@pytest.mark.parametrize("practitioner_id", [None, "practitioner-gone"])
def test_an_account_of_a_practitioner_without_a_person_sees_no_figures(week: Site, practitioner_id: str | None):
    with week.db.begin() as work:
        user = a_user("new", week.catalogue.clinic_id, Role.PRACTITIONER, practitioner_id=practitioner_id)
        work.session.add(user)
    client = week.logged_in("new")

    assert now_of(client)["Visits"] == now_of(client)["Bookings"] == "0"
    assert table(client, "people")[1:] == table(client, "access")[1:] == []


def test_of_conversations_a_place_or_person_has_those_that_booked_there(week: Site):
    with_lee = a_conversation(week, outcome="booked", turns=3, acts=OFFERED)
    for status, starts in (("booked", at(11, 13)), ("cancelled", at(11, 14))):
        an_appointment(week, status, made=at(10, 15), starts=starts, conversation_id=with_lee)
    held = a_conversation(week, outcome="abandoned")
    an_appointment(week, "cancelled", made=at(10, 15), starts=at(12, 14), conversation_id=held, hold_expires_at=NOW)
    client = week.logged_in()

    page = client.get(f"/console/insight?{WEEK}&location=main&practitioner=lee").get_data(as_text=True)
    of_lee, of_ruiz = (now_of(client, f"&practitioner={key}") for key in ("lee", "ruiz"))

    assert "Of the conversations only those are counted that made an appointment there." in page
    assert "Searches that led to a booking" not in page
    assert (of_lee["Conversations that booked here"], of_lee["Turns to book"]) == ("1", "3.0")
    assert (of_lee["Settled without a person"], of_lee["Visits"]) == ("1.0", "3")
    assert table(client, "channels", "&practitioner=lee")[1:] == [["Text", "1", "100%"]]
    assert of_ruiz["Conversations that booked here"] == "0"


def test_channels_are_told_apart(week: Site):
    a_conversation(week, channel="voice", outcome="booked", acts=OFFERED)

    assert table(week.logged_in(), "channels")[1:] == [["Text", "3", "50%", "50%"], ["Phone", "1", "100%", "100%"]]


def test_each_seat_of_a_group_is_an_appointment(database: Database):
    catalogue = elm_with_more()
    with database.begin() as work:
        store_catalogue(work, catalogue)
        clinic_id = catalogue.clinic_id
        patients = [a_patient(work, catalogue, number) for number in range(3)]
        opened = [
            open_session(work, catalogue, service_id=GROUP, location_id="location-riverside", starts_at=at(15, hour), now=NOW, actor="staff:ann")
            for hour in (13, 15, 17)
        ]  # fmt: skip
        for number, patient_id in enumerate(patients):
            seat = join_session(work, catalogue, session_id=opened[0].id, patient_id=patient_id, conversation_id=f"c-{number}", source=Source.SMS, now=NOW)  # fmt: skip
            if number:
                confirm_seat(work, catalogue, seat_id=seat.id, patient_id=patient_id, now=NOW, actor="patient")
            else:
                release_seats(work, conversation_id="c-0", now=NOW)
        leave_session(work, catalogue, session_id=opened[0].id, patient_id=patients[1], now=NOW, actor="patient")
    period, part = Period(date(2027, 3, 9), date(2027, 3, 15)), Part(clinic_id, None, None)

    with database.read() as session:
        made = made_during(session, catalogue, part, period=period)
        due = due_during(session, catalogue, part, period=period)
        thirds = third_next_available(session, catalogue, part, now=NOW)

    assert [(one.status, one.source) for one in sorted(made, key=lambda one: one.status)] == [("booked", "sms"), ("cancelled", "sms")]  # fmt: skip
    assert sorted(made, key=str) == sorted(due, key=str)
    assert thirds[GROUP] == opened[2].starts_at


def test_past_days_have_the_hours_that_were_kept_of_them(week: Site):
    catalogue = week.catalogue
    lee = catalogue.practitioner("practitioner-lee")
    fewer = replace(lee, hours=tuple(one for one in lee.hours if one.weekly.weekday == 0))
    then = replace(catalogue, practitioners=(fewer, *(one for one in catalogue.practitioners if one != lee)))
    whole_week = lees_hours(week)

    with week.db.begin() as work:
        keep_snapshot(work, replace(then, version=0), now=at(10, 4))  # in the evening of the 9th there

    # On the Tuesday before Dr. Lee worked on Mondays only; from Wednesday, which is today, on it is as set today.
    assert lees_hours(week, period="first=2027-03-09&last=2027-03-09") == 0
    assert lees_hours(week, period="first=2027-03-08&last=2027-03-08") > 0
    assert 0 < lees_hours(week) < whole_week


def services_of(site: Site, practitioner_id: str) -> set[str]:
    given = site.catalogue.practitioner(practitioner_id).service_ids
    return {service.name for service in site.catalogue.services if service.id in given}


def lees_hours(site: Site, *, period: str = WEEK) -> float:
    people = table(site.logged_in(), "people", period=period)
    return next(float(row[2]) for row in people if row[0] == "Dr. Mina Lee")


def test_a_visit_counts_on_the_day_it_is_at_its_location(week: Site):
    with week.db.begin() as work:
        work.session.execute(update(Location).where(Location.id == "location-riverside").values(timezone="Pacific/Honolulu"))  # fmt: skip
        work.session.execute(update(Clinic).where(Clinic.id == week.catalogue.clinic_id).values(version=Clinic.version + 1))  # fmt: skip
    an_appointment(week, "booked", made=at(1, 15), starts=at(16, 6), location_id="location-riverside")

    assert now_of(week.logged_in(), "&location=riverside")["Visits"] == "1"  # the evening of the 15th there


def test_another_clinic_sees_nothing_of_it(week: Site):
    figures = now_of(week.logged_in("oak"))

    assert (figures["Conversations"], figures["Bookings"], figures["Visits"]) == ("0", "0", "0")


def test_what_names_nothing_is_not_found(site: Site):
    client = site.logged_in()
    asked = ("?first=soon", "?last=0001-01-01", "?location=oak", "?practitioner=nobody", "/x.csv")

    assert [client.get(f"/console/insight{address}").status_code for address in asked] == [404] * len(asked)


def test_a_period_of_ages_is_cut_and_the_page_says_so(site: Site):
    client = site.logged_in()
    ages, years = (client.get(f"/console/insight?first={first}&last=2027-03-10").get_data(as_text=True) for first in ("1999-01-01", "2022-03-11"))  # fmt: skip

    assert 'value="2022-03-07"' in ages
    assert "Figures reach back 5 years at most" in ages
    assert "Figures reach back" not in years


def test_a_year_takes_as_many_queries_as_a_day(week: Site):
    client = week.logged_in()

    def look(first: str) -> None:
        assert client.get(f"/console/insight?first={first}&last=2027-03-15").status_code == 200

    look("2027-03-15")  # reads the catalogue once
    day = queries_during(week.db, lambda: look("2027-03-15"))

    assert queries_during(week.db, lambda: look("2026-03-16")) == day <= 12


def table(client: FlaskClient, chart: str, more: str = "", *, period: str = WEEK) -> list[list[str]]:
    answer = client.get(f"/console/insight/{chart}.csv?{period}{more}")
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def now_of(client: FlaskClient, more: str = "") -> dict[str, str]:
    return {name: now for name, now, _ in table(client, "totals", more)[1:]}


def a_patient(work: UnitOfWork, catalogue: Catalogue, number: int) -> str:
    return register_patient(
        work, clinic_id=catalogue.clinic_id, name=f"Ann {number}", birth_date=date(1984, 5, 2),
        phone=f"+1212555012{number}", language="en", now=NOW,
    ).id  # fmt: skip


def at(day: int, hour: int) -> datetime:
    return datetime(2027, 3, day, hour, 0, tzinfo=UTC)


def an_appointment(
    site: Site,
    status: str,
    *,
    made: datetime,
    starts: datetime,
    practitioner: str = "lee",
    location_id: str = "location-main",
    **more: object,
) -> None:
    with site.db.begin() as work:
        work.session.add(
            Appointment(
                clinic_id=site.catalogue.clinic_id, uid=f"{status}-{starts.isoformat()}@elm", status=AppointmentStatus(status).value,
                service_id="service-cleaning", practitioner_id=f"practitioner-{practitioner}", location_id=location_id,
                starts_at=starts, ends_at=starts + timedelta(minutes=45), source="sms", created_at=made, changed_at=made,
                **more,
            )
        )  # fmt: skip
