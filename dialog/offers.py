"""Which of the free times to name: the ones that meet the wish, spread sensibly, or the nearest ones and why not.

Pure. Wishes are in wall time; a Slot is judged by the wall time of its Location.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from booking.values import Catalogue, ServiceInfo, Slot, WeeklyHours
from dialog import hours
from dialog.timewords import ClockRange, DayRange, TimeWish, allows
from kernel.interval import Interval, wall_to_instant

OFFERED_AT_ONCE = 3
_FIRST_LOOK = timedelta(days=14)
_NEAR = timedelta(days=14)
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


def nearby_spans(wish: TimeWish, *, catalogue: Catalogue, now: datetime) -> list[Interval]:
    """Return the spans to look through for alternatives when nothing meets the wish."""
    whole = Interval(now, now + catalogue.rules.maximum_advance + timedelta(days=1))
    if not wish.days:
        return [whole]
    around = Interval(
        wall_to_instant(_midnight(min(one.first for one in wish.days)), catalogue.zone) - _NEAR,
        wall_to_instant(_midnight(max(one.end for one in wish.days)), catalogue.zone) + _NEAR,
    ).intersection(whole)
    return [around, whole] if around else [whole]


def meeting(slots: Iterable[Slot], wish: TimeWish, limits: Limits, *, catalogue: Catalogue) -> list[Slot]:
    """Return the slots that meet the wish. An exact time counts as met only when it is free itself."""
    fitting = [slot for slot in slots if _meets(slot, wish, limits, catalogue)]
    if wish.at_minute is None:
        return fitting
    for minute in (wish.at_minute, *wish.at_alternatives):
        exact = [slot for slot in fitting if _minute(_wall(slot, catalogue)) == minute]
        if exact:
            return exact
    return [slot for slot in fitting if any(_minute(_wall(slot, catalogue)) in clock for clock in wish.clocks)]


def only_refuses(wish: TimeWish) -> bool:
    """Say whether a wish names days or times that do not suit, and none that do."""
    refused = wish.not_days or wish.not_weekdays or wish.not_clocks
    wanted = wish.days or wish.weekdays or wish.clocks or wish.at_minute is not None or wish.order or wish.relative
    return bool(refused) and not wanted


def one_day(day: date) -> tuple[DayRange, ...]:
    """Return the wish for that day only."""
    return (DayRange(day, day + timedelta(days=1)),)


def bearable(slots: Iterable[Slot], wish: TimeWish, *, catalogue: Catalogue) -> list[Slot]:
    """Return the slots that break no refusal ("not Fridays"), whatever else was wished."""
    refusals = TimeWish(not_days=wish.not_days, not_weekdays=wish.not_weekdays, not_clocks=wish.not_clocks)
    return [slot for slot in slots if allows(refusals, start=_wall(slot, catalogue))]


def thinned(slots: Iterable[Slot], wish: TimeWish, *, catalogue: Catalogue) -> tuple[Slot, ...]:
    """Return a part of many slots that is enough to choose from, since what is kept is stored with the turn.

    Of the wished days everything; of others, for each person, the first and last of each half and the full hours. By start, then in the clinic's order of people.
    """
    seats = {person.id: seat for seat, person in enumerate(catalogue.practitioners)}
    halves: dict[tuple[int, date, bool, int, str], list[Slot]] = {}
    for slot in slots:
        wall = _wall(slot, catalogue)
        off = _days_off(wall.date(), wish.days)
        who = seats.get(slot.practitioner_id, len(seats)), slot.practitioner_id
        halves.setdefault((off, wall.date(), _minute(wall) >= _NOON, *who), []).append(slot)
    kept: list[Slot] = []
    for (off, *_), half in sorted(halves.items()):
        is_wished = bool(wish.days) and off == 0
        kept += half if is_wished else _outline(half, catalogue)
    return tuple(sorted(kept[:_KEPT], key=lambda one: (one.starts_at, seats.get(one.practitioner_id, len(seats)))))


def _outline(half: list[Slot], catalogue: Catalogue) -> list[Slot]:
    ends = {*half[:2], *half[-1:]}
    return [one for one in half if one in ends or _wall(one, catalogue).minute == 0]


def grouped(slots: Iterable[Slot]) -> list[Offer]:
    """Return one offer a start and place, with all who are free then, in the order of the slots."""
    offers: dict[tuple[datetime, str], Offer] = {}
    for slot in slots:
        key = (slot.starts_at, slot.location_id)
        known = offers.get(key)
        if known is None:
            offers[key] = Offer(
                slot.service_id, slot.location_id, slot.starts_at, slot.ends_at, (slot.practitioner_id,)
            )
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


def nearest(
    slots: Sequence[Slot],
    wish: TimeWish,
    limits: Limits,
    *,
    catalogue: Catalogue,
    wanted_ids: tuple[str, ...],
    location_ids: tuple[str, ...] = (),
    shown: tuple[datetime, ...] = (),
) -> tuple[Offer, ...]:
    """Choose two or three slots near a wish that could not be met: that day, that person, or the smallest change of either. In order of time."""
    classes: dict[tuple[bool, bool, bool], list[Slot]] = {}
    unseen = [slot for slot in slots if slot.starts_at not in shown]
    # "Earlier" than what was offered means the day before rather than a later hour of the same day.
    for slot in [one for one in unseen if limits.admit(_wall(one, catalogue))] or unseen:
        day = _wall(slot, catalogue).date()
        key = (
            _days_off(day, wish.days) == 0,
            not wanted_ids or slot.practitioner_id in wanted_ids,
            not location_ids or slot.location_id in location_ids,
        )
        classes.setdefault(key, []).append(slot)
    for group in classes.values():
        group.sort(key=lambda one: _distance(_wall(one, catalogue), wish))
    picked: list[Slot] = []
    for key in _NEARNESS:
        group = [slot for slot in classes.get(key, []) if _is_apart(slot, picked, _BARELY_APART)]
        if group and len(picked) < OFFERED_AT_ONCE:
            picked.append(group[0])
    left = [slot for key in dict.fromkeys(_NEARNESS) for slot in classes.get(key, [])]
    for distance in (_APART, _BARELY_APART, timedelta(minutes=1)):
        for slot in left:
            enough = 2 if distance < _BARELY_APART else OFFERED_AT_ONCE
            if len(picked) < enough and _is_apart(slot, picked, distance):
                picked.append(slot)
    return tuple(
        Offer(one.service_id, one.location_id, one.starts_at, one.ends_at, (one.practitioner_id,))
        for one in sorted(picked, key=lambda one: one.starts_at)
    )


def _is_apart(slot: Slot, picked: Iterable[Slot], distance: timedelta) -> bool:
    return all(abs(slot.starts_at - one.starts_at) >= distance for one in picked)


def _far_from(shown: tuple[datetime, ...], offers: list[Offer]) -> list[Offer]:
    for distance in (_APART, _BARELY_APART):
        far = [one for one in offers if all(abs(one.starts_at - other) >= distance for other in shown)]
        if far:
            return far
    return offers


# (that day, that person, that place), the smallest change first; twice the first: the time before and the one after.
_NEARNESS = (
    (True, True, True),
    (True, True, True),
    (False, True, True),
    (True, False, True),
    (True, True, False),
    (False, True, False),
    (False, False, True),
    (True, False, False),
    (False, False, False),
)


@dataclass(frozen=True)
class WhyNot:
    """The rule that bound: a code that has wording, with the day and the person it is about."""

    code: str
    day: date | None = None
    practitioner_id: str | None = None


def why_not(
    catalogue: Catalogue,
    service: ServiceInfo,
    wish: TimeWish,
    *,
    wanted_ids: tuple[str, ...],
    able_ids: tuple[str, ...],
    location_ids: tuple[str, ...],
    now: datetime,
    limits: Limits,
) -> WhyNot:
    """Say why nothing meets the wish."""
    person = wanted_ids[0] if len(wanted_ids) == 1 and len(able_ids) > 1 else None
    day = _single_day(wish)
    if day is None or limits != Limits():
        return WhyNot("none-free", practitioner_id=person)
    today = now.astimezone(catalogue.zone).date()
    if day > (now + catalogue.rules.maximum_advance).astimezone(catalogue.zone).date():
        return WhyNot("too-far", day)
    places = [place for place in catalogue.locations if not location_ids or place.id in location_ids]
    if not any(hours.openings(place, day) for place in places):
        return WhyNot("closed", day)
    people = [catalogue.practitioner(one) for one in (wanted_ids or able_ids)]
    if not any(hours.works_on(one, day, location_ids=location_ids) for one in people):
        return WhyNot("not-working", day, person) if person else WhyNot("nobody-works", day)
    if day == today and _is_too_soon(wish, catalogue, now):
        return WhyNot("too-soon", day)
    if _is_outside_hours(
        wish, [one for who in people for one in hours.works_on(who, day, location_ids=location_ids)], service
    ):
        return WhyNot("outside-hours", day, person)
    return WhyNot("taken" if wish.at_minute is not None else "full", day, person)


def _is_too_soon(wish: TimeWish, catalogue: Catalogue, now: datetime) -> bool:
    earliest = (now + catalogue.rules.minimum_notice).astimezone(catalogue.zone).replace(tzinfo=None)
    if wish.at_minute is not None:
        return max((wish.at_minute, *wish.at_alternatives)) < _minute(earliest)
    return bool(wish.clocks) and all(one.end_minute <= _minute(earliest) for one in wish.clocks)


def _is_outside_hours(wish: TimeWish, working: Sequence[WeeklyHours], service: ServiceInfo) -> bool:
    spans = [
        (one.start // timedelta(minutes=1), (one.end - service.duration) // timedelta(minutes=1)) for one in working
    ]
    if wish.at_minute is not None:
        return not any(start <= wish.at_minute <= end for start, end in spans)
    return bool(wish.clocks) and not any(
        clock.start_minute <= end and start < clock.end_minute for clock in wish.clocks for start, end in spans
    )


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


def _meets(slot: Slot, wish: TimeWish, limits: Limits, catalogue: Catalogue) -> bool:
    wall = _wall(slot, catalogue)
    rest = replace(wish, at_minute=None, at_alternatives=())
    if wish.at_minute is not None:
        # The exact time is judged by itself: a range around it ("about 10") would only narrow its other reading.
        rest = replace(rest, clocks=())
    return limits.admit(wall) and allows(rest, start=wall)


def _distance(wall: datetime, wish: TimeWish) -> tuple[int, int, datetime]:
    minutes = 0
    if wish.at_minute is not None:
        minutes = min(abs(_minute(wall) - one) for one in (wish.at_minute, *wish.at_alternatives))
    elif wish.clocks:
        minutes = min(_minutes_off(_minute(wall), one) for one in wish.clocks)
    days = _days_off(wall.date(), wish.days)
    return (days, minutes, wall) if wish.days else (minutes // 60, 0, wall)


def _days_off(day: date, ranges: tuple[DayRange, ...]) -> int:
    if not ranges:
        return 0
    return min(
        0 if one.first <= day < one.end else min(abs((day - one.first).days), abs((day - one.end).days) + 1)
        for one in ranges
    )


def _minutes_off(minute: int, clock: ClockRange) -> int:
    if clock.start_minute <= minute < clock.end_minute:
        return 0
    return min(abs(minute - clock.start_minute), abs(minute - clock.end_minute) + 1)


def _single_day(wish: TimeWish) -> date | None:
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
