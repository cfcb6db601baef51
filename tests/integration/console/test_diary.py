"""What staff do in the diary: see it, move, book by hand, note who came, and settle an absence, on both databases."""

import dataclasses
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from booking.catalogue import load_catalogue, stored_rules
from booking.confirm import note_patient_confirmed
from booking.desk.requests import propose
from booking.elsewhere import set_busy
from booking.hold import place_hold
from booking.model.appointment import Appointment
from booking.model.clinic import Clinic, Location
from booking.model.patient import Patient
from booking.model.staff import HealthcareService
from booking.queries import history, visit
from booking.values import AppointmentStatus, BookedVisit, Source
from kernel.interval import Interval
from kernel.work import OutboxEntry
from tests.integration.console.conftest import Site, seal_of
from tests.support.visits import NOW, book

pytestmark = pytest.mark.integration

MONDAY = "2027-03-15"
NINE = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
STATUS = AppointmentStatus


def page_of(client: FlaskClient, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.get_data(as_text=True)


def send(client: FlaskClient, path: str, *, sealed_by: str, **fields: str) -> TestResponse:
    return client.post(path, data={"csrf_token": seal_of(client.get(sealed_by)), **fields})


def press(client: FlaskClient, site: Site, name: str, **fields: str) -> str:
    """Press a button on the page of the visit, and return the page that comes then."""
    page = f"/console/appointments/{site.visit.id}"
    revision = re.search(r'name="revision" value="(\d+)"', page_of(client, page))
    given = {"revision": revision[1] if revision else "", **fields}
    response = send(client, f"{page}/{name}", sealed_by=page, **given)
    assert response.status_code == 302
    return page_of(client, page)


def move(client: FlaskClient, one: BookedVisit, **fields: str) -> TestResponse:
    page = f"/console/appointments/{one.id}/move"
    given = {"day": MONDAY, "practitioner": "lee", "back": f"/console/diary?day={MONDAY}", **fields}
    return send(client, page, sealed_by=f"/console/diary?day={MONDAY}", **given)


def booking(client: FlaskClient, **fields: str) -> TestResponse:
    given = {
        "key": "form-1", "service": "cleaning", "practitioner": "lee", "location": "main", "day": MONDAY, "time": "10:00",
        "patient": "new", "name": "Bo Reed", "born": "1990-01-31", "phone": "212-555-0177", "language": "en", "do": "book",
        **fields,
    }  # fmt: skip
    return send(client, "/console/diary/new", sealed_by="/console/diary/new", **given)


def now_is(site: Site, at: datetime) -> None:
    site.clock.advance(at - site.clock.now())


def count_of(site: Site, kind: type[Appointment] | type[Patient]) -> int:
    with site.db.read() as session:
        return session.scalar(select(func.count()).select_from(kind)) or 0


def look(site: Site, appointment_id: str) -> BookedVisit:
    with site.db.read() as session:
        return visit(session, appointment_id=appointment_id)


def booked(site: Site) -> list[Appointment]:
    with site.db.read() as session:
        return list(
            session.scalars(select(Appointment).where(Appointment.status == "booked").order_by(Appointment.created_at))
        )


def revision_of(site: Site, appointment_id: str) -> str:
    with site.db.read() as session:
        return str(session.scalars(select(Appointment.revision).where(Appointment.id == appointment_id)).one())


def records_arrival(site: Site) -> None:
    kept = dataclasses.replace(site.catalogue.rules, records_arrival=True)
    with site.db.begin() as work:
        work.session.execute(update(Clinic).values(rules=stored_rules(vars(kept)), version=Clinic.version + 1))


def test_the_week_and_the_rooms_show_the_visit_and_what_is_taken_elsewhere(site: Site):
    lee = site.catalogue.practitioners[0]
    with site.db.begin() as work:
        meeting = Interval(NINE + 3 * HOUR, NINE + 4 * HOUR)
        set_busy(work, schedule_id=lee.schedule_id, origin="a-link:secret-title", spans=[meeting], now=NOW)
    client = site.logged_in()

    week = page_of(client, "/console/diary/week?day=2027-03-18&practitioner=lee")
    rooms = page_of(client, f"/console/diary/rooms?day={MONDAY}")

    assert "Mon, Mar 15 to Mar 21, 2027" in week
    assert "Ann Smith" in week
    assert week.count("Busy elsewhere") == 1
    assert "secret-title" not in week
    assert rooms.count(">Ann Smith<") == 1
    assert "Ann Smith" not in page_of(client, "/console/diary/week?day=2027-03-18&practitioner=ito")
    for path in ("/console/diary?practitioner=nobody", "/console/diary/week?day=x"):
        assert client.get(path).status_code == 404


def test_a_visit_is_moved_once_however_often_it_is_dropped_and_the_patient_is_told(site: Site):
    client = site.logged_in("desk")
    revision = revision_of(site, site.visit.id)

    first = move(client, site.visit, time="10:30", revision=revision)
    again = move(client, site.visit, time="10:30", revision=revision)

    assert first.location == again.location == f"/console/diary?day={MONDAY}"
    moved = look(site, site.visit.id)
    assert (moved.starts_at, moved.sequence) == (NINE + 1.5 * HOUR, 1)
    with site.db.read() as session:
        last = history(session, appointment_id=site.visit.id)[-1]
        told = session.scalars(select(OutboxEntry.name).where(OutboxEntry.name == "booking.appointment.moved")).all()
    assert (last.what, last.actor, last.source, len(told)) == ("moved", "staff:desk", Source.STAFF, 1)


def test_who_moves_a_visit_that_was_moved_meanwhile_is_told_and_nothing_is_lost(site: Site):
    client = site.logged_in()
    seen = revision_of(site, site.visit.id)
    move(client, site.visit, time="10:30", revision=seen)

    second = move(client, site.visit, time="14:00", revision=seen)

    assert "Somebody has changed this appointment meanwhile" in page_of(client, second.location)
    assert look(site, site.visit.id).starts_at == NINE + 1.5 * HOUR


def test_a_refused_move_says_why_what_works_instead_and_what_may_be_set_aside(site: Site):
    other = book(site.db, site.catalogue, practitioner="lee", starts_at=NINE + 2 * HOUR)
    client = site.logged_in()
    seen = revision_of(site, site.visit.id)

    taken = move(client, site.visit, time="11:00", revision=seen).get_data(as_text=True)
    lunch = move(client, site.visit, time="12:15", revision=seen).get_data(as_text=True)

    assert "Everything is taken then." in taken
    assert "Set the rule aside" not in taken
    assert "do not work then" in lunch
    assert look(site, site.visit.id).starts_at == NINE
    instead = re.findall(r'<button class="button" name="slot" value="([^"]+)"', taken)
    assert instead
    assert move(client, site.visit, slot=instead[0], revision=seen).status_code == 302
    seen = revision_of(site, site.visit.id)
    assert move(client, site.visit, time="12:15", revision=seen, override_reason="in pain").status_code == 302
    moved = look(site, site.visit.id)
    assert (moved.starts_at, moved.overridden) == (NINE + 3.25 * HOUR, ("outside-hours",))
    assert "Working hours" in page_of(client, f"/console/appointments/{moved.id}")
    assert look(site, other.id).starts_at == NINE + 2 * HOUR


@pytest.mark.parametrize(
    "fields", [{"time": "25:00"}, {"time": ""}, {"day": "2027-03-14", "time": "02:30"}, {"slot": "x~y", "time": "noon"}]
)
def test_a_time_that_no_clock_shows_is_asked_for_again(site: Site, fields: dict[str, str]):
    response = move(site.logged_in(), site.visit, revision=revision_of(site, site.visit.id), **fields)

    assert "Choose a day and a time that clocks show on that day." in response.get_data(as_text=True)
    assert look(site, site.visit.id).starts_at == NINE


@pytest.mark.parametrize(("is_second", "hour", "zone"), [("", 5, "EDT"), ("1", 6, "EST")])
def test_a_time_that_comes_twice_is_the_first_unless_the_second_is_meant(
    site: Site, is_second: str, hour: int, zone: str
):
    night = {"day": "2027-11-07", "time": "01:30", "is_second": is_second, "override_reason": "on call"}
    client = site.logged_in()
    seen = revision_of(site, site.visit.id)

    refused = move(client, site.visit, revision=seen, **(night | {"override_reason": ""})).get_data(as_text=True)
    move(client, site.visit, revision=seen, **night)

    assert look(site, site.visit.id).starts_at == datetime(2027, 11, 7, hour, 30, tzinfo=UTC)
    assert ('name="is_second" value="1" checked' in refused) == bool(is_second)
    assert "clocks show it that night (EST)" in refused
    for page in (f"/console/appointments/{site.visit.id}", "/console/diary?day=2027-11-07"):
        assert f"1:30 AM {zone}" in page_of(client, page)


@pytest.mark.parametrize("back", ["//evil.example/console/diary", "//[x", "/console/diary?day=x\r\nX-Y: z"])
def test_a_move_leads_back_to_no_other_site(site: Site, back: str):
    seen = revision_of(site, site.visit.id)

    response = move(site.logged_in(), site.visit, time="10:30", revision=seen, back=back)

    assert response.location == f"/console/appointments/{site.visit.id}"


def test_a_visit_leads_to_its_patient_and_the_patient_to_another_visit(site: Site):
    client, patient = site.logged_in("desk"), f"/console/patients/{site.visit.patient_id}"
    another = f"/console/diary/new?patient={site.visit.patient_id}"

    assert f'href="{patient}"' in page_of(client, f"/console/appointments/{site.visit.id}")
    assert f'href="{another}"' in page_of(client, patient)
    assert f'value="{site.visit.patient_id}" checked' in page_of(client, another)


def test_a_wish_gets_its_time_on_the_same_page(site: Site):
    with site.db.begin() as work:
        wish = propose(
            work, site.catalogue, service_id="service-cleaning", location_id="location-main",
            patient_id=str(site.visit.patient_id), span=Interval(NINE, NINE + timedelta(days=2)), practitioner_ids=(),
            text="after work", conversation_id=None, source=Source.WEB, now=NOW,
        )  # fmt: skip
    client = site.logged_in()
    page = f"/console/appointments/{wish}/move"
    assert "Find a time" in page_of(client, page)

    send(client, page, sealed_by=page, revision=revision_of(site, wish), day=MONDAY, time="11:00", practitioner="")

    assert (look(site, wish).status, look(site, wish).starts_at) == (STATUS.BOOKED, NINE + 2 * HOUR)


def test_a_new_patient_is_booked_by_hand_once_with_the_trail_of_who_did_it(site: Site):
    client = site.logged_in("desk")

    made = booking(client, note="brings x-rays")
    again = booking(client, note="brings x-rays")

    assert made.location == again.location
    assert "Everything is taken then." in booking(client, name="Cy Lane").get_data(as_text=True)  # after going back
    visits = booked(site)
    assert [one.starts_at for one in visits] == [NINE, NINE + HOUR]
    page = page_of(client, made.location)
    for words in ("Bo Reed", "born Jan 31, 1990", "brings x-rays", "desk", "Staff", "Note written"):
        assert words in page
    with site.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Patient)) == 2


