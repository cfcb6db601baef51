"""Turns one phrase into the wish it makes and the plain record of its value."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from dialog.timewords.atoms import Clock, Part, Signal, Span
from dialog.timewords.clocks import Context, of_half
from dialog.timewords.phrases import Phrase
from dialog.timewords.values import DAY_MINUTES, ClockRange, DayRange, Open, TimeWish

OPEN_MINUTES = range(7 * 60, 20 * 60)  # when some clinic may be open; decides between the halves of today


@dataclass(frozen=True)
class Value:
    """A phrase's value as a record: kind, start, end and which side is open."""

    kind: str
    start: str | None
    end: str | None
    open: Open | None


def settled(phrase: Phrase, context: Context) -> Phrase:
    """Choose among the readings of a clock time by the part of the day beside it and, today, by what is still to come."""
    half = phrase.part.half if phrase.part else None
    if phrase.clock is not None and half is not None:
        phrase = replace(phrase, clock=Clock(of_half(phrase.clock.readings, half)))
    if phrase.span is not None and phrase.part is not None:
        phrase = replace(phrase, span=_span_in(phrase.span, phrase.part, hint_only=_ends_with_part(phrase)))
    if (
        phrase.day is not None
        and phrase.day.unit == "day"
        and phrase.day.first == context.today
        and phrase.clock is not None
        and len(phrase.clock.readings) > 1
    ):
        ahead = tuple(each for each in phrase.clock.readings if each > context.minute and each in OPEN_MINUTES)
        phrase = replace(phrase, clock=Clock((*ahead, *(each for each in phrase.clock.readings if each not in ahead))))
    return phrase


def _ends_with_part(phrase: Phrase) -> bool:
    return (
        isinstance(phrase.pieces[-1].atom, Part) and len(phrase.pieces) > 1 and isinstance(phrase.pieces[-2].atom, Span)
    )


def _span_in(span: Span, part: Part, *, hint_only: bool) -> Span:
    """Fit a span to the part of the day named with it. `hint_only`: the part only says which half is meant ("after 3:30 in the afternoon")."""
    if hint_only and span.open and part.half:
        limits = tuple((start if span.open == "after" else end) for start, end in span.readings)
        meant = of_half(limits, part.half)[0]
        return Span((span.readings[limits.index(meant)],), span.open)
    fitting = tuple(each for each in span.readings if max(each[0], part.start) < min(each[1], part.end))
    if not fitting:
        return span
    if span.open is None:
        # "Between five and six in the evening" lies in it, "ten to twelve in the morning" at least begins there.
        inside = tuple(each for each in fitting if part.start <= each[0] < part.end) or fitting
        return replace(span, readings=(*inside, *(each for each in span.readings if each not in inside)))
    limited = tuple(each for each in fitting if part.start <= each[0 if span.open == "after" else 1] <= part.end)
    clipped = tuple((max(start, part.start), min(end, part.end)) for start, end in limited or fitting)
    longest = max(clipped, key=lambda each: each[1] - each[0])
    still_open = longest[1] == DAY_MINUTES if span.open == "after" else longest[0] == 0
    return Span((longest,), span.open if still_open else None)


def wish_of(phrase: Phrase) -> TimeWish:
    """What the phrase asks for. Clock times have been settled before."""
    if (phrase.day and phrase.day.shift and not phrase.timed) or (phrase.moment and phrase.moment.shift):
        # "An hour later" than what was spoken of, which only the conversation knows.
        shift = phrase.day.shift if phrase.day else 0
        return TimeWish(relative="earlier" if shift < 0 else "later", shift_days=shift)
    minutes = _exact_minutes(phrase)
    return TimeWish(
        days=_days(phrase),
        weekdays=phrase.recurring.weekdays if phrase.recurring else frozenset(),
        clocks=() if minutes else _clocks(phrase),
        at_minute=minutes[0] if minutes else None,
        at_alternatives=minutes[1:],
        order=phrase.part.order if phrase.part else None,
    )


def _exact_minutes(phrase: Phrase) -> tuple[int, ...]:
    if phrase.moment is not None:
        return (phrase.moment.at.hour * 60 + phrase.moment.at.minute,)
    if phrase.span is not None and phrase.span.lasting:
        return tuple(start for start, _ in phrase.span.readings)
    return tuple(minute % DAY_MINUTES for minute in phrase.clock.readings) if phrase.clock is not None else ()


