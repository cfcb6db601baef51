"""Slots are what somebody finds who walks through the clinic's days minute by minute, in every zone and on every night."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.availability import Busy, slots
from booking.spans import Span
from booking.values import (
    BookingRules,
    Catalogue,
    ClinicId,
    DateSpan,
    LocationInfo,
    PractitionerInfo,
    ResourceInfo,
    Slot,
    SlotQuery,
    WorkingHours,
)
from kernel.interval import Interval, wall_to_instant
from tests.support.clinics import a_practitioner, a_service, elm_catalogue, weekly

pytestmark = pytest.mark.unit

MINUTE = timedelta(minutes=1)


# Days on which clocks change, forward and back, and one that a country skipped; and an ordinary one.
NASTY_DAYS = [
    ("America/New_York", date(2027, 3, 14)),
    ("America/New_York", date(2027, 11, 7)),
    ("Europe/Madrid", date(2027, 3, 28)),
    ("Australia/Lord_Howe", date(2027, 4, 4)),
    ("Australia/Lord_Howe", date(2027, 10, 3)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("America/Havana", date(2027, 3, 14)),
    ("America/Havana", date(2027, 11, 7)),
    ("Africa/Cairo", date(2027, 4, 30)),
    ("Asia/Kathmandu", date(2027, 3, 1)),
    ("America/St_Johns", date(2010, 11, 7)),
]


@dataclasses.dataclass(frozen=True)
class Case:
    catalogue: Catalogue
    query: SlotQuery
    busy: Busy


minutes_of_day = st.integers(0, 24 * 4).map(lambda quarter: timedelta(minutes=15 * quarter))


@st.composite
def hours(draw: st.DrawFn, *, place: str) -> list[WorkingHours]:
    found = []
    free = draw(st.sets(st.integers(0, 6), max_size=2))
    whole_day = st.just([timedelta(0), timedelta(hours=24)])
    some_hours = st.lists(minutes_of_day, unique=True, min_size=2, max_size=4).map(sorted)
    for weekday in sorted(set(range(7)) - free):
        edges = draw(whole_day | some_hours)
        for start, end in zip(edges[::2], edges[1::2], strict=False):
            week = weekly(weekday, start=start / timedelta(hours=1), end=end / timedelta(hours=1))
            found += [WorkingHours(place, one) for one in week]
    return found


@st.composite
def cases(draw: st.DrawFn) -> Case:
    zone_name, nasty_day = draw(st.sampled_from(NASTY_DAYS))
    zone = ZoneInfo(zone_name)
    around = st.integers(-2, 2).map(lambda offset: nasty_day + timedelta(days=offset))
    spans_of_days = st.lists(around.map(lambda day: DateSpan(day, day + timedelta(days=1))), max_size=1)
    location = LocationInfo(
        id="location-here",
        key="here",
        name="Here",
        address="",
        zone=zone,
        phone=None,
        transfer_to=None,
        hours=tuple(one.weekly for one in draw(hours(place="location-here"))),
        closures=tuple(draw(spans_of_days)),
    )
    service = a_service(
        "visit",
        "Visit",
        duration=MINUTE * draw(st.sampled_from([10, 30, 45, 90])),
        buffer_before=MINUTE * draw(st.sampled_from([0, 5])),
        buffer_after=MINUTE * draw(st.sampled_from([0, 10])),
        resources=draw(st.sampled_from([(), ("room",), ("room", "device"), ("room", "room")])),
    )
    people = tuple(
        dataclasses.replace(
            a_practitioner(key, key, services=("visit",), skills=(), hours={}, gender="female"),
            hours=tuple(draw(hours(place="location-here"))),
            time_off=tuple(draw(spans_of_days)),
        )
        for key in ("ada", "bea")[: draw(st.integers(1, 2))]
    )
    rooms = tuple(
        ResourceInfo(f"resource-{key}", key, kind, "location-here", f"schedule-{key}")
        for key, kind in (("one", "room"), ("two", "room"), ("tool", "device"))
    )
    catalogue = Catalogue(
        clinic_id=ClinicId("clinic"),
        key="clinic",
        version=1,
        name="Clinic",
        country="US",
        zone=zone,
        languages=("en",),
        phone=None,
        transfer_to=None,
        rules=BookingRules(step=MINUTE * draw(st.sampled_from([15, 20, 45, 60]))),
        locations=(location,),
        services=(service,),
        practitioners=people,
        resources=rooms,
    )
    begin = wall_to_instant(datetime.combine(nasty_day, datetime.min.time()), zone) - timedelta(hours=30)
    busy_span = st.tuples(st.integers(0, 60 * 60), st.integers(1, 200)).map(
        lambda pair: (int(begin.timestamp()) + 60 * pair[0], int(begin.timestamp()) + 60 * (pair[0] + pair[1]))
    )
    busy = {
        schedule_id: draw(st.lists(busy_span, max_size=2))
        for schedule_id in (*(person.schedule_id for person in people), *(room.schedule_id for room in rooms))
    }
    start = begin + MINUTE * draw(st.integers(0, 20 * 60))
    query = SlotQuery("service-visit", Interval(start, start + timedelta(hours=draw(st.integers(1, 40)))))
    return Case(catalogue, query, busy)


def walked(case: Case) -> list[Slot]:
    """Look at every minute of the span, and for each at every minute of the visit there would be."""
    catalogue, service, location = case.catalogue, case.catalogue.services[0], case.catalogue.locations[0]
    found = []
    at = case.query.span.start
    while at < case.query.span.end:
        wall = at.astimezone(location.zone)
        on_grid = (wall.hour * 60 + wall.minute) % (catalogue.rules.step // MINUTE) == 0 and wall.second == 0
        claim = (at - service.buffer_before, at + service.duration + service.buffer_after)
        if on_grid and rooms_are_free(case, claim):
            for person in catalogue.practitioners:
                at_work = all(
                    works_at(person, location, at + MINUTE * minute) for minute in range(service.duration // MINUTE)
                )
                if at_work and is_free(case.busy.get(person.schedule_id, ()), claim):
                    found.append(Slot(at, person.id, location.id, service.id, at + service.duration))
        at += MINUTE
    return found


def works_at(person: PractitionerInfo, location: LocationInfo, at: datetime) -> bool:
    near = at.astimezone(location.zone).date()
    for day in (near - timedelta(days=1), near, near + timedelta(days=1)):
        if any(span.first <= day < span.end for span in (*location.closures, *person.time_off)):
            continue
        midnight = datetime.combine(day, datetime.min.time())
        for mine in person.hours:
            for opening in location.hours:
                if mine.weekly.weekday == opening.weekday == day.weekday() and all(
                    wall_to_instant(midnight + one.start, location.zone)
                    <= at
                    < wall_to_instant(midnight + one.end, location.zone)
                    for one in (mine.weekly, opening)
                ):
                    return True
    return False


def rooms_are_free(case: Case, claim: tuple[datetime, datetime]) -> bool:
    free = Counter(
        room.kind for room in case.catalogue.resources if is_free(case.busy.get(room.schedule_id, ()), claim)
    )
    return all(free[kind] >= needed for kind, needed in Counter(case.catalogue.services[0].resources).items())


def is_free(busy: Sequence[Span], claim: tuple[datetime, datetime]) -> bool:
    return not any(start < claim[1].timestamp() and claim[0].timestamp() < end for start, end in busy)


@settings(max_examples=40, deadline=None)
@given(cases())
def test_slots_are_what_a_walk_through_every_minute_finds(case: Case):
    assert slots(case.catalogue, query=case.query, busy=case.busy) == walked(case)


ELM = elm_catalogue()


def starts(service: str, person: str, first: datetime, last: datetime, busy: Busy | None = None) -> list[str]:
    query = SlotQuery(f"service-{service}", Interval(first, last), (f"practitioner-{person}",))
    zone = ELM.zone
    return [f"{one.starts_at.astimezone(zone):%a %H:%M}" for one in slots(ELM, query=query, busy=busy or {})]


def test_opening_hours_end_a_working_day_and_breaks_divide_it():
    day = datetime(2027, 3, 18, 0, 0, tzinfo=UTC)

    found = starts("filling", "lee", day, day + timedelta(days=1))

    assert found == [f"Thu {hour:02}:{minute:02}" for hour in (9, 10) for minute in (0, 15, 30, 45)] + ["Thu 11:00"] + [
        f"Thu {hour:02}:{minute:02}" for hour in (13, 14, 15) for minute in (0, 15, 30, 45)
    ] + ["Thu 16:00"]


def test_a_visit_before_leaves_room_for_both_buffers():
    nine = datetime(2027, 3, 15, 13, 0, tzinfo=UTC)
    visit = (int(nine.timestamp()) - 300, int(nine.timestamp()) + 55 * 60)

    found = starts("cleaning", "lee", nine, nine + timedelta(hours=2), {"schedule-lee": [visit]})

    # Until 9:45 the visit, until 9:55 its buffer, then 5 minutes before the next.
    assert found[0] == "Mon 10:00"


def test_wall_time_stays_the_same_when_the_clocks_have_changed():
    friday, monday = (datetime(2027, 3, day, 0, 0, tzinfo=UTC) for day in (12, 15))

    before = starts("physical", "ruiz", friday, friday + timedelta(days=1))
    after = starts("physical", "ruiz", monday, monday + timedelta(days=1))

    assert [one[4:] for one in before] == [one[4:] for one in after]
    assert before[0] == "Fri 08:00"


def test_slots_come_by_start_and_then_by_key_of_the_practitioner():
    monday = Interval(datetime(2027, 3, 15, 13, tzinfo=UTC), datetime(2027, 3, 15, 13, 30, tzinfo=UTC))

    found = slots(ELM, query=SlotQuery("service-flu-shot", monday), busy={})

    assert [(one.starts_at.minute, one.practitioner_id[13:]) for one in found] == [
        (minute, key) for minute in (0, 15) for key in ("ben-carter", "ito", "ruiz")
    ]


def test_hours_that_hold_for_a_season_begin_and_end_on_its_days():
    lee = ELM.practitioner("practitioner-lee")
    seasonal = dataclasses.replace(
        lee,
        hours=tuple(
            dataclasses.replace(one, valid_from=date(2027, 3, 16), valid_until=date(2027, 3, 17)) for one in lee.hours
        ),
        time_off=(),
    )
    catalogue = dataclasses.replace(ELM, practitioners=(seasonal,))
    week = Interval(datetime(2027, 3, 15, tzinfo=UTC), datetime(2027, 3, 20, tzinfo=UTC))

    found = slots(catalogue, query=SlotQuery("service-cleaning", week), busy={})

    assert {one.starts_at.date() for one in found} == {date(2027, 3, 16)}


def test_somebody_off_at_one_location_still_works_at_the_other():
    ben = ELM.practitioner("practitioner-ben-carter")
    days = DateSpan(date(2027, 3, 15), date(2027, 3, 20), location_id="location-main")
    catalogue = dataclasses.replace(ELM, practitioners=(dataclasses.replace(ben, time_off=(days,)),))
    week = Interval(datetime(2027, 3, 15, tzinfo=UTC), datetime(2027, 3, 20, tzinfo=UTC))

    found = slots(catalogue, query=SlotQuery("service-flu-shot", week), busy={})

    assert {one.location_id for one in found} == {"location-riverside"}
