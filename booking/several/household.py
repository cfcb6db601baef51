"""Several people who come together: one after the other, or all at once. Booked all or nothing (`bundles.place_bundle`)."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import permutations

from sqlalchemy.orm import Session

from booking import search
from booking.availability import Busy, Wanted, in_order
from booking.several.bundles import MOST_PARTS, NoParts, PartWish, TooManyParts
from booking.several.chains import Link, chains, spanning
from booking.several.together import Rooms, arranged
from booking.values import BundleKind, Catalogue, Slot, SlotQuery
from kernel.errors import Refused

LONGEST_WAIT = timedelta(minutes=30)
"""So long, unless more is asked for, the next one of a household may have to wait after the one before is done."""

_MOST_ORDERED = 3
"""Of more people than these the order stays as asked: there would be too many others to try."""


class Together(StrEnum):
    """How several people come."""

    BACK_TO_BACK = "back-to-back"
    PARALLEL = "parallel"


class NotForHouseholds(Refused):
    """Packages and groups are not booked for several people at once: each person is booked for themselves."""

    code = "not-for-households"


def household_slots(
    catalogue: Catalogue,
    *,
    wishes: Sequence[SlotQuery],
    found: Sequence[Sequence[Slot]],
    together: Together,
    busy: Busy,
    wait: timedelta = LONGEST_WAIT,
) -> list[Slot]:
    """Return when all could come, at most one Slot for each start and Location, by start, then the Location's key. Pure.

    `found`: the Slots of each wish; `busy`: what is taken in the diaries of the rooms they need. Nobody and no room is used
    twice at a time, buffers included. One after the other: each starts within `wait` after the one before is done, in the order
    asked for, or else in the one that ends first; at once: all start at the same moment. A Slot's `parts` are in the order of
    `wishes`, so that it is clear whose each is.
    """
    services = [catalogue.service(wish.service_id) for wish in wishes]
    slots: list[Slot] = []
    for location in catalogue.locations:
        links = [
            Link.of(catalogue, Wanted(catalogue, service, location, wish.duration, wish.place), of_wish)
            for service, wish, of_wish in zip(services, wishes, found, strict=True)
        ]
        rooms = Rooms.of([link.wanted for link in links], busy)
        if together is Together.PARALLEL:
            slots += _at_once(links, rooms)
        else:
            slots += _one_by_one(links, rooms, wait=wait)
    keys = {location.id: location.key for location in catalogue.locations}
    return sorted(slots, key=lambda slot: (slot.starts_at, keys[slot.location_id]))


def find_household_slots(
    session: Session,
    catalogue: Catalogue,
    *,
    wishes: Sequence[SlotQuery],
    together: Together,
    now: datetime,
    wait: timedelta = LONGEST_WAIT,
    conversation_id: str | None = None,
) -> list[Slot]:
    """Return when all of a household could come: `household_slots` of the diary as it is. A wish is a `SlotQuery` for one person.

    The spans of the wishes bound when each may start. The conversation's own Holds are no obstacle. Reads as many
    statements as for one query, whatever their number. Raises NoParts, TooManyParts, NotForHouseholds, and for each wish what
    `find_slots` raises.
    """
    if not wishes:
        raise NoParts
    if len(wishes) > MOST_PARTS[BundleKind.HOUSEHOLD]:
        raise TooManyParts(maximum=MOST_PARTS[BundleKind.HOUSEHOLD])
    places = [search.places(catalogue, wish, now=now) for wish in wishes]
    services = [catalogue.service(wish.service_id) for wish in wishes]
    if any(service.steps or service.group for service in services):
        raise NotForHouseholds
    everywhere = [place for some in places for place in some]
    diary = search.read_diary(session, catalogue, everywhere, now=now, ignoring_hold_of=conversation_id)
    found = [in_order(catalogue, [slot for place in some for slot in place.slots(diary)]) for some in places]
    return household_slots(catalogue, wishes=wishes, found=found, together=together, busy=diary.busy, wait=wait)


def household_parts(slot: Slot, *, patient_ids: Sequence[str | None]) -> list[PartWish]:
    """Return what to book for a Slot of a household with `place_bundle`: one part for each person, in their order."""
    return [PartWish.of(part, patient_id=patient_id) for part, patient_id in zip(slot.parts, patient_ids, strict=True)]


def _at_once(links: Sequence[Link], rooms: Rooms) -> Iterator[Slot]:
    for at in links[0].starts:
        if not all(at in link.free for link in links):
            continue
        pieces = [link.piece(at) for link in links]
        people = arranged(pieces, rooms)
        if people is not None:
            yield _slot([link.slot(piece, one) for link, piece, one in zip(links, pieces, people, strict=True)])


def _one_by_one(links: Sequence[Link], rooms: Rooms, *, wait: timedelta) -> Iterator[Slot]:
    as_asked, *others = _orders(links)
    found = dict(_in_this_order(links, as_asked, rooms, wait=wait))
    instead: dict[datetime, Slot] = {}
    for order in others:
        for at, slot in _in_this_order(links, order, rooms, wait=wait, but=found):
            if at not in instead or slot.ends_at < instead[at].ends_at:
                instead[at] = slot
    yield from (instead | found).values()


def _orders(links: Sequence[Link]) -> list[tuple[int, ...]]:
    """Return the orders to try, the one asked for first; of those in which only people with the same wish change places one."""
    numbers = range(len(links))
    if len(links) > _MOST_ORDERED:
        return [tuple(numbers)]
    alike = {number: next(other for other in numbers if links[other] == links[number]) for number in numbers}
    different: dict[tuple[int, ...], tuple[int, ...]] = {}
    for order in permutations(numbers):
        different.setdefault(tuple(alike[number] for number in order), order)
    return list(different.values())


def _in_this_order(
    links: Sequence[Link],
    order: Sequence[int],
    rooms: Rooms,
    *,
    wait: timedelta,
    but: Collection[datetime] = (),
) -> Iterator[tuple[datetime, Slot]]:
    for chain in chains([links[number] for number in order], wait=wait, rooms=rooms, but=but):
        parts = dict(zip(order, chain, strict=True))
        slot = _slot([parts[number] for number in sorted(parts)])
        yield slot.starts_at, slot


def _slot(parts: Sequence[Slot]) -> Slot:
    return spanning(parts, service_id=min(parts, key=lambda part: part.starts_at).service_id)
