"""Meanings of the rules about times of day. Each takes the context and what its rule found; None says that the words do not mean a time after all.

A clinic is open by day: of the two halves of the day a bare hour means the one between 8:00 and 18:00, and the other stays as a second reading. 7 is read as the
morning where a start is named and as the evening where a limit is ("after 7", "before 7").
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from dialog.timewords.atoms import Clock, Day, Half, Length, Part, Signal, Span, Together, Unclear
from dialog.timewords.language import Language
from dialog.timewords.values import DAY_MINUTES

NOON = DAY_MINUTES // 2


@dataclass(frozen=True)
class Context:
    """What every meaning may look at: the wall time now and the language's tables. `asked` is what the agent just asked.

    `day_spoken_of` is the day that the conversation is about, if there is one.
    """

    now: datetime
    language: Language
    asked: str | None = None
    day_spoken_of: date | None = None

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def minute(self) -> int:
        return self.now.hour * 60 + self.now.minute


@dataclass(frozen=True)
class Figures:
    """Hour and minute as they were said; `exact` where their form leaves one reading ("09:30")."""

    hour: int
    minute: int = 0
    exact: bool = False


def same(_: Context, value: Any, *_rest: Any) -> Any:
    """Stand for what was found."""
    return value


def nothing(_: Context) -> Any:
    """Stand for a word that only joins others."""
    return ...


def _readings(said: Figures, half: Half | None) -> tuple[int, ...]:
    minute = said.hour % 12 * 60 + said.minute
    if said.hour > 12 or (said.exact and half is None):
        return (said.hour % 24 * 60 + said.minute,)
    if half is not None:
        return (minute + (NOON if half == "pm" else 0),)
    if said.hour == 0:
        return (minute,)
    return (minute, minute + NOON) if 7 <= said.hour <= 11 else (minute + NOON, minute)


def hhmm(_: Context, said: Figures, half: Half | None = None) -> Clock:
    """Read "3:15", "1030", with or without a half of the day."""
    return Clock(_readings(said, half))


hour = hhmm


def at_night(_: Context, clock: Clock) -> Clock | None:
    """Read "eleven at night", and "two at night" as before dawn."""
    night = tuple(each for each in clock.readings if each >= 18 * 60 or each < 6 * 60)
    return Clock(night) if night else None


def in_part(_: Context, clock: Clock, part: Part) -> Clock | None:
    """Read "half past three in the afternoon", of which the part only says which half of the day is meant; there is no 16 in the morning."""
    if part.half is None or (part.half == "am" and min(clock.readings) >= NOON + 60):
        return None
    return Clock(of_half(clock.readings, part.half))


def of_half(readings: tuple[int, ...], half: Half) -> tuple[int, ...]:
    """The readings in that half of the day; all of them if there is none."""
    fitting = tuple(each for each in readings if (each >= NOON) == (half == "pm"))
    # "Twelve in the morning" is said at noon, not at midnight.
    return fitting if fitting and fitting != (0,) else readings


def hhmm_oclock(context: Context, said: Figures, _oclock: object, half: Half | None) -> Clock:
    """Read "3:00 o'clock"."""
    return hhmm(context, said, half)


hour_oclock = hhmm_oclock


def hour_minute(_: Context, said: Figures, minute: int, half: Half | None = None) -> Clock | None:
    """Read "ten thirty"."""
    return Clock(_readings(Figures(said.hour, minute, said.exact), half)) if said.hour <= 24 else None


def at_minute(_: Context, minute: int) -> Clock:
    """Read a time that has a name."""
    return Clock((minute,))


def _moved(clock: Clock, minutes: int) -> Clock:
    return Clock(tuple((each + minutes) % DAY_MINUTES for each in clock.readings))


def minutes_past(_: Context, clock: Clock, minutes: int) -> Clock:
    """Read "half past three"."""
    return _moved(clock, minutes)


def minutes_to(_: Context, clock: Clock, minutes: int) -> Clock:
    """Read "quarter to four"."""
    return _moved(clock, -minutes)


def some_minutes_past(_: Context, minutes: int, clock: Clock) -> Clock | None:
    """Read "ten past four"; only round numbers are said so."""
    return _moved(clock, minutes) if minutes in {5, 10, 20, 25} else None


def exact_minutes_past(_: Context, minutes: int, clock: Clock) -> Clock | None:
    """Read "15 minutes past four"."""
    return _moved(clock, minutes) if 1 <= minutes < 60 else None


def past_minutes(context: Context, clock: Clock, minutes: int) -> Clock | None:
    """Read "four and ten", as Spanish says it."""
    return exact_minutes_past(context, minutes, clock)


def less_minutes(context: Context, clock: Clock, minutes: int) -> Clock | None:
    """Read "four less ten"."""
    return some_minutes_to(context, minutes, clock)


def in_half(_: Context, clock: Clock, half: Half) -> Clock:
    """Read "half past four p.m."."""
    return Clock(of_half(clock.readings, half))


def length_past(_: Context, length: Length, clock: Clock) -> Clock | None:
    """Read "half an hour after noon"."""
    return _moved(clock, length.minutes) if 0 < length.minutes < NOON and not (length.days or length.months) else None


def length_to(_: Context, length: Length, clock: Clock) -> Clock | None:
    """Read "an hour before noon"."""
    return _moved(clock, -length.minutes) if 0 < length.minutes < NOON and not (length.days or length.months) else None


def some_minutes_to(_: Context, minutes: int, clock: Clock) -> Clock | None:
    """Read "ten to four"."""
    return _moved(clock, -minutes) if 1 <= minutes <= 30 else None


def half_hour(_: Context, said: Figures, half: Half | None) -> Clock | None:
    """Read "half three", which is half past three."""
    return Clock(_readings(Figures(said.hour, 30, said.exact), half)) if said.hour <= 12 else None


# Spans


def span(_: Context, start: Clock, end: Clock) -> Span | Unclear | None:
    """Read "from 9 to 11". Of the readings the shortest stretch is the likelier, then the one that begins in clinic hours."""
    pairs = [
        (last - first, index, first, last)
        for index, first in enumerate(start.readings)
        for last in end.readings
        if first < last
    ]
    if not pairs:
        return Unclear("the end is before the start") if start != end else None
    return Span(tuple((first, last) for _gap, _index, first, last in sorted(pairs)))


def span_of_part(context: Context, start: Clock, end: Clock, part: Part) -> Span | Unclear | None:
    """Read "6 to 8 in the evening"."""
    return span(context, start, in_part(context, end, part) or end)


def hours_span(context: Context, first: int, last: int) -> Span | Unclear | None:
    """Read "from 16 to 18 hours"."""
    if not 0 <= first < last <= 24:
        return None
    return span(context, Clock(_readings(Figures(first), None)), Clock(_readings(Figures(last), None)))


def span_in_part(context: Context, _part: Part, start: Clock, end: Clock) -> Span | Unclear | None:
    """Read "between my lunch break, 12 and 1"."""
    return span(context, start, end)


def _as_limit(clock: Clock) -> tuple[int, ...]:
    morning = clock.readings[0]
    return clock.readings[::-1] if len(clock.readings) == 2 and 7 * 60 <= morning < 8 * 60 else clock.readings


def span_after(_: Context, clock: Clock) -> Span:
    """Read "after 3"."""
    return Span(tuple((minute % DAY_MINUTES, DAY_MINUTES) for minute in _as_limit(clock)), "after")


def span_before(_: Context, clock: Clock) -> Span:
    """Read "before 4"."""
    return Span(tuple((0, minute or DAY_MINUTES) for minute in _as_limit(clock)), "before")


def span_before_in(context: Context, part: Part, clock: Clock) -> Span | None:
    """Read "by evening 6"."""
    meant = in_part(context, clock, part)
    return span_before(context, meant) if meant is not None else None


def span_for(_: Context, clock: Clock, length: Length) -> Span | None:
    """Read "from 10 am for 3 hours"."""
    if not length.minutes or clock.readings[0] + length.minutes > DAY_MINUTES:
        return None
    fitting = (minute for minute in clock.readings if minute + length.minutes <= DAY_MINUTES)
    return Span(tuple((minute, minute + length.minutes) for minute in fitting), lasting=True)


def for_span(context: Context, length: Length, clock: Clock) -> Span | None:
    """Read "for 3 hours from 10 am"."""
    return span_for(context, clock, length)


def until_from_now(context: Context, clock: Clock) -> Together | None:
    """Read "between now and 4"; the end is the next such time."""
    ahead = [minute for minute in clock.readings if minute > context.minute]
    if not ahead:
        return None
    today = Day(context.today, context.today + timedelta(days=1))
    return Together((today, Span(((context.minute, min(ahead)),))))


# Parts of the day


def named_part(language: Language, name: str) -> Part:
    """Look up a part of the day in the language's table."""
    row = language.parts[name]
    return Part(
        int(row["from"] * 60), int(row["to"] * 60), row.get("half"), row.get("open"), row.get("order"), name=name
    )