def test_two_clicks_at_the_same_moment_book_once(site: Site):
    clients = [site.logged_in("desk") for _ in range(2)]

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(booking, clients))

    assert len({answer.location for answer in answers}) == 1
    assert [answer.status_code for answer in answers] == [302, 302]
    assert len(booked(site)) == 2


def test_who_is_known_is_found_by_name_number_or_birth_date_and_booked_for(site: Site):
    client = site.logged_in()
    for search in ("smi ann", "(212) 555-0123", "1984-05-02"):
        page = booking(client, do="look", search=search, patient="").get_data(as_text=True)
        assert f'name="patient" value="{site.visit.patient_id}" checked' in page
    alike = booking(client, do="look", search="Ann Smyth", patient="").get_data(as_text=True)
    assert f'name="patient" value="{site.visit.patient_id}">' in alike  # shown, and not chosen
    assert "Nobody is found" in booking(client, do="look", search="100%", patient="").get_data(as_text=True)
    assert len(booked(site)) == 1

    overlapping = booking(client, patient=str(site.visit.patient_id), practitioner="ben-carter", time="09:30")
    made = booking(client, key="form-2", patient=str(site.visit.patient_id))

    assert "The patient has another visit at that time." in overlapping.get_data(as_text=True)
    assert look(site, made.location.rpartition("/")[2]).patient_id == site.visit.patient_id


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": " "}, "A new patient needs a name."),
        ({"born": "2050-01-01"}, "This date of birth can&#39;t be."),
        ({"phone": "call me"}, "This is no telephone number."),
        ({"patient": "somebody-elses"}, "Choose a patient, or a new one."),
        ({"time": ""}, "Choose a day and a time that clocks show on that day."),
    ],
)
def test_what_is_lacking_is_said_and_nothing_is_written(site: Site, fields: dict[str, str], said: str):
    response = booking(site.logged_in(), **fields)

    assert said in response.get_data(as_text=True)
    assert len(booked(site)) == 1


