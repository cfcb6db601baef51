"""Which free times come closest to one that can't be had. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from zoneinfo import ZoneInfo

from booking.values import Slot


@dataclass(frozen=True)
class Lost:
    """The time that can't be had: when, with whom (empty: nobody was chosen yet), where, and what clocks show there."""

    starts_at: datetime
    practitioner_id: str
    location_id: str
    zone: ZoneInfo


def nearest(slots: Iterable[Slot], *, to: Lost, limit: int = 3) -> tuple[Slot, ...]:
    """Return at most `limit` Slots instead of the lost one, the best first, no two of them at the same time.

    First the same time with somebody else, then the nearest with the same person, then the nearest of all. Near is a day
    rather than an hour: who comes at nine likes nine on the next day better than five in the afternoon a day later.
    """
    free = sorted((slot for slot in slots if not _is_lost(slot, to)), key=_distance(to))
    same_time = [slot for slot in free if slot.starts_at == to.starts_at]
    same_person = [slot for slot in free if slot.practitioner_id == to.practitioner_id]
    return tuple(_first_of_each_time(chain(same_time[:1], same_person[:1], free), limit))


def _first_of_each_time(slots: Iterable[Slot], limit: int) -> Iterator[Slot]:
    taken: set[datetime] = set()
    for slot in slots:
        if len(taken) == limit:
            return
        if slot.starts_at not in taken:
            taken.add(slot.starts_at)
            yield slot


def _is_lost(slot: Slot, to: Lost) -> bool:
    return (slot.starts_at, slot.practitioner_id) == (to.starts_at, to.practitioner_id)


def _distance(to: Lost) -> Callable[[Slot], tuple[bool, int, float, Slot]]:
    wanted = to.starts_at.astimezone(to.zone)

    def distance(slot: Slot) -> tuple[bool, int, float, Slot]:
        wall = slot.starts_at.astimezone(to.zone)
        days = abs((wall.date() - wanted.date()).days)
        # By the clocks on the wall: nine is nine on both sides of a change of the clocks.
        time_of_day = wall.replace(tzinfo=None) - wanted.replace(tzinfo=None)
        seconds = abs(time_of_day.total_seconds() - (wall.date() - wanted.date()).days * 86400)
        return slot.location_id != to.location_id, days, seconds, slot

    return distance
