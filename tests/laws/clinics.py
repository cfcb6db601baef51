"""Random clinics, small and nasty: strategies of hypothesis for `booking.values` and what is taken in their diaries.

Each clinic stands in one zone and around one day that its clocks (or its calendar) make interesting. Times fall on few
distinct values, so that edges meet: hours that touch, visits that end when another begins, days off next to days on.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from booking.values import (
    BookingRules,
    Catalogue,
    ClinicId,
    DatedHours,
    DateSpan,
    LocationInfo,
    Mode,
    Place,
    PractitionerInfo,
    ResourceInfo,
    ServiceInfo,
    SlotQuery,
    WeeklyHours,
    WorkingHours,
)
from kernel.interval import Interval
from tests.support.clinics import a_service

ZONES: dict[str, tuple[date, ...]] = {
    "America/New_York": (date(2027, 3, 14), date(2027, 11, 7)),
    "Europe/Madrid": (date(2027, 3, 28), date(2027, 10, 31)),
    "Asia/Kolkata": (date(2028, 2, 29), date(2027, 12, 31)),
    "Australia/Lord_Howe": (date(2027, 4, 4), date(2027, 10, 3)),  # by half an hour
    "Pacific/Apia": (date(2011, 12, 30), date(2011, 9, 24), date(2012, 4, 1)),  # a day that never was
    "America/Havana": (date(2027, 3, 14), date(2027, 11, 7)),  # at midnight: one never is, one comes twice
    "America/Sao_Paulo": (date(2018, 2, 17), date(2018, 11, 4)),  # back from midnight into the day before
}

SCHEDULES = ("diary-0", "diary-1", "diary-2", "seat-0", "seat-1", "seat-2", "seat-3")
_KINDS = ("room", "laser")
Drawn = TypeVar("Drawn")
_STEPS = (5, 10, 15, 20, 30, 45, 60)


_PLACES = (Place(42.65, -73.75), Place(42.73, -73.69), Place(42.81, -73.94), Place(43.08, -73.78))

Taken = tuple[int, int, Place | None]
"""From a second until before another, and where, if it is a visit at an address that is known."""


@dataclass(frozen=True)
class Case:
    """A clinic, what is asked of it, and what is taken in each Schedule, buffers of visits included."""

    catalogue: Catalogue
    query: SlotQuery
    taken: dict[str, list[Taken]]


def one_in(number: int) -> st.SearchStrategy[bool]:
    """Seldom true."""
    # Drawn from a list: of a range of numbers the ends come too often.
    return st.sampled_from([False] * (number - 1) + [True])


@st.composite
def seldom(draw: st.DrawFn, each: st.SearchStrategy[Drawn]) -> tuple[Drawn, ...]:
    """One of `each` in one of five cases: a clinic that is closed shows nothing."""
    return (draw(each),) if draw(one_in(5)) else ()


def minutes_of_day() -> st.SearchStrategy[int]:
    """Quarters of hours, with those around the changes of clocks and both midnights more often."""
    return st.sampled_from(
        (0, 30, 60, 75, 90, 120, 135, 150, 180, 210, 240, 480, 540, 725, 780, 1020, 1380, 1410, 1440)
    )


@st.composite
def wall_spans(draw: st.DrawFn) -> tuple[timedelta, timedelta]:
    """Two different wall times of one day in order."""
    start, end = sorted(draw(st.lists(minutes_of_day(), min_size=2, max_size=2, unique=True)))
    return timedelta(minutes=start), timedelta(minutes=end)


@st.composite
def weekly_hours(draw: st.DrawFn, *, day: date) -> tuple[WeeklyHours, ...]:
    """Hours on the weekdays around `day`: long, split by a break, or anything."""
    weekdays = [(day.weekday() + offset) % 7 for offset in range(-1, 3)]
    shape = draw(st.sampled_from(("whole", "whole", "split", "split", "random")))
    if shape == "whole":
        pieces = [(timedelta(0), timedelta(hours=24))]
    elif shape == "split":
        pieces = [(timedelta(0), timedelta(hours=2)), (timedelta(hours=3), timedelta(hours=10))]
    else:
        pieces = draw(st.lists(wall_spans(), min_size=1, max_size=3))
    return tuple(WeeklyHours(weekday, start, end) for weekday in weekdays for start, end in pieces)


def days_near(day: date) -> st.SearchStrategy[date]:
    """The day, one or two before and after."""
    return st.integers(-2, 3).map(lambda offset: day + timedelta(days=offset))


@st.composite
def date_spans(draw: st.DrawFn, *, day: date, locations: tuple[str | None, ...]) -> DateSpan:
    """One or two days near `day`."""
    first = draw(days_near(day))
    return DateSpan(first, first + timedelta(days=draw(st.integers(1, 2))), draw(st.sampled_from(locations)))


@st.composite
def dated_hours(draw: st.DrawFn, *, day: date, locations: tuple[str | None, ...]) -> DatedHours:
    """Open or closed on one day near `day`. What is added to a Practitioner's hours has a Location."""
    start, end = draw(wall_spans())
    is_open = draw(st.booleans())
    here = locations if not is_open or locations == (None,) else tuple(one for one in locations if one is not None)
    return DatedHours(draw(days_near(day)), start, end, is_open, draw(st.sampled_from(here)))


