"""Why a wish can't be met, and the nearest ways that work: the same answer on every channel.

A rule or a fact binds when the wish could be met without it. So the reasons are found by asking what would be free in a
clinic that differs in that one thing: no minimum notice, no days off, an empty diary. The nearest ways are Slots that differ
from the wish in as few things as possible, and in those as little as possible.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum, StrEnum, auto
from itertools import chain
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
from booking.several import packages
from booking.values import (
    BookingRules,
    Catalogue,
    LocationInfo,
    PractitionerInfo,
    Slot,
    SlotQuery,
    WeeklyHours,
    WorkingHours,
)
from kernel.errors import Refused
from kernel.interval import Interval, merged


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
    """The nearest Slot that differs from the wish in these things and no others. `further`: the next ones, well apart."""

    changes: tuple[Change, ...]
    slot: Slot
    further: tuple[Slot, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """`reasons` is empty when the wish can be met as it is: then `nearest` is one Slot without changes."""

    reasons: tuple[Refused, ...]
    nearest: tuple[Relaxation, ...]


@dataclass(frozen=True)
class Asker:
    """Who asks. What is theirs already stands in nobody's way: their Hold, and the visit that is to be moved."""

    patient_id: str | None = None  # their other visits do stand in the way
    conversation_id: str | None = None
    replaces_appointment_id: str | None = None
    kept: tuple[Slot, ...] = ()  # kept for them alone, and so taken for everybody else


ANYBODY = Asker()


def explain(
    session: Session,
    catalogue: Catalogue,
    *,
    query: SlotQuery,
    now: datetime,
    windows: Sequence[Interval] = (),
    asker: Asker = ANYBODY,
    suits: Callable[[Slot], bool] | None = None,
) -> Explanation:
    """Say why nothing of `query` can be booked, within `windows` of it if given, and what nearly the same can be.

    With a patient their own visits count, too. Slots that do not pass `suits` are no answer, however near. Reads in a number of
    statements that does not depend on how much is looked through. Raises what `queries.find_slots` raises for a query that
    makes no sense.
    """
    wish = Wish(tuple(sorted(windows)) or (query.span,), query.practitioner_ids, query.location_ids)
    search = _Search(session, catalogue, query, wish, asker, suits, now)
    near = search.nearest()
    if near and not near[0].changes:
        return Explanation((), near[:1])
    circumstances = _read(search)
    # What is left is a group that only staff can start, or the like: there is no room then.
    return Explanation(reasons(circumstances) or (_refusal(circumstances, Cause.VISITS),), near)


_NEAR = timedelta(days=14)


@dataclass
class _Search:
    """One question, and what was read to answer it."""

    session: Session
    catalogue: Catalogue
    query: SlotQuery
    wish: Wish
    asker: Asker
    suits: Callable[[Slot], bool] | None
    now: datetime
    patient_visits: tuple[Interval, ...] = ()

    def nearest(self) -> tuple[Relaxation, ...]:
        """Look around the wish, and where that leaves its days open among all that can be booked: what is nearer by days wins, so nothing is missed."""
        first, last = self.wish.windows[0].start, max(window.end for window in self.wish.windows)
        furthest = max(latest_start(rules, self.now) for rules in _rules_in_force(self.catalogue))
        whole = Interval(min(self.now, first), max(furthest, last) + timedelta(days=1))
        self.patient_visits = self._visits_within(whole)
        near = Interval(first, min(last, furthest)).widened(before=_NEAR, after=_NEAR) if first < furthest else None
        near = near and near.intersection(whole)
        if near is not None and near != whole:
            found = self._nearest_within(near)
            if any(set(one.changes) <= {Change.DAY} for one in found):
                return found
        return self._nearest_within(whole)

    def _visits_within(self, whole: Interval) -> tuple[Interval, ...]:
        if self.asker.patient_id is None:
            return ()
        return taken.visits_of_patient(
            self.session,
            patient_id=self.asker.patient_id,
            around=whole,
            now=self.now,
            ignoring=_ignored(self.asker),
            ignoring_hold_of=self.asker.conversation_id,
        )

    def _nearest_within(self, span: Interval) -> tuple[Relaxation, ...]:
        anything = replace(self.query, span=span, practitioner_ids=(), location_ids=())
        asked = [anything]
        if self.catalogue.service(self.query.service_id).steps and self.query.practitioner_ids:
            # Of each start of a package only the chain that ends first is told: the one with those asked for is another.
            asked.append(replace(anything, practitioner_ids=self.query.practitioner_ids))
        found = queries.find_slots_many(
            self.session,
            _without_notice(self.catalogue),
            queries=asked,
            now=self.now,
            conversation_id=self.asker.conversation_id,
            replaces_appointment_id=self.asker.replaces_appointment_id,
        )
        possible = [slot for slot in self.asker.kept if span.start <= slot.starts_at < span.end]
        possible += [slot for slot in chain.from_iterable(found) if not _meets_any(slot, self.patient_visits)]
        if self.suits is not None:
            possible = [slot for slot in possible if self.suits(slot)]
        return nearest(self.catalogue, possible, self.wish, now=self.now)


