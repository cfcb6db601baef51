"""Dates and times as staff read them: in the clinic's zone and in the words of the page's language."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from frontdesk.console.words import Words
from kernel.interval import comes_twice, zone_name


def day_in_reach(text: str, *, today: date) -> date | None:
    """Read a date like 2027-03-15; None for what is none, and for years in which no clinic has anything: sums with such a
    date would run off the calendar's end.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if today.year - 100 < day.year < today.year + 100 else None


class DateWriter:
    """Writes for one page. `zone`: the clinic's; `now` is the page's own moment, aware.

    An instant in UTC is shown by the clinic's clocks, one that carries the zone of its place by the clocks there, and a naive
    wall time as it is. A clock that leaves open which moment it means is written with the name of its zone.
    """

    def __init__(self, words: Words, *, zone: ZoneInfo, now: datetime) -> None:
        self._words = words
        self._zone = zone
        self._now = now

    @property
    def today(self) -> date:
        return self._now.astimezone(self._zone).date()

    def clock(self, at: datetime) -> str:
        """Write the time of day."""
        wall = self._wall(at)
        clock = self._time_of_day(wall)
        return f"{clock} {zone_name(wall)}" if self._needs_zone(wall) else clock

    def hour(self, hour: int) -> str:
        half = self._words("date.clock_am" if hour % 24 < 12 else "date.clock_pm")
        return self._words("date.hour", hour12=hour % 12 or 12, hour=hour % 24, half=half)

    def moment(self, at: datetime) -> str:
        """Write when something happened: near days by name, other years with the year."""
        wall = self._wall(at)
        clock = self.clock(at)
        if wall.date() == self.today:
            return self._words("date.today_at", clock=clock)
        if wall.date() == self.today - timedelta(days=1):
            return self._words("date.yesterday_at", clock=clock)
        key = "date.day_and_time" if wall.year == self.today.year else "date.day_year_and_time"
        return self._words(key, clock=clock, **self._fields(wall.date()))

    def day_and_time(self, at: datetime) -> str:
        """Write an appointment's time: always with weekday and date, other years with the year."""
        day = self._wall(at).date()
        key = "date.day_and_time" if day.year == self.today.year else "date.weekday_year_and_time"
        return self._words(key, clock=self.clock(at), **self._fields(day))

    def long_date(self, day: date) -> str:
        return self._words("date.long", **self._fields(day))

    def short_date(self, day: date) -> str:
        return self._words("date.short", **self._fields(day))

    def short_date_with_year(self, day: date) -> str:
        return self._words("date.short_with_year", **self._fields(day))

    def days_until(self, at: datetime) -> int:
        """Count the midnights from now until then."""
        return (self._wall(at).date() - self.today).days

    def age(self, at: datetime) -> str:
        """Write how long ago something was, in the largest unit that fits."""
        minutes = int((self._now - at).total_seconds() // 60)
        if minutes < 1:
            return self._words("age.now")
        if minutes < 60:
            return self._words.count("age.minutes", minutes)
        if minutes < 24 * 60:
            return self._words.count("age.hours", minutes // 60)
        return self._words.count("age.days", minutes // (24 * 60))

    def _wall(self, at: datetime) -> datetime:
        return at if at.tzinfo is None or isinstance(at.tzinfo, ZoneInfo) else at.astimezone(self._zone)

    def _time_of_day(self, wall: datetime) -> str:
        half = self._words("date.clock_am" if wall.hour < 12 else "date.clock_pm")
        return self._words(
            "date.clock", hour12=wall.hour % 12 or 12, hour=wall.hour, minute=f"{wall.minute:02}", half=half
        )

    def _needs_zone(self, wall: datetime) -> bool:
        if wall.tzinfo is None:
            return False
        return comes_twice(wall) or wall.utcoffset() != wall.astimezone(self._zone).utcoffset()

    def _fields(self, day: date) -> dict[str, object]:
        def pick(key: str, index: int) -> str:
            return self._words(key).split()[index]

        return {
            "weekday": pick("date.weekdays", day.weekday()),
            "short_weekday": pick("date.short_weekdays", day.weekday()),
            "month": pick("date.months", day.month - 1),
            "short_month": pick("date.short_months", day.month - 1),
            "day": day.day,
            "year": day.year,
        }
