"""When a service could start: opening hours and working hours, less closures, time off and what is taken.

Pure functions on the catalogue and the busy time of Schedules. Listing and claiming both call them, so that what is offered
is what can be booked. All of it is done with starts rather than with free time. Hours give the starts there could be, on the
step grid, in order; then one walk along them for each thing that can be in the way leaves those that are free: visits of the
practitioner with their buffers and the way between, Resources that are lacking, days on which the practitioner has enough.
Everything is a stream, so that whoever wants the first start only does not pay for a quarter of a year.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import chain
from zoneinfo import ZoneInfo

from booking import hours
from booking.hours import Day, Timetable
from booking.spans import Span, clear_of, covered, instant, merged, subtracted
from booking.travel import BY_CAR, PlacedSpan, TravelTime
from booking.values import (
    BookingRules,
    Catalogue,
    LocationInfo,
    Mode,
    Place,
    PractitionerInfo,
    ResourceInfo,
    ServiceInfo,
    Slot,
    SlotQuery,
)
from kernel.interval import Interval

Busy = Mapping[str, Sequence[Span]]
"""Time taken in each Schedule, by its id, ascending by start; it may overlap. Buffers of visits are included.

A span may be a `PlacedSpan`, of a visit whose address is known.
"""

Full = Mapping[tuple[str, str], Sequence[Span]]
"""Days, as spans in order, on which the Practitioner has enough: by ids of Location and Practitioner."""

_SECOND = timedelta(seconds=1)
_NOBODY: Full = {}


@dataclass(frozen=True)
class Wanted:
    """One service at one Location, and how much time before and after the visit nobody else may have."""

    catalogue: Catalogue
    service: ServiceInfo
    location: LocationInfo
    duration: timedelta | None = None  # None: as long as the service takes at least
    place: Place | None = None  # where a home visit is to be
    travel_time: TravelTime = BY_CAR

    @property
    def length(self) -> timedelta:
        """How long the visit itself takes."""
        return self.duration or self.service.duration

    @property
    def rules(self) -> BookingRules:
        """The rules that hold there."""
        return self.location.rules or self.catalogue.rules

    @property
    def address(self) -> Place | None:
        """Where the practitioner has to be, if that is known: nowhere for a visit by video."""
        match self.service.mode:
            case Mode.HOME:
                return self.place
            case Mode.TELEHEALTH:
                return None
            case Mode.IN_PERSON:
                return self.location.place

    def claim(self, starts_at: datetime) -> Interval:
        """Return the time a visit takes in every diary it needs, buffers included."""
        return Interval(starts_at, starts_at + self.length).widened(
            before=self.service.buffer_before, after=self.service.buffer_after
        )

    def resources(self, kind: str) -> tuple[ResourceInfo, ...]:
        return self.catalogue.resources_of(kind, self.location)

    def schedule_ids(self, practitioners: Iterable[PractitionerInfo]) -> set[str]:
        """Return every Schedule on which it may depend whether the service can be given."""
        kinds = set(self.service.resources)
        return {practitioner.schedule_id for practitioner in practitioners} | {
            resource.schedule_id for kind in kinds for resource in self.resources(kind)
        }

    # Worked out once a search, in seconds: what each step of each walk needs.

    @cached_property
    def length_s(self) -> int:
        return _seconds(self.length)

    @cached_property
    def before_s(self) -> int:
        return _seconds(self.service.buffer_before)

    @cached_property
    def after_s(self) -> int:
        """From the start of a visit to the end of its buffer."""
        return self.length_s + _seconds(self.service.buffer_after)

    @cached_property
    def step_s(self) -> int:
        return _seconds(self.rules.step)

    @cached_property
    def opening(self) -> Timetable:
        return Timetable.of_location(self.location)


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
            places.append((Wanted(catalogue, service, location, query.duration, query.place), able))
    return places


def slots(catalogue: Catalogue, *, query: SlotQuery, busy: Busy, full: Full = _NOBODY) -> list[Slot]:
    """Return every Slot of `query`, sorted by start, then key of the practitioner, then key of the location.

    The one function here to which `busy` may come in any order.
    """
    ascending = {schedule_id: sorted(spans) for schedule_id, spans in busy.items()}
    places = search_places(catalogue, query)
    return in_order(
        catalogue,
        (
            slot
            for wanted, practitioners in places
            for slot in slots_at(wanted, practitioners, span=query.span, busy=ascending, full=full)
        ),
    )


def slots_at(
    wanted: Wanted, practitioners: Sequence[PractitionerInfo], *, span: Interval, busy: Busy, full: Full = _NOBODY
) -> list[Slot]:
    """Return every Slot within `span` at one place, practitioner by practitioner."""
    starts = starts_by_practitioner(wanted, practitioners, span=span, busy=busy, full=full)
    found = []
    for practitioner in practitioners:
        contingent = contingent_starts(wanted, practitioner, span=span)
        found += [
            slot_of(wanted, practitioner, second, is_contingent=second in contingent)
            for second in starts[practitioner.id]
        ]
    return found


def slot_of(wanted: Wanted, practitioner: PractitionerInfo, second: int, *, is_contingent: bool) -> Slot:
    """Return the Slot that starts at `second`."""
    starts_at = instant(second)
    ends_at = starts_at + wanted.length
    return Slot(starts_at, practitioner.id, wanted.location.id, wanted.service.id, ends_at, is_contingent)


def in_order(catalogue: Catalogue, found: Iterable[Slot]) -> list[Slot]:
    """Return Slots by start, then key of the practitioner, then key of the location."""
    people = {practitioner.id: practitioner.key for practitioner in catalogue.practitioners}
    places = {location.id: location.key for location in catalogue.locations}
    return sorted(found, key=lambda slot: (slot.starts_at, people[slot.practitioner_id], places[slot.location_id]))


def starts_of(
    wanted: Wanted, practitioner: PractitionerInfo, *, span: Interval, busy: Busy, full: Full = _NOBODY
) -> list[int]:
    """Return the seconds within `span` at which the service could start with `practitioner`, ascending, on the step grid."""
    return starts_by_practitioner(wanted, [practitioner], span=span, busy=busy, full=full)[practitioner.id]


def starts_by_practitioner(
    wanted: Wanted, practitioners: Sequence[PractitionerInfo], *, span: Interval, busy: Busy, full: Full = _NOBODY
) -> dict[str, list[int]]:
    """Return for each of `practitioners`, by id, what `starts_of` returns."""
    missing = starts_without_resources(wanted, span=span, busy=busy)
    return {
        practitioner.id: free_starts(wanted, practitioner, span=span, busy=busy, missing=missing, full=full)
        for practitioner in practitioners
    }


def practitioners_by_start(starts: Mapping[str, Sequence[int]]) -> dict[int, list[str]]:
    """Return who is free at each start, from `starts_by_practitioner`: ascending, the people in the order they came in."""
    found: dict[int, list[str]] = {}
    for practitioner_id, seconds in starts.items():
        for second in seconds:
            found.setdefault(second, []).append(practitioner_id)
    return dict(sorted(found.items()))


def first_start(
    wanted: Wanted, practitioners: Sequence[PractitionerInfo], *, span: Interval, busy: Busy, full: Full = _NOBODY
) -> tuple[int, PractitionerInfo] | None:
    """Return the first second at which anybody is free, and who: of several the one who comes first.

    Looks at one day, then at two, then at four, so that a free time soon is found soon.
    """
    for part in _doubling(span):
        missing = starts_without_resources(wanted, span=part, busy=busy)
        firsts = []
        for number, practitioner in enumerate(practitioners):
            for second in _free_starts(wanted, practitioner, span=part, busy=busy, missing=missing, full=full):
                firsts.append((second, number))
                break
        if firsts:
            second, number = min(firsts)
            return second, practitioners[number]
    return None


def free_starts(
    wanted: Wanted,
    practitioner: PractitionerInfo,
    *,
    span: Interval,
    busy: Busy,
    missing: Sequence[Span],
    full: Full = _NOBODY,
) -> list[int]:
    """Return what `starts_of` returns, for one who knows what is `missing` already.

    `missing`: the starts at which the Location lacks a Resource, from `starts_without_resources`.
    """
    return list(_free_starts(wanted, practitioner, span=span, busy=busy, missing=missing, full=full))


def can_start(
    wanted: Wanted, practitioner: PractitionerInfo, *, starts_at: datetime, busy: Busy, missing: Sequence[Span]
) -> bool:
    """Say whether the service could start with `practitioner` exactly then."""
    moment = Interval(starts_at, starts_at + _SECOND)
    return starts_at.timestamp() in free_starts(wanted, practitioner, span=moment, busy=busy, missing=missing)


def is_clear(wanted: Wanted, practitioner: PractitionerInfo, *, starts_at: datetime, busy: Busy) -> bool:
    """Say whether nothing of the practitioner's is in the way of a visit exactly then, whatever their hours are."""
    visits = _with_the_way(wanted, busy.get(practitioner.schedule_id, ()))
    second = _ends_of(Interval(starts_at, starts_at + _SECOND))[0]
    return any(clear_of(iter((second,)), visits, before=wanted.before_s, after=wanted.after_s))


