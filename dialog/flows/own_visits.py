"""Which of their visits they mean, and what is said of it."""

from dataclasses import replace
from typing import Any

from booking.values import BookedVisit
from dialog import hours
from dialog.draft import Draft
from dialog.state import Details
from dialog.timewords import TimeWish


def visit_fields(visit: BookedVisit) -> dict[str, Any]:
    """Return what acts say of a visit."""
    return {
        "appointment": visit.id,
        "service": visit.service_id,
        "practitioner": visit.practitioner_id,
        "location": visit.location_id,
        "starts_at": visit.starts_at.isoformat(),
    }


def take_day_as_name(draft: Draft, visits: tuple[BookedVisit, ...]) -> None:
    """Of two days ("move my Tuesday visit to Thursday"), the one on which there is a visit says which visit is meant."""
    wish = draft.flow.details.wish
    if wish is None or len(wish.days) < 2:
        return
    for span in wish.days:
        named = TimeWish(days=(span,))
        if any(is_on_wished_day(draft, one, named) for one in visits):
            draft.update_flow(about=replace(draft.flow.about, wish=named))
            draft.update_details(wish=replace(wish, days=tuple(one for one in wish.days if one != span)))
            return


def meant(draft: Draft, visits: tuple[BookedVisit, ...]) -> tuple[BookedVisit, ...]:
    """Return the visits the patient may mean, by what, whom and when they said; all of them where that leaves none."""
    about = draft.flow.about
    catalogue = draft.catalogue
    if about == Details():
        # Nothing was said of it: it is none of those that were dealt with just now ("cancel the other one").
        made = {one.visit.id for one in draft.state.made}
        visits = tuple(one for one in visits if one.id not in made) or visits
    of_service = [one for one in visits if catalogue.service(one.service_id).key in about.service_keys]
    left = of_service or list(visits)
    with_person = [one for one in left if catalogue.practitioner(one.practitioner_id).key in about.practitioner_keys]
    left = with_person or left
    on_day = [one for one in left if is_on_wished_day(draft, one, about.wish)]
    return _earlier_or_later(draft, on_day or left)


def _earlier_or_later(draft: Draft, visits: list[BookedVisit]) -> tuple[BookedVisit, ...]:
    """Return the first or the last of several where that was said: "the earlier of the two"."""
    wish = draft.flow.about.wish
    by_time = sorted(visits, key=lambda one: one.starts_at)
    if wish is None or (wish.relative, wish.order) == (None, None):
        return tuple(visits)
    is_first = wish.relative == "earlier" or wish.order == "earliest"
    is_last = wish.relative == "later" or wish.order == "latest"
    return tuple(by_time[:1] if is_first else by_time[-1:] if is_last else visits)


def is_on_wished_day(draft: Draft, visit: BookedVisit, wish: TimeWish | None) -> bool:
    """Say whether a visit is when they said that it is."""
    if wish is None:
        return True
    wall = hours.wall_time(visit.starts_at, draft.catalogue.location(visit.location_id))
    on_day = not wish.days or any(one.first <= wall.date() < one.end for one in wish.days)
    on_weekday = not wish.weekdays or wall.weekday() in wish.weekdays
    minute = wall.hour * 60 + wall.minute
    at_time = wish.at_minute is None or minute in (wish.at_minute, *wish.at_alternatives)
    return on_day and on_weekday and at_time