def part_called(context: Context, name: str) -> Part:
    """Read "when I get off work", where the word for what ends names the part of the day."""
    return named_part(context.language, name)


def plural_part(_: Context, part: Part) -> Part:
    """Read "mornings"."""
    return replace(part, plural=True)


def half_day(_: Context, half: Half) -> Part:
    """Read "in the a.m."."""
    return Part(0, NOON, "am") if half == "am" else Part(NOON, DAY_MINUTES, "pm")


def _variant(context: Context, part: Part, name: str) -> Part:
    known = f"{name}_{part.name}"
    return named_part(context.language, known) if known in context.language.parts else part


def part_early(context: Context, part: Part) -> Part:
    """Read "early in the afternoon"."""
    return _variant(context, part, "early")


def part_mid(context: Context, part: Part) -> Part:
    """Read "the middle of the morning"."""
    return _variant(context, part, "mid")


def part_late(context: Context, part: Part) -> Part:
    """Read "later this afternoon"."""
    return _variant(context, part, "late")


def part_before(_: Context, part: Part) -> Span:
    """Read "by the afternoon", up to its start or, for an early part, its end."""
    return Span(((0, part.start if part.half == "pm" else part.end),), "before")


def part_ahead(_: Context, part: Part) -> Span | None:
    """Read "before the afternoon"."""
    return Span(((0, part.start),), "before") if part.start else None


