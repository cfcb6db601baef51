"""The clinic's rules for booking, moving and cancelling: one small function each, and the refusal it gives.

Pure. `Facts` is everything a rule may look at; whoever gathers them holds the locks that keep counts true. A new rule is a
refusal, a function and a line in `RULES`. Whoever asks hears of every rule that says no: the first one is raised, the
others are its `also`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from booking.values import BookingRules, PriorVisit, ServiceInfo
from kernel.errors import Refused
from kernel.interval import Interval


class InThePast(Refused):
    """It has begun already."""

    code = "in-the-past"


class TooSoon(Refused):
    """It starts before the clinic's minimum notice is over."""

    code = "too-soon"


class TooFar(Refused):
    """It starts later than the clinic books ahead."""

    code = "too-far"


class InvalidDuration(Refused):
    """The service is not given for that long."""

    code = "invalid-duration"


class OutsideHours(Refused):
    """The location is closed then, or nobody who gives the service works there then, or it is not on the step grid."""

    code = "outside-hours"


class NotOffered(Refused):
    """Nobody of those asked for gives this service at this location."""

    code = "not-offered"


class PlaceNeeded(Refused):
    """The service is given at the patient's home, and it is not known where that is."""

    code = "place-needed"


class PatientBlocked(Refused):
    """Staff decided that this patient does not book by themselves."""

    code = "patient-blocked"


class PriorVisitNeeded(Refused):
    """The service is for those who have been here before, or have been seen by the same person."""

    code = "prior-visit-needed"


class PatientOverlap(Refused):
    """The patient has another visit at that time. Two people of a household may have visits at the same time."""

    code = "patient-overlap"


class PatientDailyMaximum(Refused):
    """The patient has as many visits that day as the clinic allows."""

    code = "patient-daily-maximum"


class PractitionerDailyMaximum(Refused):
    """The practitioner has as many visits that day as the clinic allows."""

    code = "practitioner-daily-maximum"


class TooLateToChange(Refused):
    """It is later than the clinic lets patients move or cancel: only staff may."""

    code = "too-late-to-change"


class TooManyMoves(Refused):
    """The visit was moved as often as the clinic lets patients move one: only staff may."""

    code = "too-many-moves"


class AlreadyOver(Refused):
    """The visit has begun or is over."""

    code = "already-over"


@dataclass(frozen=True)
class Lengths:
    """How long a service may take: `shortest` up to `longest`, in steps."""

    shortest: timedelta
    longest: timedelta
    step: timedelta

    @staticmethod
    def of(service: ServiceInfo) -> "Lengths":
        """Return the lengths of a service; one that is not flexible has only one."""
        longest = service.longest or service.duration
        return Lengths(service.duration, longest, service.duration_step or max(longest - service.duration, _MINUTE))

    def allow(self, length: timedelta) -> bool:
        """Say whether the service may take so long."""
        if not self.shortest <= length <= self.longest:
            return False
        return not (length - self.shortest) % self.step

    def told(self, length: timedelta) -> dict[str, int]:
        """Return the fields of a refusal of `length`."""
        return {
            "minutes": _minutes(length),
            "shortest_minutes": _minutes(self.shortest),
            "longest_minutes": _minutes(self.longest),
            "step_minutes": _minutes(self.step),
        }


@dataclass(frozen=True)
class Facts:
    """What the rules look at. Counts and visits leave out the visit itself and the one it replaces."""

    rules: BookingRules
    now: datetime
    visit: Interval  # when it is to be
    lengths: Lengths | None = None
    is_offered: bool = True
    is_within_hours: bool = True
    needs_place: bool = False  # given at home, and nobody knows where
    practitioners_are_full: bool = False  # each who could give it has enough for that day
    patient_is_blocked: bool = False
    prior_visit: PriorVisit | None = None  # who must have seen the patient before
    practitioner_ids: tuple[str, ...] = ()  # with one of whom it is to be
    seen: tuple[str, ...] | None = (
        None  # the practitioners who saw the patient, the last one first; None: nobody knows yet
    )
    patient_visits: tuple[Interval, ...] = ()  # those that day, and any that overlap
    patient_visits_that_day: int = 0
    stands_at: datetime | None = None  # when the visit starts that is to be moved or cancelled
    times_moved: int = 0
    is_overriding: bool = False  # staff decide, and say why: what may be set aside is
    waived: tuple[str, ...] = ()  # codes of the rules that staff set aside for this visit before


