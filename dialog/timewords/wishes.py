"""What is done with wishes: a later one laid over an earlier one, and the test of a start time."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from dialog.timewords.values import ANY_CLOCK, ANY_WEEKDAY, ClockRange, DayRange, TimeWish, united_clocks, united_days


def allows(wish: TimeWish, *, start: datetime) -> bool:
    """Say whether a start at wall time `start` fits the wish. `order`, `relative` and `soft` are for whoever chooses and do not count here.

    An exact time allows its other reading too ("at 8" allows 20:00).
    """
    day, minute = start.date(), start.hour * 60 + start.minute
    if (
        any(day in each for each in wish.not_days)
        or day.weekday() in wish.not_weekdays
        or any(minute in each for each in wish.not_clocks)
    ):
        return False
    if wish.days and not any(day in each for each in wish.days):
        return False
    if wish.weekdays and day.weekday() not in wish.weekdays:
        return False
    if wish.at_minute is not None:
        return minute in {wish.at_minute, *wish.at_alternatives} or any(minute in each for each in wish.clocks)
    return not wish.clocks or any(minute in each for each in wish.clocks)


def is_search(wish: TimeWish) -> bool:
    """Say whether a wish is for a part of the day or for several days, at no certain hour: it fits more than one time."""
    several_days = len(wish.days) > 1 or any(each.end - each.first > timedelta(days=1) for each in wish.days)
    return wish.at_minute is None and (bool(wish.clocks) or several_days)


def merge_wish(old: TimeWish | None, new: TimeWish) -> TimeWish:
    """Lay a later wish over an earlier one; the later wins.

    A new day replaces days and weekdays and keeps the clock; a new clock replaces the clock and keeps the days. Refusals add up, but a wish for what was refused
    lifts that refusal, and a refusal takes its days and times out of the earlier wish. "Any time" and "any day" clear what they name, "whenever" clears both.
    An order or a relation that is not said again falls away with the days it went with, as days do before a wish that counts from them ("a week later"). Laying the same wish over twice changes nothing.
    """
    if old is None:
        return new
    dated, timed = bool(new.days or new.weekdays), bool(new.clocks or new.at_minute is not None)
    all_open = new.flexible and not dated and not timed
    any_day, any_clock = _names_any_day(new), ANY_CLOCK in new.clocks
    days, weekdays = (
        (new.days, new.weekdays)
        if dated and not any_day
        else ((), frozenset[int]())
        if all_open or any_day or new.shift_days
        else _dates_left(old, new)
    )
    clocks, at, alternatives = (
        ((), None, ())
        if all_open or any_clock
        else (new.clocks, new.at_minute, new.at_alternatives)
        if timed
        else _times_left(old, new)
    )
    cleared_days, cleared_clocks = all_open or any_day, all_open or any_clock
    return TimeWish(
        days=days,
        weekdays=weekdays,
        not_days=united_days([*(() if cleared_days else _without_days(old.not_days, new)), *new.not_days]),
        not_weekdays=(frozenset() if cleared_days else _weekdays_still_refused(old, new)) | new.not_weekdays,
        clocks=clocks,
        not_clocks=united_clocks([*(() if cleared_clocks else _without_clocks(old.not_clocks, new)), *new.not_clocks]),
        at_minute=at,
        at_alternatives=alternatives,
        order=new.order or (None if dated or new.relative else old.order),
        relative=new.relative or (None if dated or timed or new.order or all_open else old.relative),
        shift_days=new.shift_days or (0 if new.relative or dated or timed or new.order or all_open else old.shift_days),
        soft=new.soft if dated or timed else old.soft or new.soft,
        flexible=new.flexible or (old.flexible and not dated and not timed),
    )


def _names_any_day(wish: TimeWish) -> bool:
    """Whether the days are left open: said so alone, or beside a time of day ("any day after 4")."""
    if not wish.flexible or wish.days:
        return False
    timed = wish.clocks or wish.at_minute is not None
    return wish.weekdays == ANY_WEEKDAY or bool(timed and not wish.weekdays and ANY_CLOCK not in wish.clocks)


def _dates_left(old: TimeWish, new: TimeWish) -> tuple[tuple[DayRange, ...], frozenset[int]]:
    """The earlier dates, less what is refused now; all of them gone means that nothing is left to hold on to."""
    days = tuple(
        each
        for each in old.days
        if not any(other.first <= each.first and each.end <= other.end for other in new.not_days)
    )
    days = tuple(
        each
        for each in days
        if not (each.end - each.first == timedelta(days=1) and each.first.weekday() in new.not_weekdays)
    )
    return days, old.weekdays - new.not_weekdays


def _times_left(old: TimeWish, new: TimeWish) -> tuple[tuple[ClockRange, ...], int | None, tuple[int, ...]]:
    clocks = tuple(
        each
        for each in old.clocks
        if not any(
            other.start_minute <= each.start_minute and each.end_minute <= other.end_minute for other in new.not_clocks
        )
    )
    readings = () if old.at_minute is None else (old.at_minute, *old.at_alternatives)
    kept = tuple(minute for minute in readings if not any(minute in other for other in new.not_clocks))
    return clocks, kept[0] if kept else None, kept[1:]


def _weekdays_still_refused(old: TimeWish, new: TimeWish) -> frozenset[int]:
    named = {each.first.weekday() for each in new.days if each.end - each.first == timedelta(days=1)}
    return old.not_weekdays - new.weekdays - named


def _without_days(refused: tuple[DayRange, ...], new: TimeWish) -> list[DayRange]:
    left = list(refused)
    for wanted in new.days:
        if wanted.end - wanted.first > timedelta(days=1):
            continue
        left = [piece for each in left for piece in _days_around(each, wanted.first, wanted.end)]
    return left


def _days_around(each: DayRange, first: date, end: date) -> list[DayRange]:
    if end <= each.first or each.end <= first:
        return [each]
    around = (DayRange(each.first, max(each.first, first)), DayRange(min(each.end, end), each.end))
    return [piece for piece in around if piece.first < piece.end]


def _without_clocks(refused: tuple[ClockRange, ...], new: TimeWish) -> list[ClockRange]:
    wanted = [
        ClockRange(minute, minute + 1) for minute in ((new.at_minute,) if new.at_minute is not None else ())
    ] + list(new.clocks)
    left = list(refused)
    for each in wanted:
        if each != ANY_CLOCK:
            left = [piece for one in left for piece in _clocks_around(one, each)]
    return left


def _clocks_around(one: ClockRange, gone: ClockRange) -> list[ClockRange]:
    if gone.end_minute <= one.start_minute or one.end_minute <= gone.start_minute:
        return [one]
    around = (
        ClockRange(one.start_minute, max(one.start_minute, gone.start_minute)),
        ClockRange(min(one.end_minute, gone.end_minute), one.end_minute),
    )
    return [replace(piece) for piece in around if piece.start_minute < piece.end_minute]
