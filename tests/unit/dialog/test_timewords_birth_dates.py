"""Dates of birth as patients write, say and key them in."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog.timewords import read_birth_date

pytestmark = pytest.mark.unit

# The first example also loads the word lists, and other tests may hold the processor: no example is failed by the clock.
unhurried = settings(deadline=None, max_examples=40, derandomize=True)

NOW = datetime.fromisoformat("2026-11-21T10:00")
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]  # fmt: skip
UNITS = ["", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
FIRST = ["", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth",
         "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"]  # fmt: skip


def in_words(number: int) -> str:
    if number < 10:
        return UNITS[number]
    return TEENS[number - 10] if number < 20 else f"{TENS[number // 10]} {UNITS[number % 10]}".strip()


def ordinal_in_words(number: int) -> str:
    if number <= 20:
        return FIRST[number]
    return "thirtieth" if number == 30 else f"{TENS[number // 10]} {FIRST[number % 10]}"


def year_in_words(year: int) -> str:
    century, rest = divmod(year, 100)
    if year == 2000:
        return "two thousand"
    if year < 2010 and century == 20:
        return f"two thousand {in_words(rest)}"
    if rest == 0:
        return "nineteen hundred"
    return f"{in_words(century)} {'oh ' if rest < 10 else ''}{in_words(rest)}"


def suffixed(number: int) -> str:
    return f"{number}{'th' if 10 < number < 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def ways_to_say(day: date) -> list[str]:
    month, number, year = MONTHS[day.month - 1], day.day, day.year
    return [
        f"{month} {number}, {year}",
        f"{month} {suffixed(number)} {year}",
        f"{month[:3].lower()} {number} {year}",
        f"{number} {month} {year}",
        f"the {suffixed(number)} of {month} {year}",
        f"{month.lower()} {in_words(number)} {year_in_words(year)}",
        f"{day.month}/{number}/{year}",
        f"{day.month:02}-{number:02}-{year}",
        f"{day.month}.{number}.{year}",
        f"{day.month} {number} {year}",
        f"{day.month:02}{number:02}{year}",
        day.isoformat(),
        f"{month} {ordinal_in_words(number)} {year_in_words(year)}",
        f"{ordinal_in_words(number)} of {month.lower()}, {year_in_words(year)}",
        f"my birthday is {month} the {ordinal_in_words(number)} {year}",
        f"it's {in_words(number)} {month} {year_in_words(year)} please",
        " ".join(f"{day.month:02}{number:02}{year}"),
    ]


@unhurried
@given(day=st.dates(min_value=date(1907, 1, 1), max_value=NOW.date()))
def test_every_birth_date_comes_back_however_it_is_said(day: date) -> None:
    assert {said: read_birth_date(said, now=NOW) for said in ways_to_say(day)} == dict.fromkeys(ways_to_say(day), day)


@unhurried
@given(day=st.dates(min_value=NOW.date() - timedelta(days=99 * 365), max_value=NOW.date()))
def test_two_figures_of_a_year_mean_the_latest_past_one(day: date) -> None:
    latest = day if day.year >= 1927 else None

    assert read_birth_date(f"{day.month}/{day.day}/{day.year % 100:02}", now=NOW) == latest
    assert read_birth_date(f"{day.month:02}{day.day:02}{day.year % 100:02}", now=NOW) == latest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("May 2nd 1984", date(1984, 5, 2)),
        ("second of may eighty four", date(1984, 5, 2)),
        ("5/2/84", date(1984, 5, 2)),
        ("05021984", date(1984, 5, 2)),
        ("31/12/1990", date(1990, 12, 31)),
        ("zero five zero two one nine eight four", date(1984, 5, 2)),
        ("febuary 3 2001", date(2001, 2, 3)),
        ("twenty twelve june third", date(2012, 6, 3)),
    ],
)
def test_common_ways_of_saying_a_birth_date_are_read(text: str, expected: date) -> None:
    assert read_birth_date(text, now=NOW) == expected


def test_the_day_comes_first_where_the_clinic_says_so() -> None:
    assert read_birth_date("5/2/84", now=NOW, day_first=True) == date(1984, 2, 5)
    assert read_birth_date("05021984", now=NOW, day_first=True) == date(1984, 2, 5)
    assert read_birth_date("12/31/1990", now=NOW, day_first=True) == date(1990, 12, 31)


@pytest.mark.parametrize(
    "text",
    ["", "no", "tomorrow", "May 1984", "1984", "31 June 1990", "2/29/2001", "June 5 2090", "March 3 1890", "13/13/1990", "99999999", "my number is 555 123 4567", "May June 3 1990", "²/²/1990", "9" * 5000],
)  # fmt: skip
def test_what_is_no_possible_birth_date_is_none(text: str) -> None:
    assert read_birth_date(text, now=NOW) is None


@unhurried
@given(text=st.text(max_size=60))
def test_no_text_breaks_the_reading_of_a_birth_date(text: str) -> None:
    found = read_birth_date(text, now=NOW)

    assert found is None or found <= NOW.date()