def test_a_group_is_opened_and_joined_from_the_same_form(site: Site):
    with site.db.begin() as work:
        work.session.execute(
            update(HealthcareService)
            .where(HealthcareService.key == "cleaning")
            .values(group_minimum=1, group_maximum=2)
        )
        work.session.execute(update(Clinic).values(version=Clinic.version + 1))
    client = site.logged_in()
    first = booking(client)
    page = booking(client, key="form-2", do="look").get_data(as_text=True)
    (joined,) = re.findall(r'name="slot" value="([^"]+~[0-9a-f]{32})"', page)

    second = booking(client, key="form-2", name="Cy Lane", slot=joined)

    assert first.location == second.location
    assert "Bo Reed, Cy Lane" in page_of(client, second.location)
    assert "2 participants" in page_of(client, f"/console/diary?day={MONDAY}")


def test_who_came_is_noted_at_a_click_and_taken_back(site: Site):
    assert "Arrived</button>" not in page_of(site.logged_in("desk"), f"/console/appointments/{site.visit.id}")
    now_is(site, NINE + timedelta(minutes=5))
    client = site.logged_in("desk")

    records_arrival(site)

    assert "is marked as arrived" in press(client, site, "arrived")
    assert "That was taken back." in press(client, site, "undo")
    assert "not having come" in press(client, site, "no-show")
    assert "is marked as arrived" in press(client, site, "arrived")
    assert "as having taken place" in press(client, site, "fulfilled")

    assert look(site, site.visit.id).status is STATUS.FULFILLED
    too_late = press(client, site, "cancel", revision=revision_of(site, site.visit.id), reason="late")
    assert "can&#39;t be changed any more" in too_late