def _ignored(asker: Asker) -> tuple[str, ...]:
    return () if asker.replaces_appointment_id is None else (asker.replaces_appointment_id,)


def nearest(catalogue: Catalogue, slots: Iterable[Slot], wish: Wish, *, now: datetime) -> tuple[Relaxation, ...]:
    """Return the nearest of `slots` for each smallest set of changes, fewest changes first.

    A set of changes is left out when a part of it is enough. Among Slots with the same changes the nearer day is nearer,
    then the nearer time of day, then the earlier.
    """
    measure = _Measure(catalogue, wish, now)
    by_changes: dict[tuple[Change, ...], list[Slot]] = {}
    for slot in slots:
        by_changes.setdefault(measure.changes(slot), []).append(slot)
    smallest = [changes for changes in by_changes if not any(set(other) < set(changes) for other in by_changes)]
    order = list(Change)
    smallest.sort(key=lambda one: (len(one), [order.index(change) for change in one]))
    found = []
    for changes in smallest:
        apart = (_ANOTHER_DAY, *_APART) if Change.DAY in changes else _APART
        first, *further = _well_apart(sorted(by_changes[changes], key=measure.distance), apart)
        found.append(Relaxation(changes, first, tuple(further)))
    return tuple(found)


_AT_ONCE = 3
_ANOTHER_DAY = timedelta(hours=18)
_APART = (timedelta(minutes=90), timedelta(minutes=30))  # closer ones are the same time to a patient


def _well_apart(slots: Sequence[Slot], distances: Sequence[timedelta]) -> list[Slot]:
    """Return the first few of `slots`, those far from each other before those that nearly are the same time."""
    chosen = [slots[0]]
    for distance in distances:
        for slot in slots:
            if len(chosen) == _AT_ONCE:
                return chosen
            if all(abs(slot.starts_at - other.starts_at) >= distance for other in chosen):
                chosen.append(slot)
    return chosen


class _Measure:
    """How far Slots are from a wish. Many start at the same times, so each time is measured once."""

    def __init__(self, catalogue: Catalogue, wish: Wish, now: datetime) -> None:
        self._catalogue = catalogue
        self._wish = wish
        self._windows = merged(wish.windows)
        self._starts = [window.start for window in self._windows]
        self._places = {one.id: _WishedThere.of(wish, one.zone) for one in catalogue.locations}
        self._earliest = {one.id: earliest_start(catalogue.rules_at(one.id), now) for one in catalogue.locations}
        self._rank = {practitioner.id: rank for rank, practitioner in enumerate(catalogue.practitioners)}
        self._measured: dict[tuple[str, datetime], tuple[int, timedelta]] = {}

    def changes(self, slot: Slot) -> tuple[Change, ...]:
        found = []
        if not self._is_wished(slot.starts_at):
            found.append(Change.TIME if self._off(slot)[0] == 0 else Change.DAY)
        if not self._is_with_wished(slot):
            found.append(Change.PRACTITIONER)
        if self._wish.location_ids and slot.location_id not in self._wish.location_ids:
            found.append(Change.LOCATION)
        if slot.starts_at < self._earliest[slot.location_id]:
            found.append(Change.NOTICE)
        return tuple(sorted(found, key=_ORDER.__getitem__))

    def distance(self, slot: Slot) -> tuple[object, ...]:
        return (*self._off(slot), slot.starts_at, self._rank[slot.practitioner_id])

    def _is_wished(self, starts_at: datetime) -> bool:
        before = bisect_right(self._starts, starts_at)
        return before > 0 and starts_at < self._windows[before - 1].end

    def _is_with_wished(self, slot: Slot) -> bool:
        """Of a package those asked for give what they can, and anybody the other steps."""
        wanted = self._wish.practitioner_ids
        if not wanted or not slot.parts:
            return not wanted or slot.practitioner_id in wanted
        return all(
            part.practitioner_id in wanted or not self._could_one_of(wanted, part.service_id) for part in slot.parts
        )

    def _could_one_of(self, people: Sequence[str], service_id: str) -> bool:
        service = self._catalogue.service(service_id)
        return any(self._catalogue.offers(self._catalogue.practitioner(one), service) for one in people)

    def _off(self, slot: Slot) -> tuple[int, timedelta]:
        """Return by how many days, and by how much of the clock, it is off."""
        key = slot.location_id, slot.starts_at
        if key not in self._measured:
            self._measured[key] = self._places[slot.location_id].off(slot.starts_at)
        return self._measured[key]


_ORDER = {change: rank for rank, change in enumerate(Change)}


