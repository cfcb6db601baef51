"""What patients say about time, and the wish it comes to. Saturday 2026-11-21, ten in the morning."""

from datetime import date, datetime, timedelta

import pytest

from dialog.timewords import ClockRange, DayRange, TimeWish, read_time
from dialog.timewords.values import Relative

pytestmark = pytest.mark.unit

NOW = datetime.fromisoformat("2026-11-21T10:00")


def wish(text: str, asked: str | None = None) -> TimeWish:
    found = read_time(text, now=NOW, asked=asked).wish
    assert found is not None, text
    return found


def day(month: int, number: int, year: int = 2026) -> DayRange:
    first = date(year, month, number)
    return DayRange(first, first + timedelta(days=1))


def days(first: tuple[int, int], end: tuple[int, int], year: int = 2026) -> DayRange:
    return DayRange(date(year, *first), date(year + (end < first), *end))


WEEK_LATER = TimeWish(relative="later", shift_days=7)


def both(one: DayRange, other: DayRange) -> tuple[TimeWish, TimeWish]:
    return TimeWish(days=(one,)), TimeWish(days=(other,))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("today", day(11, 21)),
        ("anything tomorrow", day(11, 22)),
        ("the day after tomorrow please", day(11, 23)),
        ("tues", day(11, 24)),
        ("wensday", day(11, 25)),
        ("thrusday", day(11, 26)),
        ("this Saturday", day(11, 21)),
        ("Saturday", day(11, 28)),
        ("next Saturday", day(11, 28)),
        ("next Monday", day(11, 23)),
        ("this coming Friday", day(11, 27)),
        ("a week on Monday", day(11, 30)),
        ("Monday week", day(11, 30)),
        ("a week from Monday", day(11, 30)),
        ("Friday after next", day(12, 4)),
        ("Wednesday of next week", day(11, 25)),
        ("next week on Wednesday", day(11, 25)),
        ("in two weeks", day(12, 5)),
        ("in two weeks on Thursday", day(12, 3)),
        ("in a fortnight", day(12, 5)),
        ("three days after Christmas", day(12, 28)),
        ("the week after next", days((11, 30), (12, 7))),
        ("first week of April", days((3, 29), (4, 5), 2027)),
        ("early next week", days((11, 23), (11, 26))),
        ("this weekend", days((11, 21), (11, 23))),
        ("the 3rd", day(12, 3)),
        ("on the 21st", day(11, 21)),
        ("the 31st", day(12, 31)),
        ("March 3", day(3, 3, 2027)),
        ("3rd of March", day(3, 3, 2027)),
        ("3/14", day(3, 14, 2027)),
        ("25/12", day(12, 25)),
        ("2027-02-01", day(2, 1, 2027)),
        ("Friday the 27th", day(11, 27)),
        ("between the 3rd and the 7th", days((12, 3), (12, 8))),
        ("from the 28th to the 2nd", days((11, 28), (12, 3))),
        ("Monday to Wednesday", days((11, 23), (11, 26))),
        ("before Friday", days((11, 21), (11, 27))),
        ("by Friday", days((11, 21), (11, 28))),
        ("next month", days((12, 1), (1, 1))),
        ("in may", days((5, 1), (6, 1), 2027)),
        ("thanksgiving", day(11, 26)),
    ],
)
def test_words_for_a_date_mean_that_date(text: str, expected: DayRange) -> None:
    assert wish(text) == TimeWish(days=(expected,))