def contingent_starts(wanted: Wanted, practitioner: PractitionerInfo, *, span: Interval) -> set[int]:
    """Return the starts, free or not, that need time of which staff must agree that it is used."""
    if not any(one.is_contingent and one.location_id == wanted.location.id for one in practitioner.hours):
        return set()
    agreed = _possible_starts(wanted, practitioner, span=span, with_contingent=False)
    return set(_possible_starts(wanted, practitioner, span=span)).difference(agreed)


def is_contingent(wanted: Wanted, practitioner: PractitionerInfo, *, starts_at: datetime) -> bool:
    """Say whether a visit then would need time of which staff must agree that it is used."""
    moment = Interval(starts_at, starts_at + _SECOND)
    return starts_at.timestamp() in contingent_starts(wanted, practitioner, span=moment)


def starts_without_resources(wanted: Wanted, *, span: Interval, busy: Busy) -> list[Span]:
    """Return the starts within `span` at which the Location would lack a room or device that the service needs."""
    lacking: list[Span] = []
    for kind, needed in Counter(wanted.service.resources).items():
        resources = wanted.resources(kind)
        if len(resources) < needed:
            return [_ends_of(span)]
        groups = [_starts_without(wanted, resource, span=span, busy=busy) for resource in resources]
        lacking += covered(groups, times=len(resources) - needed + 1)
    return merged(lacking)


