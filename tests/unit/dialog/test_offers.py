"""Laws of choosing what to offer, on any set of free times."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.values import DatedHours, DateSpan, Slot
from dialog import hours, offers
from dialog.timewords import ClockRange, DayRange, TimeWish, allows
from kernel.interval import wall_to_instant
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

CATALOGUE = elm_catalogue()
FIRST_DAY = date(2027, 3, 11)
PEOPLE = ("practitioner-lee", "practitioner-ben-carter", "practitioner-ruiz")


def a_slot(day: int, quarter: int, person: str) -> Slot:
    begins = datetime.combine(FIRST_DAY + timedelta(days=day), time()) + timedelta(minutes=15 * quarter)
    start = wall_to_instant(begins, CATALOGUE.zone)
    return Slot(start, person, "location-main", "service-cleaning", start + timedelta(minutes=45))


slots = st.lists(
    st.builds(a_slot, st.integers(0, 13), st.integers(32, 68), st.sampled_from(PEOPLE)), min_size=1, unique=True
).map(sorted)
shown_days = st.lists(st.integers(0, 13), max_size=3)


def walls(chosen: tuple[offers.Offer, ...]) -> list[datetime]:
    return [hours.wall_time(one.starts_at, CATALOGUE.location(one.location_id)) for one in chosen]


@given(slots)
def test_what_is_offered_is_free_different_and_three_at_most(free: list[Slot]) -> None:
    chosen = offers.spread(free, TimeWish(), catalogue=CATALOGUE)

    starts = [one.starts_at for one in chosen]
    assert 1 <= len(starts) <= 3
    assert len(set(starts)) == len(starts)
    assert {(one.starts_at, who) for one in chosen for who in one.practitioner_ids} <= {
        (one.starts_at, one.practitioner_id) for one in free
    }


@given(slots)
def test_three_are_half_an_hour_apart_and_two_where_the_times_allow_it(free: list[Slot]) -> None:
    half_an_hour = timedelta(minutes=30)
    span = free[-1].starts_at - free[0].starts_at
    starts = sorted(one.starts_at for one in offers.spread(free, TimeWish(), catalogue=CATALOGUE))
    gaps = [after - before for before, after in pairwise(starts)]
    if len(starts) == 3 or span >= 2 * half_an_hour:
        assert all(one >= half_an_hour for one in gaps)


@given(slots)
def test_the_first_offer_is_the_earliest_time(free: list[Slot]) -> None:
    assert offers.spread(free, TimeWish(), catalogue=CATALOGUE)[0].starts_at == min(one.starts_at for one in free)


@given(slots)
def test_asking_for_others_shows_each_time_once_and_ends(free: list[Slot]) -> None:
    shown: tuple[datetime, ...] = ()
    for _ in range(len(free) + 1):
        chosen = offers.spread(free, TimeWish(), catalogue=CATALOGUE, shown=shown)
        starts = {one.starts_at for one in chosen}
        assert not starts & set(shown)
        if not starts:
            break
        shown = (*shown, *starts)

    assert set(shown) == {one.starts_at for one in free}


@given(slots, st.integers(0, 13))
def test_thinning_keeps_the_wished_day_and_the_ends_of_every_other(free: list[Slot], day: int) -> None:
    wished = DayRange(FIRST_DAY + timedelta(days=day), FIRST_DAY + timedelta(days=day + 1))

    kept = offers.thinned(free, TimeWish(days=(wished,)), catalogue=CATALOGUE)

    def on_wished(slot: Slot) -> bool:
        return hours.wall_time(slot.starts_at, CATALOGUE.location(slot.location_id)).date() in wished

    assert sorted(one for one in kept if on_wished(one)) == [one for one in free if on_wished(one)]
    assert kept[0].starts_at == free[0].starts_at
    assert max(one.starts_at for one in kept) == max(one.starts_at for one in free)


def test_at_one_start_people_come_in_the_order_of_the_clinic() -> None:
    everybody = [person.id for person in CATALOGUE.practitioners]
    free = [a_slot(0, 32, who) for who in sorted(everybody, reverse=True)]

    kept = offers.thinned(free, TimeWish(), catalogue=CATALOGUE)

    assert [one.practitioner_id for one in kept] == everybody


def test_an_exact_time_is_met_by_itself_before_its_other_reading() -> None:
    free = [a_slot(0, 32, "practitioner-lee"), a_slot(0, 80, "practitioner-lee")]
    wish = TimeWish(at_minute=8 * 60, at_alternatives=(20 * 60,))

    assert offers.meeting(free, wish, offers.Limits(), catalogue=CATALOGUE) == free[:1]
    assert offers.meeting(free[1:], wish, offers.Limits(), catalogue=CATALOGUE) == free[1:]


days = st.builds(
    lambda first, length: DayRange(FIRST_DAY + timedelta(days=first), FIRST_DAY + timedelta(days=first + length)),
    st.integers(0, 13),
    st.integers(1, 5),
)
clocks = st.builds(lambda start, length: ClockRange(start, start + length), st.integers(0, 1200), st.integers(1, 240))
wishes = st.builds(
    TimeWish,
    days=st.lists(days, max_size=2).map(tuple),
    weekdays=st.frozensets(st.integers(0, 6), max_size=3),
    not_days=st.lists(days, max_size=2).map(tuple),
    not_weekdays=st.frozensets(st.integers(0, 6), max_size=2),
    clocks=st.lists(clocks, max_size=2).map(tuple),
    not_clocks=st.lists(clocks, max_size=2).map(tuple),
)


@given(slots, wishes)
def test_what_meets_a_wish_is_what_the_wish_allows(free: list[Slot], wish: TimeWish) -> None:
    met = offers.meeting(free, wish, offers.Limits(), catalogue=CATALOGUE)

    location = CATALOGUE.location("location-main")
    assert met == [one for one in free if allows(wish, start=hours.wall_time(one.starts_at, location))]


def test_two_who_are_free_at_the_same_time_are_one_offer() -> None:
    free = [a_slot(0, 40, "practitioner-lee"), a_slot(0, 40, "practitioner-ben-carter")]

    chosen = offers.spread(free, TimeWish(), catalogue=CATALOGUE)

    assert [one.practitioner_ids for one in chosen] == [("practitioner-lee", "practitioner-ben-carter")]


def test_the_hours_of_a_closed_day_are_none_and_the_next_opening_skips_it() -> None:
    main = CATALOGUE.location("location-main")
    sunday_noon = wall_to_instant(datetime.combine(date(2027, 3, 14), time(12)), CATALOGUE.zone)

    assert hours.openings(main, date(2027, 7, 5)) == ()
    assert not hours.is_open(main, now=sunday_noon)
    assert hours.next_opening(CATALOGUE, now=sunday_noon) == datetime.combine(date(2027, 3, 15), time(8))


def test_a_day_that_differs_is_told_as_it_is() -> None:
    monday = date(2027, 3, 15)
    main, lee = CATALOGUE.location("location-main"), CATALOGUE.practitioner("practitioner-lee")
    eight, three, five = (timedelta(hours=hour) for hour in (8, 15, 17))
    leaves = replace(lee, dated=(DatedHours(monday, three, timedelta(hours=24), is_open=False),))
    opens_late = replace(main, dated=(DatedHours(monday, timedelta(0), timedelta(hours=10), is_open=False),))
    holiday = replace(main, closures=(DateSpan(monday, monday + timedelta(days=1)),))
    opens = replace(holiday, dated=(DatedHours(monday, eight, five, is_open=True),))

    assert max(one.end for one in hours.works_on(leaves, main, monday)) == three
    assert min(one.start for one in hours.works_on(lee, opens_late, monday)) == timedelta(hours=10)
    assert hours.works_on(lee, holiday, monday) == ()
    assert hours.openings(opens, monday) == (hours.Opening(monday, eight, five),)
