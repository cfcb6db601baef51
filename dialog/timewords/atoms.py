"""The small meanings that phrases are built from, before an utterance is put together.

A clock time keeps all its readings here ("at 8" is 8:00 or 20:00), the likelier first; a neighbour such as "in the evening" picks one later.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from dialog.timewords.values import Open, Order, Relative

Half = Literal["am", "pm"]
Follows = Literal["day", "week", "weekday", "next_week", "next_weekday", "week_of_month", "again", "limit"]


@dataclass(frozen=True)
class Length:
    """A stretch of time: "three weeks", "half an hour". `workdays` counts days that are no weekend."""

    months: int = 0
    days: int = 0
    minutes: int = 0
    workdays: int = 0


@dataclass(frozen=True)
class Day:
    """One date, or dates from `first` to before `end`.

    `weekday` is set where only a weekday was said, which a neighbouring week may still move. `counted` marks a date reached by counting ("in two
    weeks"), whose week is surer than its day. `doubtful` marks one that fits the words but is so far off that the words are likely wrong. `until` marks a limit that,
    refused, is where the wish begins ("I can't until Friday"). `shift` is how many days
    "two days later" counts, which it does from now only if nothing else was spoken of. `follows` marks what counts from the day spoken of before ("the week after"); of a "week_of_month" `shift` is which one.
    `week_named` marks a weekday whose week was said with it ("Monday next week").
    """

    first: date
    end: date
    unit: Literal["day", "days", "week", "weekend", "month", "year"] = "day"
    open: Open | None = None
    weekday: int | None = None
    counted: bool = False
    doubtful: bool = False
    until: bool = False
    shift: int = 0
    follows: Follows | None = None
    week_named: bool = False


@dataclass(frozen=True)
class Recurring:
    """Weekdays in general: "Tuesdays", "any Monday", "weekends"."""

    weekdays: frozenset[int]
    plural: bool = True


@dataclass(frozen=True)
class Clock:
    """An exact time of day; `readings` in minutes after midnight, the likelier first."""

    readings: tuple[int, ...]


@dataclass(frozen=True)
class Span:
    """From a time of day to another; pairs of minutes, the likelier first. The end may pass midnight in none of them.

    `lasting` marks one that was said by its start and its length, so that a visit should begin at the start ("at 3 for an hour").
    """

    readings: tuple[tuple[int, int], ...]
    open: Open | None = None
    lasting: bool = False


@dataclass(frozen=True)
class Part:
    """A part of the day by name: "morning", "after school"."""

    start: int
    end: int
    half: Half | None = None
    open: Open | None = None
    order: Order | None = None
    plural: bool = False
    name: str = ""


@dataclass(frozen=True)
class Moment:
    """A date and a time of day at once: "in two hours"."""

    at: datetime
    shift: bool = False


@dataclass(frozen=True)
class Stretch:
    """From one moment to another, such as "the next three hours"."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Signal:
    """What is said about time beside dates and clocks."""

    order: Order | None = None
    relative: Relative | None = None
    refers: bool = False  # to what was said just before ("after that")
    soft: bool = False
    flexible: Literal["both", "day", "clock"] | None = None


@dataclass(frozen=True)
class Unclear:
    """About time, but without one certain meaning; `reason` is for the reader of a log."""

    reason: str


@dataclass(frozen=True)
class Together:
    """Several meanings in one phrase: "tonight" is a day and a part of it."""

    atoms: tuple["Atom", ...]


Atom = Day | Recurring | Clock | Span | Part | Moment | Stretch | Signal | Unclear | Together
