"""What was taken in practitioners' own calendars, at any moment of the past. Read only.

It is known for as long as `booking.elsewhere` keeps it; what is older is met as far as it still stands.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from booking.model.schedule import BusyInterval, PastBusyInterval, Schedule
from frontdesk.replay.diary_then import Names
from kernel.interval import Interval, merged, subtracted


@dataclass(frozen=True)
class _Row:
    span: Interval
    noted_at: datetime | None
    gone_at: datetime | None

    def stands_at(self, moment: datetime) -> bool:
        is_noted = self.noted_at is None or self.noted_at <= moment
        return is_noted and (self.gone_at is None or self.gone_at > moment)


@dataclass(frozen=True)
class Change:
    """At `at` a practitioner's own calendars took a time, or gave it back."""

    at: datetime
    practitioner: str  # by key
    span: Interval
    is_taken: bool


class BusyThen:
    """The time that is taken in the calendars of a clinic's practitioners."""

    def __init__(
        self,
        session: Session,
        names: Names,
        *,
        clinic_id: str,
        people: Collection[str],
        since: datetime,
        until: datetime,
    ) -> None:
        """`people` are keys: of others nothing is told. Two statements."""
        self._rows: dict[str, list[_Row]] = defaultdict(list)
        row, past = BusyInterval, PastBusyInterval
        in_clinic = select(Schedule.id).where(Schedule.clinic_id == clinic_id)
        there = select(row.schedule_id, row.starts_at, row.ends_at, row.noted_at, literal(None)).where(
            row.schedule_id.in_(in_clinic), row.ends_at > since, row.starts_at < until
        )
        gone = select(past.schedule_id, past.starts_at, past.ends_at, past.noted_at, past.gone_at).where(
            past.schedule_id.in_(in_clinic), past.ends_at > since, past.starts_at < until, past.gone_at > since
        )
        for statement in (there, gone):
            for schedule_id, start, end, noted_at, gone_at in session.execute(statement):
                person = names.schedules.get(schedule_id)
                if person is not None and person in people:
                    self._rows[person].append(_Row(Interval(start, end), noted_at, gone_at))

    def at(self, moment: datetime) -> list[tuple[str, Interval]]:
        """List what was taken at `moment`, by practitioner."""
        return [(person, span) for person in sorted(self._rows) for span in self._taken(person, moment)]

    def changes(self, start: datetime, end: datetime) -> Iterator[Change]:
        """Yield what changed after `start` and until `end`."""
        for person, rows in sorted(self._rows.items()):
            moments = {at for row in rows for at in (row.noted_at, row.gone_at) if at is not None and start < at <= end}
            before = self._taken(person, start)
            for at in sorted(moments):
                after = self._taken(person, at)
                yield from (Change(at, person, span, is_taken=False) for span in subtracted(before, after))
                yield from (Change(at, person, span, is_taken=True) for span in subtracted(after, before))
                before = after

    def _taken(self, person: str, moment: datetime) -> list[Interval]:
        return merged(row.span for row in self._rows[person] if row.stands_at(moment))
