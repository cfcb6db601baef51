"""Take the time of one visit: choose who and which rooms inside the lock, and claim it.

Shared by everything that makes less time available (hold, confirm, reschedule, import), so that there is one order of
locking: Patient, Appointment, Schedules.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import guard, taken
from booking.availability import Busy, Wanted, can_start, free_resources, starts_without_resources
from booking.choice import Choice, best
from booking.guard import Claim, ScheduleBusy, SlotTaken
from booking.model.appointment import Allocation
from booking.rules import PractitionerDailyMaximum, is_full
from booking.values import PractitionerInfo, ResourceInfo
from kernel.interval import Interval, day_interval, subtracted
from kernel.work import UnitOfWork


@dataclass(frozen=True)
class Need:
    """A visit that needs time: what, when, with one of whom.

    `ours` are Appointments whose time is not an obstacle: the visit itself, and the one it replaces.
    """

    wanted: Wanted
    starts_at: datetime
    candidates: Sequence[PractitionerInfo]
    seen_before_id: str | None = None
    ours: tuple[str, ...] = ()

    @property
    def time(self) -> Interval:
        """The time it takes in each diary, buffers included."""
        return self.wanted.claim(self.starts_at)

    @property
    def day(self) -> Interval:
        zone = self.wanted.location.zone
        return day_interval(self.starts_at.astimezone(zone).date(), zone)


@dataclass(frozen=True)
class Taken:
    """Who and which rooms a visit got."""

    choice: Choice
    resources: tuple[ResourceInfo, ...]

    def claims(self, time: Interval) -> list[Claim]:
        """Return the claims on `time` in each of their diaries."""
        schedule_ids = [self.choice.practitioner.schedule_id, *(resource.schedule_id for resource in self.resources)]
        return [Claim(schedule_id, time) for schedule_id in schedule_ids]


def take(
    work: UnitOfWork,
    need: Need,
    *,
    now: datetime,
    appointment_id: str,
    store: Callable[[Taken], None],
    given: Sequence[Claim] = (),
) -> Taken:
    """Take time for `need`, and call `store` with what was taken to write the Appointment's row.

    `given`: time that is ours already and need not be claimed. To be called in `guard.all_or_nothing`. Raises SlotTaken, or
    PractitionerDailyMaximum if nobody else is free.
    """
    schedule_ids = need.wanted.schedule_ids(need.candidates)
    if _counts_decide(need):
        _lock_unless_taken(work, need, schedule_ids=schedule_ids, now=now)
    guard.drop_expired_holds(work, schedule_ids=schedule_ids, within=need.time, now=now)
    # Somebody else may claim between our look and our claim; then one candidate or room less is free at the next look.
    for _ in schedule_ids:
        chosen = _choose(work.session, need, schedule_ids=schedule_ids, now=now)
        try:
            with guard.all_or_nothing(work):
                store(chosen)
                claims = _without(chosen.claims(need.time), given)
                guard.claim(work, appointment_id=appointment_id, claims=claims)
        except SlotTaken:
            continue
        return chosen
    raise SlotTaken


def claims_of(session: Session, *, appointment_id: str) -> list[Claim]:
    """Return the time that the Appointment has."""
    rows = session.execute(
        select(Allocation.schedule_id, Allocation.starts_at, Allocation.ends_at).where(
            Allocation.appointment_id == appointment_id, Allocation.live
        )
    )
    return [Claim(schedule_id, Interval(starts_at, ends_at)) for schedule_id, starts_at, ends_at in rows]


def _counts_decide(need: Need) -> bool:
    """Say whether it matters how many visits others have: which room it is does not, so that needs no lock."""
    return len(need.candidates) > 1 or need.wanted.catalogue.rules.max_per_practitioner_per_day is not None


def _lock_unless_taken(work: UnitOfWork, need: Need, *, schedule_ids: set[str], now: datetime) -> None:
    """Lock the Schedules. Raises SlotTaken without a wait, or after one that was too long, if nobody is free by then.

    When hundreds want the same time most of them need not queue for a lock to learn that it is gone.
    """
    _choose(work.session, need, schedule_ids=schedule_ids, now=now)
    try:
        with guard.all_or_nothing(work):
            guard.lock_schedules(work, schedule_ids=schedule_ids)
    except ScheduleBusy:
        _choose(work.session, need, schedule_ids=schedule_ids, now=now)
        raise


def _choose(session: Session, need: Need, *, schedule_ids: set[str], now: datetime) -> Taken:
    busy = taken.busy_spans(session, schedule_ids=schedule_ids, within=need.time, now=now, ignoring=need.ours)
    free = _free_candidates(need, busy)
    resources = free_resources(need.wanted, starts_at=need.starts_at, busy=busy)
    if not free or resources is None:
        raise SlotTaken
    rules = need.wanted.catalogue.rules
    loads: Counter[str] = Counter()
    if len(free) > 1 or rules.max_per_practitioner_per_day is not None:
        ids = [practitioner.id for practitioner in free]
        starts = taken.visit_starts(session, practitioner_ids=ids, within=need.day, now=now, ignoring=need.ours)
        loads.update(practitioner_id for practitioner_id, _ in starts)
    open_to = [practitioner for practitioner in free if not is_full(rules, loads[practitioner.id])]
    if not open_to:
        raise PractitionerDailyMaximum(maximum=rules.max_per_practitioner_per_day)
    choice = best(open_to, candidates=len(need.candidates), seen_before_id=need.seen_before_id, visits_that_day=loads)
    return Taken(choice, tuple(resources))


def _free_candidates(need: Need, busy: Busy) -> list[PractitionerInfo]:
    missing = starts_without_resources(need.wanted, busy=busy)
    return [
        practitioner
        for practitioner in need.candidates
        if can_start(need.wanted, practitioner, starts_at=need.starts_at, busy=busy, missing=missing)
    ]


def _without(claims: Sequence[Claim], given: Sequence[Claim]) -> list[Claim]:
    return [
        Claim(claim.schedule_id, piece)
        for claim in claims
        for piece in subtracted([claim.time], [one.time for one in given if one.schedule_id == claim.schedule_id])
    ]
