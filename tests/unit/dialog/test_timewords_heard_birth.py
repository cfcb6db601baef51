"""Dates of birth as they arrive over a bad line: whole, in doubt, or in part."""

from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog.timewords import hear_birth_date
from tests.unit.dialog.test_timewords_birth_dates import ways_to_say

pytestmark = pytest.mark.unit

unhurried = settings(deadline=None, max_examples=25, derandomize=True)

NOW = datetime.fromisoformat("2026-11-21T10:00")
MISSING = None


def heard(text: str, language: str = "en") -> tuple[int | None, int | None, int | None, bool] | None:
    found = hear_birth_date(text, now=NOW, language=language)
    assert found is None or not found.is_impossible
    return found and (found.year, found.month, found.day, found.is_sure)


@unhurried
@given(day=st.dates(min_value=date(1907, 1, 1), max_value=NOW.date()))
def test_every_date_that_is_said_well_is_heard_whole(day: date) -> None:
    said = {text: hear_birth_date(text, now=NOW) for text in ways_to_say(day)}

    assert {text: found and found.value for text, found in said.items()} == dict.fromkeys(said, day)


@pytest.mark.parametrize(
    "text",
    ["September fifth nineteen forty two", "the fifth of September, 1942", "9/5/42", "09051942", "September 5th 1942, please", "may I say September fifth nineteen forty two"],
)  # fmt: skip
def test_a_date_without_anything_strange_in_it_is_sure(text: str) -> None:
    assert heard(text) == (1942, 9, 5, True)


@pytest.mark.parametrize(
    "text",
    [
        "september fifth nineteen find two",
        "september fifth nineteen forty none",
        "september fifth nineteen forty for",
        "september fifth nineteen",
        "september fifth nineteen nine",
        "it's september fifth",
        "the fifth of september",
        "september fifth two thousand eat",
        "september fifth twenty",
    ],
)
def test_a_year_with_a_word_that_is_none_is_missing(text: str) -> None:
    assert heard(text) == (MISSING, 9, 5, True)


@pytest.mark.parametrize("text", ["september nineteen forty two", "september twenty eat nineteen forty two"])
def test_a_day_that_did_not_arrive_is_missing(text: str) -> None:
    assert heard(text) == (1942, 9, MISSING, True)


@pytest.mark.parametrize("text", ["nineteen forty two", "on seven nineteen forty two", "1942", "forty two"])
def test_a_year_alone_is_one(text: str) -> None:
    assert heard(text) == (1942, MISSING, MISSING, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("september fifth nineteen forty", (1940, 9, 5)),
        ("september fifth two thousand", (2000, 9, 5)),
        ("september fifth nineteen forty well two", (1942, 9, 5)),
        ("september fifth nineteen and forty two", (1942, 9, 5)),
        ("september fifth ninety forty two", (1942, 9, 5)),
        ("september nineteen ninety forty two", (1942, 9, 19)),
        ("september fifth nineteen four two", (1942, 9, 5)),
        ("september twenty want fifth nineteen forty two", (1942, 9, 25)),
        ("september want fifth nineteen forty two", (1942, 9, 5)),
        ("september the thirty nineteen forty two", (1942, 9, 30)),
    ],
)
def test_a_date_that_a_lost_or_strange_word_may_have_changed_is_not_sure(
    text: str, expected: tuple[int, int, int]
) -> None:
    assert heard(text) == (*expected, False)


@pytest.mark.parametrize(
    "text",
    ["", "yes", "september", "the fifth", "nineteen", "twenty", "september fifth and march third", "in the first nineteen six"],
)  # fmt: skip
def test_what_tells_neither_a_year_nor_a_day_is_nothing(text: str) -> None:
    assert heard(text) is None


@pytest.mark.parametrize("text", ["June 31st 1990", "2/29/2001", "June 5 2090", "March 3 1890"])
def test_a_day_on_which_nobody_was_born_is_impossible(text: str) -> None:
    found = hear_birth_date(text, now=NOW)

    assert found is not None
    assert found.is_impossible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cinco de septiembre de mil novecientos cuarenta y dos", (1942, 9, 5, True)),
        ("nací el cinco de septiembre de mil novecientos cuarenta y uno", (1941, 9, 5, True)),
        ("el cinco de septiembre", (MISSING, 9, 5, True)),
        ("cinco de septiembre de mil novecientos cuarenta y vos", (MISSING, 9, 5, True)),
        ("cinco de septiembre de mil novecientos cuarenta", (1940, 9, 5, False)),
        ("mil novecientos cuarenta y dos", (1942, MISSING, MISSING, True)),
    ],
)
def test_dates_of_birth_are_heard_in_spanish(
    text: str, expected: tuple[int | None, int | None, int | None, bool]
) -> None:
    assert heard(text, "es") == expected


@unhurried
@given(text=st.text(max_size=60))
def test_no_text_breaks_the_hearing_of_a_birth_date(text: str) -> None:
    found = hear_birth_date(text, now=NOW)

    assert found is None or found.value is None or found.value <= NOW.date()
