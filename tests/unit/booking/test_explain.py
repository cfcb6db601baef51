"""The nearest ways that work against brute force, and which reasons bind."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking import availability
from booking.nearest import Change, Wish, nearest
from booking.reasons import Circumstances, reasons
from booking.values import BookingRules, Catalogue, Slot, SlotQuery
from kernel.interval import Interval
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

ELM = elm_catalogue()
NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)  # Wednesday 10:00 in Albany
CLEANING = "service-cleaning"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2027, 3, day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


def within(day: int, hour: int, end_hour: int) -> Interval:
    return Interval(at(day, hour), at(day, end_hour))


def slot(day: int, hour: int, minute: int = 0, *, person: str = "lee", place: str = "main") -> Slot:
    starts_at = at(day, hour, minute)
    return Slot(starts_at, f"practitioner-{person}", f"location-{place}", CLEANING, starts_at + timedelta(minutes=45))


def test_the_wish_itself_needs_no_change():
    wish = Wish((within(15, 9, 12),), ("practitioner-lee",))

    found = nearest(ELM, [slot(15, 9), slot(15, 13)], wish, now=NOW)

    assert [(one.changes, one.slot) for one in found] == [((), slot(15, 9))]


def test_each_single_change_is_told_and_two_only_where_one_is_not_enough():
    wish = Wish((within(16, 9, 10),), ("practitioner-lee",), ("location-main",))
    slots = [
        slot(16, 15),
        slot(18, 9),
        slot(16, 9, person="ruiz"),
        slot(16, 11, person="ruiz"),
        slot(16, 9, place="riverside"),
    ]

    found = nearest(ELM, slots, wish, now=NOW)

    assert [(one.changes, one.slot) for one in found] == [
        ((Change.TIME,), slot(16, 15)),
        ((Change.PRACTITIONER,), slot(16, 9, person="ruiz")),
        ((Change.DAY,), slot(18, 9)),
        ((Change.LOCATION,), slot(16, 9, place="riverside")),
    ]


def test_the_nearer_time_of_the_nearer_day_is_nearer():
    wish = Wish((within(17, 9, 10),))

    found = nearest(ELM, [slot(18, 14), slot(18, 11), slot(15, 9), slot(22, 9)], wish, now=NOW)

    assert [one.slot for one in found] == [slot(18, 11)]


def test_what_is_too_soon_for_patients_staff_can_do():
    wish = Wish((within(10, 10, 12),))

    found = nearest(ELM, [slot(10, 11), slot(10, 15)], wish, now=NOW)

    assert [(one.changes, one.slot) for one in found] == [
        ((Change.TIME,), slot(10, 15)),
        ((Change.NOTICE,), slot(10, 11)),
    ]


def test_the_next_ones_are_well_apart_and_nearly_the_same_time_only_where_there_are_no_others():
    same_day, other_day = Wish((within(18, 15, 17),)), Wish((within(19, 0, 23),))
    many = [slot(18, hour, minute) for hour in (9, 10) for minute in (0, 15, 30, 45)]

    assert nearest(ELM, many, same_day, now=NOW)[0].further == (slot(18, 9, 15), slot(18, 10, 15))
    assert nearest(ELM, [*many, slot(18, 14)], same_day, now=NOW)[0].further == (slot(18, 10, 45), slot(18, 9, 15))
    assert nearest(ELM, [*many, slot(22, 9)], other_day, now=NOW)[0].further == (slot(22, 9), slot(18, 10, 30))


def test_who_is_asked_for_gives_of_a_package_what_they_can():
    first, second = slot(16, 9), replace(slot(16, 10, person="ruiz"), service_id="service-sick-visit")
    whole = replace(first, ends_at=second.ends_at, parts=(first, second))
    wish = Wish((within(16, 9, 10),), ("practitioner-lee",))

    assert [one.changes for one in nearest(ELM, [whole], wish, now=NOW)] == [()]
    by_ben = replace(whole, parts=(replace(first, practitioner_id="practitioner-ben-carter"), second))
    assert [one.changes for one in nearest(ELM, [by_ben], wish, now=NOW)] == [(Change.PRACTITIONER,)]


SLOTS = st.builds(
    slot,
    st.integers(10, 19),
    st.integers(8, 17),
    st.sampled_from([0, 20, 40]),
    person=st.sampled_from(["lee", "ruiz"]),
    place=st.sampled_from(["main", "riverside"]),
)
WINDOWS = st.lists(
    st.builds(within, st.integers(10, 19), st.integers(8, 12), st.integers(13, 17)), min_size=1, max_size=3
)


@given(
    slots=st.lists(SLOTS, max_size=25),
    windows=WINDOWS,
    people=st.sampled_from([(), ("practitioner-lee",), ("practitioner-ruiz", "practitioner-lee")]),
    places=st.sampled_from([(), ("location-main",)]),
)
@settings(max_examples=300)
def test_the_nearest_ways_equal_those_of_brute_force(slots, windows, people, places):
    wish = Wish(tuple(sorted(windows)), people, places)

    found = nearest(ELM, slots, wish, now=NOW)

    assert {frozenset(one.changes): worth(one.slot, wish) for one in found} == brute_force(slots, wish)


def brute_force(slots: list[Slot], wish: Wish) -> dict[frozenset[Change], tuple[int, int, datetime]]:
    """Try every set of changes, small ones first, and look through all slots that need no more than it."""
    result: dict[frozenset[Change], tuple[int, int, datetime]] = {}
    for size in range(len(Change) + 1):
        for allowed in map(frozenset, combinations(Change, size)):
            if any(known < allowed for known in result):
                continue
            exactly = [one for one in slots if changed(one, wish) == allowed]
            if exactly:
                result[allowed] = min(worth(one, wish) for one in exactly)
    return result


def changed(one: Slot, wish: Wish) -> frozenset[Change]:
    result = set()
    wall = one.starts_at.astimezone(NEW_YORK)
    if not any(
        window.start.timestamp() <= one.starts_at.timestamp() < window.end.timestamp() for window in wish.windows
    ):
        result.add(Change.TIME if wall.date() in wished_days(wish) else Change.DAY)
    if len(wish.practitioner_ids) == 1 and one.practitioner_id != wish.practitioner_ids[0]:
        result.add(Change.PRACTITIONER)
    if wish.location_ids and one.location_id != "location-main":
        result.add(Change.LOCATION)
    if (one.starts_at - NOW).total_seconds() < 2 * 3600:
        result.add(Change.NOTICE)
    return frozenset(result)


def wished_days(wish: Wish) -> set[date]:
    return {window.start.astimezone(NEW_YORK).date() for window in wish.windows}


def worth(one: Slot, wish: Wish) -> tuple[int, int, datetime]:
    """Count days one by one and minutes one by one away from the wish."""
    wall = one.starts_at.astimezone(NEW_YORK)
    days = next(n for n in range(60) if wished_days(wish) & {wall.date() + timedelta(n), wall.date() - timedelta(n)})
    minute = wall.hour * 60 + wall.minute
    wished = [
        (start.hour * 60, end.hour * 60)
        for start, end in ((one.start.astimezone(NEW_YORK), one.end.astimezone(NEW_YORK)) for one in wish.windows)
    ]
    minutes = next(n for n in range(24 * 60) if any(a <= minute + n <= b or a <= minute - n <= b for a, b in wished))
    return days, minutes, one.starts_at


def why(
    *windows: Interval,
    service: str = CLEANING,
    people: tuple[str, ...] = ("practitioner-lee",),
    places: tuple[str, ...] = (),
    taken: dict[str, list[Interval]] | None = None,
    catalogue: Catalogue = ELM,
    **others: object,
) -> list[str]:
    busy = {
        schedule: [(int(one.start.timestamp()), int(one.end.timestamp())) for one in spans]
        for schedule, spans in (taken or {}).items()
    }
    query = SlotQuery(service, windows[0])
    known = Circumstances(catalogue, query, Wish(windows, people, places), NOW, busy, **others)  # type: ignore[arg-type]  # a builder
    return [one.code for one in reasons(known)]


def test_nothing_stands_in_the_way_of_what_is_free():
    assert why(within(15, 9, 12)) == []


@pytest.mark.parametrize(
    ("windows", "others", "expected"),
    [
        (within(10, 10, 11), {}, ["too-soon"]),
        (within(9, 9, 12), {}, ["in-the-past"]),
        (Interval(at(10, 9) + timedelta(days=124), at(10, 12) + timedelta(days=124)), {}, ["too-far"]),
        (within(14, 9, 12), {}, ["location-closed"]),  # a Sunday
        (within(15, 19, 21), {}, ["location-closed"]),
        (within(19, 9, 12), {}, ["not-working-then"]),  # she does not work on Fridays
        (within(17, 9, 12), {}, ["practitioner-away"]),
        (within(15, 9, 12), {"taken": {"schedule-lee": [within(15, 8, 13)]}}, ["fully-booked"]),
        (
            within(15, 9, 12),
            {"taken": {"schedule-chair-1": [within(15, 8, 13)], "schedule-chair-2": [within(15, 8, 13)]}},
            ["no-resource-free"],
        ),
        (within(15, 9, 12), {"people": ("practitioner-ruiz",)}, ["not-offered"]),
        (within(15, 9, 12), {"patient_visits": (within(15, 9, 13),)}, ["patient-overlap"]),
        (within(10, 10, 11), {"taken": {"schedule-lee": [within(10, 9, 12)]}}, ["too-soon", "fully-booked"]),
    ],
)
def test_what_binds_is_what_the_wish_could_be_met_without(windows, others, expected):
    assert why(windows, **others) == expected


def test_a_person_who_has_enough_for_the_day_takes_no_more():
    limited = replace(ELM, rules=replace(BookingRules(), max_per_practitioner_per_day=2), _by_id={})
    counts = Counter({("practitioner-lee", "location-main", date(2027, 3, 15)): 2})

    assert why(within(15, 9, 12), catalogue=limited, visits_by_day=counts) == ["practitioner-daily-maximum"]


def test_a_package_of_which_one_step_is_full_is_full():
    steps = ("service-cleaning", "service-filling")
    services = tuple(replace(one, steps=steps) if one.key == "urgent-dental" else one for one in ELM.services)
    package = replace(ELM, services=services, _by_id={})
    window = within(15, 9, 12)

    assert why(window, service="service-urgent-dental", people=(), catalogue=package) == []
    taken = {"schedule-lee": [within(15, 8, 18)], "schedule-ben-carter": [within(15, 8, 18)]}
    assert why(window, service="service-urgent-dental", people=(), catalogue=package, taken=taken) == ["fully-booked"]
    sunday = within(14, 9, 12)
    assert why(sunday, service="service-urgent-dental", people=(), catalogue=package) == ["location-closed"]


def test_a_visit_that_has_the_room_as_well_is_one_reason_and_the_room_alone_another():
    visit, elsewhere = [within(15, 8, 13)], {f"schedule-chair-{n}": [within(15, 8, 13)] for n in (1, 2)}

    assert why(within(15, 9, 12), taken={"schedule-lee": visit, **elsewhere}) == ["fully-booked"]
    assert why(within(15, 9, 12), taken={"schedule-ben-carter": visit, **elsewhere}) == ["no-resource-free"]


def test_where_one_is_full_and_the_other_off_it_is_full():
    taken = {"schedule-ben-carter": [within(19, 8, 18)]}

    assert why(within(19, 9, 12), people=(), taken=taken) == ["fully-booked"]


TAKEN = st.lists(st.builds(within, st.integers(15, 18), st.integers(8, 12), st.integers(13, 17)), max_size=3)


@given(day=st.integers(14, 20), first=st.integers(7, 16), length=st.integers(1, 3), taken=TAKEN, chairs=TAKEN)
@settings(max_examples=100, deadline=None)
def test_there_is_a_reason_exactly_when_nothing_is_free(day, first, length, taken, chairs):
    window = within(day, first, first + length)
    diary = {"schedule-lee": taken, "schedule-chair-1": chairs, "schedule-chair-2": chairs}
    busy = {
        key: [(int(one.start.timestamp()), int(one.end.timestamp())) for one in spans] for key, spans in diary.items()
    }
    free = availability.slots(ELM, query=SlotQuery(CLEANING, window, ("practitioner-lee",)), busy=busy)

    assert bool(why(window, taken=diary)) == (not free)
