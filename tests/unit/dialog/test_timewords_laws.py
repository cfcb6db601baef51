"""Laws of reading time and of laying one wish over another."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog.timewords import ClockRange, DayRange, TimeWish, allows, merge_wish, read_time

pytestmark = pytest.mark.unit

# The first example also loads the word lists, and other tests may hold the processor: no example is failed by the clock.
unhurried = settings(deadline=None, max_examples=40, derandomize=True)

MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]  # fmt: skip
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth",
            "seventeenth", "eighteenth", "nineteenth", "twentieth", "twenty-first", "twenty second", "twenty third", "twenty-fourth", "twenty fifth", "twenty sixth", "twenty seventh",
            "twenty eighth", "twenty ninth", "thirtieth", "thirty first"]  # fmt: skip
WORDS = [
    "tomorrow", "next", "week", "monday", "tues", "3", "the", "5th", "of", "march", "may", "at", "after", "before", "noon", "pm", "not", "or", "and", "between", "to", "-", ",", ".", "in", "two",
    "days", "half", "past", "quarter", "mornings", "any", "time", "day", "except", "no", "actually", "from", "until", "by", "end", "month", "2/30", "12:75", "1030", "earliest", "same", "weekend", "2026-02-31",
    "last", "ago", "move", "can't", "doesn't work", "whenever", "a", "on", "31st", "february", "for", "hours", "first", "after my wedding", "99", "?",
]  # fmt: skip

nows = st.datetimes(min_value=datetime.fromisoformat("2020-01-01"), max_value=datetime.fromisoformat("2032-12-31"))
minutes = st.integers(0, 1439)


def suffixed(number: int) -> str:
    return f"{number}{'th' if 10 < number < 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def ways_to_say(day: date) -> list[str]:
    month, number, weekday = MONTHS[day.month - 1], day.day, WEEKDAYS[day.weekday()]
    dated = [
        f"{month} {number}", f"{month} {suffixed(number)}", f"{month.lower()} the {suffixed(number)}", f"{number} {month}", f"{suffixed(number)} {month}", f"{suffixed(number)} of {month}",
        f"the {suffixed(number)} of {month}", f"{month[:3]} {number}", f"{month[:3].lower()}. {number}", f"{number} {month[:3]}", f"{month} {ORDINALS[number - 1]}", f"the {ORDINALS[number - 1]} of {month}",
        f"{ORDINALS[number - 1]} {month}", f"{day.month}/{number}", f"{day.month:02}/{number:02}",
    ]  # fmt: skip
    with_year = [
        f"{day.month}/{number}/{day.year}", f"{day.month}/{number}/{day.year % 100:02}", f"{day.month:02}-{number:02}-{day.year}", day.isoformat(), f"{month} {number}, {day.year}",
        f"{month} {suffixed(number)} {day.year}", f"{number} {month} {day.year}", f"the {suffixed(number)} of {month}, {day.year}",
    ]  # fmt: skip
    with_weekday = [f"{weekday}, {said}" for said in (dated[0], dated[1], dated[6])] + [
        f"{weekday[:3]} {dated[0]}",
        f"{weekday} the {suffixed(number)} of {month}",
    ]
    rarer = [
        f"{month}-{number}", f"{number}-{month[:3]}-{day.year}", f"{day.year}/{day.month:02}/{number:02}", f"{number:02}.{day.month:02}.{day.year}", f"the {suffixed(number)} day of {month}",
        f"{number} of {month}", f"{month} {number} {weekday}", f"{weekday} {day.month}/{number}", f"{weekday[:3]}. {number} {month[:3]}", f"{weekday}, the {ORDINALS[number - 1]} of {month.lower()}",
    ]  # fmt: skip
    framed = [f"on {dated[1]}", f"can I come on {dated[6]} please?", f"how about {dated[1]}", f"is {dated[0]} free", f"{dated[1]} works for me", f"anything for {dated[2]}?", f"book me for {dated[0]}"]  # fmt: skip
    return [*dated, *with_year, *with_weekday, *rarer, *framed]


@unhurried
@given(now=nows, ahead=st.integers(0, 360))
def test_every_date_comes_back_however_it_is_said(now: datetime, ahead: int) -> None:
    day = now.date() + timedelta(days=ahead)
    expected = (DayRange(day, day + timedelta(days=1)),)

    for said in ways_to_say(day):
        reading = read_time(said, now=now)
        assert reading.wish is not None, said
        assert (reading.wish.days, reading.past, reading.unresolved) == (expected, False, ()), said


@unhurried
@given(now=nows, ahead=st.integers(1, 27))
def test_the_day_of_the_month_alone_is_the_next_one(now: datetime, ahead: int) -> None:
    day = now.date() + timedelta(days=ahead)

    for said in (f"the {suffixed(day.day)}", f"on the {suffixed(day.day)}", f"on the {ORDINALS[day.day - 1]}"):
        reading = read_time(said, now=now)
        assert reading.wish == TimeWish(days=(DayRange(day, day + timedelta(days=1)),)), said


@unhurried
@given(now=nows, minute=minutes)
def test_every_time_of_day_comes_back_however_it_is_said(now: datetime, minute: int) -> None:
    hour, rest = divmod(minute, 60)
    half = "am" if hour < 12 else "pm"
    twelve = hour % 12 or 12
    figures, part = f"{twelve}:{rest:02}", "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"
    said = [
        f"{figures} {half}", f"{figures}{half[0]}", f"at {figures}{half.upper()}", f"tomorrow at {figures} {half[0]}.m.", f"{figures}{half} tomorrow", f"tomorrow {figures} {half}", f"@ {figures}{half}",
        f"around {figures} {half}", f"at about {figures} {half}", f"for {figures} {half}", f"say {figures}{half}", f"{twelve}.{rest:02}{half}", f"{twelve} {rest:02} {half}", f"{twelve}{rest:02} {half}",
        f"my {figures} {half} appointment", f"is {figures} {half} free?", f"{figures} {half} sharp", f"exactly {figures} {half}", f"can you do {figures} {half} on Friday", f"make it {figures} {half}",
    ]  # fmt: skip
    if twelve != 12:
        said += [f"{figures} in the {part}", f"tomorrow {part} at {figures}", f"{figures} tomorrow {part}"]
    if not 10 <= hour <= 12:
        said.append(f"{hour:02}:{rest:02}")  # "09:30" and "21:30" leave one reading, "10:30" two

    for text in said:
        wish = read_time(text, now=now).wish
        assert wish is not None, text
        assert (wish.at_minute, wish.at_alternatives) == (minute, ()), text


@unhurried
@given(now=nows, minute=minutes)
def test_a_time_without_a_half_of_the_day_has_both_readings(now: datetime, minute: int) -> None:
    hour, rest = divmod(minute, 60)

    wish = read_time(f"at {hour % 12 or 12}:{rest:02}", now=now).wish

    assert wish is not None
    assert wish.at_minute is not None
    assert {wish.at_minute, *wish.at_alternatives} == {minute, (minute + 720) % 1440}
    assert 7 * 60 <= wish.at_minute < 19 * 60


@unhurried
@given(text=st.text(max_size=80), now=nows, asked=st.sampled_from([None, "when", "time", "date", "birth_date"]))
def test_no_text_breaks_the_reading(text: str, now: datetime, asked: str | None) -> None:
    check_reading(text, now, asked)


@unhurried
@given(
    words=st.lists(st.sampled_from(WORDS), max_size=14),
    now=nows,
    asked=st.sampled_from([None, "when", "time", "date", "birth_date"]),
)
def test_no_heap_of_time_words_breaks_the_reading(words: list[str], now: datetime, asked: str | None) -> None:
    check_reading(" ".join(words), now, asked)


def check_reading(text: str, now: datetime, asked: str | None) -> None:
    reading = read_time(text, now=now, asked=asked)

    assert reading == read_time(text, now=now, asked=asked)
    assert all(text[mention.start : mention.end] == mention.text for mention in reading.mentions)
    if reading.wish is not None:
        check_wish(reading.wish)


def check_wish(wish: TimeWish) -> None:
    assert all(each.first < each.end for each in (*wish.days, *wish.not_days))
    assert all(0 <= each.start_minute < each.end_minute <= 1440 for each in (*wish.clocks, *wish.not_clocks))
    assert all(0 <= each < 1440 for each in (wish.at_minute or 0, *wish.at_alternatives))
    assert wish.weekdays | wish.not_weekdays <= set(range(7))
    assert wish.days == tuple(sorted(wish.days, key=lambda each: each.first))


def test_a_flood_of_text_is_read_no_further_than_an_utterance_can_be() -> None:
    reading = read_time("x" * 100_000 + " tomorrow", now=datetime.fromisoformat("2026-11-21T10:00"))

    assert reading.wish is None


# Wishes

days = st.dates(min_value=date(2026, 11, 21), max_value=date(2027, 1, 31))
day_ranges = st.builds(lambda first, length: DayRange(first, first + timedelta(days=length)), days, st.integers(1, 10))
clock_ranges = st.builds(
    lambda start, length: ClockRange(start, min(1440, start + length)), minutes, st.integers(1, 600)
)
weekday_sets = st.frozensets(st.integers(0, 6), max_size=2)


@st.composite
def wishes(draw: st.DrawFn) -> TimeWish:
    exact = draw(st.none() | minutes)
    return TimeWish(
        days=draw(st.tuples() | st.tuples(day_ranges)),
        weekdays=draw(weekday_sets),
        clocks=() if exact is not None else draw(st.tuples() | st.tuples(clock_ranges)),
        at_minute=exact,
        order=draw(st.sampled_from([None, "earliest", "latest"])),
        relative=draw(st.sampled_from([None, "earlier", "later", "same_day"])),
        soft=draw(st.booleans()),
    )


@st.composite
def refusals(draw: st.DrawFn) -> TimeWish:
    return TimeWish(
        not_days=draw(st.tuples(day_ranges)),
        not_weekdays=draw(weekday_sets),
        not_clocks=draw(st.tuples() | st.tuples(clock_ranges)),
    )


starts = st.datetimes(min_value=datetime.fromisoformat("2026-11-21"), max_value=datetime.fromisoformat("2027-02-10"))


@unhurried
@given(wish=wishes() | refusals())
def test_the_first_wish_is_taken_as_it_is(wish: TimeWish) -> None:
    assert merge_wish(None, wish) == wish


@unhurried
@given(old=wishes() | refusals(), new=wishes() | refusals())
def test_laying_the_same_wish_over_twice_changes_nothing(old: TimeWish, new: TimeWish) -> None:
    once = merge_wish(old, new)

    assert merge_wish(once, new) == once


@unhurried
@given(old=wishes() | refusals(), new=wishes() | refusals())
def test_a_later_day_or_time_wins_and_what_is_not_said_again_stays(old: TimeWish, new: TimeWish) -> None:
    merged = merge_wish(old, new)

    if new.days or new.weekdays:
        assert (merged.days, merged.weekdays) == (new.days, new.weekdays)
    if new.clocks or new.at_minute is not None:
        assert (merged.clocks, merged.at_minute) == (new.clocks, new.at_minute)
    if not (new.clocks or new.at_minute is not None or new.not_clocks):
        assert (merged.clocks, merged.at_minute) == (old.clocks, old.at_minute)
    if not (new.days or new.weekdays or new.not_days or new.not_weekdays):
        assert (merged.days, merged.weekdays) == (old.days, old.weekdays)


@unhurried
@given(old=wishes() | refusals(), new=refusals(), start=starts)
def test_a_later_refusal_always_holds(old: TimeWish, new: TimeWish, start: datetime) -> None:
    if not allows(new, start=start):
        assert not allows(merge_wish(old, new), start=start)


@unhurried
@given(old=refusals(), day=days)
def test_asking_for_a_day_refused_before_lifts_that_refusal(old: TimeWish, day: date) -> None:
    merged = merge_wish(replace(old, not_clocks=()), TimeWish(days=(DayRange(day, day + timedelta(days=1)),)))

    assert allows(merged, start=datetime.combine(day, datetime.min.time()))


@unhurried
@given(old=refusals(), minute=minutes)
def test_asking_for_a_time_refused_before_lifts_that_refusal(old: TimeWish, minute: int) -> None:
    merged = merge_wish(TimeWish(not_clocks=old.not_clocks), TimeWish(at_minute=minute))

    assert allows(merged, start=datetime.fromisoformat("2026-11-21") + timedelta(minutes=minute))


@unhurried
@given(start=starts)
def test_an_empty_wish_allows_everything(start: datetime) -> None:
    assert allows(TimeWish(), start=start)


NOW = datetime.fromisoformat("2026-11-21T10:00")


def talk(*utterances: str) -> TimeWish:
    wish = None
    for text in utterances:
        said = read_time(text, now=NOW).wish
        assert said is not None, text
        wish = merge_wish(wish, said)
    assert wish is not None
    return wish


def day(month: int, number: int) -> DayRange:
    return DayRange(date(2026, month, number), date(2026, month, number) + timedelta(days=1))


@pytest.mark.parametrize(
    ("utterances", "expected"),
    [
        (("Tuesday after 3", "actually Thursday"), TimeWish(days=(day(11, 26),), clocks=(ClockRange(900, 1440),))),
        (("Tuesday after 3", "in the morning"), TimeWish(days=(day(11, 24),), clocks=(ClockRange(360, 720),))),
        (("Tuesday at 3pm", "any time"), TimeWish(days=(day(11, 24),), flexible=True)),
        (("Tuesday mornings only", "whenever"), TimeWish(flexible=True)),
        (("Tuesday after 3", "any day is fine"), TimeWish(clocks=(ClockRange(900, 1440),), flexible=True)),
        (("not Friday", "after 3, any day is fine"), TimeWish(clocks=(ClockRange(900, 1440),), flexible=True)),
        (
            ("mornings, not Fridays", "Friday is fine after all"),
            TimeWish(days=(day(11, 27),), clocks=(ClockRange(360, 720),)),
        ),
        (("not Fridays", "no mornings"), TimeWish(not_weekdays=frozenset({4}), not_clocks=(ClockRange(360, 720),))),
        (("Tuesday", "Tuesday doesn't work"), TimeWish(not_weekdays=frozenset({1}))),
        (("after 3", "anything earlier?"), TimeWish(clocks=(ClockRange(900, 1440),), relative="earlier")),
    ],
)
def test_a_talk_about_time_ends_in_what_the_patient_means(utterances: tuple[str, ...], expected: TimeWish) -> None:
    assert talk(*utterances) == expected


def test_a_start_is_allowed_on_the_day_and_at_the_time_and_not_where_refused() -> None:
    wish = talk("next week in the afternoon but not Friday")

    assert allows(wish, start=datetime.fromisoformat("2026-11-24T14:00"))
    assert not allows(wish, start=datetime.fromisoformat("2026-11-24T09:00"))
    assert not allows(wish, start=datetime.fromisoformat("2026-11-27T14:00"))
    assert not allows(wish, start=datetime.fromisoformat("2026-12-01T14:00"))
    assert allows(talk("at 8"), start=datetime.fromisoformat("2026-12-01T20:00"))
    assert not allows(talk("at 8"), start=datetime.fromisoformat("2026-12-01T09:00"))