@pytest.mark.parametrize(
    ("text", "minute", "others"),
    [
        ("3pm", 15 * 60, ()),
        ("3 p.m.", 15 * 60, ()),
        ("15:30", 15 * 60 + 30, ()),
        ("09:30", 9 * 60 + 30, ()),
        ("9:30", 9 * 60 + 30, (21 * 60 + 30,)),
        ("at 8", 8 * 60, (20 * 60,)),
        ("around 10", 10 * 60, (22 * 60,)),
        ("at 5", 17 * 60, (5 * 60,)),
        ("half past two", 14 * 60 + 30, (2 * 60 + 30,)),
        ("quarter to 4", 15 * 60 + 45, (3 * 60 + 45,)),
        ("ten past four", 16 * 60 + 10, (4 * 60 + 10,)),
        ("three thirty", 15 * 60 + 30, (3 * 60 + 30,)),
        ("noon", 12 * 60, ()),
        ("8 in the evening", 20 * 60, ()),
        ("four o'clock in the afternoon", 16 * 60, ()),
    ],
)
def test_a_clock_time_has_the_reading_of_clinic_hours_first(text: str, minute: int, others: tuple[int, ...]) -> None:
    assert wish(text) == TimeWish(at_minute=minute, at_alternatives=others)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("mornings only", 6, 12),
        ("in the afternoon", 12, 18),
        ("after school", 15, 24),
        ("after work", 17, 24),
        ("lunchtime", 12, 14),
        ("before noon", 0, 12),
        ("after 3", 15, 24),
        ("between 2 and 4", 14, 16),
        ("from 9 to 11", 9, 11),
        ("11 to 4pm", 11, 16),
        ("8am until 6", 8, 18),
        ("not before 10 and not after 3", 10, 15),
        ("after 1 but before 4", 13, 16),
        ("before midnight", 0, 24),
        ("after midnight", 0, 24),
        ("tonight after 8", 20, 24),
        ("after 3:30 in the afternoon", 15.5, 24),
        ("I get off at 4", 16, 24),
    ],
)
def test_words_for_part_of_a_day_mean_those_hours(text: str, start: float, end: float) -> None:
    assert wish(text).clocks == (ClockRange(int(start * 60), int(end * 60)),)


def test_a_day_and_a_time_must_both_hold() -> None:
    found = wish("can I get in with Dr Lee next Tues after 3")

    assert found == TimeWish(days=(day(11, 24),), clocks=(ClockRange(15 * 60, 24 * 60),))


def test_alternatives_are_united_and_share_the_time_of_day() -> None:
    assert wish("Monday or Tuesday morning") == TimeWish(
        days=(days((11, 23), (11, 25)),), clocks=(ClockRange(360, 720),)
    )
    assert wish("the 15th or 16th").days == (days((12, 15), (12, 17)),)
    assert wish("Monday at 9 or 10").clocks == (ClockRange(540, 541), ClockRange(600, 601))


def test_weekdays_in_the_plural_mean_all_of_them() -> None:
    assert wish("mornings only, on Tuesdays or Thursdays") == TimeWish(
        weekdays=frozenset({1, 3}), clocks=(ClockRange(360, 720),)
    )
    assert wish("next month on a Tuesday") == TimeWish(days=(days((12, 1), (1, 1)),), weekdays=frozenset({1}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("not Fridays", TimeWish(not_weekdays=frozenset({4}))),
        ("except Wednesday", TimeWish(not_weekdays=frozenset({2}))),
        ("any day but Monday", TimeWish(not_weekdays=frozenset({0}))),
        ("not the Friday", TimeWish(not_weekdays=frozenset({4}))),
        ("Tuesday doesn't work", TimeWish(not_weekdays=frozenset({1}))),
        ("I can't do Monday, Tuesday or Wednesday", TimeWish(not_weekdays=frozenset({0, 1, 2}))),
        ("not this Friday", TimeWish(not_days=(day(11, 27),))),
        ("I'm away next week", TimeWish(not_days=(days((11, 23), (11, 30)),))),
        ("can't come before 10", TimeWish(not_clocks=(ClockRange(0, 600),))),
        ("I work until 5", TimeWish(not_clocks=(ClockRange(0, 17 * 60),))),
        ("don't book me on a Monday", TimeWish(not_weekdays=frozenset({0}))),
        ("no mornings", TimeWish(not_clocks=(ClockRange(360, 720),))),
        ("not Tuesday, Wednesday", TimeWish(days=(day(11, 25),), not_weekdays=frozenset({1}))),
        ("Friday is no good, what about Monday", TimeWish(days=(day(11, 23),), not_weekdays=frozenset({4}))),
        ("the week after next but not Friday", TimeWish(days=(days((11, 30), (12, 7)),), not_weekdays=frozenset({4}))),
    ],
)
def test_a_refusal_is_kept_apart_from_the_wish(text: str, expected: TimeWish) -> None:
    assert wish(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Tuesday, no, Thursday",
        "Tuesday, sorry, I mean Thursday",
        "Tuesday no wait Thursday",
        "move it from Tuesday to Thursday",
        "change my Tuesday appointment to Thursday",
        "no, Thursday",
        "why not Thursday",
    ],
)
def test_a_correction_or_a_move_counts_and_not_what_it_replaces(text: str) -> None:
    assert wish(text) == TimeWish(days=(day(11, 26),))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("as early as you can", TimeWish(order="earliest")),
        ("ASAP", TimeWish(order="earliest")),
        ("last appointment of the day", TimeWish(order="latest")),
        ("anything earlier?", TimeWish(relative="earlier")),
        ("can I come an hour later", TimeWish(relative="later")),
        ("later than that", TimeWish(relative="later")),
        ("same time as last time", TimeWish(relative="same_time")),
        ("another day", TimeWish(relative="other_day")),
        ("whenever", TimeWish(flexible=True)),
        ("I'm flexible", TimeWish(flexible=True)),
        ("any time", TimeWish(clocks=(ClockRange(0, 1440),), flexible=True)),
        ("first thing Monday", TimeWish(days=(day(11, 23),), clocks=(ClockRange(0, 720),), order="earliest")),
        ("preferably tomorrow", TimeWish(days=(day(11, 22),), soft=True)),
    ],
)
def test_order_relation_and_freedom_are_told_apart(text: str, expected: TimeWish) -> None:
    assert wish(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "my son is 5", "two people", "option 2", "suite 200", "call me at 555-123-4567", "it was 95 dollars", "I'm 45 years old", "at 5 Main Street", "my number is 202 555 0143",
        "my daughter April", "Dr. May", "I may come", "the second one", "my second molar", "for the past 2 days", "I've had a headache since Monday", "good morning", "see you later", "24/7",
        "2 fillings", "3 of us", "I need 2 crowns", "", "yes", "50%", "a 30 minute appointment",
    ],
)  # fmt: skip
def test_numbers_and_names_that_are_no_times_make_no_wish(text: str) -> None:
    assert read_time(text, now=NOW).wish is None


