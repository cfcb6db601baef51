"""Why a wish can't be met: a smallest set of things without which it could be.

A rule or a fact binds when the wish could be met without it. So the reasons are found by asking what would be free in a
clinic that differs in that one thing: no minimum notice, no days off, an empty diary. Pure.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum, auto

from booking import availability
from booking.availability import Busy
from booking.nearest import Wish
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
from booking.values import Catalogue, LocationInfo, PractitionerInfo, Slot, SlotQuery, WeeklyHours, WorkingHours
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


class BetweenSteps(Refused):
    """Visits begin at whole steps of the clock, every so many minutes, and not exactly then."""

    code = "between-steps"


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


_ONE_TIME = timedelta(seconds=1)
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
        return (_between_steps(known) or OutsideHours(starts_at=known.wish.windows[0].start.isoformat()),)
    for cause in Cause:
        if _fits(known, frozenset(binding - {cause})):
            binding.remove(cause)
    return tuple(refusal_for(known, cause) for cause in Cause if cause in binding)


def _between_steps(known: Circumstances) -> BetweenSteps | None:
    """Return the refusal of a wish for one very time at which no visit begins anywhere, if it is one."""
    (window, *others), places = known.wish.windows, _places(known)
    if others or window.duration > _ONE_TIME or not places:
        return None
    walls = (window.start.astimezone(place.zone) for place in places)
    steps = [known.catalogue.rules_at(place.id).step for place in places]
    if any(
        timedelta(hours=wall.hour, minutes=wall.minute) % step == timedelta(0)
        for wall, step in zip(walls, steps, strict=True)
    ):
        return None
    return BetweenSteps(minutes=min(steps) // timedelta(minutes=1))


def _places(known: Circumstances) -> list[LocationInfo]:
    wanted = known.wish.location_ids
    return [location for location in known.catalogue.locations if not wanted or location.id in wanted]


def _fits(known: Circumstances, gone: frozenset[Cause]) -> bool:
    """Say whether the wish could be met if the causes `gone` were not there."""
    clinic = _as_if(known.catalogue, known.query.service_id, gone)
    busy = _without_visits(known) if Cause.VISITS in gone else known.busy
    for span in looked_at(known.wish):
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


def looked_at(wish: Wish) -> list[Interval]:
    """Return what of a wish is looked through for reasons: its first month."""
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
        or (Cause.PATIENT not in gone and meets_any(slot, known.patient_visits))
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


def refusal_for(known: Circumstances, cause: Cause) -> Refused:
    """Return how it is told that `cause` stands in the way."""
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


def meets_any(slot: Slot, visits: Sequence[Interval]) -> bool:
    """Say whether `slot` overlaps any of the visits."""
    return any(visit.start < slot.ends_at and slot.starts_at < visit.end for visit in visits)
