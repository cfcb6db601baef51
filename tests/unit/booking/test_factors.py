"""Each thing that makes time free or takes it away, one at a time, in a small clinic that is open all Monday."""

import dataclasses
import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from booking import availability
from booking.availability import Busy, Full, Wanted
from booking.spans import instant
from booking.travel import BY_CAR, GreatCircle, PlacedSpan, addresses
from booking.values import (
    BookingRules,
    Catalogue,
    ClinicId,
    DatedHours,
    DateSpan,
    LocationInfo,
    Mode,
    Place,
    ResourceInfo,
    SlotQuery,
    WeeklyHours,
    WorkingHours,
)
from kernel.interval import Interval
from tests.support.clinics import a_practitioner, a_service, weekly

pytestmark = pytest.mark.unit

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = date(2027, 3, 15)
HOUR = timedelta(hours=1)
CLINIC, HOME, FAR_HOME = Place(42.65, -73.75), Place(42.66, -73.75), Place(42.65, -73.35)
STEP_OF_AN_HOUR = BookingRules(step=HOUR)


def second(hour: float, day: date = MONDAY, zone: ZoneInfo = NEW_YORK) -> int:
    return int((datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(hours=hour)).timestamp())


def span_of_day(day: date = MONDAY, *, zone: ZoneInfo = NEW_YORK, days: int = 1) -> Interval:
    first, end = (
        datetime(one.year, one.month, one.day, tzinfo=zone).astimezone(UTC) for one in (day, day + timedelta(days=days))
    )
    return Interval(first, end)


HERE = LocationInfo(
    id="location-here",
    key="here",
    name="Here",
    address="",
    zone=NEW_YORK,
    phone=None,
    transfer_to=None,
    hours=weekly(0, start=9, end=12),
    closures=(),
    place=CLINIC,
)
ADA = a_practitioner(
    "ada", "Ada", services=("visit",), skills=(), hours={"here": weekly(0, start=9, end=12)}, gender="female"
)
VISIT = a_service("visit", "Visit", duration=HOUR)


def a_clinic(location=HERE, *people, service=VISIT, rules=STEP_OF_AN_HOUR, resources=()) -> Catalogue:
    return Catalogue(
        clinic_id=ClinicId("clinic"),
        key="clinic",
        version=1,
        name="Clinic",
        country="US",
        zone=location.zone,
        languages=("en",),
        phone=None,
        transfer_to=None,
        rules=rules,
        locations=(location,),
        services=(service,),
        practitioners=people or (ADA,),
        resources=tuple(resources),
    )


def found(
    catalogue: Catalogue, *, busy: Busy | None = None, full: Full | None = None, span=None, **asked: object
) -> list[str]:
    query = SlotQuery("service-visit", span or span_of_day(), **asked)  # type: ignore[arg-type]  # a builder of tests
    slots = availability.slots(catalogue, query=query, busy=busy or {}, full=full or {})
    zone = catalogue.zone
    return [f"{one.starts_at.astimezone(zone):%H:%M}" + ("?" if one.is_contingent else "") for one in slots]


def dated(start: float, end: float, *, is_open: bool, at: str | None = None) -> DatedHours:
    return DatedHours(MONDAY, start * HOUR, end * HOUR, is_open, at)


DAY_OFF = DateSpan(MONDAY, MONDAY + timedelta(days=1))


@pytest.mark.parametrize(
    ("dates", "starts"),
    [
        ((), ["09:00", "10:00", "11:00"]),
        ((dated(12, 14, is_open=True),), ["09:00", "10:00", "11:00"]),  # open, but nobody works
        ((dated(10, 11, is_open=False),), ["09:00", "11:00"]),
        ((dated(9, 12, is_open=True), dated(9, 10, is_open=False)), ["10:00", "11:00"]),  # closings come last
    ],
)
def test_a_location_opens_and_closes_on_a_date_of_its_own(dates: tuple[DatedHours, ...], starts: list[str]):
    assert found(a_clinic(dataclasses.replace(HERE, dated=dates))) == starts


def test_a_location_closed_for_the_day_may_be_open_for_some_hours_of_it():
    location = dataclasses.replace(HERE, closures=(DAY_OFF,), dated=(dated(10, 11, is_open=True),))

    assert found(a_clinic(location)) == ["10:00"]


