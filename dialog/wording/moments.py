"""Dates, times, weekly hours and lengths as people say and write them in a language. Weekday and date always go together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from booking.values import WeeklyHours
from dialog.inbound import Channel

_DAY = timedelta(days=1)
_NOON_HOUR = 12


@dataclass(frozen=True)
class Moments:
    """The ways of one language and channel. `parts` are the small words of its wording file."""

    parts: dict[str, Any]
    channel: Channel

    @property
    def is_spoken(self) -> bool:
        return self.channel is Channel.VOICE

    def day(self, day: date) -> str:
        """Say a day: "Tuesday, March 16th", "Tue Mar 16"."""
        weekday, month = self.parts["weekdays"][day.weekday()], self.parts["months"][day.month - 1]
        if self.is_spoken:
            return f"{weekday}, {month} {_ordinal(day.day)}"
        return f"{weekday[:3]} {month[:3]} {day.day}"

    def time(self, wall: datetime) -> str:
        """Say a time of day: "9 AM", "2:30 PM"; written always with minutes."""
        return self.clock(wall.hour * 60 + wall.minute)

    def clock(self, minute: int) -> str:
        """As `time`, from minutes after midnight."""
        hour, rest = divmod(minute % (24 * 60), 60)
        half = "AM" if hour < _NOON_HOUR else "PM"
        shown = hour % _NOON_HOUR or _NOON_HOUR
        return f"{shown} {half}" if self.is_spoken and not rest else f"{shown}:{rest:02} {half}"

    def moment(self, wall: datetime) -> str:
        """Say a day and a time: "Tuesday, March 16th at 9 AM", "Tue Mar 16, 9:00 AM"."""
        return f"{self.day(wall.date())}{' at ' if self.is_spoken else ', '}{self.time(wall)}"

    def length(self, length: timedelta) -> str:
        """Say how long: "45 minutes", "an hour", "2 hours", "3 days"."""
        if length >= 2 * _DAY and not length % _DAY:
            return str(self.parts["days"].format(count=length // _DAY))
        hours, rest = divmod(length, timedelta(hours=1))
        if rest or not hours:
            return str(self.parts["minutes"].format(count=length // timedelta(minutes=1)))
        return str(self.parts["hour"] if hours == 1 else self.parts["hours"].format(count=hours))

    def week(self, weekly: Sequence[WeeklyHours]) -> str:
        """Weekly hours in few words: days with the same hours are said together."""
        by_day: dict[int, list[tuple[timedelta, timedelta]]] = {}
        for one in sorted(weekly, key=lambda hours: (hours.weekday, hours.start)):
            by_day.setdefault(one.weekday, []).append((one.start, one.end))
        runs: list[tuple[int, int, list[tuple[timedelta, timedelta]]]] = []
        for weekday, spans in by_day.items():
            if runs and runs[-1][1] == weekday - 1 and runs[-1][2] == spans:
                runs[-1] = (runs[-1][0], weekday, spans)
            else:
                runs.append((weekday, weekday, spans))
        return ", ".join(f"{self._days(first, last)} {self.spans(spans)}" for first, last, spans in runs)

    def spans(self, spans: Sequence[tuple[timedelta, timedelta]]) -> str:
        """Say stretches of a day, one after the other: "8 AM to 6 PM"."""
        to = self.parts["to"]["spoken" if self.is_spoken else "written"]
        ends = [(start // timedelta(minutes=1), end // timedelta(minutes=1)) for start, end in spans]
        return f" {self.parts['and']} ".join(f"{self.clock(start)}{to}{self.clock(end)}" for start, end in ends)

    def _days(self, first: int, last: int) -> str:
        names = [self.parts["weekdays"][one] for one in (first, last)]
        if not self.is_spoken:
            names = [one[:3] for one in names]
        to = self.parts["to"]["spoken" if self.is_spoken else "written"]
        return names[0] if first == last else f"{names[0]}{to}{names[1]}"


def _ordinal(number: int) -> str:
    if number in {11, 12, 13}:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
