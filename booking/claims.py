"""Take the time of one visit: choose who and which rooms inside the lock, and claim it.

Shared by everything that makes less time available (hold, confirm, reschedule, import), so that there is one order of
locking: Patient, Appointment, Schedules.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from booking import elsewhere, guard, taken
from booking.availability import Busy, Wanted, can_start, free_resources, is_clear, starts_without_resources
from booking.choice import NO_WISH, Choice, Load, Wish, best, head_starts_of, newcomers
from booking.guard import Claim, ScheduleBusy, SlotTaken
from booking.loads import local_day, read_loads, window_around
from booking.model.appointment import Allocation
from booking.rules import PractitionerDailyMaximum, is_full
from booking.taken import Sought
from booking.travel import addresses
from booking.values import BookingRules, Mode, PractitionerInfo, ResourceInfo
from kernel.db import NewRow, Ready, table_of
from kernel.interval import Interval, subtracted
from kernel.work import UnitOfWork


@dataclass(frozen=True)
class Need:
    """A visit that needs time: what, when, with one of whom.

    `ours` are Appointments whose time is not an obstacle: the visit itself, and the one it replaces. `is_overriding`: staff
    set working hours and daily maxima aside. What is taken stays taken.
    """

    wanted: Wanted
    starts_at: datetime
    candidates: Sequence[PractitionerInfo]
    seen_before: Sequence[str] = ()
    ours: tuple[str, ...] = ()
    wish: Wish = NO_WISH
    is_overriding: bool = False

    @property
    def time(self) -> Interval:
        """The time it takes in each diary, buffers included."""
        return self.wanted.claim(self.starts_at)

    @property
    def rules(self) -> BookingRules:
        return self.wanted.rules

    def travels(self, practitioner: PractitionerInfo) -> bool:
        """Say whether the practitioner's visits take place at several addresses."""
        catalogue = self.wanted.catalogue
        where = {hours.location_id for hours in practitioner.hours}
        where |= {hours.location_id for hours in practitioner.dated if hours.location_id is not None}
        places = {catalogue.location(location_id).place for location_id in where}
        at_home = any(one.mode is Mode.HOME and one.id in practitioner.service_ids for one in catalogue.services)
        return at_home or len(places) > 1


@dataclass(frozen=True)
class Taken:
    """Who and which rooms a visit got, and the codes of the rules set aside for it."""

    choice: Choice
    resources: tuple[ResourceInfo, ...]
    overridden: tuple[str, ...] = ()

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
    rows: Callable[[Taken], Sequence[NewRow]] | None = None,
    given: Sequence[Claim] = (),
    met: taken.InTheWay | None = None,
) -> Taken:
    """Take time for `need`. `rows` is called with what is to be taken, and returns what is to be written before it.

    `given`: time that is ours already and need not be claimed. `met`: what is in the way of `sought`, if that was read.
    To be called in `guard.all_or_nothing`. Raises SlotTaken, PractitionerDailyMaximum if nobody else is free, CalendarUnread.
    """
    catalogue = need.wanted.catalogue
    need = replace(need, candidates=elsewhere.not_unread(work, need.candidates))
    schedule_ids = need.wanted.schedule_ids(need.candidates)
    if _counts_decide(need):
        # Before the Schedules are locked: who confirms such a Hold has locked it first, too.
        if met is None or met.has_lapsed:
            guard.drop_expired_holds(work, schedule_ids=schedule_ids, within=need.time, now=now)
        _lock_unless_taken(work, need, schedule_ids=schedule_ids, now=now)
        there = _look(work.session, need, schedule_ids=schedule_ids, now=now)
    else:
        there = met or _look(work.session, need, schedule_ids=schedule_ids, now=now)
        if there.has_lapsed:
            guard.drop_expired_holds(work, schedule_ids=schedule_ids, within=need.time, now=now)
    # Somebody else may claim between our look and our claim; then one candidate or room less is free at the next look.
    for left in reversed(range(len(schedule_ids))):
        chosen = _choose(work.session, need, there.busy, now=now)
        elsewhere.look_there(work, catalogue, chosen.choice.practitioner)
        claims = _without(chosen.claims(need.time), given)
        try:
            # The last try is undone by the caller's block, as everything is.
            with guard.all_or_nothing(work) if left else nullcontext():
                before = () if rows is None else rows(chosen)
                guard.put_in(work, appointment_id=appointment_id, claims=claims, after=before)
        except SlotTaken:
            if not left:
                raise
            there = _look(work.session, need, schedule_ids=schedule_ids, now=now)
        else:
            return chosen
    raise SlotTaken


def sought(
    wanted: Wanted, candidates: Sequence[PractitionerInfo], *, starts_at: datetime, ours: Sequence[str]
) -> Sought:
    """Return what can be looked for before it is known whether the rules allow the visit.

    Where nothing is counted the claim decides, whatever was seen before it. Where something is, the look tells at least
    whether Holds ran out there.
    """
    return Sought(wanted.schedule_ids(candidates), wanted.claim(starts_at), ours, addresses(wanted.catalogue))


