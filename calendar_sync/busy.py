"""What an object of a calendar says about somebody's time. Pure: iCalendar text in, intervals out."""

from dataclasses import dataclass

from icalendar import Calendar

from calendar_sync.entry import CalendarEntry
from calendar_sync.ical import read_entry
from kernel.interval import Interval


@dataclass(frozen=True)
class ReadObject:
    """An object of a calendar: who it is, what it says if it says one thing, and the time it takes."""

    uid: str
    entry: CalendarEntry | None
    busy: tuple[Interval, ...]
    faults: tuple[str, ...] = ()


def read_object(text: str, *, within: Interval | None) -> ReadObject:
    """Read an object and the time it takes `within`."""
    entry = read_entry(text)
    if entry is None:
        return ReadObject(uid=_uid(text), entry=None, busy=(), faults=("unreadable",))
    whole = Interval(entry.starts_at, entry.ends_at) if entry.starts_at < entry.ends_at else None
    part = whole.intersection(within) if whole and within else None
    return ReadObject(uid=entry.uid, entry=entry, busy=(part,) if part else ())


def _uid(text: str) -> str:
    try:
        events = Calendar.from_ical(text).events
    except ValueError:
        return ""
    return str(events[0].get("UID", "")) if events else ""
