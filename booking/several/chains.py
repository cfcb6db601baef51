"""Visits one after the other: for each start the chain of them that ends first. Pure; for packages and households."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from booking.availability import Wanted
from booking.several.together import Piece, Rooms, arranged
from booking.values import Catalogue, PractitionerInfo, Slot


@dataclass(frozen=True)
class Link:
    """One visit of a chain: the times at which it could be, ascending, and who is free at each; with any other visit
    of the chain left aside. `contingent`: by start, those who need staff's yes.
    """

    wanted: Wanted
    starts: Sequence[datetime]
    free: Mapping[datetime, tuple[PractitionerInfo, ...]]
    contingent: Mapping[datetime, frozenset[str]]

    @staticmethod
    def of(catalogue: Catalogue, wanted: Wanted, slots: Sequence[Slot]) -> "Link":
        """Make one of what was found for a service at a Location, in the order it came in. Slots elsewhere are left out."""
        free: dict[datetime, tuple[PractitionerInfo, ...]] = {}
        contingent: dict[datetime, frozenset[str]] = {}
        for slot in slots:
            if slot.location_id != wanted.location.id:
                continue
            free[slot.starts_at] = (*free.get(slot.starts_at, ()), catalogue.practitioner(slot.practitioner_id))
            if slot.is_contingent:
                contingent[slot.starts_at] = contingent.get(slot.starts_at, frozenset()) | {slot.practitioner_id}
        return Link(wanted, sorted(free), free, contingent)

    def piece(self, starts_at: datetime) -> Piece:
        """Return the visit at one of its times."""
        return Piece(self.wanted, starts_at, self.free[starts_at])

    def slot(self, piece: Piece, practitioner: PractitionerInfo) -> Slot:
        """Return the visit as a Slot with one of those who are free."""
        return piece.slot(
            practitioner, is_contingent=practitioner.id in self.contingent.get(piece.starts_at, frozenset())
        )


def chains(
    links: Sequence[Link], *, wait: timedelta, rooms: Rooms, but: Collection[datetime] = ()
) -> Iterator[tuple[Slot, ...]]:
    """Yield for each start of the first of `links` the chain that ends first, if there is any, ascending; none for starts `but`.

    Each next one starts no earlier than the one before ends, and at most `wait` later. Of several that end at once it is the
    one whose visits come earliest, with those who come first in order.
    """
    possible = _with_successors(links, wait=wait)
    lengths = [link.wanted.length for link in links]
    after = [sum(lengths[number:], timedelta(0)) for number in range(len(links))]

    def best_from(pieces: tuple[Piece, ...], ends_before: datetime | None) -> tuple[Piece, ...] | None:
        if len(pieces) == len(links):
            return pieces
        number = len(pieces)
        starts, ready_at = possible[number], pieces[-1].ends_at
        best: tuple[Piece, ...] | None = None
        for at in starts[bisect_left(starts, ready_at) : bisect_right(starts, ready_at + wait)]:
            if ends_before is not None and at + after[number] >= ends_before:
                break
            longer = (*pieces, links[number].piece(at))
            if arranged(longer, rooms) is None:
                continue
            found = best_from(longer, ends_before)
            if found is not None:
                best, ends_before = found, found[-1].ends_at
        return best

    for at in possible[0]:
        if at in but:
            continue
        found = best_from((links[0].piece(at),), None)
        people = None if found is None else arranged(found, rooms)
        if found is not None and people is not None:
            yield tuple(link.slot(piece, one) for link, piece, one in zip(links, found, people, strict=True))


def spanning(parts: Sequence[Slot], *, service_id: str) -> Slot:
    """Return the Slot of all `parts`, which begins with the first of them and ends with the last."""
    first = min(parts, key=lambda part: part.starts_at)
    return Slot(
        starts_at=first.starts_at,
        practitioner_id=first.practitioner_id,
        location_id=first.location_id,
        service_id=service_id,
        ends_at=max(part.ends_at for part in parts),
        is_contingent=any(part.is_contingent for part in parts),
        parts=tuple(parts),
    )


def _with_successors(links: Sequence[Link], *, wait: timedelta) -> list[Sequence[datetime]]:
    """Return the starts of each that leave time for those after it, whoever gives them."""
    possible: list[Sequence[datetime]] = [links[-1].starts]
    for link in reversed(links[:-1]):
        length, following = link.wanted.length, possible[0]
        kept = []
        for at in link.starts:
            next_one = bisect_left(following, at + length)
            if next_one < len(following) and following[next_one] <= at + length + wait:
                kept.append(at)
        possible.insert(0, kept)
    return possible
