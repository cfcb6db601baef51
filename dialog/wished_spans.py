"""When a visit may start that meets a wish, as spans: what somebody on the waiting list waits for. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from booking.values import Catalogue, PractitionerInfo, ServiceInfo
from dialog import hours
from dialog.offers import Limits, search_spans
from dialog.timewords import TimeWish, allows
from kernel.interval import Interval, day_interval, merged, wall_to_instant

MOST_SPANS = 100
"""No more are kept: the first ones. Enough for one part of each weekday for months."""

_DAY_MINUTES = 24 * 60
_DAY = timedelta(days=1)
_LOOKED_THROUGH = timedelta(days=366)


def spans_wished(wish: TimeWish, limits: Limits, *, catalogue: Catalogue, now: datetime) -> tuple[Interval, ...]:
    """Return the spans in which a start meets the wish and keeps to the limits, by the clinic's wall time."""
    searched = search_spans(wish, catalogue=catalogue, now=now)
    return _met_within(searched[-1], wish, limits, catalogue) if searched else ()


def windows_wished(wish: TimeWish, limits: Limits, *, catalogue: Catalogue, now: datetime) -> tuple[Interval, ...]:
    """Return when a visit was wished, also where that is too soon, too far or over: at least one span, ascending.

    Of an exact time only the likelier reading: nobody who says "at 10:30" minds what is in the way at night.
    """
    today = now.astimezone(catalogue.zone).date()
    if wish.days:
        first, end = min(one.first for one in wish.days), max(one.end for one in wish.days)
        # What is over, however long, is as over as yesterday.
        first, end = (max(first, today), end) if end > today else (today - _DAY, today)
    else:
        first, end = today, (now + catalogue.rules.maximum_advance).astimezone(catalogue.zone).date() + _DAY
    end = min(end, first + _LOOKED_THROUGH)
    whole = Interval(*(day_interval(day, catalogue.zone).start for day in (first, end)))
    return _met_within(whole, replace(wish, at_alternatives=()), limits, catalogue) or (whole,)


def _met_within(whole: Interval, wish: TimeWish, limits: Limits, catalogue: Catalogue) -> tuple[Interval, ...]:
    wish = replace(wish, relative=None, shift_days=0)
    first = whole.start.astimezone(catalogue.zone).date()
    days = (whole.end.astimezone(catalogue.zone).date() - first).days + 1
    found = [
        span
        for offset in range(days)
        for part in _parts_of_day(first + offset * _DAY, wish, limits, catalogue)
        if (span := part.intersection(whole)) is not None
    ]
    return tuple(merged(found)[:MOST_SPANS])


def cut_off(spans: Iterable[Interval], starts: Iterable[datetime]) -> tuple[Interval, ...]:
    """Return what lies before the first of the starts that is itself in a span; others were no answer to the wish."""
    spans = tuple(spans)
    within = [start for start in starts if any(span.start <= start < span.end for span in spans)]
    if not within:
        return spans
    end = min(within)
    return tuple(Interval(span.start, min(span.end, end)) for span in spans if span.start < end)


def is_worked_in(
    span: Interval,
    people: Sequence[PractitionerInfo],
    service: ServiceInfo,
    location_ids: tuple[str, ...],
    catalogue: Catalogue,
) -> bool:
    """Say whether the service could be started in the span by any of these people, if nothing of their time were taken."""
    start, end = (at.astimezone(catalogue.zone).replace(tzinfo=None) for at in (span.start, span.end))
    places = [one for one in catalogue.locations if not location_ids or one.id in location_ids]
    for offset in range((end.date() - start.date()).days + 1):
        day = start.date() + offset * _DAY
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 -- a wall time has no zone
        for one in people:
            for place in places:
                for worked in hours.works_on(one, place, day):
                    if midnight + worked.start < end and start <= midnight + worked.end - service.duration:
                        return True
    return False


def _parts_of_day(day: date, wish: TimeWish, limits: Limits, catalogue: Catalogue) -> list[Interval]:
    bounds = _bounds(wish, limits, day)
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 -- a wall time has no zone
    walls = [midnight + timedelta(minutes=minute) for minute in bounds]
    return [
        Interval(start, end)
        for wall, next_wall in pairwise(walls)
        if allows(wish, start=wall)
        and limits.admit(wall)
        and (start := wall_to_instant(wall, catalogue.zone)) < (end := wall_to_instant(next_wall, catalogue.zone))
    ]


def _bounds(wish: TimeWish, limits: Limits, day: date) -> list[int]:
    """Return the minutes of the day at which an answer to the wish may change."""
    ranges = (*wish.clocks, *wish.not_clocks)
    minutes = {0, _DAY_MINUTES} | {one for each in ranges for one in (each.start_minute, each.end_minute)}
    exact = () if wish.at_minute is None else (wish.at_minute, *wish.at_alternatives)
    minutes |= {one for minute in exact for one in (minute, minute + 1)}
    if limits.not_before is not None and limits.not_before.date() == day:
        minutes.add(_minute(limits.not_before))
    if limits.not_after is not None and limits.not_after.date() == day:
        minutes.add(_minute(limits.not_after) + 1)
    return sorted(one for one in minutes if 0 <= one <= _DAY_MINUTES)


def _minute(wall: datetime) -> int:
    return wall.hour * 60 + wall.minute