@pytest.mark.parametrize(
    ("dates", "starts"),
    [
        ((dated(8, 9, is_open=True, at="location-here"),), ["09:00", "10:00", "11:00"]),  # works, but it is closed
        ((dated(10, 11, is_open=False),), ["09:00", "11:00"]),
        ((dated(10, 11, is_open=False, at="location-here"),), ["09:00", "11:00"]),
        ((dated(10, 11, is_open=False, at="location-there"),), ["09:00", "10:00", "11:00"]),
    ],
)
def test_somebody_works_more_or_less_on_a_date(dates: tuple[DatedHours, ...], starts: list[str]):
    assert found(a_clinic(HERE, dataclasses.replace(ADA, dated=dates))) == starts


def test_somebody_away_for_the_day_may_come_for_an_hour():
    ada = dataclasses.replace(ADA, time_off=(DAY_OFF,), dated=(dated(10, 11, is_open=True, at="location-here"),))

    assert found(a_clinic(HERE, ada)) == ["10:00"]


def test_who_works_at_a_place_on_one_date_only_can_be_booked_on_it():
    ada = dataclasses.replace(ADA, hours=(), dated=(dated(10, 12, is_open=True, at="location-here"),))

    assert found(a_clinic(HERE, ada)) == ["10:00", "11:00"]


def test_time_that_staff_must_agree_to_is_marked_and_only_where_it_is_needed():
    contingent = WorkingHours("location-here", WeeklyHours(0, 10 * HOUR, 12 * HOUR), is_contingent=True)
    sure = WorkingHours("location-here", WeeklyHours(0, 9 * HOUR, 11 * HOUR))
    catalogue = a_clinic(HERE, dataclasses.replace(ADA, hours=(sure, contingent)))
    wanted = Wanted(catalogue, VISIT, HERE)

    assert found(catalogue) == ["09:00", "10:00", "11:00?"]
    assert [
        availability.is_contingent(wanted, catalogue.practitioners[0], starts_at=instant(second(hour)))
        for hour in (9, 10, 11)
    ] == [False, False, True]


def test_each_location_has_the_step_of_its_own_rules():
    location = dataclasses.replace(HERE, rules=BookingRules(step=timedelta(minutes=30)))

    assert found(a_clinic(location)) == ["09:00", "09:30", "10:00", "10:30", "11:00"]


def test_a_longer_visit_needs_longer_free_time_and_ends_later():
    flexible = dataclasses.replace(VISIT, longest=3 * HOUR, duration_step=HOUR)
    catalogue = a_clinic(service=flexible)
    query = SlotQuery("service-visit", span_of_day(), duration=2 * HOUR)

    slots = availability.slots(catalogue, query=query, busy={})

    assert found(catalogue, duration=2 * HOUR) == ["09:00", "10:00"]
    assert {slot.ends_at - slot.starts_at for slot in slots} == {2 * HOUR}


def test_a_day_on_which_somebody_has_enough_offers_nothing_of_theirs_there():
    full = {("location-here", ADA.id): [(second(0), second(24))]}

    assert found(a_clinic(), full=full) == []
    assert found(a_clinic(), full={("location-there", ADA.id): [(second(0), second(24))]}) != []


def a_room(seat: int = 0, **changes: object) -> ResourceInfo:
    room = ResourceInfo("resource-room", "room", "room", "location-here", f"seat-{seat}")
    return dataclasses.replace(room, **changes)  # type: ignore[arg-type]  # a builder of tests


IN_A_ROOM = dataclasses.replace(VISIT, resources=("room",))


@pytest.mark.parametrize(
    ("room", "starts"),
    [
        (a_room(), ["09:00", "10:00", "11:00"]),
        (a_room(hours=weekly(0, start=9, end=10.5)), ["09:00"]),  # the whole visit, not only its start
        (a_room(hours=weekly(1, start=9, end=12)), []),
        (a_room(time_off=(DAY_OFF,)), []),
        (a_room(time_off=(dataclasses.replace(DAY_OFF, location_id="location-there"),)), ["09:00", "10:00", "11:00"]),
    ],
)
def test_a_room_has_hours_and_days_off(room: ResourceInfo, starts: list[str]):
    assert found(a_clinic(service=IN_A_ROOM, resources=[room])) == starts


