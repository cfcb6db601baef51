"""Services that consist of others: all steps in one visit, in order, possibly with different people.

Each step is an Appointment of its own, and the rules look at each of them as at any visit; they are held and booked together
(`booking.several.bundles.place_package`). Pure: times for a package are put together from those found for its steps.
"""

import dataclasses
from collections.abc import Sequence

from booking.availability import Busy, Wanted
from booking.several.chains import Link, chains, spanning
from booking.several.together import Rooms
from booking.values import Catalogue, Slot, SlotQuery
from kernel.interval import Interval


def step_queries(catalogue: Catalogue, query: SlotQuery) -> tuple[SlotQuery, ...]:
    """Return what to look for to find times for `query`: one query for each step of a package, or `query` itself.

    Who is asked for gives those steps that they can give; anybody the others.
    """
    package = catalogue.service(query.service_id)
    if not package.steps:
        return (query,)
    given = {step_id: _asked_for(catalogue, step_id, query) for step_id in package.steps}
    queries: list[SlotQuery] = []
    latest = query.span.end
    for step_id in package.steps:
        # Who can give none of the steps does not give the package: then nobody may give any.
        practitioner_ids = given[step_id] if any(given.values()) else query.practitioner_ids
        span = Interval(query.span.start, latest)
        queries.append(
            dataclasses.replace(query, service_id=step_id, duration=None, span=span, practitioner_ids=practitioner_ids)
        )
        latest += catalogue.service(step_id).duration + package.step_gap
    return tuple(queries)


def package_slots(catalogue: Catalogue, *, query: SlotQuery, found: Sequence[Sequence[Slot]], busy: Busy) -> list[Slot]:
    """Return for each start and Location the chain of steps that ends first, by start, then the Location's key.

    `found`: the Slots of each of `step_queries`; `busy`: what is taken in the diaries of the rooms they need. Each step
    starts when the one before ends, or up to the package's `step_gap` later. A Slot's `parts` are the steps.
    """
    package = catalogue.service(query.service_id)
    slots = []
    for location in catalogue.locations:
        steps = [Wanted(catalogue, catalogue.service(each), location, place=query.place) for each in package.steps]
        links = [Link.of(catalogue, step, of_step) for step, of_step in zip(steps, found, strict=True)]
        chained = chains(links, wait=package.step_gap, rooms=Rooms.of(steps, busy))
        slots += [spanning(parts, service_id=package.id) for parts in chained]
    keys = {location.id: location.key for location in catalogue.locations}
    return sorted(slots, key=lambda slot: (slot.starts_at, keys[slot.location_id]))


def _asked_for(catalogue: Catalogue, step_id: str, query: SlotQuery) -> tuple[str, ...]:
    step = catalogue.service(step_id)
    return tuple(each for each in query.practitioner_ids if catalogue.offers(catalogue.practitioner(each), step))
