"""Why a wish can't be met, and the nearest ways that work: the same answer on every channel.

A rule or a fact binds when the wish could be met without it. So the reasons are found by asking what would be free in a
clinic that differs in that one thing: no minimum notice, no days off, an empty diary. The nearest ways are Slots that differ
from the wish in as few things as possible, and in those as little as possible.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum, StrEnum, auto
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from booking import availability, queries, taken
from booking.availability import Busy
from booking.rules import (
    Facts,
    NotOffered,
    OutsideHours,
    PatientOverlap,
    PractitionerDailyMaximum,
    broken,
    earliest_start,
    is_full,
    latest_start,
)
from booking.values import BookingRules, Catalogue, LocationInfo, Slot, SlotQuery, WeeklyHours, WorkingHours
from kernel.errors import Refused
from kernel.interval import Interval


class LocationClosed(Refused):
    """The place is closed on that day, or at that time of it."""

    code = "location-closed"


class PractitionerAway(Refused):
    """The person is away then."""

    code = "practitioner-away"


class NotWorkingThen(Refused):
    """Nobody of those asked for works then, though the place is open."""

    code = "not-working-then"


class FullyBooked(Refused):
    """Whoever could do it has other visits then."""

    code = "fully-booked"


class NoResourceFree(Refused):
    """Somebody is free, but no room or device that it needs."""

    code = "no-resource-free"


class Change(StrEnum):
    """One thing in which a Slot differs from what was wished. In the order in which people mind them least."""

    TIME = "time"  # another time of a wished day
    PRACTITIONER = "practitioner"
    DAY = "day"
    LOCATION = "location"
    NOTICE = "notice"  # sooner than the clinic lets patients book: staff can do it


@dataclass(frozen=True)
class Wish:
    """Starts that would suit (`windows`, sorted), with one of these people, at one of these places; empty means any."""

    windows: tuple[Interval, ...]
    practitioner_ids: tuple[str, ...] = ()
    location_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Relaxation:
    """The nearest Slot that differs from the wish in these things and no others."""

    changes: tuple[Change, ...]
    slot: Slot


@dataclass(frozen=True)
class Explanation:
    """`reasons` is empty when the wish can be met as it is: then `nearest` is one Slot without changes."""

    reasons: tuple[Refused, ...]
    nearest: tuple[Relaxation, ...]


def explain(
    session: Session,
    catalogue: Catalogue,
    *,
    query: SlotQuery,
    now: datetime,
    windows: Sequence[Interval] = (),
    patient_id: str | None = None,
    conversation_id: str | None = None,
) -> Explanation:
    """Say why nothing of `query` can be booked, within `windows` of it if given, and what nearly the same can be.

    With a patient their own visits count, too. Reads in a number of statements that does not depend on how much is looked
    through. Raises what `queries.find_slots` raises for a query that makes no sense.
    """
    wish = Wish(tuple(sorted(windows)) or (query.span,), query.practitioner_ids, query.location_ids)
    furthest = max(latest_start(rules, now) for rules in _rules_in_force(catalogue))
    whole = Interval(min(now, wish.windows[0].start), max(furthest, wish.windows[-1].end) + timedelta(days=1))
    anything = replace(query, span=whole, practitioner_ids=(), location_ids=())
    visits: tuple[Interval, ...] = ()
    if patient_id is not None:
        visits = taken.visits_of_patient(session, patient_id=patient_id, around=whole, now=now)
    free = queries.find_slots(
        session, _without_notice(catalogue), query=anything, now=now, conversation_id=conversation_id
    )
    possible = [slot for slot in free if not _meets_any(slot, visits)]
    near = nearest(catalogue, possible, wish, now=now)
    if near and not near[0].changes:
        return Explanation((), near[:1])
    circumstances = _read(session, catalogue, query, wish, visits, now=now, conversation_id=conversation_id)
    return Explanation(reasons(circumstances), near)


def nearest(catalogue: Catalogue, slots: Iterable[Slot], wish: Wish, *, now: datetime) -> tuple[Relaxation, ...]:
    """Return the nearest of `slots` for each smallest set of changes, fewest changes first.

    A set of changes is left out when a part of it is enough. Among Slots with the same changes the nearer day is nearer,
    then the nearer time of day, then the earlier.
    """
    best: dict[tuple[Change, ...], tuple[tuple[object, ...], Slot]] = {}
    measure = _Measure(catalogue, wish, now)
    for slot in slots:
        changes = measure.changes(slot)
        distance = measure.distance(slot)
        if changes not in best or distance < best[changes][0]:
            best[changes] = (distance, slot)
    found = [
        Relaxation(changes, slot)
        for changes, (_, slot) in best.items()
        if not any(set(other) < set(changes) for other in best)
    ]
    order = list(Change)
    found.sort(key=lambda one: (len(one.changes), [order.index(change) for change in one.changes]))
    return tuple(found)


class _Measure:
    """How far Slots are from a wish."""

    def __init__(self, catalogue: Catalogue, wish: Wish, now: datetime) -> None:
        self._wish = wish
        self._zones = {location.id: location.zone for location in catalogue.locations}
        self._earliest = {
            location.id: earliest_start(catalogue.rules_at(location.id), now) for location in catalogue.locations
        }
        self._rank = {practitioner.id: rank for rank, practitioner in enumerate(catalogue.practitioners)}
        self._days = {
            location.id: [_days_of(window, location.zone) for window in wish.windows]
            for location in catalogue.locations
        }

    def changes(self, slot: Slot) -> tuple[Change, ...]:
        found = []
        if not any(window.start <= slot.starts_at < window.end for window in self._wish.windows):
            found.append(Change.TIME if self._days_off(slot) == 0 else Change.DAY)
        if self._wish.practitioner_ids and slot.practitioner_id not in self._wish.practitioner_ids:
            found.append(Change.PRACTITIONER)
        if self._wish.location_ids and slot.location_id not in self._wish.location_ids:
            found.append(Change.LOCATION)
        if slot.starts_at < self._earliest[slot.location_id]:
            found.append(Change.NOTICE)
        return tuple(sorted(found, key=list(Change).index))

    def distance(self, slot: Slot) -> tuple[object, ...]:
        return (self._days_off(slot), self._time_off(slot), slot.starts_at, self._rank[slot.practitioner_id])

    def _days_off(self, slot: Slot) -> int:
        day = slot.starts_at.astimezone(self._zones[slot.location_id]).date()
        return min(max((first - day).days, (day - last).days, 0) for first, last in self._days[slot.location_id])

    def _time_off(self, slot: Slot) -> timedelta:
        """Return how far the wall time is from the wished ones of any day."""
        zone = self._zones[slot.location_id]
        at = _clock(slot.starts_at.astimezone(zone))
        gaps = []
        for window in self._wish.windows:
            if window.duration >= timedelta(days=1):
                return timedelta(0)
            start, end = _clock(window.start.astimezone(zone)), _clock(window.end.astimezone(zone))
            if start < end and not start <= at < end:
                gaps.append(start - at if at < start else at - end)
            elif start >= end and end <= at < start:  # over midnight
                gaps.append(min(at - end, start - at))
            else:
                return timedelta(0)
        return min(gaps)


def _clock(wall: datetime) -> timedelta:
    return timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second)


def _days_of(window: Interval, zone: ZoneInfo) -> tuple[date, date]:
    """Return the first and the last local day of which `window` has a part."""
    last_instant = window.end - timedelta(microseconds=1)
    return window.start.astimezone(zone).date(), last_instant.astimezone(zone).date()


class Cause(Enum):
    """What may stand in the way. In this order it is tried whether each could stay as it is, so the last ones are told first."""

    ADVANCE = auto()
    NOTICE = auto()
    HOURS = auto()
    TIME_OFF = auto()
    RESOURCES = auto()
    DAILY_MAXIMUM = auto()
    PATIENT = auto()
    VISITS = auto()


@dataclass(frozen=True)
class Circumstances:
    """Everything that decides whether a wish can be met. `visits_by_day`: by Practitioner and local day of each Location."""

    catalogue: Catalogue
    query: SlotQuery
    wish: Wish
    now: datetime
    busy: Busy
    patient_visits: tuple[Interval, ...] = ()
    visits_by_day: Counter[tuple[str, str, date]] = field(default_factory=Counter)


_LOOKED_AT = timedelta(days=31)  # why a longer wish fails is seen in its first month


def reasons(known: Circumstances) -> tuple[Refused, ...]:
    """Return what binds: a smallest set of causes without which the wish could be met. Empty if it can be met."""
    asked = [
        person
        for person in known.catalogue.practitioners
        if not known.wish.practitioner_ids or person.id in known.wish.practitioner_ids
    ]
    places = _places(known)
    service = known.catalogue.service(known.query.service_id)
    if not service.steps and not any(
        person in known.catalogue.able(service, place) for person in asked for place in places
    ):
        return (NotOffered(practitioner_ids=[person.id for person in asked], service_id=service.id),)
    binding = set(Cause)
    if not _fits(known, frozenset(binding)):
        return (OutsideHours(starts_at=known.wish.windows[0].start.isoformat()),)
    for cause in Cause:
        if _fits(known, frozenset(binding - {cause})):
            binding.remove(cause)
    return tuple(_refusal(known, cause) for cause in Cause if cause in binding)


def _places(known: Circumstances) -> list[LocationInfo]:
    wanted = known.wish.location_ids
    return [location for location in known.catalogue.locations if not wanted or location.id in wanted]


def _fits(known: Circumstances, gone: frozenset[Cause]) -> bool:
    """Say whether the wish could be met if the causes `gone` were not there."""
    clinic = _as_if(known.catalogue, known.query.service_id, gone)
    people = {person.schedule_id for person in clinic.practitioners}
    busy = known.busy if Cause.VISITS not in gone else {k: v for k, v in known.busy.items() if k not in people}
    for window in known.wish.windows:
        span = Interval(window.start, min(window.end, window.start + _LOOKED_AT))
        query = replace(
            known.query,
            span=span,
            practitioner_ids=known.wish.practitioner_ids,
            location_ids=known.wish.location_ids,
        )
        if any(_suits(known, slot, gone) for slot in availability.slots(clinic, query=query, busy=busy)):
            return True
    return False


def _suits(known: Circumstances, slot: Slot, gone: frozenset[Cause]) -> bool:
    rules = known.catalogue.rules_at(slot.location_id)
    day = slot.starts_at.astimezone(known.catalogue.location(slot.location_id).zone).date()
    visits = known.visits_by_day[slot.practitioner_id, slot.location_id, day]
    return not (
        (Cause.NOTICE not in gone and slot.starts_at < earliest_start(rules, known.now))
        or (Cause.ADVANCE not in gone and slot.starts_at > latest_start(rules, known.now))
        or (Cause.DAILY_MAXIMUM not in gone and is_full(rules, visits))
        or (Cause.PATIENT not in gone and _meets_any(slot, known.patient_visits))
    )


def _as_if(catalogue: Catalogue, service_id: str, gone: frozenset[Cause]) -> Catalogue:
    """Return the clinic as it would be without those causes that lie in its catalogue."""
    services, people, places = catalogue.services, catalogue.practitioners, catalogue.locations
    if Cause.RESOURCES in gone:
        services = tuple(replace(one, resources=()) if one.id == service_id else one for one in services)
    if Cause.HOURS in gone:
        places = tuple(replace(one, hours=_ALWAYS, closures=(), dated=()) for one in places)
        people = tuple(
            replace(
                one,
                hours=tuple(
                    WorkingHours(place, hours)
                    for place in dict.fromkeys(known.location_id for known in one.hours)
                    for hours in _ALWAYS
                ),
                dated=tuple(dated for dated in one.dated if not dated.is_open),
            )
            for one in people
        )
    if Cause.TIME_OFF in gone:
        people = tuple(
            replace(one, time_off=(), dated=tuple(dated for dated in one.dated if dated.is_open)) for one in people
        )
    return replace(catalogue, services=services, practitioners=people, locations=places, _by_id={})


_ALWAYS = tuple(WeeklyHours(weekday, timedelta(0), timedelta(hours=24)) for weekday in range(7))


def _refusal(known: Circumstances, cause: Cause) -> Refused:
    asked = {"practitioner_ids": list(known.wish.practitioner_ids)}
    if cause is Cause.HOURS:
        return _closed_or_not_working(known, asked)
    if cause in {Cause.NOTICE, Cause.ADVANCE}:
        return _too_soon_or_too_far(known, cause)
    return {
        Cause.TIME_OFF: PractitionerAway(**asked),
        Cause.RESOURCES: NoResourceFree(kinds=list(known.catalogue.service(known.query.service_id).resources)),
        Cause.DAILY_MAXIMUM: PractitionerDailyMaximum(**asked),
        Cause.PATIENT: PatientOverlap(),
        Cause.VISITS: FullyBooked(**asked),
    }[cause]


def _too_soon_or_too_far(known: Circumstances, cause: Cause) -> Refused:
    """Return the refusal of the rule itself, for the start that comes nearest to keeping it."""
    window = known.wish.windows[-1] if cause is Cause.NOTICE else known.wish.windows[0]
    starts_at = window.end - timedelta(microseconds=1) if cause is Cause.NOTICE else window.start
    visit = Interval(starts_at, starts_at + known.catalogue.service(known.query.service_id).duration)
    rules = known.catalogue.rules_at(_places(known)[0].id)
    return broken(Facts(rules=rules, now=known.now, visit=visit))[0]


def _closed_or_not_working(known: Circumstances, asked: dict[str, list[str]]) -> Refused:
    """Tell a closed place from people who don't work while it is open."""
    everybody = replace(
        known.catalogue,
        practitioners=tuple(
            replace(one, hours=tuple(WorkingHours(place.id, hours) for place in _places(known) for hours in _ALWAYS))
            for one in known.catalogue.practitioners
        ),
        _by_id={},
    )
    rest = frozenset(Cause) - {Cause.HOURS}
    if _fits(replace(known, catalogue=everybody), rest):
        return NotWorkingThen(**asked)
    return LocationClosed(location_ids=[place.id for place in _places(known)])