def places() -> st.SearchStrategy[Place | None]:
    """Nowhere known, or one of a few places that are 10 minutes to an hour and a half apart."""
    return st.sampled_from((None, *_PLACES))


_STEP_BUFFERS = st.sampled_from(((0, 0), (0, 0), (0, 5), (10, 0), (5, 10)))
_MODES = st.sampled_from((Mode.IN_PERSON, Mode.IN_PERSON, Mode.HOME, Mode.TELEHEALTH))


@st.composite
def single_services(draw: st.DrawFn) -> ServiceInfo:
    """A service of 5 to 90 minutes, some of flexible length, with buffers and needs."""
    duration = draw(st.sampled_from((5, 15, 20, 30, 45, 60, 90)))
    is_flexible = draw(one_in(4))
    return a_service(
        "visit",
        "Visit",
        duration=timedelta(minutes=duration),
        buffer_before=timedelta(minutes=draw(st.sampled_from((0, 0, 5, 10)))),
        buffer_after=timedelta(minutes=draw(st.sampled_from((0, 0, 5, 15)))),
        resources=draw(st.sampled_from(((), (), ("room",), ("room",), ("room", "laser"), ("room", "room")))),
        longest=timedelta(minutes=duration + 60) if is_flexible else None,
        duration_step=timedelta(minutes=15) if is_flexible else None,
        mode=draw(_MODES),
    )


@st.composite
def packages(draw: st.DrawFn) -> tuple[ServiceInfo, ...]:
    """A package of two or three steps, of which two may be the same, and its steps.

    No step needs two rooms of a kind: they are given out one by one, which for two such pairs need not be the best way.
    """
    steps = []
    for number in range(2):
        before, after = draw(_STEP_BUFFERS)
        step = a_service(
            f"step-{number}",
            "Step",
            duration=timedelta(minutes=draw(st.sampled_from((5, 15, 20, 30, 30, 45)))),
            buffer_before=timedelta(minutes=before),
            buffer_after=timedelta(minutes=after),
            resources=draw(st.sampled_from(((), (), ("room",), ("room", "laser")))),
            mode=draw(_MODES),
        )
        steps.append(step)
    first, second = (step.id for step in steps)
    package = a_service(
        "visit",
        "Package",
        duration=timedelta(minutes=60),
        steps=draw(st.sampled_from(((first, second), (first, second), (first, first), (first, second, first)))),
        step_gap=timedelta(minutes=draw(st.sampled_from((0, 15, 60, 60)))),
    )
    return (package, *steps)


@st.composite
def services(draw: st.DrawFn) -> tuple[ServiceInfo, ...]:
    """What is asked for, first, and what it consists of."""
    return draw(packages()) if draw(one_in(4)) else (draw(single_services()),)


@st.composite
def locations_of(draw: st.DrawFn, *, key: str, zone: ZoneInfo, day: date, rules: BookingRules) -> LocationInfo:
    """A Location with hours, closures and dated hours, and now and then rules of its own."""
    own = BookingRules(step=timedelta(minutes=draw(st.sampled_from(_STEPS)))) if draw(one_in(3)) else None
    return LocationInfo(
        id=f"location-{key}",
        key=key,
        name=key,
        address=key,
        zone=zone,
        phone=None,
        transfer_to=None,
        hours=draw(weekly_hours(day=day)),
        closures=draw(seldom(date_spans(day=day, locations=(None,)))),
        dated=tuple(draw(st.lists(dated_hours(day=day, locations=(None,)), max_size=2))),
        rules=own,
        place=draw(places()),
    )


