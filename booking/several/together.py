"""Whether several visits fit together: nobody and no room is used twice at a time, buffers and the way between included.

Pure. Whoever looks for times for several visits and whoever takes them both ask here, so that what is offered can be booked.
"""

import dataclasses
from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import combinations

from booking.availability import Busy, Wanted, free_resources
from booking.spans import Span, span_of
from booking.values import PractitionerInfo, Slot

_DAY_S = 24 * 60 * 60


@dataclass(frozen=True)
class Piece:
    """One of several visits: what, when, and with one of whom. `candidates` are free then, as far as others are concerned."""

    wanted: Wanted
    starts_at: datetime
    candidates: tuple[PractitionerInfo, ...]

    @cached_property
    def claim(self) -> Span:
        """The time it takes in each diary, buffers included, in seconds."""
        time = self.wanted.claim(self.starts_at)
        return span_of(time.start, time.end)

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + self.wanted.length

    def with_one(self, practitioner: PractitionerInfo) -> "Piece":
        """Return the same visit with this one and nobody else."""
        return dataclasses.replace(self, candidates=(practitioner,))

    def slot(self, practitioner: PractitionerInfo, *, is_contingent: bool) -> Slot:
        """Return the visit as a Slot with this one of its candidates."""
        wanted = self.wanted
        return Slot(self.starts_at, practitioner.id, wanted.location.id, wanted.service.id, self.ends_at, is_contingent)


class Rooms:
    """What is taken in the diaries of rooms and devices, found by day: a search asks at thousands of moments."""

    def __init__(self, busy: Busy) -> None:
        self._days: dict[str, dict[int, list[Span]]] = {}
        for schedule_id, spans in busy.items():
            days = self._days.setdefault(schedule_id, defaultdict(list))
            for span in spans:
                for day in _days_of(span):
                    days[day].append(span)

    @staticmethod
    def of(several: Sequence[Wanted], busy: Busy) -> "Rooms":
        """Make one of what visits may need that are wanted together. One alone has no other to share rooms with."""
        needing = [wanted for wanted in several if wanted.service.resources]
        schedule_ids = {each for wanted in needing for each in wanted.schedule_ids(())} if len(needing) > 1 else set()
        return Rooms({each: busy.get(each, ()) for each in schedule_ids})

    def near(self, schedule_ids: Iterable[str], span: Span) -> dict[str, list[Span]]:
        """Return what is taken in these diaries on the days of `span`, ascending."""
        return {
            each: sorted({taken for day in _days_of(span) for taken in self._days.get(each, {}).get(day, ())})
            for each in schedule_ids
        }


def arranged(pieces: Sequence[Piece], rooms: Rooms) -> tuple[PractitionerInfo, ...] | None:
    """Return who could give each of the visits, the first ones possible in the candidates' order; None if they don't fit."""
    people = people_for(pieces)
    if people is None or placing_order(pieces, rooms) is None:
        return None
    return people


def people_for(pieces: Sequence[Piece]) -> tuple[PractitionerInfo, ...] | None:
    """Return one of the candidates of each, nobody for two at a time; None if there are too few."""
    apart = [[_needs_two(piece, before) for before in pieces[:number]] for number, piece in enumerate(pieces)]

    def extended(chosen: tuple[PractitionerInfo, ...]) -> tuple[PractitionerInfo, ...] | None:
        number = len(chosen)
        if number == len(pieces):
            return chosen
        gone = {one.id for one, is_apart in zip(chosen, apart[number], strict=True) if is_apart}
        for candidate in pieces[number].candidates:
            if candidate.id not in gone and (found := extended((*chosen, candidate))) is not None:
                return found
        return None

    return extended(())