@pytest.mark.parametrize(
    "text",
    [
        "the 31st of June",
        "feb 29",
        "the Thursday after my birthday",
        "Thursday March 14",
        "Thursday the 14th",
        "at 25:00",
        "on the 32nd",
        "in the summer",
    ],
)
def test_what_has_no_certain_meaning_is_to_be_asked_about(text: str) -> None:
    reading = read_time(text, now=NOW)

    assert reading.unresolved
    assert reading.wish is None


@pytest.mark.parametrize(
    "text", ["yesterday", "last Monday", "12/25/2020", "at 8 today", "this morning at 9", "last week"]
)
def test_what_is_over_is_said_to_be_past_and_not_wished(text: str) -> None:
    reading = read_time(text, now=NOW)

    assert reading.past
    assert reading.wish is None


def test_a_past_time_beside_one_to_come_is_no_obstacle() -> None:
    reading = read_time("I missed it yesterday, can I come tomorrow?", now=NOW)

    assert not reading.past
    assert reading.wish == TimeWish(days=(day(11, 22),))


def test_what_was_asked_lets_a_bare_number_be_read() -> None:
    assert wish("3", asked="time").at_minute == 15 * 60
    assert wish("3", asked="when").at_minute == 15 * 60
    assert wish("5", asked="date").days == (day(12, 5),)
    assert wish("the 5th", asked="when").days == (day(12, 5),)
    assert read_time("3", now=NOW).wish is None
    assert read_time("May 2nd 1984", now=NOW, asked="birth_date").wish is None


@pytest.mark.parametrize(
    "text", ["twenty four works", "twenty six works", "24", "july 1st or saturday while twenty four works"]
)
def test_a_bare_number_above_the_hours_is_no_time_of_day(text: str) -> None:
    found = read_time(text, now=NOW, asked="when").wish
    assert found is None or (found.at_minute, found.clocks) == (None, ())


@pytest.mark.parametrize("text", ["at 24:00", "at 24", "twenty four o'clock"])
def test_a_twenty_four_that_is_told_as_a_time_is_midnight(text: str) -> None:
    assert wish(text).at_minute == 0


def test_a_leap_day_is_read_in_the_year_that_has_it() -> None:
    assert read_time("feb 29", now=datetime.fromisoformat("2027-11-21T10:00")).wish == TimeWish(
        days=(DayRange(date(2028, 2, 29), date(2028, 3, 1)),)
    )


