"""Dates, times, weekly hours and lengths as people say and write them in a language. Weekday and date always go together.

What differs by language is in the `parts` of its wording file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from booking.values import WeeklyHours
from dialog.inbound import Channel
from kernel.interval import comes_twice, zone_name

_DAY = timedelta(days=1)
_NOON_HOUR = 12
_WRITE_24_HOURS = frozenset({"ES"})


@dataclass(frozen=True)
class Moments:
    """The ways of one language, channel and country (ISO 3166). `parts` are the small words of its wording file."""

    parts: dict[str, Any]
    channel: Channel
    country: str = "US"

    @property
    def is_spoken(self) -> bool:
        return self.channel is Channel.VOICE

    def day(self, day: date) -> str:
        """Say a day: "Tuesday, March 16th", "Tue Mar 16"; "el martes 16 de marzo", "martes 16 mar"."""
        return self._date("day", day)

    def birth_date(self, day: date) -> str:
        """Say a date of long ago, without its weekday: "March 16th, 1984"."""
        return self._date("birth_date", day)

    def _date(self, name: str, day: date) -> str:
        first = self.parts["first_days"]
        return self._part(
            name,
            weekday=self.parts["weekdays"][day.weekday()],
            month=self.parts["months"][day.month - 1],
            year=day.year,
            day=day.day,
            number=first[day.day - 1] if day.day <= len(first) else day.day,
        )

    def time(self, wall: datetime) -> str:
        """Say a time of day: "9 AM", "2:30 PM"; written always with minutes. In Spanish with its article: "las dos y media de la tarde".

        One that clocks show twice that night is said with the name of its zone, where `wall` carries one.
        """
        said = self.clock(wall.hour * 60 + wall.minute)
        return f"{said} {zone_name(wall)}" if comes_twice(wall) else said

    def clock(self, minute: int) -> str:
        """As `time`, from minutes after midnight."""
        hour, rest = divmod(minute % (24 * 60), 60)
        ways = self.parts["clock"][self._clock]
        is_noon = (hour, rest) == (_NOON_HOUR, 0) and "noon" in ways
        template: str = ways["noon"] if is_noon else ways.get(rest, ways["other"])
        return template.format(
            hour=hour % _NOON_HOUR or _NOON_HOUR,
            hour_24=hour,
            minute=rest,
            half=self.parts["halves"][hour // _NOON_HOUR],
            name=self._of_hour("hour_names", hour),
            part=self._of_hour("day_parts", hour),
        )

    def _of_hour(self, name: str, hour: int) -> str:
        return str(self.parts[name][hour]) if self.parts[name] else ""

    def moment(self, wall: datetime) -> str:
        """Say a day and a time: "Tuesday, March 16th at 9 AM", "Tue Mar 16, 9:00 AM"."""
        return self._part("moment", day=self.day(wall.date()), time=self.time(wall))

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
        ends = [(start // timedelta(minutes=1), end // timedelta(minutes=1)) for start, end in spans]
        told = (self._part("span", start=self.clock(start), end=self.clock(end)) for start, end in ends)
        return f" {self.parts['and']} ".join(told)

    def _days(self, first: int, last: int) -> str:
        names = self.parts["weekdays"]
        return self._part("day_alone" if first == last else "days_between", first=names[first], last=names[last])

    @property
    def _clock(self) -> str:
        if self.is_spoken:
            return "spoken"
        return "hours_24" if self.country in _WRITE_24_HOURS and "hours_24" in self.parts["clock"] else "written"

    def _part(self, name: str, **values: object) -> str:
        return str(self.parts[name]["spoken" if self.is_spoken else "written"].format(**values))
