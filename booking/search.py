"""Where to look for what a query asks, when the rules there let visits start, and what of the diary that needs.

Between the query and the pure functions of `availability`: makes sure that the query makes sense, cuts its span to what may
be booked at all, and reads once for as many places, people and queries as there are.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from booking import availability, taken, travel
from booking.asked import instant_asked, location_asked, people_asked, service_asked
from booking.availability import Busy, Full, Wanted
from booking.rules import InvalidDuration, Lengths, earliest_start, is_full, latest_start
from booking.spans import Span, instant, span_of
from booking.values import BookingRules, Catalogue, PractitionerInfo, Slot, SlotQuery
from kernel.interval import Interval, day_interval

_A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Diary:
    """What is taken, as far as somebody's search needs it."""

    busy: Busy
    full: Full


@dataclass(frozen=True)
class SearchPlace:
    """One place to look at, at whom there, and when its rules let visits start."""

    wanted: Wanted
    practitioners: Sequence[PractitionerInfo]
    span: Interval

    def starts(self, diary: Diary) -> dict[str, list[int]]:
        """Return for each practitioner, by id, the seconds at which a visit could start, ascending."""
        return availability.starts_by_practitioner(
            self.wanted, self.practitioners, span=self.span, busy=diary.busy, full=diary.full
        )

    def slots(self, diary: Diary) -> list[Slot]:
        """Return every Slot, practitioner by practitioner."""
        return availability.slots_at(self.wanted, self.practitioners, span=self.span, busy=diary.busy, full=diary.full)

    def first_slot(self, diary: Diary) -> Slot | None:
        """Return the first Slot of any of the practitioners."""
        first = availability.first_start(
            self.wanted, self.practitioners, span=self.span, busy=diary.busy, full=diary.full
        )
        if first is None:
            return None
        second, practitioner = first
        is_contingent = availability.is_contingent(self.wanted, practitioner, starts_at=instant(second))
        return availability.slot_of(self.wanted, practitioner, second, is_contingent=is_contingent)


def places(catalogue: Catalogue, query: SlotQuery, *, now: datetime) -> list[SearchPlace]:
    """Return where to look for what `query` asks, and when visits may start there; nowhere if they may not.

    Raises UnknownService, UnknownLocation, UnknownPractitioner, InvalidDuration for a length the service does not have, and
    ImplausibleTime for a span that begins in another decade.
    """
    check(catalogue, query, now=now)
    found = []
    for wanted, practitioners in availability.search_places(catalogue, query):
        span = bookable_span(wanted.rules, query.span, now=now)
        if span is not None:
            found.append(SearchPlace(wanted, practitioners, span))
    return found


def within_reach(catalogue: Catalogue, query: SlotQuery, *, now: datetime) -> SlotQuery:
    """Return `query` without the ages beyond what any Location books ahead. Raises what `places` raises."""
    check(catalogue, query, now=now)
    furthest = max(
        (latest_start(catalogue.rules_at(location.id), now) for location in catalogue.locations), default=now
    )
    end = min(query.span.end, max(furthest, query.span.start) + _A_MOMENT)
    return replace(query, span=Interval(query.span.start, end))


def bookable_span(rules: BookingRules, span: Interval, *, now: datetime) -> Interval | None:
    """Return the part of `span` in which `rules` let a visit start, or None."""
    earliest = earliest_start(rules, now)
    # The last instant is included: a visit exactly that far ahead is allowed.
    end = latest_start(rules, now) + _A_MOMENT
    return Interval(earliest, end).intersection(span) if earliest < end else None


def read_diary(
    session: Session,
    catalogue: Catalogue,
    places: Sequence[SearchPlace],
    *,
    now: datetime,
    ignoring: Sequence[str] = (),
    ignoring_hold_of: str | None = None,
) -> Diary:
    """Read what all of `places` need, in one statement, or in two where a clinic limits a practitioner's day."""
    if not places:
        return Diary({}, {})
    claims = [(place.wanted.claim(place.span.start).start, place.wanted.claim(place.span.end).end) for place in places]
    within = Interval(min(start for start, _ in claims), max(end for _, end in claims))
    busy = taken.busy_spans(
        session,
        schedule_ids={each for place in places for each in place.wanted.schedule_ids(place.practitioners)},
        within=within,
        now=now,
        ignoring=ignoring,
        ignoring_hold_of=ignoring_hold_of,
        addresses=travel.addresses(catalogue),
    )
    limited = [place for place in places if place.wanted.rules.max_per_practitioner_per_day is not None]
    if not limited:
        return Diary(busy, {})
    starts = taken.visit_starts(
        session,
        practitioner_ids={person.id for place in limited for person in place.practitioners},
        within=within.widened(before=_WHOLE_DAYS, after=_WHOLE_DAYS),
        now=now,
        ignoring=ignoring,
        ignoring_hold_of=ignoring_hold_of,
    )
    return Diary(busy, _full_days({place.wanted.location.id: place.wanted for place in limited}.values(), starts))


# A local day lasts up to 25 hours, and begins up to 14 hours before or 12 after that of UTC.
_WHOLE_DAYS = timedelta(days=2)


def _full_days(limited: Iterable[Wanted], starts: Sequence[tuple[str, datetime]]) -> Full:
    full: dict[tuple[str, str], list[Span]] = {}
    for wanted in limited:
        zone = wanted.location.zone
        counts = Counter((person_id, starts_at.astimezone(zone).date()) for person_id, starts_at in starts)
        for (person_id, day), count in sorted(counts.items()):
            if is_full(wanted.rules, count):
                whole = day_interval(day, zone)
                full.setdefault((wanted.location.id, person_id), []).append(span_of(whole.start, whole.end))
    return full


def check(catalogue: Catalogue, query: SlotQuery, *, now: datetime) -> None:
    """Raise what makes no sense about a query, as `places` does."""
    lengths = Lengths.of(service_asked(catalogue, query.service_id))
    if query.duration is not None and not lengths.allow(query.duration):
        raise InvalidDuration(**lengths.told(query.duration))
    people_asked(catalogue, query.practitioner_ids)
    for location_id in query.location_ids:
        location_asked(catalogue, location_id)
    instant_asked(query.span.start, now=now)