def test_a_mention_says_where_it_stands_and_what_it_is_worth() -> None:
    (mention,) = read_time("please tomorrow at 5pm, thanks", now=NOW).mentions

    assert (mention.text, mention.start, mention.end) == ("tomorrow at 5pm", 7, 22)
    assert (mention.kind, mention.value_start, mention.value_end, mention.open) == (
        "datetime",
        "2026-11-22T17:00",
        None,
        None,
    )


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(KeyError):
        read_time("mañana", now=NOW, language="xx")


# As patients say it on the telephone: without stops, with other words between. Wednesday 2027-03-10, ten in the morning.

WEDNESDAY = datetime.fromisoformat("2027-03-10T10:00")


def march(first: int, end: int | None = None) -> DayRange:
    return DayRange(date(2027, 3, first), date(2027, 3, end) if end else date(2027, 3, first) + timedelta(days=1))


def clock(start: float, end: float) -> tuple[ClockRange, ...]:
    return (ClockRange(int(start * 60), int(end * 60)),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("any day but Thursday, before noon", TimeWish(not_weekdays=frozenset({3}), clocks=clock(0, 12))),
        ("any day except monday or tuesday, in the afternoon", TimeWish(not_weekdays=frozenset({0, 1}), clocks=clock(12, 18))),
        ("i need the dentist because i chipped a tooth tomorrow would be great", TimeWish(days=(march(11),), soft=True)),
        ("the 9 o'clock with Eva on the 17th please", TimeWish(days=(march(17),), at_minute=540, at_alternatives=(1260,))),
        ("after 4:30 for a cleaning? Any day is fine", TimeWish(clocks=clock(16.5, 24), flexible=True)),
        ("any day is fine", TimeWish(weekdays=frozenset(range(7)), flexible=True)),
        ("not the 16th the 17th", TimeWish(days=(march(17),), not_days=(march(16),))),
        ("no i said the thirteenth not the thirtieth", TimeWish(days=(march(13),), not_days=(march(30),))),
        ("anything but mornings next week", TimeWish(days=(march(15, 22),), not_clocks=clock(6, 12))),
        ("anything but monday next week", TimeWish(days=(march(15, 22),), not_days=(march(15),))),
        ("end of next week or the beginning of the week after", TimeWish(days=(march(19, 25),))),
        ("not next week the week after", TimeWish(days=(march(22, 29),), not_days=(march(15, 22),))),
        ("no not tomorrow the day after", TimeWish(days=(march(12),), not_days=(march(11),))),
        ("next monday or the monday after that", TimeWish(days=(march(15), march(22)))),
        ("i leave on the 18th so before that", TimeWish(days=(march(10, 18),))),
        ("i have class monday wednesday friday so tuesday", TimeWish(days=(march(16),), not_weekdays=frozenset({0, 2, 4}))),
        ("after i drop the kids at school", TimeWish(clocks=clock(9, 24))),
        ("between my lunch break 12 and 1", TimeWish(clocks=clock(12, 13))),
        ("my son gets out of school at three so after three thirty", TimeWish(clocks=clock(15.5, 24))),
        ("in the morning but not before nine", TimeWish(clocks=clock(9, 12))),
        ("i don't wake up before nine", TimeWish(not_clocks=clock(0, 9))),
        ("i get out of work at four so five would be good", TimeWish(at_minute=1020, soft=True)),
        ("i'll take the 9 30", TimeWish(at_minute=570, at_alternatives=(1290,))),
        ("my birthday is june 3rd 1985 and i want to come on friday", TimeWish(days=(march(12),))),
        ("my checkup was in september i need one on friday", TimeWish(days=(march(12),))),
        ("can you push it back an hour", TimeWish(relative="later")),
        ("i'd like 15:30 if there is anything", TimeWish(at_minute=930)),
        ("the 14th by evening 6", TimeWish(days=(march(14),), clocks=clock(0, 18))),
        ("march 11th or 12th", TimeWish(days=(march(11, 13),))),
        ("tonight after seven", TimeWish(days=(march(10),), clocks=clock(19, 24))),
        ("at 3pm for an hour", TimeWish(at_minute=900)),
        ("a week tomorrow at eleven at night", TimeWish(days=(march(18),), at_minute=1380)),
        ("by eod friday", TimeWish(days=(march(10, 13),))),
        ("move my 3 o'clock to 4", TimeWish(at_minute=960, at_alternatives=(240,))),
        ("nothing before ten please", TimeWish(clocks=clock(10, 24))),
        ("i can be there by ten thirty", TimeWish(clocks=clock(10.5, 24))),
        ("i need to be out by noon", TimeWish(clocks=clock(0, 12))),
        ("i had an appointment this morning can i get another one tomorrow", TimeWish(days=(march(11),))),
        ("i had surgery on march 2nd and need a follow up in two weeks", TimeWish(days=(march(24),))),
    ],
)  # fmt: skip
def test_talk_without_stops_is_understood_as_a_receptionist_would(text: str, expected: TimeWish) -> None:
    assert read_time(text, now=WEDNESDAY).wish == expected


