"""The clinic's rules for booking, moving and cancelling: one small function each, and the refusal it gives.

Pure. `Facts` is everything a rule may look at; whoever gathers them holds the locks that keep counts true. A new rule is a
refusal, a function and a line in a table below.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from booking.values import BookingRules
from kernel.errors import Refused
from kernel.interval import Interval


class TooSoon(Refused):
    """It starts before the clinic's minimum notice is over, or has begun already."""

    code = "too-soon"


class TooFar(Refused):
    """It starts later than the clinic books ahead."""

    code = "too-far"


class OutsideHours(Refused):
    """The location is closed then, or nobody who gives the service works there then, or it is not on the step grid."""

    code = "outside-hours"


class NotOffered(Refused):
    """Nobody of those asked for gives this service at this location."""

    code = "not-offered"


class PatientBlocked(Refused):
    """Staff decided that this patient does not book by themselves."""

    code = "patient-blocked"


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


class AlreadyOver(Refused):
    """The visit has begun or is over."""

    code = "already-over"


@dataclass(frozen=True)
class Facts:
    """What the rules for booking look at. Counts and visits leave out the visit itself and the one it replaces."""

    rules: BookingRules
    now: datetime
    visit: Interval
    is_offered: bool = True
    is_within_hours: bool = True
    patient_is_blocked: bool = False
    patient_visits: tuple[Interval, ...] = ()  # those that day, and any that overlap
    patient_visits_that_day: int = 0


Rule = Callable[[Facts], Refused | None]


def earliest_start(rules: BookingRules, now: datetime) -> datetime:
    """Return the first instant a visit may start at."""
    return now + rules.minimum_notice


def latest_start(rules: BookingRules, now: datetime) -> datetime:
    """Return the last instant a visit may start at."""
    return now + rules.maximum_advance


def check_booking(facts: Facts) -> None:
    """Raise the first refusal that the clinic's rules give for booking."""
    _check(facts, (*TIME_RULES, *PATIENT_RULES))


def check_patient(facts: Facts) -> None:
    """Raise the first refusal that concerns the patient: what is left to ask when the time is theirs already."""
    _check(facts, PATIENT_RULES)


def check_change(rules: BookingRules, *, starts_at: datetime, now: datetime, by_staff: bool) -> None:
    """Raise TooLateToChange or AlreadyOver if the visit at `starts_at` may not be moved or cancelled any more."""
    if by_staff:
        return
    if starts_at <= now:
        raise AlreadyOver(starts_at=_iso(starts_at))
    if starts_at - now < rules.cancel_notice:
        raise TooLateToChange(notice_minutes=_minutes(rules.cancel_notice))


def is_full(rules: BookingRules, visits_that_day: int) -> bool:
    """Say whether a practitioner with so many visits on a day takes no more on it."""
    return rules.max_per_practitioner_per_day is not None and visits_that_day >= rules.max_per_practitioner_per_day


def _too_soon(facts: Facts) -> Refused | None:
    earliest = earliest_start(facts.rules, facts.now)
    if facts.visit.start >= earliest:
        return None
    return TooSoon(earliest_at=_iso(earliest), notice_minutes=_minutes(facts.rules.minimum_notice))


def _too_far(facts: Facts) -> Refused | None:
    latest = latest_start(facts.rules, facts.now)
    if facts.visit.start <= latest:
        return None
    return TooFar(latest_at=_iso(latest), days=facts.rules.maximum_advance.days)


def _not_offered(facts: Facts) -> Refused | None:
    return None if facts.is_offered else NotOffered()


def _outside_hours(facts: Facts) -> Refused | None:
    return None if facts.is_within_hours else OutsideHours(starts_at=_iso(facts.visit.start))


def _patient_blocked(facts: Facts) -> Refused | None:
    return PatientBlocked() if facts.patient_is_blocked else None


def _patient_overlap(facts: Facts) -> Refused | None:
    return PatientOverlap() if _overlaps(facts.visit, facts.patient_visits) else None


def _patient_daily_maximum(facts: Facts) -> Refused | None:
    maximum = facts.rules.max_per_patient_per_day
    if maximum is None or facts.patient_visits_that_day < maximum:
        return None
    return PatientDailyMaximum(maximum=maximum)


TIME_RULES: tuple[Rule, ...] = (_too_soon, _too_far, _not_offered, _outside_hours)
PATIENT_RULES: tuple[Rule, ...] = (_patient_blocked, _patient_overlap, _patient_daily_maximum)


def _check(facts: Facts, rules: Sequence[Rule]) -> None:
    for rule in rules:
        refusal = rule(facts)
        if refusal is not None:
            raise refusal


def _overlaps(visit: Interval, others: Sequence[Interval]) -> bool:
    return any(visit.overlaps(other) for other in others)


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()


def _minutes(length: timedelta) -> int:
    return round(length.total_seconds() / 60)