def test_a_button_of_an_old_page_changes_nothing_and_a_second_click_neither(site: Site):
    client = site.logged_in()
    seen = revision_of(site, site.visit.id)
    press(client, site, "notes", text="rings first")  # a note is no change of the visit
    assert revision_of(site, site.visit.id) == seen
    move(client, site.visit, time="10:30", revision=seen)

    assert "Nothing was done" in press(client, site, "cancel", revision=seen, reason="ill")
    assert look(site, site.visit.id).status is STATUS.BOOKED
    press(client, site, "cancel", reason="ill")
    assert "Nothing was done" not in press(client, site, "cancel", revision=seen, reason="ill")
    assert look(site, site.visit.id).status is STATUS.CANCELLED


def test_a_request_is_answered_on_its_page(site: Site):
    with site.db.begin() as work:
        work.session.execute(update(Appointment).values(status="pending", hold_expires_at=None))
    client = site.logged_in()
    assert "Waits for staff" in page_of(client, f"/console/diary?day={MONDAY}")

    assert "The appointment is confirmed" in press(client, site, "accept")

    with site.db.begin() as work:
        work.session.execute(update(Appointment).values(status="pending"))
    assert "The request is rejected" in press(client, site, "reject", reason="no room")
    assert look(site, site.visit.id).status is STATUS.CANCELLED