def claims_of(session: Session, *, appointment_id: str) -> list[Claim]:
    """Return the time that the Appointment has."""
    rows = _CLAIMS.rows(session, {"appointment_id": appointment_id})
    return [Claim(schedule_id, Interval(starts_at, ends_at)) for schedule_id, starts_at, ends_at in rows]


_TAKEN = table_of(Allocation).c
_CLAIMS = Ready(
    select(_TAKEN.schedule_id, _TAKEN.starts_at, _TAKEN.ends_at).where(
        _TAKEN.appointment_id == bindparam("appointment_id"), _TAKEN.live
    )
)


def _counts_decide(need: Need) -> bool:
    """Say whether more matters than what the database refuses: how many visits others have, or the way between two.

    Which room it is does not, so that needs no lock.
    """
    if len(need.candidates) > 1 or need.rules.max_per_practitioner_per_day is not None:
        return True
    return need.wanted.address is not None and any(map(need.travels, need.candidates))


def _lock_unless_taken(work: UnitOfWork, need: Need, *, schedule_ids: set[str], now: datetime) -> None:
    """Lock the Schedules. Raises SlotTaken without a wait, or after one that was too long, if nobody is free by then.

    When hundreds want the same time most of them need not queue for a lock to learn that it is gone.
    """
    if len(schedule_ids) == 1 and guard.lock_if_free(work, schedule_id=next(iter(schedule_ids))):
        return
    _free(need, _look(work.session, need, schedule_ids=schedule_ids, now=now).busy)
    try:
        with guard.all_or_nothing(work):
            guard.lock_schedules(work, schedule_ids=schedule_ids)
    except ScheduleBusy:
        _free(need, _look(work.session, need, schedule_ids=schedule_ids, now=now).busy)
        raise


def _look(session: Session, need: Need, *, schedule_ids: set[str], now: datetime) -> taken.InTheWay:
    where = addresses(need.wanted.catalogue)
    return taken.in_the_way(session, Sought(schedule_ids, need.time, need.ours, where), now=now)


def _free(need: Need, busy: Busy) -> tuple[list[PractitionerInfo], tuple[ResourceInfo, ...]]:
    """Return who is free, and which rooms. Raises SlotTaken if somebody or something is lacking."""
    free = _clear(need, busy) if need.is_overriding else _able(need, busy)
    resources = free_resources(need.wanted, starts_at=need.starts_at, busy=busy)
    if not free or resources is None:
        raise SlotTaken
    return free, tuple(resources)


def _clear(need: Need, busy: Busy) -> list[PractitionerInfo]:
    return [one for one in need.candidates if is_clear(need.wanted, one, starts_at=need.starts_at, busy=busy)]


def _able(need: Need, busy: Busy) -> list[PractitionerInfo]:
    moment = Interval(need.starts_at, need.starts_at + timedelta(seconds=1))
    missing = starts_without_resources(need.wanted, span=moment, busy=busy)
    return [
        practitioner
        for practitioner in need.candidates
        if can_start(need.wanted, practitioner, starts_at=need.starts_at, busy=busy, missing=missing)
    ]


def _choose(session: Session, need: Need, busy: Busy, *, now: datetime) -> Taken:
    free, resources = _free(need, busy)
    if not _counts_decide(need):
        return Taken(best(free, candidates=1), resources)
    loads, head_starts = _loads(session, need, now=now)
    open_to = [one for one in free if not is_full(need.rules, loads[one.id].that_day)]
    overridden: tuple[str, ...] = ()
    if not open_to:
        if not need.is_overriding:
            raise PractitionerDailyMaximum(maximum=need.rules.max_per_practitioner_per_day)
        open_to, overridden = free, (PractitionerDailyMaximum.code,)
    choice = best(
        open_to,
        candidates=len(need.candidates),
        wish=need.wish,
        seen_before=need.seen_before,
        loads=loads,
        head_starts=head_starts,
    )
    return Taken(choice, resources, overridden)


def _loads(session: Session, need: Need, *, now: datetime) -> tuple[dict[str, Load], dict[str, float]]:
    """Return what all candidates have to do, whoever is free, and what newcomers among them are credited with."""
    zone = need.wanted.location.zone
    day = local_day(need.starts_at, zone)
    # With nobody to choose from only the daily maximum is asked for.
    window = day if len(need.candidates) == 1 else window_around(day, reach=need.rules.fairness_window)
    joined = newcomers(need.candidates, first_day=window.start.astimezone(zone).date())
    loads = read_loads(
        session,
        practitioner_ids=[one.id for one in need.candidates],
        day=day,
        window=window,
        joined=joined,
        zone=zone,
        now=now,
        ignoring=need.ours,
    )
    return loads, head_starts_of(loads, joined=joined)


def _without(claims: Sequence[Claim], given: Sequence[Claim]) -> list[Claim]:
    return [
        Claim(claim.schedule_id, piece)
        for claim in claims
        for piece in subtracted([claim.time], [one.time for one in given if one.schedule_id == claim.schedule_id])
    ]
