"""How the clinic file writes durations, days of the week, times of day and dates, both ways.

The readers raise ValueError with a text for whoever wrote the file.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from booking.values import DatedHours, DateSpan, WeeklyHours

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EVERY_DAY = {"all", "all week", "daily", "every day"}

DURATION = r"^(?=.)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?$"
_TIMES = re.compile(r"^(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})$")
_DAY = timedelta(days=1)


def read_duration(text: object) -> timedelta:
    """Read "45m", "2h", "1h30m" or "90d"."""
    if isinstance(text, timedelta):
        return text
    match = re.match(DURATION, text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("write a duration like 45m, 2h, 1h30m or 90d")
    days, hours, minutes = (int(part or 0) for part in match.groups())
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
        raise ValueError("a day is named twice")
    return tuple(found)


def _weekday(text: str) -> int:
    short = text.strip().lower()[:3]
    if short not in DAYS:
        raise ValueError("name days like mon-fri, sat, or mon,wed")
    return DAYS.index(short)


def read_times(text: str) -> tuple[timedelta, timedelta]:
    """Read "09:00-17:30" as offsets from midnight. "24:00" is the end of the day."""
    match = _TIMES.match(text.strip())
    if match is None:
        raise ValueError('write times like "09:00-17:30"')
    hour, minute, end_hour, end_minute = (int(part) for part in match.groups())
    start, end = timedelta(hours=hour, minutes=minute), timedelta(hours=end_hour, minutes=end_minute)
    if max(minute, end_minute) > 59 or end > _DAY:
        raise ValueError("there is no such time of day")
    if end <= start:
        raise ValueError("it ends before it begins; write hours over midnight as two, up to 24:00 and from 00:00")
    return start, end


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
        raise ValueError("it ends before it begins")
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
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError("write a date like 2027-07-05") from None


def date_span_text(span: DateSpan) -> str:
    """Write a span of days as `read_date_span` reads it."""
    last = span.end - _DAY
    return span.first.isoformat() if last == span.first else f"{span.first.isoformat()}/{last.isoformat()}"


def read_wall_time(value: object) -> datetime:
    """Read "2027-03-15T09:00", a wall time without a zone."""
    try:
        read = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError('write wall time like "2027-03-15T09:00"') from None
    if read.tzinfo is not None:
        raise ValueError("wall time of the location is meant, without a zone")
    return datetime(*read.timetuple()[:5])  # noqa: DTZ001 -- wall time; ruamel's own kind of datetime is left behind
