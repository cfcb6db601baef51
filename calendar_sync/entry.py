"""What one of our appointments says in a calendar, whatever kind of calendar it is."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime


@dataclass(frozen=True)
class CalendarEntry:
    """What an event says. Instants are UTC; `sequence` is iCalendar's."""

    uid: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    summary: str
    location: str
    is_confirmed: bool  # False: TENTATIVE, staff have not said yes yet


def content_hash(entry: CalendarEntry) -> str:
    """Return a hash of what the entry says. Servers reorder and rewrite text, so texts are not compared."""
    facts = asdict(entry) | {"starts_at": entry.starts_at.isoformat(), "ends_at": entry.ends_at.isoformat()}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