def test_a_series_is_shown_date_by_date_and_then_booked_as_it_was_shown(site: Site):
    taken = book(site.db, site.catalogue, practitioner="lee", starts_at=NINE + HOUR + timedelta(days=7))
    client = site.logged_in("desk")
    before = count_of(site, Appointment)

    page = booking(client, repeat="1", times="3", note="brings films").get_data(as_text=True)

    assert "2 dates can be booked. The others are left out." in page
    assert page.count(">Not possible<") == 1
    assert "<bdi>Bo Reed</bdi>" in page
    assert count_of(site, Appointment) == before
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page)) | {"do": "series"}
    made = [client.post("/console/diary/new", data=fields) for _ in range(2)]
    assert {one.location for one in made} == {made[0].location}
    assert "2 appointments are booked" in page_of(client, made[0].location)
    assert "brings films" in page_of(client, made[0].location)
    assert count_of(site, Appointment) == before + 2
    with site.db.read() as session:
        starts = session.scalars(
            select(Appointment.starts_at).where(Appointment.bundle_id.is_not(None)).order_by(Appointment.starts_at)
        ).all()
        names = session.scalars(select(Patient.name).where(Patient.name == "Bo Reed")).all()
    assert list(starts) == [NINE + HOUR + timedelta(days=7 * week) for week in (0, 2)]
    assert (names, look(site, taken.id)) == (["Bo Reed"], taken)


def test_a_series_of_which_a_date_went_meanwhile_is_shown_again(site: Site):
    client = site.logged_in("desk")
    before = count_of(site, Appointment)
    page = booking(client, repeat="2", times="3").get_data(as_text=True)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page)) | {"do": "series"}
    book(site.db, site.catalogue, practitioner="lee", starts_at=NINE + HOUR + timedelta(days=14))

    again = client.post("/console/diary/new", data=fields).get_data(as_text=True)

    assert "Meanwhile other dates can be booked" in again
    assert "2 dates can be booked." in again
    assert count_of(site, Appointment) == before + 1
    for wrong, told in (({"times": "1"}, "2 to 26 dates"), ({"times": "x"}, "2 to 26 dates")):
        assert told in booking(client, repeat="1", **wrong).get_data(as_text=True)
    assert booking(client, repeat="3", times="4").status_code == 404
    none = booking(client, repeat="1", times="2", time="03:00").get_data(as_text=True)
    assert "None of the dates can be booked." in none
    assert count_of(site, Appointment) == before + 1


def test_who_said_they_will_come_is_shown_until_the_visit_is_moved(site: Site):
    client, day, page = site.logged_in("desk"), f"/console/diary?day={MONDAY}", f"/console/appointments/{site.visit.id}"
    assert ">Will come<" not in page_of(client, day) + page_of(client, page)

    with site.db.begin() as work:
        note_patient_confirmed(work, appointment_id=site.visit.id, now=NOW)

    assert ">Will come<" in page_of(client, day)
    assert "Said they will come" in page_of(client, page)
    press(client, site, "move", day=MONDAY, time="11:00", practitioner="lee")
    assert ">Will come<" not in page_of(client, day) + page_of(client, page)


def test_an_absence_is_settled_in_one_step_and_once(site: Site):
    second = book(site.db, site.catalogue, practitioner="lee", starts_at=NINE + 2 * HOUR)
    third = book(site.db, site.catalogue, practitioner="lee", starts_at=NINE + 4 * HOUR)
    client = site.logged_in("desk")
    page = page_of(client, f"/console/diary/absences?practitioner=lee&first={MONDAY}&last={MONDAY}")
    (key,) = re.findall(r'name="key" value="([^"]+)"', page)
    moving = re.findall(rf'name="choice-{site.visit.id}".*?value="(move~[^"]+)"', page, re.DOTALL)[0]
    assert "3 appointments can&#39;t take place." in page
    given = {
        "key": key, "practitioner": "lee", "first": MONDAY, "last": MONDAY, "reason": "flu",
        f"choice-{site.visit.id}": moving, f"choice-{second.id}": "cancel", f"choice-{third.id}": "leave",
    }  # fmt: skip

    reports = [send(client, "/console/diary/absences", sealed_by="/console/diary/absences", **given) for _ in range(2)]

    assert len({report.location for report in reports}) == 1
    report = page_of(client, reports[0].location)
    for words in ("Moved", "Cancelled", "A task for staff"):
        assert words in report
    assert (
        look(site, site.visit.id).starts_at != NINE or look(site, site.visit.id).practitioner_id != "practitioner-lee"
    )
    assert [look(site, one.id).status for one in (second, third)] == [STATUS.CANCELLED, STATUS.BOOKED]
    assert "Away" in page_of(client, f"/console/diary?day={MONDAY}&practitioner=lee")
    assert site.logged_in("oak").get(reports[0].location).status_code == 404
    assert client.get("/console/diary/absences/another").status_code == 404


