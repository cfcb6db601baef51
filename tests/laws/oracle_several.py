"""Packages and groups, found by trying everything: every time of every step, with everybody, in every room.

Each step alone is found by the walk of `oracle`. What is said here is only how steps and people come together, and when a
session of a group can be joined.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise, product

from booking.values import Catalogue, LocationInfo, PractitionerInfo, Slot, SlotQuery
from kernel.interval import Interval
from tests.laws import oracle
from tests.laws.oracle import Minute, Taken, Walk

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Session:
    """A group that meets: from a second since the epoch until before another. `seats`: how many nobody else may have."""

    id: str
    practitioner_id: str
    location_id: str
    start: int
    end: int
    seats: int


def slots(
    catalogue: Catalogue,
    query: SlotQuery,
    taken: Mapping[str, Sequence[Taken]],
    sessions: Sequence[Session] = (),
    *,
    may_be: Callable[[Slot], bool] = lambda _: True,
) -> list[Slot]:
    """Return every Slot of `query`, whatever kind of service it asks for. `may_be`: what else each single visit must fulfil."""
    service = catalogue.service(query.service_id)
    if service.steps:
        return _package_slots(catalogue, query, taken, may_be)
    alone = list(filter(may_be, oracle.slots(catalogue, query, taken)))
    if service.group is None:
        return alone
    # Who can join others does not start another group; and where staff have to say yes it is staff who start one.
    joined = _with_room(query, sessions, maximum=service.group.maximum)
    startable = [] if service.needs_confirmation else [slot for slot in alone if not slot.is_contingent]
    return joined or startable


def _with_room(query: SlotQuery, sessions: Sequence[Session], *, maximum: int) -> list[Slot]:
    found = []
    for one in sessions:
        starts_at, ends_at = (datetime.fromtimestamp(second, UTC) for second in (one.start, one.end))
        is_asked = (
            query.span.start <= starts_at < query.span.end
            and (not query.practitioner_ids or one.practitioner_id in query.practitioner_ids)
            and (not query.location_ids or one.location_id in query.location_ids)
        )
        if is_asked and one.seats < maximum:
            slot = Slot(starts_at, one.practitioner_id, one.location_id, query.service_id, ends_at, session_id=one.id)
            found.append(slot)
    return sorted(found, key=lambda slot: (slot.starts_at, slot.session_id))


def _package_slots(
    catalogue: Catalogue, query: SlotQuery, taken: Mapping[str, Sequence[Taken]], may_be: Callable[[Slot], bool]
) -> list[Slot]:
    """Return for each start the package that ends first; of several the one whose steps come earliest."""
    found = []
    for location in catalogue.locations:
        if query.location_ids and location.id not in query.location_ids:
            continue
        steps = _steps(catalogue, query, location, taken, may_be)
        starts = sorted(at for at in steps[0].free if query.span.start <= at < query.span.end)
        for starts_at in starts:
            parts = _first_to_end(steps, starts_at, wait=catalogue.service(query.service_id).step_gap)
            if parts:
                first, last = parts[0], parts[-1]
                whole = Slot(first.starts_at, first.practitioner_id, location.id, query.service_id, last.ends_at)
                found.append(
                    (starts_at, location.key, replace(whole, is_contingent=any(_needs_yes(parts)), parts=parts))
                )
    return [slot for _, _, slot in sorted(found, key=lambda one: one[:2])]


def _needs_yes(parts: Sequence[Slot]) -> Iterator[bool]:
    return (part.is_contingent for part in parts)


@dataclass(frozen=True)
class _Step:
    """One step at one Location: who could give it when, and what rooms there are."""

    walk: Walk
    needed: Counter[str]
    free: Mapping[datetime, Sequence[Slot]]

    def minutes(self, starts_at: datetime) -> tuple[Minute, Minute]:
        """Return the minutes that it takes, buffers included."""
        start = int(starts_at.timestamp()) // 60
        return start - self.walk.before, start + self.walk.length + self.walk.after


def _steps(
    catalogue: Catalogue,
    query: SlotQuery,
    location: LocationInfo,
    taken: Mapping[str, Sequence[Taken]],
    may_be: Callable[[Slot], bool],
) -> list[_Step]:
    package = catalogue.service(query.service_id)
    latest = query.span.end + sum(
        (catalogue.service(each).duration + package.step_gap for each in package.steps), timedelta(0)
    )
    steps = []
    for step_id, people in zip(package.steps, _people(catalogue, query), strict=True):
        service = catalogue.service(step_id)
        asked = SlotQuery(
            step_id, Interval(query.span.start, latest), people or ("nobody",), (location.id,), None, query.place
        )
        free: dict[datetime, list[Slot]] = {}
        for slot in filter(may_be, oracle.slots(catalogue, asked, taken)):
            free.setdefault(slot.starts_at, []).append(slot)
        steps.append(_Step(Walk(catalogue, location, asked, taken), Counter(service.resources), free))
    return steps


def _people(catalogue: Catalogue, query: SlotQuery) -> list[tuple[str, ...]]:
    """Return who may give each step: those who are asked for what they can, others the rest; nobody if they can do nothing."""
    steps = [catalogue.service(each) for each in catalogue.service(query.service_id).steps]
    everybody = tuple(person.id for person in catalogue.practitioners)
    if not query.practitioner_ids:
        return [everybody for _ in steps]

    def asked(person: PractitionerInfo) -> bool:
        return person.id in query.practitioner_ids

    able = [
        tuple(person.id for person in filter(asked, catalogue.practitioners) if oracle.offers(person, step))
        for step in steps
    ]
    return [each or everybody for each in able] if any(able) else [() for _ in steps]


def _first_to_end(steps: Sequence[_Step], starts_at: datetime, *, wait: timedelta) -> tuple[Slot, ...]:
    times = [[starts_at]]
    for before, step in pairwise(steps):
        length = before.walk.length * _MINUTE
        times = [
            [*some, at] for some in times for at in step.free if some[-1] + length <= at <= some[-1] + length + wait
        ]
    for some in sorted(times, key=lambda some: (some[-1], some)):
        if not _have_rooms(steps, some):
            continue
        for parts in product(*(step.free[at] for step, at in zip(steps, some, strict=True))):
            if _are_possible(steps, parts):
                return parts
    return ()


def _are_possible(steps: Sequence[_Step], parts: Sequence[Slot]) -> bool:
    """Say whether nobody is needed twice at a time, or where they can't be yet."""
    for (one, part), (other, another) in combinations(zip(steps, parts, strict=True), 2):
        if part.practitioner_id != another.practitioner_id:
            continue
        here, there = one.walk.place, other.walk.place
        way = oracle.minutes_between(here, there) if here and there else 0
        if one.minutes(part.starts_at)[1] + way > other.minutes(another.starts_at)[0]:
            return False
    return True


def _have_rooms(steps: Sequence[_Step], times: Sequence[datetime]) -> bool:
    """Say whether there is any way to give each step its own rooms and devices, buffers included."""
    choices: list[list[tuple[str, ...]]] = []
    spans: list[tuple[Minute, Minute]] = []
    for step, at in zip(steps, times, strict=True):
        usable = step.walk.things_at(int(at.timestamp()) // 60)
        for kind, number in step.needed.items():
            choices.append(list(combinations(usable[kind], number)))
            spans.append(step.minutes(at))
    return any(
        not any(
            set(some) & set(others) and span[0] < other[1] and other[0] < span[1]
            for (some, span), (others, other) in combinations(zip(chosen, spans, strict=True), 2)
        )
        for chosen in product(*choices)
    )
