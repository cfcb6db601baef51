"""Times in Spanish as people say and write them, in short notation: Wednesday 2027-03-10, ten in the morning, asked when."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from dialog.timewords import ClockRange, DayRange, TimeWish, read_time

pytestmark = pytest.mark.unit

NOW = datetime.fromisoformat("2027-03-10T10:00")
DAY = timedelta(days=1)


def expressions() -> Iterator[tuple[str, str]]:
    lines = Path(__file__).with_name("spanish_times.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line and not line.startswith("#"):
            text, _, meant = line.partition(" => ")
            yield text, meant


def written(wish: TimeWish | None) -> str:
    """Write a wish shortly: days of March as numbers, weekdays from 0, hours, "!" before what is refused."""
    if wish is None:
        return "none"
    parts = [
        f"d{_days(wish.days)}" if wish.days else "",
        f"w{_weekdays(wish.weekdays)}" if wish.weekdays else "",
        f"!d{_days(wish.not_days)}" if wish.not_days else "",
        f"!w{_weekdays(wish.not_weekdays)}" if wish.not_weekdays else "",
        f"c{_clocks(wish.clocks)}" if wish.clocks else "",
        f"!c{_clocks(wish.not_clocks)}" if wish.not_clocks else "",
        f"@{_hour(wish.at_minute)}" if wish.at_minute is not None else "",
        wish.order or "",
        f"{wish.relative}{wish.shift_days or ''}" if wish.relative else "",
        "any" if wish.flexible else "",
    ]
    return " ".join(part for part in parts if part)


def _days(ranges: Iterable[DayRange]) -> str:
    return ",".join(
        _day(each.first) if each.end - each.first == DAY else f"{_day(each.first)}-{_day(each.end - DAY)}"
        for each in ranges
    )


def _day(day: date) -> str:
    return str(day.day) if (day.year, day.month) == (NOW.year, NOW.month) else f"{day.month}/{day.day}"


def _weekdays(weekdays: Iterable[int]) -> str:
    return "".join(str(each) for each in sorted(weekdays))


def _clocks(ranges: Iterable[ClockRange]) -> str:
    return ",".join(f"{_hour(each.start_minute)}-{_hour(each.end_minute)}" for each in ranges)


def _hour(minute: int) -> str:
    hour, rest = divmod(minute, 60)
    return f"{hour}:{rest:02}" if rest else str(hour)


@pytest.mark.parametrize(("text", "meant"), list(expressions()))
def test_a_time_is_read_however_it_is_said_and_written(text: str, meant: str) -> None:
    assert written(read_time(text, now=NOW, language="es", asked="when").wish) == meant
