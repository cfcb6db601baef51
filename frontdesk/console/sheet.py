"""The diary of one day as columns: who works when, and who comes. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from booking.values import Catalogue, DateSpan, PractitionerInfo
from frontdesk.console.dates import DateWriter
from frontdesk.console.reads.visits import Visit
from frontdesk.console.words import Words

_FIRST_HOUR, _LAST_HOUR = 8, 18  # shown even when nobody works then, so that a day looks like the next


@dataclass(frozen=True)
class WallSpan:
    """Minutes after midnight, `end_minute` excluded."""

    start_minute: int
    end_minute: int


@dataclass(frozen=True)
class Hour:
    minute: int
    label: str


@dataclass(frozen=True)
class Column:
    """One practitioner's day. `note` says why the column is empty, when there is something to say."""

    name: str
    working: tuple[WallSpan, ...]
    visits: tuple[Visit, ...]
    note: str | None


@dataclass(frozen=True)
class Sheet:
    columns: tuple[Column, ...]
    hours: tuple[Hour, ...]
    total: int
    many_locations: bool

    @property
    def first_minute(self) -> int:
        return self.hours[0].minute

    @property
    def end_minute(self) -> int:
        return self.hours[-1].minute + 60


def make_sheet(
    catalogue: Catalogue,
    visits: Sequence[Visit],
    *,
    day: date,
    location_id: str | None,
    words: Words,
    dates: DateWriter,
) -> Sheet:
    """Lay out a day: practitioners in the clinic's order, then those who left but still have visits then.

    With `location_id` only people who work or are booked there on that day are shown.
    """
    columns = [
        _column(practitioner, visits, day=day, location_id=location_id, words=words)
        for practitioner in catalogue.practitioners
    ]
    if location_id:
        columns = [column for column in columns if column.working or column.visits]
    columns += _columns_of_former(catalogue, visits)
    return Sheet(
        columns=tuple(columns),
        hours=tuple(Hour(minute=hour * 60, label=dates.hour(hour)) for hour in _hours(columns)),
        total=len(visits),
        many_locations=location_id is None and len(catalogue.locations) > 1,
    )


def _column(
    practitioner: PractitionerInfo, visits: Sequence[Visit], *, day: date, location_id: str | None, words: Words
) -> Column:
    is_away = any(_covers(span, day) for span in practitioner.time_off)
    working = () if is_away else _working(practitioner, day=day, location_id=location_id)
    note = words("diary.away") if is_away else None if working else words("diary.not_working")
    return Column(
        name=practitioner.name,
        working=working,
        visits=tuple(visit for visit in visits if visit.practitioner_id == practitioner.id),
        note=note,
    )


def _columns_of_former(catalogue: Catalogue, visits: Sequence[Visit]) -> list[Column]:
    known = {practitioner.id for practitioner in catalogue.practitioners}
    former = {visit.practitioner_id: visit.practitioner for visit in visits if visit.practitioner_id not in known}
    return [
        Column(
            name=name,
            working=(),
            visits=tuple(visit for visit in visits if visit.practitioner_id == practitioner_id),
            note=None,
        )
        for practitioner_id, name in sorted(former.items(), key=lambda item: item[1])
    ]


def _working(practitioner: PractitionerInfo, *, day: date, location_id: str | None) -> tuple[WallSpan, ...]:
    spans = [
        WallSpan(
            start_minute=int(hours.weekly.start.total_seconds() // 60),
            end_minute=int(hours.weekly.end.total_seconds() // 60),
        )
        for hours in practitioner.hours
        if hours.weekly.weekday == day.weekday()
        and (location_id is None or hours.location_id == location_id)
        and (hours.valid_from is None or hours.valid_from <= day)
        and (hours.valid_until is None or day < hours.valid_until)
    ]
    return tuple(sorted(spans, key=lambda span: span.start_minute))


def _covers(span: DateSpan, day: date) -> bool:
    return span.first <= day < span.end


def _hours(columns: Iterable[Column]) -> range:
    """Return the hours to show: the usual ones, widened by whoever works or is booked earlier or later."""
    starts, ends = [_FIRST_HOUR * 60], [_LAST_HOUR * 60]
    for column in columns:
        starts += [span.start_minute for span in column.working] + [visit.from_minute for visit in column.visits]
        ends += [span.end_minute for span in column.working] + [visit.to_minute for visit in column.visits]
    return range(min(starts) // 60, -(-max(ends) // 60))
