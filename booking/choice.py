"""Which of several free Practitioners a visit goes to, and why: pure, so that it can be told and tested."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from booking.values import PractitionerInfo


class Reason(StrEnum):
    """Why this one. Stored with the Appointment and told when somebody asks."""

    ASKED_FOR = "asked-for"  # the patient left no other choice
    ONLY_ONE_FREE = "only-one-free"
    SEEN_BEFORE = "seen-before"
    FEWEST_THAT_DAY = "fewest-that-day"
    CLINIC_ORDER = "clinic-order"  # nothing else told them apart


@dataclass(frozen=True)
class Choice:
    practitioner: PractitionerInfo
    reason: Reason


def best(
    free: Sequence[PractitionerInfo], *, candidates: int, seen_before_id: str | None, visits_that_day: dict[str, int]
) -> Choice:
    """Choose among `free` (not empty, in the clinic's order), who are left of so many `candidates`.

    First whom the patient saw last, then who has fewest visits that day, then the clinic's order. `visits_that_day` is by
    practitioner id.
    """
    if len(free) == 1:
        return Choice(free[0], Reason.ASKED_FOR if candidates == 1 else Reason.ONLY_ONE_FREE)
    for practitioner in free:
        if practitioner.id == seen_before_id:
            return Choice(practitioner, Reason.SEEN_BEFORE)
    loads = [visits_that_day.get(practitioner.id, 0) for practitioner in free]
    lightest = free[loads.index(min(loads))]
    return Choice(lightest, Reason.CLINIC_ORDER if len(set(loads)) == 1 else Reason.FEWEST_THAT_DAY)
