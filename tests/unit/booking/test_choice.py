"""The choice of a practitioner: wishes, continuity, fair load, and that nobody new is flooded or starved."""

import dataclasses
import random
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.choice import NO_WISH, Load, Reason, Wish, best, head_starts_of, newcomers
from booking.values import PractitionerInfo
from tests.support.clinics import elm_catalogue

pytestmark = pytest.mark.unit

LEE, BEN, RUIZ, ITO = (
    elm_catalogue().practitioner(f"practitioner-{key}") for key in ("lee", "ben-carter", "ruiz", "ito")
)
WOMAN, SPANISH = Wish(gender="female"), Wish(language="es")
LEE, ITO = dataclasses.replace(LEE, gender="female", languages=("en",)), dataclasses.replace(ITO, gender="male")
RUIZ = dataclasses.replace(RUIZ, gender="female", languages=("en", "es"))


def load(that_day: int = 0, in_window: int = 0) -> Load:
    return Load(that_day, in_window)


@pytest.mark.parametrize(
    ("free", "candidates", "wish", "seen", "loads", "expected"),
    [
        ([LEE], 1, NO_WISH, [], [], (LEE, Reason.ASKED_FOR)),
        ([LEE], 3, NO_WISH, [], [], (LEE, Reason.ONLY_ONE_FREE)),
        ([ITO, LEE], 3, WOMAN, [ITO], [load(0), load(9)], (LEE, Reason.WISHED)),
        ([ITO, LEE, RUIZ], 3, Wish("female", "es"), [], [load(), load(), load(9)], (RUIZ, Reason.WISHED)),
        ([LEE, RUIZ], 3, WOMAN, [], [load(1), load(0)], (RUIZ, Reason.FEWEST_THAT_DAY)),  # both meet it
        ([ITO, LEE], 3, SPANISH, [], [load(1), load(1)], (ITO, Reason.CLINIC_ORDER)),  # nobody meets it
        ([LEE, ITO], 3, NO_WISH, [ITO], [load(0), load(9)], (ITO, Reason.SEEN_BEFORE)),
        ([LEE, ITO], 3, NO_WISH, [RUIZ, ITO, LEE], [load(0), load(9)], (ITO, Reason.SEEN_BEFORE)),
        ([LEE, ITO], 3, NO_WISH, [RUIZ], [load(1), load(0, 9)], (ITO, Reason.FEWEST_THAT_DAY)),
        ([LEE, ITO], 3, NO_WISH, [], [load(2, 5), load(2, 4)], (ITO, Reason.FEWEST_LATELY)),
        ([LEE, ITO], 3, NO_WISH, [], [load(2, 5), load(2, 5)], (LEE, Reason.CLINIC_ORDER)),
    ],
)
def test_the_best_is_whom_the_patient_wishes_then_knows_and_then_who_has_least_to_do(  # noqa: PLR0917 -- a row of the table
    free: list[PractitionerInfo],
    candidates: int,
    wish: Wish,
    seen: list[PractitionerInfo],
    loads: list[Load],
    expected: tuple[PractitionerInfo, Reason],
):
    choice = best(
        free,
        candidates=candidates,
        wish=wish,
        seen_before=[one.id for one in seen],
        loads={one.id: each for one, each in zip(free, loads, strict=False)},
    )

    assert (choice.practitioner, choice.reason) == expected


def test_a_newcomer_is_counted_as_having_had_what_the_others_had_before():
    joined = date(2027, 3, 10)
    people = [LEE, dataclasses.replace(ITO, since=joined), dataclasses.replace(BEN, since=date(2027, 2, 1))]

    new = newcomers(people, first_day=date(2027, 3, 1))
    head_starts = head_starts_of(
        {
            LEE.id: Load(0, 30, {joined: 20}),
            BEN.id: Load(0, 24, {joined: 10}),
            ITO.id: Load(0, 3, {}),
        },
        joined=new,
    )

    assert new == {ITO.id: joined}
    assert head_starts == {ITO.id: 15}


def test_who_joins_after_another_newcomer_is_counted_with_the_head_start_of_that_one():
    first, second = date(2027, 3, 5), date(2027, 3, 10)

    head_starts = head_starts_of(
        {
            LEE.id: Load(0, 20, {first: 8, second: 14}),
            BEN.id: Load(0, 9, {first: 0, second: 6}),
            ITO.id: Load(0, 0, {}),
        },
        joined={ITO.id: second, BEN.id: first},
    )

    assert head_starts == {BEN.id: 8, ITO.id: (14 + 6 + 8) / 2}


def test_where_everybody_is_new_nobody_has_a_head_start():
    joined = date(2027, 3, 5)

    assert head_starts_of({LEE.id: Load(), ITO.id: Load()}, joined={LEE.id: joined, ITO.id: joined}) == {
        LEE.id: 0,
        ITO.id: 0,
    }


WINDOW, MONTH = 14, 30
FIRST = date(2027, 3, 1)


class Month:
    """Who gets how many visits on each day of a month, booked some days ahead, while now and then somebody is not free."""

    def __init__(self, people: list[PractitionerInfo], *, seed: int, a_day: int) -> None:
        self.people, self.rng = people, random.Random(seed)
        self.diary = [Counter[str]() for _ in range(MONTH + 4)]
        for today in range(MONTH):
            for _ in range(a_day):
                self.book(today + self.rng.randrange(4))

    def book(self, day: int) -> None:
        here = [one for one in self.people if one.since is None or one.since <= date_of(day)]
        free = [one for one in here if self.rng.random() > 0.2] or here
        joined = newcomers(self.people, first_day=date_of(day - WINDOW))
        loads = self.loads(day, set(joined.values()))
        head_starts = head_starts_of(loads, joined=joined)
        choice = best(free, candidates=len(self.people), loads=loads, head_starts=head_starts)
        self.diary[day][choice.practitioner.id] += 1

    def loads(self, day: int, joins: set[date]) -> dict[str, Load]:
        window = range(max(0, day - WINDOW), min(len(self.diary), day + WINDOW + 1))
        before = {each: sum((self.diary[one] for one in window if date_of(one) < each), Counter()) for each in joins}
        whole = sum((self.diary[one] for one in window), Counter[str]())
        return {
            one.id: Load(self.diary[day][one.id], whole[one.id], {each: before[each][one.id] for each in joins})
            for one in self.people
        }

    def between(self, first: int, end: int) -> dict[str, int]:
        total = sum(self.diary[first:end], Counter[str]())
        return {one.id: total[one.id] for one in self.people}


def date_of(day: int) -> date:
    return FIRST + timedelta(days=day)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(12, 15), st.integers(3, 8))
def test_over_a_month_loads_stay_even_though_somebody_joins_in_the_middle(seed: int, joins: int, a_day: int):
    newcomer = dataclasses.replace(ITO, since=date_of(joins))
    month = Month([LEE, BEN, RUIZ, newcomer], seed=seed, a_day=a_day)

    before = [load for person, load in month.between(0, joins).items() if person != newcomer.id]
    after = month.between(joins, MONTH)
    first_days = month.between(joins, joins + 10)

    assert month.between(0, joins)[newcomer.id] == 0
    assert max(before) - min(before) <= 5
    assert max(after.values()) - min(after.values()) <= 5
    # Neither flooded nor starved when they are new.
    assert abs(first_days[newcomer.id] - sum(first_days.values()) / 4) <= 3
