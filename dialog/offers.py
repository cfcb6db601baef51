"""Which of the free times to name: the ones that meet the wish, spread sensibly, or the nearest ones and why not.

Pure. Wishes are in wall time; a Slot is judged by the wall time of its Location.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache

from booking.nearest import Change, Relaxation
from booking.values import Catalogue, Slot
from dialog import hours
from dialog.timewords import DayRange, TimeWish, allows
from kernel.interval import Interval, wall_to_instant

OFFERED_AT_ONCE = 3
_FIRST_LOOK = timedelta(days=14)
_APART = timedelta(minutes=90)
_BARELY_APART = timedelta(minutes=30)  # closer ones are the same time to a patient
_KEPT = 250
_NOON = 12 * 60


@dataclass(frozen=True)
class Offer:
    """A time that was, or may be, named to the patient. More than one practitioner: whoever of them suits best."""

    service_id: str
    location_id: str
    starts_at: datetime
    ends_at: datetime
    practitioner_ids: tuple[str, ...]


@dataclass(frozen=True)
class Limits:
    """What else bounds a search: wall times of the clinic."""

    not_before: datetime | None = None
    not_after: datetime | None = None

    def admit(self, wall: datetime) -> bool:
        """Say whether a start at `wall` keeps to the limits."""
        after = self.not_before is None or wall >= self.not_before
        return after and (self.not_after is None or wall <= self.not_after)


def search_spans(wish: TimeWish, *, catalogue: Catalogue, now: datetime) -> list[Interval]:
    """Return the spans to look through one after the other until something fits."""
    whole = Interval(now, now + catalogue.rules.maximum_advance + timedelta(days=1))
    if not wish.days:
        first = Interval(now, now + _FIRST_LOOK)
        return [first, whole]
    days = Interval(
        wall_to_instant(_midnight(min(one.first for one in wish.days)), catalogue.zone) - timedelta(days=1),
        wall_to_instant(_midnight(max(one.end for one in wish.days)), catalogue.zone) + timedelta(days=1),
    )
    bounded = days.intersection(whole)
    if bounded is None:
        return []
    if bounded.duration <= _FIRST_LOOK:
        return [bounded]
    return [Interval(bounded.start, bounded.start + _FIRST_LOOK), bounded]


def meeting(slots: Iterable[Slot], wish: TimeWish, limits: Limits, *, catalogue: Catalogue) -> list[Slot]:
    """Return the slots that meet the wish. An exact time counts as met only when it is free itself."""
    meets = _judge(_without_exact_time(wish), limits)
    fitting = [slot for slot in slots if meets(_wall(slot, catalogue))]
    if wish.at_minute is None:
        return fitting
    for minute in (wish.at_minute, *wish.at_alternatives):
        exact = [slot for slot in fitting if _minute(_wall(slot, catalogue)) == minute]
        if exact:
            return exact
    return [slot for slot in fitting if any(_minute(_wall(slot, catalogue)) in clock for clock in wish.clocks)]


def refuses(wish: TimeWish) -> bool:
    """Say whether a wish names days or times that do not suit."""
    return bool(wish.not_days or wish.not_weekdays or wish.not_clocks)


def only_refuses(wish: TimeWish) -> bool:
    """Say whether a wish names days or times that do not suit, and none that do."""
    wanted = wish.days or wish.weekdays or wish.clocks or wish.at_minute is not None or wish.order or wish.relative
    return refuses(wish) and not wanted


def refuses_its_days(wish: TimeWish) -> bool:
    """Say whether a wish names days and refuses every one of them ("March 29th, but not a Monday")."""
    days = TimeWish(weekdays=wish.weekdays, not_days=wish.not_days, not_weekdays=wish.not_weekdays)
    named = (one.first + timedelta(days=ahead) for one in wish.days for ahead in range((one.end - one.first).days))
    return bool(wish.days) and not any(allows(days, start=_midnight(day)) for day in named)


def one_day(day: date) -> tuple[DayRange, ...]:
    """Return the wish for that day only."""
    return (DayRange(day, day + timedelta(days=1)),)


def thinned(slots: Iterable[Slot], wish: TimeWish, *, catalogue: Catalogue) -> tuple[Slot, ...]:
    """Return a part of many slots that is enough to choose from, since what is kept is stored with the turn.

    Of the wished days everything; of others, for each person, the first and last of each half and the full hours. By start, then in the clinic's order of people.
    """
    seats = {person.id: seat for seat, person in enumerate(catalogue.practitioners)}
    halves: dict[tuple[date, bool, str], list[tuple[Slot, datetime]]] = defaultdict(list)
    for slot in slots:
        wall = _wall(slot, catalogue)
        halves[wall.date(), _minute(wall) >= _NOON, slot.practitioner_id].append((slot, wall))

    def rank(half: tuple[date, bool, str]) -> tuple[int, date, bool, int, str]:
        day, is_after_noon, person = half
        return _days_off(day, wish.days), day, is_after_noon, seats.get(person, len(seats)), person

    kept: list[Slot] = []
    for half in sorted(halves, key=rank):
        is_wished = bool(wish.days) and _days_off(half[0], wish.days) == 0
        kept += [slot for slot, _ in halves[half]] if is_wished else _outline(halves[half])
        if len(kept) >= _KEPT:
            break
    return tuple(sorted(kept[:_KEPT], key=lambda one: (one.starts_at, seats.get(one.practitioner_id, len(seats)))))


def _outline(half: list[tuple[Slot, datetime]]) -> list[Slot]:
    last = len(half) - 1
    return [slot for at, (slot, wall) in enumerate(half) if at < 2 or at == last or wall.minute == 0]


def grouped(slots: Iterable[Slot]) -> list[Offer]:
    """Return one offer a start and place, with all who are free then, in the order of the slots."""
    offers: dict[tuple[datetime, str], Offer] = {}
    for slot in slots:
        key = (slot.starts_at, slot.location_id)
        known = offers.get(key)
        if known is None:
            offers[key] = offer_of(slot)
        else:
            offers[key] = replace(known, practitioner_ids=(*known.practitioner_ids, slot.practitioner_id))
    return list(offers.values())


def spread(
    slots: Sequence[Slot], wish: TimeWish, *, catalogue: Catalogue, shown: tuple[datetime, ...] = ()
) -> tuple[Offer, ...]:
    """Choose two or three of the slots that meet the wish: the best, and others on another day or part of the day.

    In order of time; the latest of a day first where that was wished.
    """
    left = [offer for offer in grouped(slots) if offer.starts_at not in shown]
    if not left:
        return ()
    # Somebody who wants others does not mean a quarter of an hour later.
    offers = _far_from(shown, left)
    wall = {offer.starts_at: _wall_of(offer, catalogue) for offer in offers}
    if wish.order == "latest":
        offers.sort(key=lambda one: (wall[one.starts_at].date(), -_minute(wall[one.starts_at])))
    chosen = [offers[0]]
    while len(chosen) < OFFERED_AT_ONCE:
        another = _another(offers, chosen, wall)
        if another is None:
            break
        chosen.append(another)
    if wish.order == "latest":
        return tuple(one for one in offers if one in chosen)
    return tuple(sorted(chosen, key=lambda one: one.starts_at))


def nearest(relaxations: Sequence[Relaxation]) -> tuple[Offer, ...]:
    """Choose what to offer of the nearest ways that work, in their order: one of each, then further ones with whom and where they wished.

    What is too soon for patients is none: only staff can book it.
    """
    ways = [one for one in relaxations if Change.NOTICE not in one.changes]
    slots = [one.slot for one in ways]
    starts = {one.starts_at for one in slots}
    for one in sorted(ways, key=lambda each: not {Change.PRACTITIONER, Change.LOCATION}.isdisjoint(each.changes)):
        slots += [slot for slot in one.further if slot.starts_at not in starts]
    return tuple(offer_of(one) for one in slots[:OFFERED_AT_ONCE])


def offer_of(slot: Slot) -> Offer:
    """Return the offer of one Slot, with the person it is with."""
    return Offer(slot.service_id, slot.location_id, slot.starts_at, slot.ends_at, (slot.practitioner_id,))


def _far_from(shown: tuple[datetime, ...], offers: list[Offer]) -> list[Offer]:
    for distance in (_APART, _BARELY_APART):
        far = [one for one in offers if all(abs(one.starts_at - other) >= distance for other in shown)]
        if far:
            return far
    return offers


def _another(offers: list[Offer], chosen: list[Offer], wall: dict[datetime, datetime]) -> Offer | None:
    days = {wall[one.starts_at].date() for one in chosen}
    halves = {_minute(wall[one.starts_at]) < _NOON for one in chosen}
    rules: list[Callable[[datetime], bool]] = [
        lambda at: at.date() not in days and (_minute(at) < _NOON) not in halves,
        lambda at: at.date() not in days,
        lambda at: (_minute(at) < _NOON) not in halves,
        lambda at: all(abs(at - wall[one.starts_at]) >= _APART for one in chosen),
        lambda at: all(abs(at - wall[one.starts_at]) >= _BARELY_APART for one in chosen),
    ]
    taken = {one.starts_at for one in chosen}
    first_day = min(days)
    for rule in rules:
        for offer in offers:
            at = wall[offer.starts_at]
            if offer.starts_at not in taken and (at.date() - first_day).days <= 7 and rule(at):
                return offer
    far = [one for one in offers if all(abs(one.starts_at - other) >= _BARELY_APART for other in taken)]
    left = far or ([one for one in offers if one.starts_at not in taken] if len(chosen) < 2 else [])
    return left[0] if left else None


def _without_exact_time(wish: TimeWish) -> TimeWish:
    if wish.at_minute is None:
        return wish
    # The exact time is judged by itself: a range around it ("about 10") would only narrow its other reading.
    return replace(wish, at_minute=None, at_alternatives=(), clocks=())


def _judge(wish: TimeWish, limits: Limits) -> Callable[[datetime], bool]:
    """Return what says whether a start at a wall time meets the wish.

    A wish is one for days and one for times of the day: with hundreds of starts each day, and each time, is judged once.
    """
    days = TimeWish(days=wish.days, weekdays=wish.weekdays, not_days=wish.not_days, not_weekdays=wish.not_weekdays)
    times = replace(wish, days=(), weekdays=frozenset(), not_days=(), not_weekdays=frozenset())

    @cache
    def is_day(day: date) -> bool:
        return allows(days, start=_midnight(day))

    @cache
    def is_time(hour: int, minute: int) -> bool:
        return allows(times, start=datetime(2000, 1, 1, hour, minute))  # noqa: DTZ001 -- a wall time has no zone

    return lambda wall: limits.admit(wall) and is_day(wall.date()) and is_time(wall.hour, wall.minute)


def _days_off(day: date, ranges: tuple[DayRange, ...]) -> int:
    if not ranges:
        return 0
    return min(
        0 if one.first <= day < one.end else min(abs((day - one.first).days), abs((day - one.end).days) + 1)
        for one in ranges
    )


def single_day(wish: TimeWish) -> date | None:
    """Return the day that was wished, if it is one."""
    if len(wish.days) == 1 and (wish.days[0].end - wish.days[0].first).days == 1:
        return wish.days[0].first
    return None


def _wall(slot: Slot, catalogue: Catalogue) -> datetime:
    return hours.wall_time(slot.starts_at, catalogue.location(slot.location_id))


def _wall_of(offer: Offer, catalogue: Catalogue) -> datetime:
    return hours.wall_time(offer.starts_at, catalogue.location(offer.location_id))


def _minute(wall: datetime) -> int:
    return wall.hour * 60 + wall.minute


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 -- a wall time has no zone