class Concern(StrEnum):
    """What a rule is about: the time whoever comes, the patient, or that a visit may be changed, or moved."""

    TIME = "time"
    PATIENT = "patient"
    CHANGE = "change"
    MOVE = "move"


@dataclass(frozen=True)
class Rule:
    """One rule: `refusal_of` says no, or nothing. `may_be_overridden`: staff may set it aside, which the visit then tells."""

    code: str
    concern: Concern
    refusal_of: Callable[[Facts], Refused | None]
    may_be_overridden: bool


def earliest_start(rules: BookingRules, now: datetime) -> datetime:
    """Return the first instant a visit may start at."""
    return now + rules.minimum_notice


def latest_start(rules: BookingRules, now: datetime) -> datetime:
    """Return the last instant a visit may start at."""
    return now + rules.maximum_advance


def is_full(rules: BookingRules, visits_that_day: int) -> bool:
    """Say whether a practitioner with so many visits on a day takes no more on it."""
    return rules.max_per_practitioner_per_day is not None and visits_that_day >= rules.max_per_practitioner_per_day


def broken(facts: Facts, *concerns: Concern) -> tuple[Refused, ...]:
    """Return what each rule that says no says, in the order of the table: of all rules, or of those with these concerns."""
    asked = [rule for rule in RULES if not concerns or rule.concern in concerns]
    return tuple(refusal for rule in asked if (refusal := rule.refusal_of(facts)) is not None)


def check_booking(facts: Facts) -> tuple[str, ...]:
    """Raise what the rules say against booking: the first refusal, with the others as its `also`.

    Where staff decide (`is_overriding`), rules that may be set aside are, and their codes returned. What they set aside for
    this visit before (`waived`) stays so.
    """
    return _settled(facts, Concern.TIME, Concern.PATIENT)


def check_patient(facts: Facts) -> tuple[str, ...]:
    """As `check_booking`, but only what concerns the patient: what is left to ask when the time is theirs already."""
    return _settled(facts, Concern.PATIENT)


def check_cancel(facts: Facts) -> None:
    """Raise AlreadyOver or TooLateToChange if a patient may not cancel the visit any more. For staff there is no such rule."""
    _settled(facts, Concern.CHANGE)


def check_move(facts: Facts) -> None:
    """Raise AlreadyOver, TooLateToChange or TooManyMoves if a patient may not move the visit. For staff there is no such rule."""
    _settled(facts, Concern.CHANGE, Concern.MOVE)


def _settled(facts: Facts, *concerns: Concern) -> tuple[str, ...]:
    refusals = tuple(refusal for refusal in broken(facts, *concerns) if refusal.code not in facts.waived)
    if facts.is_overriding:
        # What nobody may set aside is told first: that is what staff can do nothing about.
        firm = tuple(refusal for refusal in refusals if refusal.code not in OVERRIDABLE)
        if not firm:
            return tuple(refusal.code for refusal in refusals)
        refusals = (*firm, *(refusal for refusal in refusals if refusal.code in OVERRIDABLE))
    if refusals:
        first, *others = refusals
        first.also = tuple(others)
        raise first
    return ()


def _in_the_past(facts: Facts) -> Refused | None:
    return InThePast(starts_at=_iso(facts.visit.start)) if facts.visit.start < facts.now else None


def _too_soon(facts: Facts) -> Refused | None:
    earliest = earliest_start(facts.rules, facts.now)
    if facts.visit.start >= earliest or facts.visit.start < facts.now:
        return None
    return TooSoon(earliest_at=_iso(earliest), notice_minutes=_minutes(facts.rules.minimum_notice))


def _too_far(facts: Facts) -> Refused | None:
    latest = latest_start(facts.rules, facts.now)
    if facts.visit.start <= latest:
        return None
    return TooFar(latest_at=_iso(latest), days=facts.rules.maximum_advance.days)


def _invalid_duration(facts: Facts) -> Refused | None:
    lengths = facts.lengths
    if lengths is None or lengths.allow(facts.visit.duration):
        return None
    return InvalidDuration(**lengths.told(facts.visit.duration))


def _not_offered(facts: Facts) -> Refused | None:
    return None if facts.is_offered else NotOffered()