def test_a_room_for_two_is_lacking_when_both_seats_are_taken():
    catalogue = a_clinic(service=IN_A_ROOM, resources=[a_room(0), a_room(1)])
    nine, ten = (second(9), second(10)), (second(10), second(11))

    assert found(catalogue, busy={"seat-0": [nine, ten], "seat-1": [ten]}) == ["09:00", "11:00"]


def test_the_rooms_that_are_claimed_are_free_by_the_same_reckoning():
    closed_later = a_room(0, hours=weekly(0, start=9, end=10.5))
    catalogue = a_clinic(service=IN_A_ROOM, resources=[closed_later, a_room(1)])
    wanted = Wanted(catalogue, IN_A_ROOM, HERE)

    def room_at(hour: float, busy: Busy) -> list[str] | None:
        free = availability.free_resources(wanted, starts_at=instant(second(hour)), busy=busy)
        return None if free is None else [one.schedule_id for one in free]

    assert room_at(9, {}) == ["seat-0"]
    assert room_at(10, {}) == ["seat-1"]
    assert room_at(10, {"seat-1": [(second(10.5), second(11))]}) is None


AT_HOME = dataclasses.replace(VISIT, mode=Mode.HOME)


def in_all_day(*, service) -> Catalogue:
    """Give a clinic with a step of a quarter of an hour, so that minutes on the way show."""
    return a_clinic(service=service, rules=BookingRules(step=timedelta(minutes=15)))


def test_a_home_visit_leaves_time_for_the_way_from_the_visit_before():
    taken = {"schedule-ada": [PlacedSpan(second(9), second(10), CLINIC)]}
    way = BY_CAR.between(CLINIC, HOME)

    starts = found(in_all_day(service=AT_HOME), busy=taken, place=HOME)

    assert timedelta(0) < way <= timedelta(minutes=15)
    assert starts[0] == "10:15"


def test_a_visit_leaves_time_for_the_way_to_the_visit_after():
    taken = {"schedule-ada": [PlacedSpan(second(11), second(12), HOME)]}

    assert found(in_all_day(service=VISIT), busy=taken)[-1] == "09:45"


def test_nobody_is_on_the_way_between_visits_at_one_address_or_when_no_address_is_known():
    before = (second(9), second(10))

    assert (
        found(in_all_day(service=AT_HOME), busy={"schedule-ada": [PlacedSpan(*before, HOME)]}, place=HOME)[0] == "10:00"
    )
    assert found(in_all_day(service=AT_HOME), busy={"schedule-ada": [before]}, place=HOME)[0] == "10:00"
    assert found(in_all_day(service=AT_HOME), busy={"schedule-ada": [PlacedSpan(*before, CLINIC)]})[0] == "10:00"
    by_video = dataclasses.replace(VISIT, mode=Mode.TELEHEALTH)
    assert found(in_all_day(service=by_video), busy={"schedule-ada": [PlacedSpan(*before, FAR_HOME)]})[0] == "10:00"


def test_a_long_way_takes_what_lies_between():
    taken = {"schedule-ada": [PlacedSpan(second(9), second(10), FAR_HOME)]}
    way = BY_CAR.between(FAR_HOME, CLINIC)

    starts = found(in_all_day(service=VISIT), busy=taken)

    assert timedelta(minutes=60) < way <= timedelta(minutes=75)
    assert starts == []  # 33 km away: after the way there is no whole hour left
    soon = {"schedule-ada": [PlacedSpan(second(8.5), second(9.5), FAR_HOME)]}
    assert found(in_all_day(service=VISIT), busy=soon) == ["10:45", "11:00"]


def test_the_great_circle_is_long_enough_and_the_same_both_ways():
    new_york, boston = Place(40.7128, -74.0060), Place(42.3601, -71.0589)
    straight = GreatCircle(speed_km_h=100.0, detour=1.0)

    # 306 km as the crow flies.
    assert timedelta(hours=3, minutes=3) <= straight.between(new_york, boston) <= timedelta(hours=3, minutes=5)
    assert straight.between(new_york, boston) == straight.between(boston, new_york)
    assert straight.between(boston, boston) == timedelta(0)


def test_a_clinic_with_one_address_knows_of_no_ways():
    assert addresses(a_clinic()) is None
    assert addresses(a_clinic(service=AT_HOME)) is not None