def _days(phrase: Phrase) -> tuple[DayRange, ...]:
    if phrase.day is not None:
        return (DayRange(phrase.day.first, phrase.day.end),)
    if phrase.moment is not None:
        return (_one_day(phrase.moment.at.date()),)
    if phrase.stretch is not None:
        return (DayRange(phrase.stretch.start.date(), phrase.stretch.end.date() + timedelta(days=1)),)
    return ()


def _one_day(day: date) -> DayRange:
    return DayRange(day, day + timedelta(days=1))


def _clocks(phrase: Phrase) -> tuple[ClockRange, ...]:
    if phrase.span is not None:
        return (ClockRange(*phrase.span.readings[0]),)
    if phrase.part is not None:
        return (ClockRange(phrase.part.start, phrase.part.end),)
    if phrase.stretch is not None and phrase.stretch.start.date() == phrase.stretch.end.date():
        start, end = phrase.stretch.start, phrase.stretch.end
        return (ClockRange(start.hour * 60 + start.minute, end.hour * 60 + end.minute + 1),)
    return ()


# The plain record


def value_of(phrase: Phrase) -> Value:
    """The phrase as a record."""
    if phrase.moment is not None:
        return Value("datetime", phrase.moment.at.strftime("%Y-%m-%dT%H:%M"), None, None)
    if phrase.stretch is not None:
        return Value(
            "datetime_range",
            phrase.stretch.start.strftime("%Y-%m-%dT%H:%M"),
            phrase.stretch.end.strftime("%Y-%m-%dT%H:%M"),
            None,
        )
    if phrase.timed and not (phrase.day and (phrase.day.unit != "day" or phrase.day.open)):
        return _timed_value(phrase)
    return _day_value(phrase)


def _day_value(phrase: Phrase) -> Value:
    day = phrase.day
    if day is None:
        return Value("date", None, None, None)
    if day.open == "after":
        return Value("after", day.first.isoformat(), None, "after")
    if day.open == "before":
        # "By Friday" names the Friday itself, "before Friday" the end that is no longer in it.
        return Value("before", None, (day.end - timedelta(days=1) if day.until else day.end).isoformat(), "before")
    if day.unit == "day":
        return Value("date", day.first.isoformat(), None, None)
    return Value("date_range", day.first.isoformat(), day.end.isoformat(), None)


def _timed_value(phrase: Phrase) -> Value:
    prefix = phrase.day.first.isoformat() if phrase.day else ""
    dated = "date" if phrase.day else ""
    if phrase.clock is not None:
        return Value(dated + "time", prefix + _clock(phrase.clock.readings[0] % DAY_MINUTES), None, None)
    start, end, open_ = _bounds(phrase)
    if open_ == "after":
        return Value("after", prefix + _clock(start), None, "after")
    if open_ == "before":
        return Value("before", None, prefix + _clock(end), "before")
    return Value(dated + "time_range", prefix + _clock(start), prefix + _clock(end), None)


def _bounds(phrase: Phrase) -> tuple[int, int, Open | None]:
    if phrase.span is not None:
        return (*phrase.span.readings[0], phrase.span.open)
    assert phrase.part is not None  # noqa: S101 - a timed phrase without clock and span has a part
    return phrase.part.start, phrase.part.end, phrase.part.open


def _clock(minute: int) -> str:
    return f"T{minute // 60:02}:{minute % 60:02}"


def is_past(phrase: Phrase, context: Context) -> bool:
    """Whether everything the phrase can mean is over."""
    day = phrase.day
    if day is None or day.shift:
        return False
    if day.end <= context.today:
        return True
    if day.end > context.today + timedelta(days=1) or day.open:
        return False
    if phrase.clock is not None:
        return all(minute < context.minute for minute in phrase.clock.readings[:1])
    return phrase.timed and _bounds(phrase)[1] <= context.minute


def value_of_signal(signal: Signal, context: Context) -> Value:
    """What is said beside dates and clocks as a record: only "as soon as possible" has a value, from now on."""
    if signal.order == "earliest":
        return Value("after", context.now.strftime("%Y-%m-%dT%H:%M"), None, "after")
    return Value("order" if signal.order else "relative" if signal.relative else "flexible", None, None, None)


def wish_of_signal(signal: Signal) -> TimeWish:
    """What is said beside dates and clocks as a wish of its own."""
    return TimeWish(order=signal.order, relative=signal.relative, flexible=signal.flexible is not None)
