"""The demo clinic, with appointments around today: every patient has something to move or cancel, every day some time left."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

from booking.clinic_file import import_clinic, parse
from kernel.work import Database

DEMO_KEY = "harbor"
_ZONE = ZoneInfo("America/New_York")
_FIRST_DAY, _LAST_DAY = -7, 21  # counted from today
_PATIENTS = ("ann", "james", "maria", "ruth", "dev", "olivia", "henry", "mateo")


@dataclass(frozen=True)
class _Habit:
    """A visit that is usual on some weekdays (0 = Monday); patients take turns."""

    weekdays: tuple[int, ...]
    at: time
    service: str
    practitioner: str
    location: str


# Times that fit the hours in clinic.yaml, one after the other for each person and room.
_HABITS = (
    _Habit((0, 1, 2, 4), time(8, 30), "physical", "okafor", "lane"),
    _Habit((0, 1, 2, 4), time(10, 0), "sick-visit", "okafor", "lane"),
    _Habit((0, 2), time(14, 0), "follow-up", "okafor", "lane"),
    _Habit((0, 1), time(9, 30), "sick-visit", "ortega", "northgate"),
    _Habit((3, 4), time(9, 0), "physical", "ortega", "lane"),
    _Habit((3, 4), time(14, 30), "sick-visit", "ortega", "lane"),
    _Habit((5,), time(9, 30), "follow-up", "ortega", "lane"),
    _Habit((0, 1, 2, 3), time(9, 0), "dental-exam", "weiss", "lane"),
    _Habit((1, 3), time(10, 0), "filling", "weiss", "lane"),
    _Habit((0, 2), time(15, 0), "tooth-pain", "weiss", "lane"),
    _Habit((0, 1, 2, 3), time(10, 0), "cleaning", "baker", "lane"),
    _Habit((1, 2), time(14, 0), "cleaning", "baker", "lane"),
    _Habit((0, 2, 3, 4), time(9, 0), "physio", "nair", "northgate"),
    _Habit((2, 4), time(10, 0), "physio-first", "nair", "northgate"),
    _Habit((0, 1, 2), time(8, 30), "blood-test", "lin", "lane"),
    _Habit((0, 3), time(14, 0), "flu-shot", "lin", "northgate"),
    _Habit((1,), time(15, 0), "travel-shots", "lin", "northgate"),
)


def seed_demo(db: Database, *, now: datetime) -> None:
    """Put the demo clinic into the database. A second time on the same day changes nothing."""
    file = parse(demo_text(today=now.astimezone(_ZONE).date()), path="demo/clinic.yaml")
    db.run(lambda work: import_clinic(work, file, now=now))


def demo_text(*, today: date) -> str:
    """Return the demo's clinic file, with its appointments around `today` (a day in the clinic's zone)."""
    text = files("frontdesk.demo").joinpath("clinic.yaml").read_text(encoding="utf-8")
    lines = "".join(
        f"  - {{service: {habit.service}, practitioner: {habit.practitioner}, location: {habit.location},"
        f' patient: {patient}, start: "{datetime.combine(day, habit.at):%Y-%m-%dT%H:%M}"}}\n'
        for day, habit, patient in _visits(today)
    )
    return f"{text}\nappointments:\n{lines}"


def _visits(today: date) -> Iterator[tuple[date, _Habit, str]]:
    patients = itertools.cycle(_PATIENTS)
    for offset in range(_FIRST_DAY, _LAST_DAY):
        day = today + timedelta(days=offset)
        seen: set[str] = set()
        for number, habit in enumerate(_HABITS):
            # Not every habit every week, and nobody twice a day: a diary that looks lived in.
            if (
                day.weekday() not in habit.weekdays
                or (day.toordinal() + number) % 3 == 0
                or len(seen) == len(_PATIENTS)
            ):
                continue
            patient = next(one for one in patients if one not in seen)
            seen.add(patient)
            yield day, habit, patient