def test_the_first_start_is_the_first_of_all_starts_however_far_away():
    bea = dataclasses.replace(ADA, id="practitioner-bea", key="bea", schedule_id="schedule-bea")
    catalogue = a_clinic(HERE, ADA, bea)
    wanted = Wanted(catalogue, VISIT, HERE)
    quarter = span_of_day(days=90)
    weeks = [MONDAY + timedelta(days=7 * number) for number in range(5)]
    busy = {"schedule-ada": [(second(0), second(24, weeks[-1]))], "schedule-bea": [(second(0), second(10, weeks[4]))]}

    first = availability.first_start(wanted, catalogue.practitioners, span=quarter, busy=busy)
    starts = availability.starts_by_practitioner(wanted, catalogue.practitioners, span=quarter, busy=busy)

    assert first is not None
    assert first == (starts[bea.id][0], bea)
    assert first[0] == second(10, weeks[4])
    assert min(starts[ADA.id]) > first[0]
    nobody = {"schedule-ada": [(0, 2**40)], "schedule-bea": [(0, 2**40)]}
    assert availability.first_start(wanted, catalogue.practitioners, span=quarter, busy=nobody) is None


def test_of_several_who_are_free_first_the_first_in_the_clinics_order_is_named():
    bea = dataclasses.replace(ADA, id="practitioner-bea", key="bea", schedule_id="schedule-bea")
    catalogue = a_clinic(HERE, ADA, bea)
    wanted = Wanted(catalogue, VISIT, HERE)

    assert availability.first_start(wanted, catalogue.practitioners, span=span_of_day(), busy={}) == (second(9), ADA)
    starts = availability.starts_by_practitioner(wanted, catalogue.practitioners, span=span_of_day(), busy={})
    assert availability.practitioners_by_start(starts) == {second(hour): [ADA.id, bea.id] for hour in (9, 10, 11)}


ROUND_THE_CLOCK = tuple(WeeklyHours(weekday, timedelta(0), 24 * HOUR) for weekday in range(7))


@pytest.mark.parametrize(
    ("zone", "day", "hours_long"),
    [
        ("America/New_York", date(2027, 3, 14), 23),
        ("America/New_York", date(2027, 11, 7), 25),
        ("Europe/Madrid", date(2027, 3, 28), 23),
        ("Europe/Madrid", date(2027, 10, 31), 25),
        ("Australia/Lord_Howe", date(2027, 4, 4), 24.5),
        ("Australia/Lord_Howe", date(2027, 10, 3), 23.5),
        ("Asia/Kolkata", date(2027, 3, 14), 24),
        ("Pacific/Apia", date(2011, 12, 29), 24),  # the next day on the calendar there was the 31st
    ],
)
def test_a_day_round_the_clock_has_a_start_each_half_hour_however_long_it_is(zone: str, day: date, hours_long: float):
    place = dataclasses.replace(HERE, zone=ZoneInfo(zone), hours=ROUND_THE_CLOCK)
    ada = dataclasses.replace(ADA, hours=tuple(WorkingHours("location-here", one) for one in ROUND_THE_CLOCK))
    catalogue = a_clinic(place, ada, rules=BookingRules(step=timedelta(minutes=30)))

    span = span_of_day(day, zone=ZoneInfo(zone), days=2 if zone == "Pacific/Apia" else 1)

    starts = availability.starts_of(Wanted(catalogue, VISIT, place), ada, span=span, busy={})
    assert len(starts) == 2 * hours_long
    assert {later - earlier for earlier, later in itertools.pairwise(starts)} == {1800}


@pytest.mark.parametrize("minutes", [5, 10, 15, 20, 30, 45, 60])
def test_starts_lie_on_the_grid_from_midnight_whatever_the_opening_time(minutes: int):
    place = dataclasses.replace(HERE, hours=(WeeklyHours(0, timedelta(hours=9, minutes=7), 12 * HOUR),))
    catalogue = a_clinic(place, rules=BookingRules(step=timedelta(minutes=minutes)))

    starts = availability.starts_of(Wanted(catalogue, VISIT, place), ADA, span=span_of_day(), busy={})

    since_midnight = [(start - second(0)) // 60 for start in starts]
    assert since_midnight == [minute for minute in range(9 * 60 + 7, 11 * 60 + 1) if minute % minutes == 0]