def free_resources(wanted: Wanted, *, starts_at: datetime, busy: Busy) -> list[ResourceInfo] | None:
    """Return the first free Resources, in the clinic's order, for a visit at `starts_at`; None if one is lacking."""
    moment = Interval(starts_at, starts_at + _SECOND)
    start = _ends_of(moment)[0]
    chosen: list[ResourceInfo] = []
    for kind, needed in Counter(wanted.service.resources).items():
        free = [
            resource
            for resource in wanted.resources(kind)
            if any(clear_of([start], _starts_without(wanted, resource, span=moment, busy=busy)))
        ]
        if len(free) < needed:
            return None
        chosen += free[:needed]
    return chosen


def working_spans(
    practitioner: PractitionerInfo, location: LocationInfo, *, span: Interval, reach: timedelta
) -> list[Span]:
    """Return when `practitioner` works at `location` while it is open, around `span` and up to `reach` after its end."""
    tables = Timetable.of_location(location), Timetable.of_practitioner(practitioner, location)
    return hours.spans(tables, hours.days_around(span, location.zone, reach=reach))


def _free_starts(
    wanted: Wanted,
    practitioner: PractitionerInfo,
    *,
    span: Interval,
    busy: Busy,
    missing: Sequence[Span],
    full: Full,
) -> Iterator[int]:
    starts: Iterator[int] = _possible_starts(wanted, practitioner, span=span)
    visits = _with_the_way(wanted, busy.get(practitioner.schedule_id, ()))
    starts = clear_of(starts, visits, before=wanted.before_s, after=wanted.after_s)
    enough = full.get((wanted.location.id, practitioner.id), ())
    for days_or_gaps in (missing, enough):
        if days_or_gaps:
            starts = clear_of(starts, days_or_gaps)
    return starts