@st.composite
def practitioners(
    draw: st.DrawFn, *, number: int, day: date, ids: tuple[str, ...], service_ids: tuple[str, ...]
) -> PractitionerInfo:
    """Somebody who works at some Locations or, on one date, at any, and gives all services, or all but one."""
    hours: list[WorkingHours] = []
    for place in ids:
        if draw(one_in(6)):
            continue
        valid = draw(st.sampled_from((None, None, "from", "until")))
        turn = draw(days_near(day))
        is_contingent = draw(one_in(4))
        hours += [
            WorkingHours(
                place, weekly, turn if valid == "from" else None, turn if valid == "until" else None, is_contingent
            )
            for weekly in draw(weekly_hours(day=day))
        ]
        if is_contingent:
            hours += [WorkingHours(place, weekly) for weekly in draw(weekly_hours(day=day))]
    anywhere = (None, *ids)
    all_but_one = [frozenset(service_ids) - {each} for each in service_ids]
    return PractitionerInfo(
        id=f"practitioner-{number}",
        key=f"p{number}",
        name=f"P{number}",
        aliases=(),
        gender=None,
        languages=("en",),
        skills=frozenset(),
        service_ids=draw(st.sampled_from([*[frozenset(service_ids)] * 15, *all_but_one])),
        schedule_id=f"diary-{number}",
        hours=tuple(hours),
        time_off=draw(seldom(date_spans(day=day, locations=anywhere))),
        dated=tuple(draw(st.lists(dated_hours(day=day, locations=anywhere), max_size=2))),
    )


@st.composite
def resources_of(draw: st.DrawFn, *, day: date, ids: tuple[str, ...]) -> tuple[ResourceInfo, ...]:
    """Rooms and devices; one of capacity two is there twice, with the same hours."""
    found: list[ResourceInfo] = []
    seats = iter(SCHEDULES[3:])
    for number in range(draw(st.sampled_from((0, 2, 3, 3)))):
        hours = draw(weekly_hours(day=day)) if draw(one_in(4)) else ()
        kind, place = _KINDS[number % 2], draw(st.sampled_from((ids[0], *ids)))
        off = draw(seldom(date_spans(day=day, locations=(None, *ids))))
        for _ in range(draw(st.sampled_from((1, 1, 2)))):
            seat = next(seats, None)
            if seat is not None:
                found.append(ResourceInfo(f"resource-{number}", f"r{number}", kind, place, seat, hours, off))
    return tuple(found)


@st.composite
def cases(draw: st.DrawFn, *, zone_key: str) -> Case:
    """A clinic with all that makes time available or takes it away, and a question about a few days of it."""
    zone = ZoneInfo(zone_key)
    day = draw(st.sampled_from(ZONES[zone_key]))
    rules = BookingRules(step=timedelta(minutes=draw(st.sampled_from(_STEPS))))
    keys = ("a", "b")[: draw(st.sampled_from((1, 1, 2)))]
    locations = tuple(draw(locations_of(key=key, zone=zone, day=day, rules=rules)) for key in keys)
    ids = tuple(location.id for location in locations)
    offered = draw(services())
    service = offered[0]
    service_ids = tuple(one.id for one in offered if not one.steps)
    people = tuple(
        draw(practitioners(number=number, day=day, ids=ids, service_ids=service_ids))
        for number in range(draw(st.integers(1, 3)))
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
        rules=rules,
        locations=locations,
        services=offered,
        practitioners=people,
        resources=draw(resources_of(day=day, ids=ids)),
    )
    span = draw(spans(day=day, zone=zone))
    duration = None
    if service.longest is not None and draw(st.booleans()):
        duration = service.duration + timedelta(minutes=15 * draw(st.integers(0, 4)))
    query = SlotQuery(
        service.id,
        span,
        draw(st.sampled_from(((), (), (people[0].id,), tuple(sorted({people[0].id, people[-1].id}))))),
        draw(st.sampled_from(((), (), (ids[-1],)))),
        duration,
        draw(places()) if any(one.mode is Mode.HOME for one in offered) else None,
    )
    return Case(catalogue, query, draw(taken_near(span=span)))


@st.composite
def spans(draw: st.DrawFn, *, day: date, zone: ZoneInfo) -> Interval:
    """Up to two days that begin near `day`, now and then in the middle of a minute."""
    start = datetime.combine(day, time(), zone).astimezone(UTC)
    start += timedelta(minutes=15 * draw(st.integers(-96, 96)), seconds=draw(st.sampled_from((0, 0, 0, 1, 59))))
    return Interval(start, start + timedelta(minutes=15 * draw(st.integers(8, 144))))


@st.composite
def taken_near(draw: st.DrawFn, *, span: Interval) -> dict[str, list[Taken]]:
    """Visits, Holds and busy time of calendars, some of which begin or end within a minute."""
    start = int(span.start.timestamp())
    found: dict[str, list[Taken]] = {}
    pieces = st.tuples(
        st.sampled_from(("diary-0", "diary-0", "diary-1", "seat-0", *SCHEDULES)),
        st.integers(-6, 60).map(lambda quarters: start + 900 * quarters),
        st.sampled_from((300, 900, 1800, 1800, 3600, 7200, 43200)),
        st.sampled_from((0, 0, 0, 1, -1, 300)),
        places(),
    )
    for schedule_id, at, length, shift, place in draw(st.lists(pieces, max_size=8)):
        found.setdefault(schedule_id, []).append((at + shift, at + shift + length, place))
    return found