def _read(
    session: Session,
    catalogue: Catalogue,
    query: SlotQuery,
    wish: Wish,
    patient_visits: tuple[Interval, ...],
    *,
    now: datetime,
    conversation_id: str | None,
) -> Circumstances:
    service = catalogue.service(query.service_id)
    margin = service.buffer_before + service.buffer_after + (query.duration or service.duration) + timedelta(days=1)
    end = max(min(window.end, window.start + _LOOKED_AT) for window in wish.windows)
    around = Interval(wish.windows[0].start, end).widened(before=margin, after=margin)
    schedules = {one.schedule_id for one in catalogue.practitioners}
    schedules |= {one.schedule_id for one in catalogue.resources}
    busy = taken.busy_spans(session, schedule_ids=schedules, within=around, now=now, ignoring_hold_of=conversation_id)
    counts: Counter[tuple[str, str, date]] = Counter()
    if any(rules.max_per_practitioner_per_day is not None for rules in _rules_in_force(catalogue)):
        ids = [person.id for person in catalogue.practitioners]
        for person_id, starts_at in taken.visit_starts(session, practitioner_ids=ids, within=around, now=now):
            for place in catalogue.locations:
                counts[person_id, place.id, starts_at.astimezone(place.zone).date()] += 1
    return Circumstances(catalogue, query, wish, now, busy, patient_visits, counts)


def _rules_in_force(catalogue: Catalogue) -> list[BookingRules]:
    return [catalogue.rules_at(location.id) for location in catalogue.locations]


def _without_notice(catalogue: Catalogue) -> Catalogue:
    none = timedelta(0)
    places = tuple(
        one if one.rules is None else replace(one, rules=replace(one.rules, minimum_notice=none))
        for one in catalogue.locations
    )
    rules = replace(catalogue.rules, minimum_notice=none)
    return replace(catalogue, rules=rules, locations=places, _by_id={})


def _meets_any(slot: Slot, visits: Sequence[Interval]) -> bool:
    return any(visit.start < slot.ends_at and slot.starts_at < visit.end for visit in visits)