def _outside_hours(facts: Facts) -> Refused | None:
    # Where nobody gives the service at all, nobody asks when they are there.
    if facts.is_within_hours or not (facts.is_offered or facts.practitioner_ids):
        return None
    return OutsideHours(starts_at=_iso(facts.visit.start))


def _place_needed(facts: Facts) -> Refused | None:
    return PlaceNeeded() if facts.needs_place else None


def _practitioner_daily_maximum(facts: Facts) -> Refused | None:
    if not facts.practitioners_are_full:
        return None
    return PractitionerDailyMaximum(maximum=facts.rules.max_per_practitioner_per_day)


def _patient_blocked(facts: Facts) -> Refused | None:
    return PatientBlocked() if facts.patient_is_blocked else None


def _prior_visit_needed(facts: Facts) -> Refused | None:
    if facts.prior_visit is None or facts.seen is None:
        return None
    by_the_same = facts.prior_visit is PriorVisit.PRACTITIONER
    is_met = bool(set(facts.seen).intersection(facts.practitioner_ids)) if by_the_same else bool(facts.seen)
    return None if is_met else PriorVisitNeeded(seen_by=str(facts.prior_visit))


def _patient_overlap(facts: Facts) -> Refused | None:
    overlaps = any(facts.visit.overlaps(other) for other in facts.patient_visits)
    return PatientOverlap(starts_at=_iso(facts.visit.start)) if overlaps else None


def _patient_daily_maximum(facts: Facts) -> Refused | None:
    maximum = facts.rules.max_per_patient_per_day
    if maximum is None or facts.patient_visits_that_day < maximum:
        return None
    return PatientDailyMaximum(maximum=maximum)


def _already_over(facts: Facts) -> Refused | None:
    if facts.stands_at is None or facts.stands_at > facts.now:
        return None
    return AlreadyOver(starts_at=_iso(facts.stands_at))


def _too_late_to_change(facts: Facts) -> Refused | None:
    if facts.stands_at is None or facts.stands_at <= facts.now:
        return None
    if facts.stands_at - facts.now >= facts.rules.cancel_notice:
        return None
    return TooLateToChange(notice_minutes=_minutes(facts.rules.cancel_notice))


def _too_many_moves(facts: Facts) -> Refused | None:
    maximum = facts.rules.max_moves
    if maximum is None or facts.times_moved < maximum:
        return None
    return TooManyMoves(maximum=maximum)


RULES: tuple[Rule, ...] = (
    Rule(InThePast.code, Concern.TIME, _in_the_past, may_be_overridden=True),
    Rule(TooSoon.code, Concern.TIME, _too_soon, may_be_overridden=True),
    Rule(TooFar.code, Concern.TIME, _too_far, may_be_overridden=True),
    Rule(InvalidDuration.code, Concern.TIME, _invalid_duration, may_be_overridden=True),
    Rule(NotOffered.code, Concern.TIME, _not_offered, may_be_overridden=True),
    Rule(OutsideHours.code, Concern.TIME, _outside_hours, may_be_overridden=True),
    # Without a place nobody can say how long the way there is.
    Rule(PlaceNeeded.code, Concern.TIME, _place_needed, may_be_overridden=False),
    Rule(PractitionerDailyMaximum.code, Concern.TIME, _practitioner_daily_maximum, may_be_overridden=True),
    Rule(PatientBlocked.code, Concern.PATIENT, _patient_blocked, may_be_overridden=True),
    Rule(PriorVisitNeeded.code, Concern.PATIENT, _prior_visit_needed, may_be_overridden=True),
    # Nobody is in two places, whoever decides.
    Rule(PatientOverlap.code, Concern.PATIENT, _patient_overlap, may_be_overridden=False),
    Rule(PatientDailyMaximum.code, Concern.PATIENT, _patient_daily_maximum, may_be_overridden=True),
    # These bind patients only. Staff move and cancel what they must.
    Rule(AlreadyOver.code, Concern.CHANGE, _already_over, may_be_overridden=True),
    Rule(TooLateToChange.code, Concern.CHANGE, _too_late_to_change, may_be_overridden=True),
    Rule(TooManyMoves.code, Concern.MOVE, _too_many_moves, may_be_overridden=True),
)
"""Every rule there is, in the order in which they are told."""

OVERRIDABLE = frozenset(rule.code for rule in RULES if rule.may_be_overridden)

_MINUTE = timedelta(minutes=1)


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()


def _minutes(length: timedelta) -> int:
    return round(length.total_seconds() / 60)
