"""The third next available time of each service: what the diary would offer somebody who asks now."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from booking import search
from booking.queries import find_slots_many
from booking.rules import latest_start
from booking.search import Diary, SearchPlace
from booking.spans import instant, span_of
from booking.values import Catalogue, LocationInfo, Mode, ServiceInfo, SlotQuery
from frontdesk.console.figures import third_of
from frontdesk.console.reads.insight import Part
from kernel.interval import Interval

_A_DAY, _SOON = timedelta(days=1), timedelta(days=14)


def third_next_available(
    session: Session, catalogue: Catalogue, part: Part, *, now: datetime
) -> Mapping[str, datetime | None]:
    """Return for each service, by id, the start of the third free time from now on; None: none as far as one may book.

    Of a group every session with room is a time. Visits at home are left out, since their times depend on where the patient
    lives, and so is what nobody gives in this part of the clinic. Reads in one statement, a second one where the clinic limits
    a practitioner's day, and in a few more where it has packages or groups.
    """
    services = [service for service in catalogue.services if service.mode is not Mode.HOME]
    if not part.is_whole:
        services = [service for service in services if _is_given(catalogue, part, service)]
    put_together = [service for service in services if service.steps or service.group]
    single = {
        service.id: _places(catalogue, part, service, now=now) for service in services if service not in put_together
    }
    diary = search.read_diary(session, catalogue, [place for some in single.values() for place in some], now=now)
    return {service_id: _third(some, diary, now=now) for service_id, some in single.items()} | _third_put_together(
        session, catalogue, part, put_together, now=now
    )


def _is_given(catalogue: Catalogue, part: Part, service: ServiceInfo) -> bool:
    steps = [catalogue.service(step_id) for step_id in service.steps] or [service]
    places = [place for place in catalogue.locations if part.location_id in {None, place.id}]
    return any(_is_given_at(catalogue, part, place, steps) for place in places)


def _is_given_at(catalogue: Catalogue, part: Part, place: LocationInfo, steps: Sequence[ServiceInfo]) -> bool:
    able = [{person.id for person in catalogue.able(step, place)} for step in steps]
    return all(able) and (part.practitioner_id is None or any(part.practitioner_id in people for people in able))


def _places(catalogue: Catalogue, part: Part, service: ServiceInfo, *, now: datetime) -> list[SearchPlace]:
    query = search.within_reach(catalogue, _asked(catalogue, part, service, now=now), now=now)
    return search.places(catalogue, query, now=now)


def _third(places: Sequence[SearchPlace], diary: Diary, *, now: datetime) -> datetime | None:
    # Most often within two weeks: only where it is not, all that may be booked is looked through.
    soon = [place for place in (_until(place, now + _SOON) for place in places) if place]
    for some in (soon, places):
        times = sorted(
            (second, second + place.wanted.length_s, practitioner_id)
            for place in some
            for practitioner_id, seconds in place.starts(diary).items()
            for second in seconds
        )
        third = third_of(times)
        if third is not None:
            return instant(third)
    return None


def _until(place: SearchPlace, end: datetime) -> SearchPlace | None:
    return replace(place, span=Interval(place.span.start, min(place.span.end, end))) if place.span.start < end else None


def _third_put_together(
    session: Session, catalogue: Catalogue, part: Part, services: Sequence[ServiceInfo], *, now: datetime
) -> dict[str, datetime | None]:
    """As `_third`, for packages and groups: their times are more than free time of one person."""
    found: dict[str, datetime | None] = dict.fromkeys(service.id for service in services)
    for reach in (_SOON, None):
        left = [service for service in services if found[service.id] is None]
        if not left:
            break
        queries = [_asked(catalogue, part, service, now=now, reach=reach) for service in left]
        for service, slots in zip(left, find_slots_many(session, catalogue, queries=queries, now=now), strict=True):
            spans = sorted((*span_of(slot.starts_at, slot.ends_at), slot.practitioner_id) for slot in slots)
            third = third_of(spans)
            found[service.id] = None if third is None else instant(third)
    return found


def _asked(
    catalogue: Catalogue, part: Part, service: ServiceInfo, *, now: datetime, reach: timedelta | None = None
) -> SlotQuery:
    """`reach`: how far ahead to look; None: as far as one may book."""
    furthest = max((latest_start(catalogue.rules_at(place.id), now) for place in catalogue.locations), default=now)
    return SlotQuery(
        service_id=service.id,
        span=Interval(now, now + reach if reach else max(furthest, now + _A_DAY)),
        location_ids=(part.location_id,) if part.location_id else (),
        practitioner_ids=(part.practitioner_id,) if part.practitioner_id else (),
    )
