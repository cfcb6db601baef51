"""Which of several free Practitioners a visit goes to, and why: pure, so that it can be told and tested."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from booking.values import PractitionerInfo


class Reason(StrEnum):
    """Why this one. Stored with the Appointment and told when somebody asks."""

    ASKED_FOR = "asked-for"  # the patient left no other choice
    ONLY_ONE_FREE = "only-one-free"
    WISHED = "wished"  # of that gender, or speaking that language
    SEEN_BEFORE = "seen-before"
    FEWEST_THAT_DAY = "fewest-that-day"
    FEWEST_LATELY = "fewest-lately"  # within the clinic's fairness window, back and ahead
    CLINIC_ORDER = "clinic-order"  # nothing else told them apart


@dataclass(frozen=True)
class Wish:
    """What a patient would like a Practitioner to be, if it can be had. Whom they name is no wish but a condition."""

    gender: str | None = None  # FHIR administrative-gender
    language: str | None = None

    def met_by(self, practitioner: PractitionerInfo) -> int:
        """Return how many of the wishes this one meets."""
        return sum(
            (
                self.gender is not None and practitioner.gender == self.gender,
                self.language is not None and self.language in practitioner.languages,
            )
        )


NO_WISH = Wish()


@dataclass(frozen=True)
class Load:
    """How much somebody has to do: visits on the day itself, and in the fairness window around it.

    `before`: of those in the window, how many lie before the days on which others joined.
    """

    that_day: int = 0
    in_window: int = 0
    before: Mapping[date, int] | None = None


@dataclass(frozen=True)
class Choice:
    practitioner: PractitionerInfo
    reason: Reason


def best(
    free: Sequence[PractitionerInfo],
    *,
    candidates: int,
    wish: Wish = NO_WISH,
    seen_before: Sequence[str] = (),
    loads: Mapping[str, Load] | None = None,
    head_starts: Mapping[str, float] | None = None,
) -> Choice:
    """Choose among `free` (not empty, in the clinic's order), who are left of so many `candidates`.

    First who meets most wishes, then whom the patient saw last (`seen_before`, the last one first), then who has fewest
    visits that day, then in the window, then the clinic's order. `loads` and `head_starts` are by practitioner id.
    The reason is what decided last.
    """
    if len(free) == 1:
        return Choice(free[0], Reason.ASKED_FOR if candidates == 1 else Reason.ONLY_ONE_FREE)
    loads, head_starts = loads or {}, head_starts or {}
    ranks = {practitioner_id: rank for rank, practitioner_id in enumerate(seen_before)}
    none = Load()
    steps: tuple[tuple[Reason, Callable[[PractitionerInfo], float]], ...] = (
        (Reason.WISHED, lambda one: -wish.met_by(one)),
        (Reason.SEEN_BEFORE, lambda one: ranks.get(one.id, len(ranks))),
        (Reason.FEWEST_THAT_DAY, lambda one: loads.get(one.id, none).that_day),
        (Reason.FEWEST_LATELY, lambda one: loads.get(one.id, none).in_window + head_starts.get(one.id, 0)),
    )
    left, reason = list(free), Reason.CLINIC_ORDER
    for step, cost in steps:
        costs = [cost(practitioner) for practitioner in left]
        if len(set(costs)) > 1:
            reason = step
            left = [one for one, each in zip(left, costs, strict=True) if each == min(costs)]
    return Choice(left[0], reason)


def newcomers(people: Sequence[PractitionerInfo], *, first_day: date) -> dict[str, date]:
    """Return when those joined who were not here yet on the first day of the fairness window, by practitioner id."""
    return {one.id: one.since for one in people if one.since is not None and one.since > first_day}


def head_starts_of(loads: Mapping[str, Load], *, joined: Mapping[str, date]) -> dict[str, float]:
    """Return how many visits newcomers are counted to have had before they joined: as many as the others had on average.

    `loads`: of all who could be chosen. Without it somebody new would get every visit until they had caught up with what
    others did while they were not here.
    """
    head_starts: dict[str, float] = {}
    for person, day in sorted(joined.items(), key=lambda one: one[1]):
        there = [each for each in loads if each not in joined or joined[each] < day]
        before = [(loads[each].before or {}).get(day, 0) + head_starts.get(each, 0) for each in there]
        head_starts[person] = sum(before) / len(before) if before else 0
    return head_starts
