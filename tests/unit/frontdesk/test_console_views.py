from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from frontdesk.console.change_words import actor_words, change_words
from frontdesk.console.dates import DateWriter
from frontdesk.console.reads.visits import Visit
from frontdesk.console.stored_turn import StoredTurn
from frontdesk.console.turn_view import turn_view
from frontdesk.console.turn_words import KeyNames, act_words, command_words
from frontdesk.console.words import load_words

pytestmark = pytest.mark.unit

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2027, 3, 15, 14, 20, tzinfo=UTC)  # Monday, 10:20 in New York
WORDS = load_words()
DATES = DateWriter(WORDS, zone=NEW_YORK, now=NOW)
NAMES = KeyNames(
    services={"main": "Main check"}, practitioners={"lee": "Dr. Mina Lee"}, locations={"main": "Main Street"}
)


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (datetime(2027, 3, 15, 4, 0, tzinfo=UTC), "Today, 12:00 AM"),
        (datetime(2027, 3, 15, 3, 59, tzinfo=UTC), "Yesterday, 11:59 PM"),
        (datetime(2027, 3, 14, 6, 30, tzinfo=UTC), "Yesterday, 1:30 AM"),  # the night in which clocks go forward
        (datetime(2027, 3, 14, 7, 0, tzinfo=UTC), "Yesterday, 3:00 AM"),
        (datetime(2027, 3, 12, 17, 0, tzinfo=UTC), "Fri, Mar 12, 12:00 PM"),
        (datetime(2026, 12, 31, 23, 5, tzinfo=UTC), "Dec 31, 2026, 6:05 PM"),
    ],
)
def test_an_instant_is_written_in_the_clinics_zone(at: datetime, written: str):
    assert DATES.moment(at) == written


@pytest.mark.parametrize(
    ("before", "written"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=2), "2 days ago"),
    ],
)
def test_an_age_is_written_in_the_largest_unit_that_fits(before: timedelta, written: str):
    assert DATES.age(NOW - before) == written


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ({"name": "start_booking"}, "Wants to book"),
        ({"name": "give_practitioner", "keys": ["lee"], "text": "doctor lee"}, "With: Dr. Mina Lee"),
        ({"name": "give_practitioner", "keys": [], "text": "doctor who"}, "With"),
        ({"name": "give_service", "keys": ["main", "gone"]}, "Service: Main check, gone"),
        ({"name": "give_location", "keys": ["main"]}, "Place: Main Street"),
        ({"name": "give_time", "text": "next Monday", "wish": {"days": []}}, "When: next Monday"),
        ({"name": "choose", "index": 1}, "Chooses option 2"),
        ({"name": "choose", "index": -1}, "Chooses option the last one"),
        ({"name": "running_late", "minutes": 10}, "Is running late by 10 minutes"),
        ({"name": "running_late", "minutes": None}, "Is running late"),
        ({"name": "give_name", "value": "{oops} <b>"}, "Name: {oops} <b>"),
        ({"name": "order_pizza"}, "order pizza"),
    ],
)
def test_a_command_is_said_in_words_with_names_for_keys(command: dict[str, object], said: str):
    assert command_words(command, names=NAMES, words=WORDS) == said


def test_an_act_is_said_in_words():
    assert act_words({"say": "read-back", "fields": {}}, words=WORDS) == "Reads back before booking"


def test_a_key_press_is_shown_as_an_event_and_not_as_words_said():
    view = turn_view(a_turn(kind="keys", said="05021984"), names=NAMES, words=WORDS)

    assert (view.said, view.event) == ("", "pressed 05021984")


def test_the_time_of_a_turn_is_the_sum_of_its_stages():
    view = turn_view(a_turn(timings={"read": 1.25, "decide": 12.6}), names=NAMES, words=WORDS)

    assert view.total_ms == "14"
    assert [(stage.words, stage.ms) for stage in view.stages] == [("Reading", "1.2"), ("Deciding and writing", "13")]


def test_what_a_turn_wrote_leads_to_the_appointment():
    view = turn_view(a_turn(writes=[{"what": "booked", "appointment_id": "a1"}]), names=NAMES, words=WORDS)

    assert [(entry.words, entry.appointment_id) for entry in view.written] == [("Booked", "a1")]


def test_a_promise_to_the_patient_is_shown_as_a_task():
    view = turn_view(a_turn(writes=[{"what": "task call-back", "task_id": "t1"}]), names=NAMES, words=WORDS)

    assert [(entry.words, entry.appointment_id) for entry in view.written] == [("Task for staff: Call back", None)]


def test_a_move_shows_the_old_and_the_new_time_in_the_zone_of_the_place():
    phrases = change_words(
        {"starts_at": "2027-03-13T14:00:00+00:00", "practitioner_id": "p1", "sequence": 0},
        {"starts_at": "2027-03-15T14:00:00+00:00", "practitioner_id": "p1", "sequence": 1},
        names={"p1": "Dr. Mina Lee"},
        words=WORDS,
        dates=DATES,
        zone="America/New_York",
    )

    assert phrases == ["Sat, Mar 13, 9:00 AM → Mon, Mar 15, 10:00 AM"]


@pytest.mark.parametrize(("actor", "said"), [("patient", "Patient"), ("system", "Frontdesk"), ("staff:maria", "maria")])
def test_an_actor_is_said_in_words(actor: str, said: str):
    assert actor_words(actor, words=WORDS) == said


def test_a_hold_that_ran_out_is_nobodys():
    visit = a_visit("p", time(9), status="pending", hold_expires_at=NOW)

    assert visit.is_lapsed(now=NOW)
    assert not visit.is_lapsed(now=NOW - timedelta(seconds=1))


def a_turn(**changes: object) -> StoredTurn:
    fields: dict[str, object] = {
        "number": 1, "channel": "sms", "at": NOW, "kind": "said", "said": "hello", "reply": "Hi", "message_key": "sms:SM1", "catalogue_version": 1,
        "commands": [], "acts": [], "writes": [], "results": [], "timings": {}, "tokens_in": 0, "tokens_out": 0, "cost": None,
    }  # fmt: skip
    return StoredTurn(**{**fields, **changes})  # type: ignore[arg-type]


def a_visit(
    practitioner_id: str, at: time, *, status: str = "booked", hold_expires_at: datetime | None = None
) -> Visit:
    start = datetime.combine(date(2027, 3, 15), at)
    return Visit(
        id="a1",
        status=status,
        service="Dental cleaning",
        practitioner="Dr. Mina Lee",
        practitioner_id=practitioner_id,
        location="Main Street",
        patient="Ann Smith",
        starts_at=start.replace(tzinfo=NEW_YORK),
        ends_at=start.replace(tzinfo=NEW_YORK) + timedelta(minutes=45),
        starts_local=start,
        ends_local=start + timedelta(minutes=45),
        hold_expires_at=hold_expires_at,
    )
