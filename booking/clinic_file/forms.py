"""How the clinic file writes durations, days of the week, times of day and dates, both ways.

The readers raise Unreadable.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from booking.quiet import SHORTEST
from booking.values import DAYTIME, DatedHours, DateSpan, SendHours, WeeklyHours

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EVERY_DAY = {"all", "all week", "daily", "every day"}

DURATION = r"^(?=.)(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?$"
_TIMES = re.compile(r"^(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})$")
_DAY = timedelta(days=1)
# Beyond these, sums of moments leave the calendar.
LONGEST_DURATION = timedelta(days=3650)
YEARS = (1900, 2200)


class Unreadable(ValueError):
    """What stands in a file is not written as it should be: the `code` and `fields` of the remark to make."""

    def __init__(self, code: str, **fields: Any) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields


def read_duration(text: object) -> timedelta:
    """Read "45m", "2h", "1h30m" or "90d"."""
    if isinstance(text, timedelta):
        return text
    match = re.match(DURATION, text) if isinstance(text, str) else None
    if match is None:
        raise Unreadable("duration")
    days, hours, minutes = (int(part or 0) for part in match.groups())
    if days * 24 * 60 + hours * 60 + minutes > LONGEST_DURATION / timedelta(minutes=1):
        raise Unreadable("longest-duration", limit=duration_text(LONGEST_DURATION))
    return timedelta(days=days, hours=hours, minutes=minutes)


def duration_text(length: timedelta) -> str:
    """Write a duration in the largest units that fit."""
    minutes = round(length.total_seconds() / 60)
    if minutes and minutes % (24 * 60) == 0:
        return f"{minutes // (24 * 60)}d"
    hours, rest = divmod(minutes, 60)
    return f"{hours}h{rest}m" if hours and rest else f"{hours}h" if hours else f"{rest}m"


def read_days(text: str) -> tuple[int, ...]:
    """Read "mon-fri", "sat", "mon,wed" or "all" as weekdays from 0 = Monday. "sat-mon" goes over the end of the week."""
    if text.strip().lower() in _EVERY_DAY:
        return tuple(range(7))
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        start = _weekday(first)
        end = _weekday(last) if last else start
        found += [day % 7 for day in range(start, (end if end >= start else end + 7) + 1)]
    if len(set(found)) < len(found):
        raise Unreadable("weekday-twice")
    return tuple(found)


def _weekday(text: str) -> int:
    short = text.strip().lower()[:3]
    if short not in DAYS:
        raise Unreadable("weekday")
    return DAYS.index(short)


def read_times(text: str) -> tuple[timedelta, timedelta]:
    """Read "09:00-17:30" as offsets from midnight. "24:00" is the end of the day."""
    match = _TIMES.match(text.strip())
    if match is None:
        raise Unreadable("times")
    hour, minute, end_hour, end_minute = (int(part) for part in match.groups())
    start, end = timedelta(hours=hour, minutes=minute), timedelta(hours=end_hour, minutes=end_minute)
    if max(minute, end_minute) > 59 or end > _DAY:
        raise Unreadable("no-such-time")
    if end <= start:
        raise Unreadable("over-midnight")
    return start, end


def read_send_hours(text: object) -> SendHours:
    """Read "09:00-20:00" as hours in which patients are written to: of the day that the law leaves, and long enough to do so."""
    if isinstance(text, SendHours):
        return text
    if not isinstance(text, str):
        raise Unreadable("times")
    start, end = read_times(text)
    by_law = times_text(_offset(DAYTIME.opens), _offset(DAYTIME.closes))
    if start < _offset(DAYTIME.opens) or end > _offset(DAYTIME.closes):
        raise Unreadable("send-hours", widest=by_law)
    if end - start < SHORTEST:
        raise Unreadable("send-hours-short", least=duration_text(SHORTEST))
    return SendHours(_time(start), _time(end))


def send_hours_text(hours: SendHours) -> str:
    """Write hours as `read_send_hours` reads them."""
    return times_text(_offset(hours.opens), _offset(hours.closes))


def _offset(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute)


def _time(offset: timedelta) -> time:
    return time(*divmod(round(offset / timedelta(minutes=1)), 60))


def read_hours(hours: Mapping[str, Sequence[str]]) -> tuple[WeeklyHours, ...]:
    """Read a week's hours, sorted."""
    return tuple(
        sorted(
            (
                WeeklyHours(day, *read_times(times))
                for days, spans in hours.items()
                for day in read_days(days)
                for times in spans
            ),
            key=lambda one: (one.weekday, one.start),
        )
    )


