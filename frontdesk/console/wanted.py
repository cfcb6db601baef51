"""What the list of conversations is narrowed to: read from a form or an address, kept in a saved view. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dialog.inbound import Channel
from dialog.languages import SPOKEN
from dialog.review import LONGEST_TAG
from dialog.state import Outcome

OPEN = "open"  # no outcome yet
NEEDED, DONE, NOT_DONE = "needed", "done", "not-done"
READ, UNREAD = "read", "unread"
YES = "yes"
LONGEST_SEARCH = 100

CHOICES: Mapping[str, tuple[str, ...]] = {
    "outcome": (OPEN, *(outcome.value for outcome in Outcome)),
    "channel": tuple(channel.value for channel in Channel),
    "language": tuple(SPOKEN),
    "review": (NEEDED, NOT_DONE, DONE),
    "reading": (UNREAD, READ),
    "corrected": (YES,),
}
_LONGEST = {"search": LONGEST_SEARCH, "tag": LONGEST_TAG, "practitioner": 64}
_DAYS = ("from_day", "to_day")


@dataclass(frozen=True)
class Wanted:
    """Empty means everything. `search`: words said, a patient's name, or a whole number. Days are the clinic's, both included."""

    search: str = ""
    outcome: str = ""
    channel: str = ""
    language: str = ""
    review: str = ""
    reading: str = ""
    corrected: str = ""
    tag: str = ""
    practitioner: str = ""  # its id
    from_day: str = ""
    to_day: str = ""

    @property
    def is_set(self) -> bool:
        return any(asdict(self).values())

    @property
    def has_more(self) -> bool:
        """Say whether it is narrowed by one of the filters that are not shown at first."""
        shown_at_first = {"search", "outcome", "channel"}
        return any(value for name, value in asdict(self).items() if name not in shown_at_first)

    def given(self) -> dict[str, str]:
        """Return what is set, by name, for a view to keep."""
        return {name: value for name, value in asdict(self).items() if value}

    def in_address(self) -> dict[str, str]:
        """Return what is set without the words searched for: they may name a patient, and addresses are logged."""
        return {name: value for name, value in self.given().items() if name != "search"}

    def bounds(self, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """Return when the first day begins and the last one ends in `zone`; None for an end that is open."""
        begins = _midnight(date.fromisoformat(self.from_day), zone) if self.from_day else None
        ends = _midnight(date.fromisoformat(self.to_day) + timedelta(days=1), zone) if self.to_day else None
        return begins, ends


def read_wanted(given: Mapping[str, str]) -> Wanted:
    """Return what a form, an address or a view asks for. What is not known is left out."""
    return Wanted(
        **{field.name: _read(field.name, str(given.get(field.name) or "").strip()) for field in fields(Wanted)}
    )


def _read(name: str, value: str) -> str:
    if name in CHOICES:
        return value if value in CHOICES[name] else ""
    if name in _DAYS:
        return _day(value)
    return value[: _LONGEST[name]]


def _day(value: str) -> str:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return ""
    # The first and last days there are have no day before or after them in every zone.
    return day.isoformat() if date.min + timedelta(days=2) < day < date.max - timedelta(days=2) else ""


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # Of a midnight that the clocks skip this is the moment they do, of one that comes twice the first.
    return datetime.combine(day, time(), zone).astimezone(UTC)