def part_past(_: Context, part: Part) -> Span | None:
    """Read "after the morning"."""
    return Span(((part.end, DAY_MINUTES),), "after") if part.end < DAY_MINUTES else None


# What is said beside dates and clocks


def order(_: Context, value: Literal["earliest", "latest"]) -> Signal:
    """Read "as early as you can"."""
    return Signal(order=value)


def order_earliest(_: Context, *_words: object) -> Signal:
    """Read "as soon as she is available"."""
    return Signal(order="earliest")


def relative(
    _: Context, value: Literal["earlier", "later", "same_day", "same_week", "other_day", "same_time"], *_rest: object
) -> Signal:
    """Read "anything later"."""
    return Signal(relative=value)


def relative_said(_: Context, value: Literal["earlier", "later"]) -> Signal:
    """Read "after that", which is after what was said just before, if anything was."""
    return Signal(relative=value, refers=True)


def soft(_: Context, _value: object) -> Signal:
    """Read "preferably"."""
    return Signal(soft=True)


def flexible(_: Context, value: Literal["both", "day", "clock"]) -> Signal:
    """Read "whenever"."""
    return Signal(flexible=value)


def ignored(_: Context, *_words: object) -> Signal:
    """Read words that sound like time and are none, so that nothing else reads them."""
    return Signal()


def unclear(_: Context, *_words: object) -> Unclear:
    """Read what only the patient can date."""
    return Unclear("not known to a clinic")