def _possible_starts(
    wanted: Wanted, practitioner: PractitionerInfo, *, span: Interval, with_contingent: bool = True
) -> Iterator[int]:
    """Yield the starts that hours allow: the visit itself lies within them, its buffers need not."""
    working = Timetable.of_practitioner(practitioner, wanted.location, with_contingent=with_contingent)
    dates = hours.dates_around(span, wanted.location.zone, reach=wanted.length)
    runs = _runs((wanted.opening, working), dates, wanted.location.zone, wanted.length_s, wanted.step_s)
    first, end = _ends_of(span)
    inside = list(runs[bisect_left(runs, first, key=_last_of) : bisect_left(runs, end, key=_first_of)])
    if inside:
        inside[0] = inside[0][bisect_left(inside[0], first) :]
        inside[-1] = inside[-1][: bisect_left(inside[-1], end)]
    return chain.from_iterable(inside)


# Hours are configuration: what follows from them is the same at the next question. Most runs are ranges, so they take little.
@lru_cache(maxsize=2048)
def _runs(
    tables: tuple[Timetable, ...], dates: tuple[date, date], zone: ZoneInfo, length_s: int, step_s: int
) -> tuple[Sequence[int], ...]:
    """Return the starts that hours allow on each piece of a day, in order; none is empty."""
    runs = []
    closes = opens_again = -1
    # From the last to the first: where one day's time ends when the next one's begins, visits last from one into the other.
    for day, start, stop in reversed(list(hours.pieces(tables, hours.days(*dates, zone)))):
        if stop != opens_again:
            closes = stop
        opens_again = start
        run = _on_grid(day, start, min(stop, closes - length_s + 1), step_s)
        if run:
            runs.append(run)
    return tuple(reversed(runs))


def _first_of(run: Sequence[int]) -> int:
    return run[0]


def _last_of(run: Sequence[int]) -> int:
    return run[-1]


def _on_grid(day: Day, start: int, stop: int, step_s: int) -> Sequence[int]:
    """Return the seconds of a day at which clocks show a whole number of steps since midnight."""
    if day.is_plain:
        return range(start + (day.start - start) % step_s, stop, step_s)
    shown = _grid_of_changed_day(day, step_s)
    return shown[bisect_left(shown, start) : bisect_left(shown, stop)]


@lru_cache(maxsize=256)
def _grid_of_changed_day(day: Day, step_s: int) -> list[int]:
    return [
        second
        for second in range(day.start, day.end, 60)
        if _shown_s(instant(second).astimezone(day.zone)) % step_s == 0
    ]


def _shown_s(wall: datetime) -> int:
    return wall.hour * 3600 + wall.minute * 60 + wall.second


def _starts_without(wanted: Wanted, resource: ResourceInfo, *, span: Interval, busy: Busy) -> list[Span]:
    """Return the starts at which the Resource is taken or not there."""
    _, end = _ends_of(span)
    lacking = []
    for start, stop in busy.get(resource.schedule_id, ()):
        if start - wanted.after_s >= end:
            break
        lacking.append((start - wanted.after_s + 1, stop + wanted.before_s))
    if resource.hours or resource.time_off:
        days = hours.days_around(span, wanted.location.zone, reach=wanted.length)
        present = hours.spans([Timetable.of_resource(resource)], days)
        usable = [(start, stop - wanted.length_s + 1) for start, stop in present]
        lacking += subtracted([_ends_of(span)], usable)
    return merged(lacking)


def _with_the_way(wanted: Wanted, taken: Sequence[Span]) -> Sequence[Span]:
    """Return what is taken, longer by the way from and to visits at other addresses."""
    here = wanted.address
    if here is None or not any(isinstance(span, PlacedSpan) for span in taken):
        return taken
    longer = []
    for span in taken:
        way = _seconds(_way(wanted.travel_time, here, span.place)) if isinstance(span, PlacedSpan) else 0
        longer.append((span[0] - way, span[1] + way))
    return sorted(longer)


def _way(travel_time: TravelTime, here: Place, there: Place) -> timedelta:
    # There may be one-way streets; whichever way takes longer is kept free on both sides.
    return max(travel_time.between(here, there), travel_time.between(there, here))


def _doubling(span: Interval) -> Iterator[Interval]:
    length = timedelta(days=1)
    start = span.start
    while start < span.end:
        end = min(start + length, span.end)
        yield Interval(start, end)
        start, length = end, 2 * length


def _ends_of(span: Interval) -> Span:
    """Return the seconds at which starts within `span` begin and end: a start is a whole second."""
    return math.ceil(span.start.timestamp()), math.ceil(span.end.timestamp())


def _seconds(length: timedelta) -> int:
    return round(length.total_seconds())