@dataclass(frozen=True)
class _WishedThere:
    """What is wished, on the calendar and the clocks of one zone: first and last days, ascending and apart; times of a day."""

    zone: ZoneInfo
    days: tuple[tuple[date, date], ...]
    clocks: tuple[tuple[timedelta, timedelta], ...]  # none: any time

    @classmethod
    def of(cls, wish: Wish, zone: ZoneInfo) -> "_WishedThere":
        days: list[tuple[date, date]] = []
        for first, last in sorted(_days_of(window, zone) for window in wish.windows):
            if days and first <= days[-1][1]:
                days[-1] = days[-1][0], max(last, days[-1][1])
            else:
                days.append((first, last))
        clocks = {(_clock(one.start.astimezone(zone)), _clock(one.end.astimezone(zone))) for one in wish.windows}
        is_any = any(one.duration >= timedelta(days=1) for one in wish.windows)
        return cls(zone, tuple(days), () if is_any else tuple(clocks))

    def off(self, starts_at: datetime) -> tuple[int, timedelta]:
        wall = starts_at.astimezone(self.zone)
        return self._days_off(wall.date()), min((_gap(_clock(wall), *one) for one in self.clocks), default=_NONE)

    def _days_off(self, day: date) -> int:
        after = bisect_right(self.days, (day, date.max))
        around = self.days[max(after - 1, 0) : after + 1]
        return min(max((first - day).days, (day - last).days, 0) for first, last in around)


_NONE = timedelta(0)


def _gap(at: timedelta, start: timedelta, end: timedelta) -> timedelta:
    """Return how far a time of day is from those between `start` and `end`, which may lie over midnight."""
    if start < end:
        return max(start - at, at - end, _NONE)
    return min(at - end, start - at) if end <= at < start else _NONE


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
    VISITS = auto()  # before the rooms, which those visits have as well
    RESOURCES = auto()
    DAILY_MAXIMUM = auto()
    PATIENT = auto()


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
    asked, places = _asked_for(known), _places(known)
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
    busy = _without_visits(known) if Cause.VISITS in gone else known.busy
    for span in _looked_at(known.wish):
        query = replace(
            known.query,
            span=span,
            practitioner_ids=known.wish.practitioner_ids,
            location_ids=known.wish.location_ids,
        )
        if any(_suits(known, slot, gone) for slot in _slots(clinic, query, busy)):
            return True
    return False


def _without_visits(known: Circumstances) -> Busy:
    """Return what would be taken without the visits of those asked for: their rooms would be free, too."""
    people = {one.schedule_id for one in known.catalogue.practitioners}
    asked = {one.schedule_id for one in _asked_for(known)}
    visits = {(start, end) for schedule_id in asked for start, end, *_ in known.busy.get(schedule_id, ())}
    return {
        schedule_id: [span for span in spans if (span[0], span[1]) not in visits]
        for schedule_id, spans in known.busy.items()
        if schedule_id not in people
    }


def _asked_for(known: Circumstances) -> list[PractitionerInfo]:
    wanted = known.wish.practitioner_ids
    return [person for person in known.catalogue.practitioners if not wanted or person.id in wanted]


def _looked_at(wish: Wish) -> list[Interval]:
    end = wish.windows[0].start + _LOOKED_AT
    return [Interval(one.start, min(one.end, end)) for one in wish.windows if one.start < end]


def _slots(clinic: Catalogue, query: SlotQuery, busy: Busy) -> list[Slot]:
    if not clinic.service(query.service_id).steps:
        return availability.slots(clinic, query=query, busy=busy)
    found = [availability.slots(clinic, query=step, busy=busy) for step in packages.step_queries(clinic, query)]
    return packages.package_slots(clinic, query=query, found=found, busy=busy)


def _suits(known: Circumstances, slot: Slot, gone: frozenset[Cause]) -> bool:
    rules = known.catalogue.rules_at(slot.location_id)
    day = slot.starts_at.astimezone(known.catalogue.location(slot.location_id).zone).date()
    visits = max(known.visits_by_day[one.practitioner_id, one.location_id, day] for one in (slot.parts or (slot,)))
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
        given = {service_id, *catalogue.service(service_id).steps}
        services = tuple(replace(one, resources=()) if one.id in given else one for one in services)
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


def _read(search: _Search) -> Circumstances:
    catalogue, query, wish, now = search.catalogue, search.query, search.wish, search.now
    service = catalogue.service(query.service_id)
    margin = service.buffer_before + service.buffer_after + (query.duration or service.duration) + timedelta(days=1)
    looked_at = _looked_at(wish)
    around = Interval(looked_at[0].start, max(span.end for span in looked_at)).widened(before=margin, after=margin)
    schedules = {one.schedule_id for one in catalogue.practitioners}
    schedules |= {one.schedule_id for one in catalogue.resources}
    ignoring = _ignored(search.asker)
    mine = search.asker.conversation_id
    busy = taken.busy_spans(
        search.session, schedule_ids=schedules, within=around, now=now, ignoring=ignoring, ignoring_hold_of=mine
    )
    counts: Counter[tuple[str, str, date]] = Counter()
    if any(rules.max_per_practitioner_per_day is not None for rules in _rules_in_force(catalogue)):
        ids = [person.id for person in catalogue.practitioners]
        starts = taken.visit_starts(
            search.session,
            practitioner_ids=ids,
            within=around,
            now=now,
            ignoring=ignoring,
            ignoring_hold_of=mine,
        )
        for person_id, starts_at in starts:
            for place in catalogue.locations:
                counts[person_id, place.id, starts_at.astimezone(place.zone).date()] += 1
    return Circumstances(catalogue, query, wish, now, busy, search.patient_visits, counts)


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
