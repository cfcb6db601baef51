"""The scale and the columns of the diary."""

import dataclasses
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from booking.values import Catalogue, DateSpan
from frontdesk.console.axis import Axis, local_days
from frontdesk.console.dates import DateWriter
from frontdesk.console.reads.visits import Visit
from frontdesk.console.sheet import Diary, SheetMaker, Span
from frontdesk.console.words import load_words
from kernel.interval import Interval
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

NEW_YORK, LORD_HOWE = ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")
NOW = datetime(2027, 3, 15, 14, 20, tzinfo=UTC)  # Monday, 10:20 in New York
MONDAY = date(2027, 3, 15)
WORDS = load_words()


@pytest.mark.parametrize(
    ("at", "place"),
    [
        (datetime(2027, 11, 7, 4, 0, tzinfo=UTC), 0),
        (datetime(2027, 11, 7, 5, 30, tzinfo=UTC), 90),  # half past one
        (datetime(2027, 11, 7, 6, 0, tzinfo=UTC), 120),  # one o'clock again: the end of what ends then, too
        (datetime(2027, 11, 7, 6, 30, tzinfo=UTC), 150),  # half past one again
        (datetime(2027, 11, 7, 14, 0, tzinfo=UTC), 10 * 60),  # nine, an hour further down
        (datetime(2027, 11, 8, 5, 0, tzinfo=UTC), 25 * 60),
        (datetime(2027, 11, 9, 5, 0, tzinfo=UTC), 25 * 60),  # not of this day
    ],
)
def test_an_hour_that_comes_twice_stands_there_twice(at: datetime, place: int):
    axis = Axis.of([date(2027, 11, 7)], NEW_YORK)

    assert axis.place(at, day=date(2027, 11, 7)) == place


def test_nine_stands_beside_nine_in_the_week_in_which_clocks_go_back():
    days = [date(2027, 11, 1) + timedelta(days=number) for number in range(7)]
    axis = Axis.of(days, NEW_YORK)

    places = {axis.place(datetime.combine(day, time(9), NEW_YORK), day=day) for day in days}

    assert places == {axis.wall_minute(9 * 60)} == {10 * 60}
    assert [mark.hour for mark in axis.marks()][:5] == [0, 1, 1, 2, 3]
    assert [mark.at for mark in axis.marks()][:5] == [0, 60, 120, 180, 240]


def test_an_hour_that_is_skipped_stays_empty():
    day = date(2027, 3, 14)
    axis = Axis.of([day], NEW_YORK)

    assert (axis.again_min, axis.end) == (0, 24 * 60)
    assert axis.place(datetime(2027, 3, 14, 6, 59, tzinfo=UTC), day=day) == 119
    assert axis.place(datetime(2027, 3, 14, 7, 0, tzinfo=UTC), day=day) == 180


def test_half_an_hour_that_comes_twice_has_room_for_half_an_hour():
    day = date(2027, 4, 4)  # at two it is half past one again
    axis = Axis.of([day], LORD_HOWE)

    assert (axis.back_at, axis.again_min) == (120, 30)
    start, end = local_days(day, 1, LORD_HOWE)
    assert end - start == timedelta(hours=24, minutes=30)
    assert axis.place(end, day=day) == axis.end


def test_everybody_has_a_column_with_their_hours_what_is_taken_and_who_comes():
    catalogue = elm_catalogue()
    lee = catalogue.practitioners[0]
    meeting = Interval(datetime(2027, 3, 15, 18, 0, tzinfo=UTC), datetime(2027, 3, 15, 19, 0, tzinfo=UTC))

    sheet = a_maker(catalogue, [a_visit(lee.id, 7, 45)], {lee.schedule_id: [meeting]}).by_practitioner(
        MONDAY, catalogue.practitioners
    )

    assert [column.name for column in sheet.columns] == [each.name for each in catalogue.practitioners]
    first = sheet.columns[0]
    assert [placed.visit.patient for placed in first.visits] == ["Ann Smith"]
    assert first.working == (Span(9 * 60, 12 * 60), Span(13 * 60, 17 * 60))
    assert (first.busy, first.now) == ((Span(14 * 60, 15 * 60),), 10 * 60 + 20)
    assert (sheet.first, sheet.hours[0].label, sheet.total) == (7 * 60, "7 AM", 1)  # widened for the early visit


def test_a_day_on_which_nobody_works_says_why():
    catalogue = elm_catalogue()
    lee = catalogue.practitioners[0]

    def note(day: date) -> str | None:
        return a_maker(catalogue, []).by_practitioner(day, [lee]).columns[0].note

    closed = [dataclasses.replace(place, closures=(DateSpan(MONDAY, MONDAY + timedelta(days=1)),)) for place in PLACES]
    assert note(lee.time_off[0].first) == "Away"
    assert note(date(2027, 3, 19)) == "Not working here"
    assert note(MONDAY) is None
    catalogue = dataclasses.replace(catalogue, locations=tuple(closed), _by_id={})
    assert note(MONDAY) == "Closed"


def test_visits_of_somebody_who_left_keep_a_column():
    catalogue = elm_catalogue()

    sheet = a_maker(catalogue, [a_visit("gone", 9)]).by_practitioner(MONDAY, catalogue.practitioners)

    assert sheet.columns[-1].name == "Dr. Mina Lee"
    assert len(sheet.columns[-1].visits) == 1


def test_visits_at_one_time_stand_beside_each_other():
    catalogue = elm_catalogue()
    visits = [a_visit("practitioner-lee", 9), a_visit("practitioner-ito", 9, 15), a_visit("practitioner-ruiz", 10)]

    week = a_maker(catalogue, visits).by_day([MONDAY, MONDAY + timedelta(days=1)], None)

    assert [(one.lane, one.lanes) for one in week.columns[0].visits] == [(0, 2), (1, 2), (0, 1)]
    assert (week.columns[0].lanes, week.columns[1].lanes, week.total) == (2, 1, 3)


def test_a_room_shows_the_visits_that_take_it():
    catalogue = elm_catalogue()
    maker = a_maker(catalogue, [a_visit("practitioner-lee", 9)])
    maker = dataclasses.replace(
        maker, diary=Diary(maker.diary.visits, {}, {catalogue.resources[1].schedule_id: frozenset({"a1"})})
    )

    sheet = maker.by_room(MONDAY)

    assert [len(column.visits) for column in sheet.columns] == [0, 1]
    assert sheet.columns[0].name == "chair-1"


PLACES = elm_catalogue().locations


def a_maker(catalogue: Catalogue, visits: list[Visit], busy: dict[str, list[Interval]] | None = None) -> SheetMaker:
    return SheetMaker(
        catalogue,
        Diary(visits, busy or {}, {}),
        Axis.of([MONDAY], NEW_YORK),
        catalogue.locations,
        words=WORDS,
        dates=DateWriter(WORDS, zone=NEW_YORK, now=NOW),
        now=NOW,
    )


def a_visit(practitioner_id: str, hour: int, minute: int = 0) -> Visit:
    start = datetime.combine(MONDAY, time(hour, minute), NEW_YORK)
    end = start + timedelta(minutes=45)
    return Visit(
        id="a1" if practitioner_id == "practitioner-lee" else f"of-{practitioner_id}",
        status="booked",
        service="Dental cleaning",
        practitioner="Dr. Mina Lee",
        practitioner_id=practitioner_id,
        location="Main Street",
        patient="Ann Smith",
        starts_at=start,
        ends_at=end,
        starts_local=start.replace(tzinfo=None),
        ends_local=end.replace(tzinfo=None),
        hold_expires_at=None,
    )
