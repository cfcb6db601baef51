"""Why a wish can't be met, and the nearest ways that work: the same answer on every channel.

Reads what `reasons` and `nearest` decide on, in as few statements as a search.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import chain

from sqlalchemy.orm import Session

from booking import queries, taken
from booking.nearest import Change, Relaxation, Wish, nearest
from booking.reasons import Cause, Circumstances, looked_at, meets_any, reasons, refusal_for
from booking.rules import latest_start
from booking.values import BookingRules, Catalogue, Slot, SlotQuery
from kernel.errors import Refused
from kernel.interval import Interval


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
    return Explanation(reasons(circumstances) or (refusal_for(circumstances, Cause.VISITS),), near)


_NEAR = (timedelta(days=4), timedelta(days=21))


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
        """Look around the wish, and where that leaves its days open among all that can be booked.

        What is nearer by days wins, so nothing is missed.
        """
        first, last = self.wish.windows[0].start, max(window.end for window in self.wish.windows)
        furthest = max(latest_start(rules, self.now) for rules in _rules_in_force(self.catalogue))
        whole = Interval(min(self.now, first), max(furthest, last) + timedelta(days=1))
        self.patient_visits = self._visits_within(whole)
        for distance in _NEAR if first < furthest else ():
            near = Interval(first, min(last, furthest)).widened(before=distance, after=distance).intersection(whole)
            found = () if near is None or near == whole else self._nearest_within(near)
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
        possible += [slot for slot in chain.from_iterable(found) if not meets_any(slot, self.patient_visits)]
        if self.suits is not None:
            possible = [slot for slot in possible if self.suits(slot)]
        return nearest(self.catalogue, possible, self.wish, now=self.now)


def _ignored(asker: Asker) -> tuple[str, ...]:
    return () if asker.replaces_appointment_id is None else (asker.replaces_appointment_id,)


def _read(search: _Search) -> Circumstances:
    catalogue, query, wish, now = search.catalogue, search.query, search.wish, search.now
    service = catalogue.service(query.service_id)
    margin = service.buffer_before + service.buffer_after + (query.duration or service.duration) + timedelta(days=1)
    spans = looked_at(wish)
    around = Interval(spans[0].start, max(span.end for span in spans)).widened(before=margin, after=margin)
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
