"""When a service could start: opening hours and working hours, less closures, time off and what is taken.

Pure functions on the catalogue and the busy time of Schedules. Listing and claiming both call them, so that what is offered
is what can be booked. All of it is done with starts rather than with free time: a span of possible starts shrinks by the
service's length at its end, a busy time forbids the starts whose visit, buffers included, would meet it, and a kind of
Resource forbids the starts at which too few of that kind would be free for the whole visit.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from booking.spans import Span, covered, instant, merged, span_of, subtracted
from booking.values import (
    Catalogue,
    DateSpan,
    LocationInfo,
    PractitionerInfo,
    ResourceInfo,
    ServiceInfo,
    Slot,
    SlotQuery,
)
from kernel.interval import Interval, wall_to_instant

Busy = Mapping[str, Sequence[Span]]
"""Time taken in each Schedule, by its id, in any order; buffers of visits are included."""

_DAY_S = 24 * 60 * 60


@dataclass(frozen=True)
class Wanted:
    """One service at one Location, and how much time before and after the visit nobody else may have."""

    catalogue: Catalogue
    service: ServiceInfo
    location: LocationInfo

    @property
    def duration_s(self) -> int:
        return _seconds(self.service.duration)

    def claim(self, starts_at: datetime) -> Interval:
        """Return the time a visit takes in every diary it needs, buffers included."""
        return Interval(starts_at, starts_at + self.service.duration).widened(
            before=self.service.buffer_before, after=self.service.buffer_after
        )

    def resources(self, kind: str) -> tuple[ResourceInfo, ...]:
        return self.catalogue.resources_of(kind, self.location)

    def schedule_ids(self, practitioners: Sequence[PractitionerInfo]) -> set[str]:
        """Return every Schedule on which it may depend whether the service can be given."""
        kinds = set(self.service.resources)
        return {practitioner.schedule_id for practitioner in practitioners} | {
            resource.schedule_id for kind in kinds for resource in self.resources(kind)
        }


def search_places(catalogue: Catalogue, query: SlotQuery) -> list[tuple[Wanted, list[PractitionerInfo]]]:
    """Return where to look for what `query` asks, and at whom there: able, and not excluded by the query."""
    service = catalogue.service(query.service_id)
    places = []
    for location in catalogue.locations:
        if query.location_ids and location.id not in query.location_ids:
            continue
        able = [
            practitioner
            for practitioner in catalogue.able(service, location)
            if not query.practitioner_ids or practitioner.id in query.practitioner_ids
        ]
        if able:
            places.append((Wanted(catalogue, service, location), able))
    return places


def slots(catalogue: Catalogue, *, query: SlotQuery, busy: Busy) -> list[Slot]:
    """Return every Slot of `query`, sorted by start, then key of the practitioner, then key of the location."""
    found = []
    for wanted, practitioners in search_places(catalogue, query):
        missing = starts_without_resources(wanted, busy=busy)
        for practitioner in practitioners:
            starts = free_starts(wanted, practitioner, span=query.span, busy=busy, missing=missing)
            keys = (practitioner.key, wanted.location.key, practitioner.id, wanted.location.id)
            found += [(second, *keys) for second in starts]
    found.sort()
    duration = catalogue.service(query.service_id).duration
    result = []
    for second, _, _, practitioner_id, location_id in found:
        starts_at = instant(second)
        result.append(Slot(starts_at, practitioner_id, location_id, query.service_id, starts_at + duration))
    return result


def free_starts(
    wanted: Wanted,
    practitioner: PractitionerInfo,
    *,
    span: Interval,
    busy: Busy,
    missing: Sequence[Span],
) -> list[int]:
    """Return the seconds within `span` at which the service could start with `practitioner`, ascending, on the step grid.

    `missing`: the starts at which the Location lacks a Resource, from `starts_without_resources`.
    """
    first, end = math.ceil(span.start.timestamp()), math.ceil(span.end.timestamp())
    possible = [
        (max(start, first), min(stop - wanted.duration_s + 1, end))
        for start, stop in working_spans(practitioner, wanted.location, span=span, reach=wanted.service.duration)
    ]
    forbidden = _forbidden_starts(wanted, busy.get(practitioner.schedule_id, ()))
    step_s = _seconds(wanted.catalogue.rules.step)
    return list(_on_grid(subtracted(possible, [*forbidden, *missing]), zone=wanted.location.zone, step_s=step_s))


def can_start(
    wanted: Wanted, practitioner: PractitionerInfo, *, starts_at: datetime, busy: Busy, missing: Sequence[Span]
) -> bool:
    """Say whether the service could start with `practitioner` exactly then."""
    moment = Interval(starts_at, starts_at + timedelta(seconds=1))
    return starts_at.timestamp() in free_starts(wanted, practitioner, span=moment, busy=busy, missing=missing)


def starts_without_resources(wanted: Wanted, *, busy: Busy) -> list[Span]:
    """Return the starts at which the Location would lack a room or device that the service needs."""
    lacking: list[Span] = []
    for kind, needed in Counter(wanted.service.resources).items():
        resources = wanted.resources(kind)
        if len(resources) < needed:
            return [(-(2**62), 2**62)]
        taken = [_forbidden_starts(wanted, busy.get(resource.schedule_id, ())) for resource in resources]
        lacking += covered(taken, times=len(resources) - needed + 1)
    return merged(lacking)


def free_resources(wanted: Wanted, *, starts_at: datetime, busy: Busy) -> list[ResourceInfo] | None:
    """Return the first free Resources, in the clinic's order, for a visit at `starts_at`; None if one is lacking."""
    second = span_of(starts_at, starts_at)[0]
    chosen: list[ResourceInfo] = []
    for kind, needed in Counter(wanted.service.resources).items():
        free = [
            resource
            for resource in wanted.resources(kind)
            if not any(
                start <= second < end for start, end in _forbidden_starts(wanted, busy.get(resource.schedule_id, ()))
            )
        ]
        if len(free) < needed:
            return None
        chosen += free[:needed]
    return chosen