def placing_order(pieces: Sequence[Piece], rooms: Rooms) -> tuple[int, ...] | None:
    """Return an order of the visits in which each finds its rooms, the first free ones, when those before it have theirs.

    Each gets the first rooms that are free, so the order decides who gets which. None if there are not enough for all,
    though there are for each alone.
    """
    needing = [number for number, piece in enumerate(pieces) if piece.wanted.service.resources]
    if not _compete([pieces[number] for number in needing]):
        return tuple(range(len(pieces)))
    if _are_too_few([pieces[number] for number in needing], rooms):
        return None
    found = _placed(pieces, needing, rooms, {})
    if found is None:
        return None
    return (*found, *(number for number in range(len(pieces)) if number not in needing))


def _placed(
    pieces: Sequence[Piece], left: Sequence[int], rooms: Rooms, taken: Mapping[str, Sequence[Span]]
) -> tuple[int, ...] | None:
    if not left:
        return ()
    tried = set()
    # Who needs a room for longest is served first: who needs it for less has more to choose from.
    for number in sorted(left, key=lambda one: pieces[one].claim[0] - pieces[one].claim[1]):
        piece = pieces[number]
        alike = (piece.wanted.service.id, piece.wanted.location.id, piece.claim)
        if alike in tried:
            continue
        tried.add(alike)
        given = _given(piece, rooms, taken)
        if given is None:
            continue
        rest = _placed(pieces, [one for one in left if one != number], rooms, given)
        if rest is not None:
            return (number, *rest)
    return None


def _given(piece: Piece, rooms: Rooms, taken: Mapping[str, Sequence[Span]]) -> Mapping[str, Sequence[Span]] | None:
    """Return `taken` with the rooms that the visit gets, or None if it gets none."""
    busy = rooms.near(piece.wanted.schedule_ids(()), piece.claim)
    for schedule_id in busy:
        for span in taken.get(schedule_id, ()):
            insort(busy[schedule_id], span)
    chosen = free_resources(piece.wanted, starts_at=piece.starts_at, busy=busy)
    if chosen is None:
        return None
    given = dict(taken)
    for resource in chosen:
        given[resource.schedule_id] = [*given.get(resource.schedule_id, ()), piece.claim]
    return given


def _compete(pieces: Sequence[Piece]) -> bool:
    """Say whether any two want a room of the same kind at the same time."""
    return any(
        _meet(one.claim, other.claim)
        and one.wanted.location.id == other.wanted.location.id
        and not set(one.wanted.service.resources).isdisjoint(other.wanted.service.resources)
        for one, other in combinations(pieces, 2)
    )


def _are_too_few(pieces: Sequence[Piece], rooms: Rooms) -> bool:
    """Say whether visits that are all at once want more rooms than are free for any of them: seen without trying orders."""
    if not all(_meet(one.claim, other.claim) for one, other in combinations(pieces, 2)):
        return False
    needed: Counter[tuple[str, str]] = Counter()
    free: dict[tuple[str, str], set[str]] = defaultdict(set)
    for piece in pieces:
        wanted = piece.wanted
        for kind in wanted.service.resources:
            needed[wanted.location.id, kind] += 1
            busy = rooms.near((one.schedule_id for one in wanted.resources(kind)), piece.claim)
            free[wanted.location.id, kind].update(
                schedule_id
                for schedule_id, spans in busy.items()
                if not any(_meet(span, piece.claim) for span in spans)
            )
    return any(len(free[kind]) < count for kind, count in needed.items())


def _needs_two(one: Piece, other: Piece) -> bool:
    """Say whether nobody could give both: they overlap, or there is no time for the way between them."""
    way = timedelta(0)
    here, there = one.wanted.address, other.wanted.address
    if here is not None and there is not None and here != there:
        between = one.wanted.travel_time.between
        way = max(between(here, there), between(there, here))
    seconds = round(way.total_seconds())
    return _meet((one.claim[0] - seconds, one.claim[1] + seconds), other.claim)


def _meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _days_of(span: Span) -> Iterator[int]:
    return iter(range(span[0] // _DAY_S, (span[1] - 1) // _DAY_S + 1))