def test_an_ordinal_picks_among_a_choice_and_is_a_date_only_where_no_choice_has_so_many() -> None:
    assert read_time("the first", now=WEDNESDAY, asked="choice").wish is None
    assert read_time("the first one", now=WEDNESDAY, asked="when").wish is None
    assert read_time("the first", now=WEDNESDAY).wish is None
    assert wish("the sixteenth", asked="choice").days == (day(12, 16),)
    assert wish("three no four", asked="choice").at_minute == 16 * 60


def test_a_year_in_words_is_no_time_of_day() -> None:
    assert read_time("june twenty third nineteen eighty", now=WEDNESDAY).past
    assert read_time("june third twenty twenty seven", now=WEDNESDAY).wish == TimeWish(
        days=(DayRange(date(2027, 6, 3), date(2027, 6, 4)),)
    )


@pytest.mark.parametrize(
    ("said", "relative", "days"),
    [
        ("the week after", "later", 7),
        ("the day after", "later", 1),
        ("push it back a week", "later", 7),
        ("back by two weeks", "later", 14),
        ("two weeks after that", "later", 14),
        ("two days earlier", "earlier", -2),
        ("up a week", "earlier", -7),
    ],
)
def test_a_shift_is_left_to_whoever_knows_what_it_counts_from(said: str, relative: Relative, days: int) -> None:
    reading = read_time(said, now=WEDNESDAY)

    assert reading.wish == TimeWish(relative=relative, shift_days=days)
    assert not reading.past


@pytest.mark.parametrize(
    ("said", "language", "from_today", "from_the_25th"),
    [
        ("the following week", "en", TimeWish(days=(days((3, 15), (3, 22), 2027),)), WEEK_LATER),
        ("la semana siguiente", "es", TimeWish(days=(days((3, 15), (3, 22), 2027),)), WEEK_LATER),
        ("the following weekend", "en", *both(days((3, 20), (3, 22), 2027), days((4, 3), (4, 5), 2027))),
        ("the following Friday", "en", *both(day(3, 12, 2027), day(3, 26, 2027))),
        ("el viernes siguiente", "es", *both(day(3, 12, 2027), day(3, 26, 2027))),
        ("Tuesday of the following week", "en", *both(day(3, 16, 2027), day(3, 30, 2027))),
        ("el martes de la semana siguiente", "es", *both(day(3, 16, 2027), day(3, 30, 2027))),
        ("the Monday after", "en", None, TimeWish(days=(day(3, 29, 2027),))),
    ],
)
def test_what_follows_counts_from_the_day_spoken_of_and_else_from_today(
    said: str, language: str, from_today: TimeWish | None, from_the_25th: TimeWish
) -> None:
    spoken_of = date(2027, 3, 25)

    assert read_time(said, now=WEDNESDAY, language=language).wish == from_today
    assert read_time(said, now=WEDNESDAY, language=language, day_spoken_of=spoken_of).wish == from_the_25th


def test_a_weekday_that_counts_from_a_day_that_was_not_named_is_to_be_asked_about() -> None:
    assert read_time("the Tuesday after", now=WEDNESDAY).unresolved == ("the Tuesday after",)


@pytest.mark.parametrize(
    "text",
    [
        "between the 24th and 26th of next month",
        "from the 24th to the 26th of next month",
        "between the twenty fourth and the twenty sixth of next month",
        "the 24th through 26th of next month",
    ],
)
def test_both_ends_of_a_stretch_are_in_the_month_that_is_named(text: str) -> None:
    assert wish(text).days == (days((12, 24), (12, 27)),)


def test_two_days_of_a_month_are_both_in_it() -> None:
    assert wish("the 24th or 26th of next month").days == (day(12, 24), day(12, 26))