def working_spans(
    practitioner: PractitionerInfo, location: LocationInfo, *, span: Interval, reach: timedelta
) -> list[Span]:
    """Return when `practitioner` works at `location` while it is open, around `span` and up to `reach` after its end."""
    weekly = _weekly_minutes(practitioner, location)
    spans: list[Span] = []
    day = span.start.astimezone(location.zone).date()
    # A day back, because where clocks go back over midnight the evening of the day before comes again.
    day -= timedelta(days=1)
    last = (span.end + reach).astimezone(location.zone).date()
    away = (*location.closures, *(span for span in practitioner.time_off if span.location_id in {None, location.id}))
    while day <= last:
        pieces = weekly[day.weekday()]
        if pieces and not _is_within(day, away):
            for start, end, valid_from, valid_until in pieces:
                if (valid_from is None or valid_from <= day) and (valid_until is None or day < valid_until):
                    spans.append((_second_of(day, start, location.zone), _second_of(day, end, location.zone)))
        day += timedelta(days=1)
    return merged(spans)


_WeeklyPiece = tuple[int, int, date | None, date | None]


def _weekly_minutes(practitioner: PractitionerInfo, location: LocationInfo) -> list[list[_WeeklyPiece]]:
    """Return opening hours ∩ working hours for each weekday, in minutes of the wall clock, with the dates they hold for."""
    week: list[list[_WeeklyPiece]] = [[] for _ in range(7)]
    for work in practitioner.hours:
        if work.location_id != location.id:
            continue
        for opening in location.hours:
            if opening.weekday != work.weekly.weekday:
                continue
            start, end = max(opening.start, work.weekly.start), min(opening.end, work.weekly.end)
            if start < end:
                piece = (_seconds(start) // 60, _seconds(end) // 60, work.valid_from, work.valid_until)
                week[opening.weekday].append(piece)
    return week


def _is_within(day: date, spans: Sequence[DateSpan]) -> bool:
    return any(span.first <= day < span.end for span in spans)


def _forbidden_starts(wanted: Wanted, taken: Sequence[Span]) -> list[Span]:
    """Return the starts of visits that would meet `taken`: from just over a visit's length before it to its end."""
    before = _seconds(wanted.service.buffer_before)
    after = wanted.duration_s + _seconds(wanted.service.buffer_after)
    return merged([(start - after + 1, end + before) for start, end in taken])


def _second_of(day: date, minute: int, zone: ZoneInfo) -> int:
    midnight, is_plain = _midnight(day, zone)
    if is_plain:
        return midnight + 60 * minute
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    return int(wall_to_instant(wall, zone).timestamp())


@lru_cache(maxsize=4096)
def _midnight(day: date, zone: ZoneInfo) -> tuple[int, bool]:
    """Return the second at which `day` begins in `zone`, and whether its clocks run through without a change."""
    start, end = (wall_to_instant(datetime.combine(one, time()), zone) for one in (day, day + timedelta(days=1)))
    is_plain = (
        end - start == timedelta(days=1) and start.astimezone(zone).utcoffset() == end.astimezone(zone).utcoffset()
    )
    return int(start.timestamp()), is_plain


def _on_grid(spans: Sequence[Span], *, zone: ZoneInfo, step_s: int) -> Iterator[int]:
    """Yield each second of `spans` at which the wall clock of `zone` shows a whole number of steps since midnight."""
    for start, end in spans:
        at = start
        while at < end:
            offset = _offset(at, zone)
            clock = (at + offset) % _DAY_S
            stop = min(end, at + _DAY_S - clock)
            if _offset(stop - 1, zone) != offset:
                stop = _change_between(at, stop - 1, zone)
            yield from range(at + -clock % step_s, stop, step_s)
            at = stop


def _offset(second: int, zone: ZoneInfo) -> int:
    # An aware instant has an offset; the empty one is for the type checker's sake.
    return _seconds(datetime.fromtimestamp(second, zone).utcoffset() or timedelta(0))


def _change_between(low: int, high: int, zone: ZoneInfo) -> int:
    """Return the first second with the new offset, given that the offset at `low` differs from that at `high`."""
    before = _offset(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high


def _seconds(length: timedelta) -> int:
    return round(length.total_seconds())
