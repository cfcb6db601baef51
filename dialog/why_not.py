"""What is asked of `booking.explain` where nothing meets a wish: the same question that a program asks. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from booking.values import Catalogue, Slot, SlotQuery
from dialog import hours, offers
from dialog.errands import FindTimes
from dialog.offers import Limits
from dialog.timewords import TimeWish, allows
from dialog.wished_spans import windows_wished
from kernel.interval import Interval

_APART, _BARELY = timedelta(minutes=90), timedelta(minutes=1)


@dataclass(frozen=True)
class Question:
    """A wish as the engine takes it: what for, when, and what would be no answer."""

    query: SlotQuery
    windows: tuple[Interval, ...]
    suits: Callable[[Slot], bool]


def questions(request: FindTimes, *, catalogue: Catalogue, now: datetime) -> list[Question]:
    """Return what to ask, one after the other until there is an answer.

    "Earlier" than what was offered means the day before rather than a later hour of the same day, and others than what was
    shown are not a quarter of an hour off; only if there are none at all, anything will do that was not shown.
    """
    limits = Limits(request.not_before, request.not_after)
    windows = windows_wished(request.wish, limits, catalogue=catalogue, now=now)
    query = SlotQuery(
        request.service_id,
        Interval(windows[0].start, max(one.end for one in windows)),
        practitioner_ids=_people_named(request, catalogue),
        location_ids=request.location_ids,
    )
    asked = partial(_suits, request=request, limits=limits, catalogue=catalogue, apart=_APART)
    anything = partial(_suits, request=request, limits=Limits(), catalogue=catalogue, apart=_BARELY)
    is_open = limits == Limits() and not request.shown
    return [Question(query, windows, suits) for suits in ((asked,) if is_open else (asked, anything))]


def _people_named(request: FindTimes, catalogue: Catalogue) -> tuple[str, ...]:
    """Return those of whom it has to be one: nobody in particular where everybody who gives the service will do."""
    service = catalogue.service(request.service_id)
    steps = [catalogue.service(one) for one in service.steps] or [service]
    everybody = {one.id for one in catalogue.practitioners if any(catalogue.offers(one, step) for step in steps)}
    return () if set(request.wanted_ids) >= everybody else request.wanted_ids


def _suits(slot: Slot, *, request: FindTimes, limits: Limits, catalogue: Catalogue, apart: timedelta) -> bool:
    """Say whether a time may be offered at all: with nobody who was refused, at no time that was, and not once more."""
    wish = request.wish
    refusals = TimeWish(not_days=wish.not_days, not_weekdays=wish.not_weekdays, not_clocks=wish.not_clocks)
    wall = hours.wall_time(slot.starts_at, catalogue.location(slot.location_id))
    return (
        all(one.practitioner_id in request.able_ids for one in (slot.parts or (slot,)))
        and all(abs(slot.starts_at - one) >= apart for one in request.shown)
        and offers.offer_of(slot) != request.has
        and limits.admit(wall)
        and allows(refusals, start=wall)
    )


def without_parts(slot: Slot) -> Slot:
    """Return what is stored of a Slot: the steps of a package are looked up again for the one chosen."""
    return replace(slot, parts=()) if slot.parts else slot