def test_time_off_is_written_without_visits_and_taken_back(site: Site):
    client = site.logged_in()
    given = {"practitioner": "ito", "first": MONDAY, "last": "2027-03-16", "key": "k"}
    send(client, "/console/diary/absences", sealed_by="/console/diary/absences", **given)
    assert "Dr. Kenji Ito" in page_of(client, "/console/diary/absences").partition("Absences</h2>")[2]
    weeks = [page_of(client, f"/console/diary/week?day={day}") for day in ("2027-03-17", "2027-03-24")]
    assert ["Dr. Kenji Ito</b>" in week for week in weeks] == [True, False]

    backwards = client.get("/console/diary/absences?practitioner=ito&first=2027-03-16&last=2027-03-14")
    answers = [
        client.get(
            send(client, "/console/diary/absences/take-back", sealed_by="/console/diary/absences", **given).location
        )
        for _ in range(2)
    ]

    assert "It ends before it begins." in backwards.get_data(as_text=True)
    assert "The absence is taken back." in answers[0].get_data(as_text=True)
    assert "nothing to take back" in answers[1].get_data(as_text=True)
    with site.db.read() as session:
        ito = next(one for one in load_catalogue(session, clinic_id="clinic-elm").practitioners if one.key == "ito")
    assert ito.time_off == ()


def test_a_drop_and_a_click_mean_the_clocks_of_the_diary_they_are_made_in(site: Site):
    with site.db.begin() as work:
        place = select(Appointment.location_id).where(Appointment.id == site.visit.id).scalar_subquery()
        work.session.execute(update(Location).where(Location.id == place).values(timezone="America/Los_Angeles"))
        work.session.execute(update(Clinic).values(version=Clinic.version + 1))
    client = site.logged_in("desk")
    diary = page_of(client, f"/console/diary?day={MONDAY}")
    assert 'name="zone" value="America/New_York"' in diary
    assert "6:00 AM PDT" in diary
    revision = re.search(r'data-revision="(\d+)"', diary)
    assert revision is not None

    move(client, site.visit, revision=revision[1], time="14:00", zone="America/New_York")
    form = page_of(client, f"/console/diary/new?day={MONDAY}&time=14:00&practitioner=lee&zone=America/New_York")

    assert look(site, site.visit.id).starts_at == NINE + 5 * HOUR
    assert 'name="time" value="11:00"' in form


def test_a_listed_time_that_is_refused_is_the_one_for_which_the_rule_is_set_aside(site: Site):
    client = site.logged_in("desk")
    page = booking(client, slot="2027-03-15T22:00:00+00:00~lee~main~", duration="9" * 5000).get_data(as_text=True)
    [day] = re.findall(r'name="day" value="([^"]+)"', page)
    [time] = re.findall(r'name="time" value="([^"]+)"', page)

    booking(client, slot="", day=day, time=time, override_reason="on call")

    assert "Do it all the same" in page
    with site.db.read() as session:
        latest = session.scalars(select(Appointment.starts_at).order_by(Appointment.starts_at.desc())).first()
    assert latest == datetime(2027, 3, 15, 22, 0, tzinfo=UTC)


def test_a_click_into_the_second_of_two_like_times_books_that_one(site: Site):
    clicked = "/console/diary/new?day=2027-11-07&time=01:30&is_second=1&practitioner=lee"
    client = site.logged_in("desk")

    form = page_of(client, clicked)
    booking(client, day="2027-11-07", time="01:30", is_second="1", override_reason="on call")

    assert 'name="is_second" value="1" checked' in form
    with site.db.read() as session:
        latest = session.scalars(select(Appointment.starts_at).order_by(Appointment.starts_at.desc())).first()
    assert latest == datetime(2027, 11, 7, 6, 30, tzinfo=UTC)


def test_a_time_between_the_steps_of_the_clock_is_explained(site: Site):
    page = booking(site.logged_in("desk"), time="10:05").get_data(as_text=True)

    assert "Appointments begin every 15 minutes." in page
    assert "Nothing can be booked for that time." not in page


