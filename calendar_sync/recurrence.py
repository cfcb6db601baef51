"""When a rule (RRULE) makes an event happen again, as times on the wall clock of its zone; in bounded time, whatever it says.

Months and years are `dateutil`'s. What repeats by the second, minute or hour is stepped through here: there `dateutil` would
look for a match until the year 9999, which for a rule that never matches takes hours.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from dateutil.rrule import rrule, rrulestr

from kernel.errors import Malformed

# What dateutil raises for rules that make no sense, such as the ninth Tuesday of a month.
DATEUTIL_ERRORS = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError)

_MOST = 20_000  # times that one rule may give within what is asked for
_MOST_STEPS = 200_000  # that are looked at for them
_CYCLE_YEARS = 400  # after which dates fall on the same weekdays again
_PART = re.compile(r"([A-Z-]+)=([A-Z0-9,+:-]+)")
_UNDERSTOOD = frozenset(
    ["FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYSETPOS"]
    + [f"BY{part}" for part in ("MONTH", "MONTHDAY", "DAY", "HOUR", "MINUTE", "SECOND", "YEARDAY", "WEEKNO")]
)
_STEPS = {"SECONDLY": timedelta(seconds=1), "MINUTELY": timedelta(minutes=1), "HOURLY": timedelta(hours=1)}
_JUMPS = {"DAILY": timedelta(days=1), "WEEKLY": timedelta(days=7)}
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LIMITS: dict[str, Callable[[datetime], set[int]]] = {
    "BYMONTH": lambda at: {at.month},
    "BYMONTHDAY": lambda at: {at.day, at.day - monthrange(at.year, at.month)[1] - 1},
    "BYDAY": lambda at: {at.weekday()},
    "BYHOUR": lambda at: {at.hour},
    "BYMINUTE": lambda at: {at.minute},
    "BYSECOND": lambda at: {at.second},
}


class RuleNotUnderstood(Malformed):
    """The rule says nothing that can be worked out."""


class TooManyTimes(Malformed):
    """The rule gives more times than any event has, or asks for more work than any event is worth."""


@dataclass(frozen=True)
class _Rule:
    parts: dict[str, str]

    def number(self, name: str, default: int) -> int:
        text = self.parts.get(name, "")
        return int(text) if re.fullmatch(r"\+?\d{1,9}", text) else default

    @property
    def count(self) -> int | None:
        # Some Exchange servers write -1 for no end.
        return self.number("COUNT", 0) or None

    @property
    def interval(self) -> int:
        return max(1, self.number("INTERVAL", 1))


def times_of(
    rule: str, *, first: datetime, begin: datetime, end: datetime, until: Callable[[str], datetime]
) -> list[datetime]:
    """Return the times from `begin` to before `end` at which the rule lets an event happen again that first was at `first`.

    All are naive, on the same clock. `until` reads the rule's UNTIL on that clock. Raises RuleNotUnderstood, TooManyTimes.
    """
    read = _read(rule)
    last = end
    if limit := read.parts.pop("UNTIL", None):
        try:
            last = min(end, until(limit) + timedelta(seconds=1))
        except ValueError:
            raise RuleNotUnderstood("an end that is no time") from None
    found: list[datetime] = []
    for at in _all_times(read, first=first, begin=begin, end=end):
        if at >= last:
            break
        if at >= begin:
            found.append(at)
        if len(found) > _MOST:
            raise TooManyTimes("the rule gives too many times")
    return found


def _read(rule: str) -> _Rule:
    parts = {}
    for text in filter(None, (one.strip() for one in rule.upper().split(";"))):
        found = _PART.fullmatch(text.replace(" ", ""))
        if found is None:
            raise RuleNotUnderstood("not a part of a rule")
        parts[found[1]] = found[2]
    # Other calendars than the common one are not worked out; the common one may be named.
    if parts.pop("RSCALE", "GREGORIAN") != "GREGORIAN" or parts.pop("SKIP", "OMIT") != "OMIT":
        raise RuleNotUnderstood("another calendar")
    understood = {name: value for name, value in parts.items() if not name.startswith("X-")}
    if not understood.keys() <= _UNDERSTOOD or "FREQ" not in understood:
        raise RuleNotUnderstood("parts that are not known")
    return _Rule(understood)


def _all_times(rule: _Rule, *, first: datetime, begin: datetime, end: datetime) -> Iterator[datetime]:
    frequency = rule.parts["FREQ"]
    if frequency in _STEPS:
        return _stepped(rule, _STEPS[frequency] * rule.interval, first=first, begin=begin, end=end)
    if frequency in _JUMPS and rule.count is None:
        first = _jumped(first, begin, _JUMPS[frequency] * rule.interval)
    return _by_dateutil(rule, first)


def _jumped(first: datetime, begin: datetime, step: timedelta) -> datetime:
    """Return the latest time before `begin` that a rule without a count may as well have begun at."""
    return first + max(0, (begin - first) // step - 1) * step


def _stepped(rule: _Rule, step: timedelta, *, first: datetime, begin: datetime, end: datetime) -> Iterator[datetime]:
    limits = {name: _numbers(name, value) for name, value in rule.parts.items() if name.startswith("BY")}
    at = first if rule.count else _jumped(first, begin, step)
    given = 0
    for _ in range(_MOST_STEPS):
        if at >= end or given == rule.count:
            return
        if all(_LIMITS[name](at) & allowed for name, allowed in limits.items()):
            yield at
            given += 1
        at += step
    raise TooManyTimes("the rule takes too many steps")


def _numbers(part: str, values: str) -> set[int]:
    try:
        if part not in _LIMITS:
            raise RuleNotUnderstood("a part that such a rule has no use for")
        return {_DAYS.index(one) if part == "BYDAY" else int(one) for one in values.split(",")}
    except ValueError:
        raise RuleNotUnderstood("a limit that is none") from None


def _by_dateutil(rule: _Rule, first: datetime) -> Iterator[datetime]:
    text = ";".join(f"{name}={value}" for name, value in rule.parts.items() if name not in {"COUNT", "INTERVAL"})
    # dateutil looks for a match until the year 9999. Moved near it by whole cycles of the calendar, it soon gives up.
    cycles = max(0, (9999 - first.year) // _CYCLE_YEARS - 1)
    try:
        moved = first.replace(year=first.year + cycles * _CYCLE_YEARS)
        made = rrulestr(f"{text};INTERVAL={rule.interval}", dtstart=moved)
        if not isinstance(made, rrule):
            raise RuleNotUnderstood("several rules in one")
        given = 0
        for at in islice(made, _MOST_STEPS if rule.count is None else min(rule.count, _MOST_STEPS)):
            yield at.replace(year=at.year - cycles * _CYCLE_YEARS)
            given += 1
    except DATEUTIL_ERRORS:
        raise RuleNotUnderstood("no rule") from None
    if given == _MOST_STEPS:
        raise TooManyTimes("the rule takes too many steps")
