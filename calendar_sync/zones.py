"""What a text calls a time zone, as a way from its wall clock to the world's.

Names are many: those of the zone database, those with a vendor's path in front, those of Windows, and private ones that only the
text's own VTIMEZONE explains. A name is looked up for one text at a time: the next text may mean something else by it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from typing import Protocol
from zoneinfo import ZoneInfo, available_timezones

from dateutil.rrule import rrulestr
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from calendar_sync.contentlines import Component
from calendar_sync.recurrence import DATEUTIL_ERRORS

_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?(?::?(\d{2}))?")
_LAST_YEAR = 2100  # of the changes that are worked out from a text's own rules
_MOST_CHANGES = 2000


class Zone(Protocol):
    """Where a wall clock hangs."""

    def to_utc(self, wall: datetime) -> datetime:
        """Return the instant at which the clock shows `wall` (naive): the first of two; a skipped time goes on from before."""
        ...

    def to_wall(self, instant: datetime) -> datetime:
        """Return what the clock shows then, naive."""
        ...


@dataclass(frozen=True)
class NamedZone:
    """A zone of the zone database."""

    info: ZoneInfo

    def to_utc(self, wall: datetime) -> datetime:
        return wall.replace(tzinfo=self.info).astimezone(UTC)

    def to_wall(self, instant: datetime) -> datetime:
        return instant.astimezone(self.info).replace(tzinfo=None)


@dataclass(frozen=True)
class DescribedZone:
    """A zone as a text explains it: from each change on, its offset; before the first one, `base`."""

    base: timedelta
    changes: tuple[tuple[datetime, timedelta, timedelta], ...]  # the wall clock before it, offset before, offset after

    def to_utc(self, wall: datetime) -> datetime:
        # As in the zone database: what comes twice is taken for the first, what is skipped is counted on from before.
        thresholds = [at + max(after - before, timedelta(0)) for at, before, after in self.changes]
        return (wall - self._offset(bisect_right(thresholds, wall))).replace(tzinfo=UTC)

    def to_wall(self, instant: datetime) -> datetime:
        plain = instant.astimezone(UTC).replace(tzinfo=None)
        onsets = [at - before for at, before, _ in self.changes]
        return plain + self._offset(bisect_right(onsets, plain))

    def _offset(self, passed: int) -> timedelta:
        return self.changes[passed - 1][2] if passed else self.base


UTC_ZONE = NamedZone(ZoneInfo("UTC"))


def described_zones(calendar: Component) -> Mapping[str, Component]:
    """Return the VTIMEZONEs of a text by the name it gives them."""
    named = [(one.first("TZID"), one) for one in calendar.named("VTIMEZONE")]
    return {name.value.strip(): zone for name, zone in named if name is not None}


def find_zone(name: str, described: Mapping[str, Component]) -> Zone | None:
    """Return what a text means by `name`, or None when nobody can know."""
    name = name.strip()
    own = described.get(name)
    # A name like EST is one of the zone database, too, but who explains it means what they say.
    known = _known(name) if "/" in name or own is None else None
    known = known or _known(own.value("X-LIC-LOCATION") if own else "") or _known(WINDOWS_TO_OLSON.get(name, ""))
    if known is None and own is not None:
        return _as_described(own)
    return known or _fixed(name)


def _known(name: str) -> Zone | None:
    parts = name.strip("/").replace(" ", "_").split("/")
    for first in range(len(parts)):  # a vendor's path stands before the name
        key = _database().get("/".join(parts[first:]).lower())
        # The last word alone may be anything: "Office/Japan" is not of the database.
        if key is not None and (first == 0 or "/" in key or key in {"UTC", "GMT"}):
            return NamedZone(ZoneInfo(key))
    return None


@lru_cache(maxsize=1)
def _database() -> Mapping[str, str]:
    return {name.lower(): name for name in available_timezones() if not name.startswith(("posix", "right"))}


def _fixed(name: str) -> Zone | None:
    offset = _offset(name.upper())
    return DescribedZone(offset, ()) if offset is not None else None


def _offset(text: str) -> timedelta | None:
    found = _OFFSET.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    size = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return (-size if found[1] == "-" else size) if size < timedelta(days=1) else None


def _as_described(definition: Component) -> Zone | None:
    changes: dict[datetime, tuple[timedelta, timedelta]] = {}
    for part in definition.children:
        before, after = _offset(part.value("TZOFFSETFROM")), _offset(part.value("TZOFFSETTO"))
        if before is None or after is None:
            return None
        for at in _onsets(part):
            changes[at] = (before, after)
        if len(changes) > _MOST_CHANGES:
            return None
    if not changes:
        return None
    ordered = sorted((at, *offsets) for at, offsets in changes.items())
    return DescribedZone(ordered[0][1], tuple(ordered))


def _onsets(part: Component) -> list[datetime]:
    try:
        start = _wall(part.value("DTSTART"))
        onsets = [start, *(_wall(one) for dates in part.all("RDATE") for one in dates.value.split(","))]
        for rule in part.all("RRULE"):
            text = re.sub(r";?UNTIL=[^;]*", "", rule.value.upper())
            if "FREQ=YEARLY" not in text or re.search("BYHOUR|BYMINUTE|BYSECOND", text):
                return []  # no clocks change like that, and working it out might take for ever
            until = re.search(r"UNTIL=(\d{8})", rule.value.upper())
            onsets += _repeated(text, start, last=int(until[1]) if until else _LAST_YEAR * 10_000)
    except DATEUTIL_ERRORS:
        return []
    return onsets


def _repeated(rule: str, start: datetime, *, last: int) -> Iterator[datetime]:
    """Yield when a rule without an end makes it again, up to the day `last`, written as a number."""
    return takewhile(lambda at: int(f"{at:%Y%m%d}") <= last, rrulestr(rule, dtstart=start))


def _wall(text: str) -> datetime:
    return datetime.strptime(text.strip()[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007 -- a wall clock's time
