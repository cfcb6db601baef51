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
def test_the_best_is_whom_the_patient_wishes_then_knows_and_then_who_has_least_to_do(
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


WINDOW = timedelta(days=14)
FIRST = date(2027, 3, 1)


def simulated(rng: random.Random, people: list[PractitionerInfo], *, days: int, a_day: int) -> list[Counter[str]]:
    """Return who got how many visits on each day, when each is booked on a day ahead and some are busy elsewhere."""
    diary = [Counter[str]() for _ in range(days + 8)]
    for today in range(days):
        for _ in range(a_day):
            day = today + rng.randrange(4)
            when = FIRST + timedelta(days=day)
            here = [one for one in people if one.since is None or one.since <= when]
            free = [one for one in here if rng.random() > 0.3] or here
            choice = best(
                free,
                candidates=len(people),
                loads=(loads := counted(diary, people, day)),
                head_starts=starts(loads, people, day),
            )
            diary[day][choice.practitioner.id] += 1
    return diary[:days]


def counted(diary: list[Counter[str]], people: list[PractitionerInfo], day: int) -> dict[str, Load]:
    window = range(max(0, day - WINDOW.days), min(len(diary), day + WINDOW.days + 1))
    joined = newcomers(people, first_day=FIRST + timedelta(days=day) - WINDOW)
    return {
        one.id: Load(
            diary[day][one.id],
            sum(diary[each][one.id] for each in window),
            {
                since: sum(diary[each][one.id] for each in window if FIRST + timedelta(days=each) < since)
                for since in joined.values()
            },
        )
        for one in people
    }


def starts(loads: dict[str, Load], people: list[PractitionerInfo], day: int) -> dict[str, float]:
    return head_starts_of(loads, joined=newcomers(people, first_day=FIRST + timedelta(days=day) - WINDOW))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(10, 18), st.integers(6, 14))
def test_over_a_month_loads_stay_even_though_somebody_joins_in_the_middle(seed: int, joins: int, a_day: int):
    newcomer = dataclasses.replace(ITO, since=FIRST + timedelta(days=joins))
    people = [LEE, BEN, RUIZ, newcomer]

    diary = simulated(random.Random(seed), people, days=30, a_day=a_day)

    before, after = Counter[str](), Counter[str]()
    for day, visits in enumerate(diary):
        (before if day < joins else after).update(visits)
    settled = [before[one.id] for one in (LEE, BEN, RUIZ)]
    together = [after[one.id] for one in people]
    fair = sum(together) / len(people)
    assert max(settled) - min(settled) <= 4
    # Neither flooded nor starved, on the whole and in the first week.
    assert max(together) - min(together) <= max(4, fair * 0.15)
    first_week = Counter[str]()
    for visits in diary[joins : joins + 7]:
        first_week.update(visits)
    assert abs(first_week[newcomer.id] - sum(first_week.values()) / 4) <= max(4, sum(first_week.values()) / 4 * 0.3)
