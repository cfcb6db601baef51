"""What a patient's words about time come to: the values that leave this package.

Everything here is wall time at the clinic. Zones, instants and clock changes belong to whoever turns a wish into slots.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

DAY_MINUTES = 24 * 60
HORIZON = timedelta(days=400)  # how far an open wish reaches: farther than any clinic books

Order = Literal["earliest", "latest"]
Relative = Literal["earlier", "later", "same_day", "same_week", "other_day", "same_time"]
Open = Literal["after", "before"]


@dataclass(frozen=True)
class DayRange:
    """Dates from `first` up to but not including `end`."""

    first: date
    end: date

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day < self.end


@dataclass(frozen=True)
class ClockRange:
    """Minutes after local midnight, half-open, 0 to 1440. A start of 0 or an end of 1440 means open on that side."""

    start_minute: int
    end_minute: int

    def __contains__(self, minute: object) -> bool:
        return isinstance(minute, int) and self.start_minute <= minute < self.end_minute


ANY_CLOCK = ClockRange(0, DAY_MINUTES)
ANY_WEEKDAY = frozenset(range(7))


@dataclass(frozen=True)
class TimeWish:
    """When the patient wants, or refuses, to come.

    A start must fall on any of `days`, on any of `weekdays` and in any of `clocks`; an empty one restricts nothing. The `not_` fields refuse.
    `at_minute` is an exact start ("at 3"); `at_alternatives` are its other readings when morning or afternoon was not said.
    `order` and `relative` are for whoever picks among slots; `relative` refers to what was offered last or, for the `same_` ones, to an earlier visit.
    `shift_days` says how much later, or earlier where it is negative ("a week later", "up two days"), where that was said in days.
    `flexible` says that the patient left open whatever is not restricted; "any time" alone names all hours and "any day" alone
    all weekdays; "any day after 4" restricts the hours and leaves the days open.
    """

    days: tuple[DayRange, ...] = ()
    weekdays: frozenset[int] = frozenset()
    not_days: tuple[DayRange, ...] = ()
    not_weekdays: frozenset[int] = frozenset()
    clocks: tuple[ClockRange, ...] = ()
    not_clocks: tuple[ClockRange, ...] = ()
    at_minute: int | None = None
    at_alternatives: tuple[int, ...] = ()
    order: Order | None = None
    relative: Relative | None = None
    shift_days: int = 0
    soft: bool = False
    flexible: bool = False


@dataclass(frozen=True)
class TimeMention:
    """One phrase about time: where it stands in the utterance, what it asks for, and its value as a plain record.

    `value_start` and `value_end` are YYYY-MM-DD, THH:MM or both together, None where that side is open or, for the end, where it is a single point.
    """

    text: str
    start: int
    end: int
    wish: TimeWish
    kind: str
    value_start: str | None
    value_end: str | None
    open: Open | None


@dataclass(frozen=True)
class TimeReading:
    """All that one utterance says about time.

    `wish` joins the mentions: day and clock must both hold, alternatives are united, refusals kept apart. None if nothing was wished.
    `unresolved` are phrases about time that have no certain meaning: to be asked about. `past` says that all that was named is already over.
    """

    mentions: tuple[TimeMention, ...]
    wish: TimeWish | None
    unresolved: tuple[str, ...]
    past: bool


def united_days(ranges: Iterable[DayRange]) -> tuple[DayRange, ...]:
    """Sort and join day ranges that touch or overlap, so that equal wishes compare equal."""
    joined: list[DayRange] = []
    for each in sorted(ranges, key=lambda one: (one.first, one.end)):
        if joined and each.first <= joined[-1].end:
            joined[-1] = DayRange(joined[-1].first, max(joined[-1].end, each.end))
        else:
            joined.append(each)
    return tuple(joined)


def united_clocks(ranges: Iterable[ClockRange]) -> tuple[ClockRange, ...]:
    """As `united_days`, for clock ranges."""
    joined: list[ClockRange] = []
    for each in sorted(ranges, key=lambda one: (one.start_minute, one.end_minute)):
        if joined and each.start_minute <= joined[-1].end_minute:
            joined[-1] = ClockRange(joined[-1].start_minute, max(joined[-1].end_minute, each.end_minute))
        else:
            joined.append(each)
    return tuple(joined)