def test_who_leaves_at_three_is_away_from_then_on_and_the_morning_stays(site: Site):
    morning, late = (
        book(site.db, site.catalogue, practitioner="lee", starts_at=NINE + hours * HOUR) for hours in (2, 6)
    )
    client, absences = site.logged_in("desk"), "/console/diary/absences"
    given = {"practitioner": "lee", "first": MONDAY, "last": MONDAY, "from": "15:00", "until": ""}
    page = client.get(absences, query_string=given).get_data(as_text=True)
    assert "1 appointment can&#39;t take place." in page
    assert 'name="from" value="15:00"' in page

    settled = send(client, absences, sealed_by=absences, key="k", **{f"choice-{late.id}": "cancel"}, **given)

    assert "from 3:00" in page_of(client, settled.location)
    assert [look(site, one.id).status for one in (morning, late)] == [STATUS.BOOKED, STATUS.CANCELLED]
    assert "Away 3:00" in page_of(client, f"/console/diary?day={MONDAY}&practitioner=lee")
    assert client.get(absences, query_string={**given, "from": "25:00"}).status_code == 404
    ends_first = client.get(absences, query_string={**given, "until": "14:00"}).get_data(as_text=True)
    assert "It ends before it begins." in ends_first
    taken_back = send(client, f"{absences}/take-back", sealed_by=absences, **given)
    assert "The absence is taken back." in page_of(client, taken_back.location)
    assert "Away" not in page_of(client, f"/console/diary?day={MONDAY}&practitioner=lee")


def test_a_practitioner_sees_and_changes_their_own_diary_only(site: Site):
    theirs = book(site.db, site.catalogue, practitioner="ben-carter", starts_at=NINE + HOUR)
    now_is(site, NINE)
    client = site.logged_in("lee")

    day = page_of(client, f"/console/diary?day={MONDAY}")
    own = press(client, site, "arrived")

    assert day.count(">Ann Smith<") == 1
    assert "New appointment" not in day
    assert "is marked as arrived" in own
    assert "Move</a>" not in own
    assert client.get(f"/console/appointments/{theirs.id}").status_code == 404
    sealed = f"/console/appointments/{site.visit.id}"
    refused = {
        f"/console/appointments/{theirs.id}/arrived": 404,
        f"/console/appointments/{theirs.id}/notes": 404,
        f"/console/appointments/{site.visit.id}/move": 403,
        f"/console/appointments/{site.visit.id}/cancel": 403,
        "/console/diary/new": 403,
        "/console/diary/absences": 403,
    }
    assert {path: send(client, path, sealed_by=sealed, text="x").status_code for path in refused} == refused
    assert client.get("/console/diary?practitioner=ben-carter").status_code == 404
    assert client.get("/console/diary/rooms").status_code == 403


def test_another_clinic_moves_and_books_nothing_here(site: Site):
    client = site.logged_in("oak")
    home = "/console/diary/absences"
    for name in ("move", "arrived", "cancel", "notes"):
        answer = send(client, f"/console/appointments/{site.visit.id}/{name}", sealed_by=home, revision="1", text="x")
        assert answer.status_code == 404
    assert client.get(f"/console/appointments/{site.visit.id}/move").status_code == 404
    assert look(site, site.visit.id) == site.visit


def test_a_hold_can_be_seen_and_not_moved(site: Site):
    with site.db.begin() as work:
        held = place_hold(
            work, site.catalogue, service_id="service-cleaning", location_id="location-main", starts_at=NINE + HOUR,
            practitioner_ids=("practitioner-lee",), conversation_id="talking", source=Source.SMS, now=NOW,
        )  # fmt: skip
    client = site.logged_in()

    assert "Held" in page_of(client, f"/console/diary?day={MONDAY}")
    asked = client.get(f"/console/appointments/{held.id}/move")
    assert "can&#39;t be changed any more" in page_of(client, asked.location)
    dropped = move(client, held, time="14:00", revision=revision_of(site, held.id))
    assert "can&#39;t be changed any more" in page_of(client, dropped.location)
    assert look(site, held.id).starts_at == NINE + HOUR
