"""Objects as real programs write them take the time they say, minute by minute as another library sees it."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from ruamel.yaml import YAML

from calendar_sync.busy import Reader
from kernel.interval import Interval

pytestmark = pytest.mark.unit

MINUTE = timedelta(minutes=1)
WITHIN = Interval(datetime(2027, 3, 8, tzinfo=UTC), datetime(2027, 4, 5, tzinfo=UTC))


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    reader: Reader
    within: Interval
    busy: tuple[Interval, ...]
    faults: tuple[str, ...]
    is_known_to_oracle: bool


def load() -> list[Case]:
    stored = YAML(typ="safe").load(Path(__file__).with_name("objects.yaml"))
    return [case_of(name, one, stored["zones"]) for name, one in stored["cases"].items()]


def case_of(name: str, stored: dict[str, Any], zones: dict[str, str]) -> Case:
    described = "".join(zones[one] for one in stored.get("zones", []))
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:{stored['program']}\n{described}{stored['text']}END:VCALENDAR\n"
    within = [datetime.fromisoformat(one).replace(tzinfo=UTC) for one in stored.get("within", "").split("/") if one]
    return Case(
        name=name,
        text=text.replace("\n", "\r\n"),
        reader=Reader(
            zone=ZoneInfo(stored.get("zone", "America/New_York")),
            all_day_is_busy=stored.get("all_day_is_busy", True),
            owner_addresses=tuple(stored.get("owner", ())),
        ),
        within=Interval(*within) if within else WITHIN,
        busy=tuple(span for one in stored["busy"] if (span := span_of(one))),
        faults=tuple(stored.get("faults", ())),
        is_known_to_oracle=stored.get("oracle", True),
    )


def span_of(text: str) -> Interval | None:
    start, end = text.split("/")
    begins = datetime.fromisoformat(start).replace(tzinfo=UTC)
    ends = datetime.fromisoformat(end if "-" in end else f"{start[:10]} {end}").replace(tzinfo=UTC)
    return Interval(begins, ends) if begins < ends else None


CASES = load()


def test_there_are_fifty_cases_and_more() -> None:
    assert len(CASES) >= 50


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_object_takes_the_time_it_says(case: Case) -> None:
    read = case.reader.read(case.text, within=case.within)

    assert read.busy == case.busy
    assert read.faults == case.faults


@pytest.mark.parametrize("case", [one for one in CASES if one.is_known_to_oracle], ids=lambda case: case.name)
def test_another_library_sees_the_same_minutes(case: Case) -> None:
    read = case.reader.read(case.text, within=case.within)

    assert {at for span in read.busy for at in minutes(span.start, span.end)} == oracle(case)


@pytest.mark.parametrize("seed", range(10))
def test_a_damaged_object_is_read_or_told_and_does_no_harm(seed: int) -> None:
    chance = random.Random(seed)
    for case in CASES:
        read = case.reader.read(damaged(case.text, chance), within=case.within)

        assert all(case.within.contains(span) for span in read.busy)


def damaged(text: str, chance: random.Random) -> str:
    lines = text.split("\r\n")
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(lines))
        name, _, value = lines[at].partition(":")
        cut = chance.randint(0, len(value))
        lines[at : at + 1] = chance.choice(
            [
                [],
                [lines[at], chance.choice(lines)],
                [f"{name}:{chance.choice(VALUES)}", lines[at]],
                [f"{name}:{chance.choice(VALUES)}"],
                [f"{name}:{value[:cut]}{chance.choice('0123456789TZ;:,-=/')}{value[cut + chance.randint(0, 1) :]}"],
                [f"{chance.choice(NAMES)}:{chance.choice(VALUES)}", lines[at]],
            ]
        )
    return "\r\n".join(lines)


NAMES = [
    *("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "TZID", "TZOFFSETTO", "SEQUENCE"),
    *("RECURRENCE-ID;RANGE=THISANDFUTURE", "DTSTART;VALUE=DATE", "DTEND;TZID=Asia/Tokyo", "RDATE;VALUE=PERIOD"),
]
VALUES = [
    *("20270316T090000Z", "20270310", "20270230", "99991231T235959Z", "00010101", "20270316T090000Z/PT1H", ""),
    *("P1D", "-PT5H", "P99999W", "+2500", "-0000", "FREQ=DAILY", "FREQ=DAILY;INTERVAL=0", "FREQ=MONTHLY;BYDAY=9TU"),
    *("FREQ=MONTHLY;BYMONTHDAY=0", "FREQ=YEARLY;BYYEARDAY=367", "FREQ=DAILY;BYHOUR=25", "FREQ=DAILY;WKST=9"),
]


def oracle(case: Case) -> set[datetime]:
    """Return the minutes that somebody is busy, read without any of our code."""
    found: set[datetime] = set()
    day = timedelta(days=1)
    events = recurring_ical_events.of(icalendar.Calendar.from_ical(case.text))
    for one in events.between(case.within.start - day, case.within.end + day):
        is_free = (
            one.get("STATUS") == "CANCELLED"
            or one.get("TRANSP", one.get("X-MICROSOFT-CDO-BUSYSTATUS")) in {"TRANSPARENT", "FREE"}
            or any(
                guest.params.get("PARTSTAT") == "DECLINED"
                and any(who in f"{guest} {guest.params.get('EMAIL')}".lower() for who in case.reader.owner_addresses)
                for guest in one.attendees
            )
        )
        is_day = not isinstance(one.start, datetime) or one.get("X-MICROSOFT-CDO-ALLDAYEVENT") == "TRUE"
        if not is_free and (case.reader.all_day_is_busy or not is_day):
            found.update(minutes(instant(one.start, case.reader.zone), instant(one.end, case.reader.zone)))
    return {at for at in found if case.within.start <= at < case.within.end}


def instant(value: date, zone: ZoneInfo) -> datetime:
    at = value if isinstance(value, datetime) else datetime.combine(value, time())
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def minutes(start: datetime, end: datetime) -> set[datetime]:
    return {start + number * MINUTE for number in range(int((end - start) / MINUTE))}