def hours_text(hours: Iterable[WeeklyHours]) -> dict[str, list[str]]:
    """Write a week's hours, days with the same times together."""
    by_day: dict[int, list[str]] = {}
    for one in sorted(hours, key=lambda one: (one.weekday, one.start)):
        by_day.setdefault(one.weekday, []).append(times_text(one.start, one.end))
    alike: dict[tuple[str, ...], list[int]] = {}
    for day, times in by_day.items():
        alike.setdefault(tuple(times), []).append(day)
    return {_days_text(days): list(times) for times, days in alike.items()}


def times_text(start: timedelta, end: timedelta) -> str:
    """Write a span of the day as `read_times` reads it."""
    return f"{_clock(start)}-{_clock(end)}"


def _days_text(days: Sequence[int]) -> str:
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(DAYS[run[0]] if len(run) == 1 else f"{DAYS[run[0]]}-{DAYS[run[-1]]}" for run in runs)


def _clock(offset: timedelta) -> str:
    hours, minutes = divmod(round(offset.total_seconds() / 60), 60)
    return f"{hours:02d}:{minutes:02d}"


def read_date_span(value: object) -> DateSpan:
    """Read a date, or "FIRST/LAST" with both days included."""
    if isinstance(value, DateSpan):
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return DateSpan(value, value + _DAY)
    first_text, slash, last_text = str(value).partition("/")
    first = read_date(first_text)
    last = read_date(last_text) if slash else first
    if last < first:
        raise Unreadable("ends-before")
    return DateSpan(first, last + _DAY)


def read_away(value: object) -> DateSpan | DatedHours:
    """Read days as `read_date_span` does, or hours of one day as "2027-07-05 15:00-17:30"."""
    if isinstance(value, DatedHours):
        return value
    if isinstance(value, str) and ":" in value:
        day, _, times = value.strip().partition(" ")
        return DatedHours(read_date(day), *read_times(times), is_open=False)
    return read_date_span(value)


def away_text(away: DateSpan | DatedHours) -> str:
    """Write what `read_away` reads."""
    if isinstance(away, DatedHours):
        return f"{away.day.isoformat()} {times_text(away.start, away.end)}"
    return date_span_text(away)


def read_date(value: object) -> date:
    """Read "2027-07-05"."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        day = date.fromisoformat(str(value).strip())
    except ValueError:
        raise Unreadable("date") from None
    return _of_our_time(day)


def _of_our_time(day: date) -> date:
    first, last = YEARS
    if not first <= day.year <= last:
        raise Unreadable("date-out-of-range", first=first, last=last)
    return day


def date_span_text(span: DateSpan) -> str:
    """Write a span of days as `read_date_span` reads it."""
    last = span.end - _DAY
    return span.first.isoformat() if last == span.first else f"{span.first.isoformat()}/{last.isoformat()}"


def read_wall_time(value: object) -> datetime:
    """Read "2027-03-15T09:00", a wall time. Whether it may have an offset is for whoever knows its zone to say."""
    try:
        read = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise Unreadable("wall-time") from None
    _of_our_time(read.date())
    return datetime(*read.timetuple()[:5], tzinfo=read.tzinfo)  # ruamel's own kind of datetime is left behind
