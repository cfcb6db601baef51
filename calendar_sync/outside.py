"""What somebody did to a visit in the calendar: followed in the diary or not, as the clinic's policy says; staff are told."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import assert_never

from booking import guard, ledger
from booking.cancel import cancel_appointment
from booking.hold import place_hold
from booking.model.appointment import Appointment
from booking.reschedule import reschedule
from booking.rules import PatientBlocked, PatientDailyMaximum, PriorVisitNeeded, TooFar, TooSoon
from booking.task_words import TaskDetails, TaskSays
from booking.values import AppointmentStatus, BookedVisit, Catalogue, Outside, Source
from calendar_sync.history import note_action, tell_staff
from calendar_sync.model import CalendarLink
from calendar_sync.plan import Finding, There
from calendar_sync.wanted import was_booked_there
from kernel.errors import Refused
from kernel.interval import Interval
from kernel.work import UnitOfWork

_REASON = "in the calendar"
# How far ahead, and whom the clinic takes, was settled when the visit was booked, or is for those it employs to decide.
_WAIVED = frozenset(rule.code for rule in (PatientBlocked, PatientDailyMaximum, PriorVisitNeeded, TooFar, TooSoon))


class NotForCalendars(Refused):
    """A group's session, or a visit that waits for staff, is not moved from a calendar."""

    code = "not-for-calendars"


@dataclass(frozen=True)
class Deed:
    """What somebody did to a visit in the calendar of a link."""

    finding: Finding
    theirs: There
    link: CalendarLink
    appointment: Appointment

    @property
    def actor(self) -> str:
        """Who did it, as written into histories."""
        return f"calendar:{self.link.id}"

    @property
    def is_by_the_patient(self) -> bool:
        """Say whether the visit was booked where this was done: then it is its booker who did it, or somebody they know of."""
        return was_booked_there(self.link, self.appointment)

    @property
    def to(self) -> Interval | None:
        """When the visit is in the calendar now."""
        entry = self.theirs.entry
        return Interval(entry.starts_at, entry.ends_at) if entry and entry.starts_at < entry.ends_at else None


def answer(work: UnitOfWork, catalogue: Catalogue, deed: Deed, *, now: datetime) -> bool:
    """Do the same in the diary if the policy wants that and nothing speaks against it, and say whether that was done.

    If not, the calendar is to be put right. Locks as `reschedule`. Raises ScheduleBusy.
    """
    policy, details = catalogue.calendars, _before(catalogue, deed)
    follows, refusal = False, None
    match deed.finding:
        case Finding.MOVED:
            follows = deed.is_by_the_patient or policy.moved_outside is Outside.FOLLOW
            refusal = _follow_move(work, catalogue, deed, now=now) if follows else None
            did, did_not = TaskSays.MOVED_THERE, TaskSays.MOVE_PUT_RIGHT
        case Finding.DELETED:
            follows = deed.is_by_the_patient or policy.deleted_outside is Outside.FOLLOW
            refusal = _follow_deletion(work, catalogue, deed, now=now) if follows else None
            did, did_not = TaskSays.DELETED_THERE, TaskSays.DELETION_PUT_BACK
        case Finding.UNREADABLE:
            did = did_not = TaskSays.UNREADABLE_THERE
        case Finding.CONFLICT:
            did = did_not = TaskSays.CHANGED_BOTH
        case _:
            assert_never(deed.finding)
    is_done = follows and refusal is None
    told = {**details, "why_refused": refusal.code if refusal else None}
    says = did if is_done else did_not
    tell_staff(work, catalogue, deed.appointment, link=deed.link, says=says, details=told, now=now)
    if is_done:
        note_action(
            work,
            link_id=deed.link.id,
            action=deed.finding.value,
            outcome="followed",
            appointment_id=deed.appointment.id,
            now=now,
            actor=deed.actor,
        )
    return is_done


def _before(catalogue: Catalogue, deed: Deed) -> TaskDetails:
    """Return when the visit was, before anything is followed, and when it is in the calendar, by the clock of its place."""
    zone = catalogue.location(deed.appointment.location_id).zone
    details: TaskDetails = {"visit_at": deed.appointment.starts_at.astimezone(zone)}
    if deed.finding is Finding.MOVED and deed.to is not None:
        details = {**details, "to_at": deed.to.start.astimezone(zone), "to_clock": deed.to.end.astimezone(zone)}
    return details


def _follow_move(work: UnitOfWork, catalogue: Catalogue, deed: Deed, *, now: datetime) -> Refused | None:
    """Move the visit to where it stands in the calendar, or return what speaks against it: then nothing was changed.

    Time that is taken, hours and lengths hold for everybody; notice does not.
    """
    visit = ledger.read(work.session, appointment_id=deed.appointment.id).visit
    is_single = catalogue.service(visit.service_id).group is None
    if deed.to is None or visit.status is not AppointmentStatus.BOOKED or not is_single:
        return NotForCalendars()
    move = partial(_try_to_move, work, catalogue, visit, to=deed.to, now=now, actor=deed.actor)
    refusal = move(override_reason=None)
    if refusal is not None and {one.code for one in (refusal, *refusal.also)} <= _WAIVED:
        refusal = move(override_reason=_REASON)
    if refusal is None:
        work.session.refresh(deed.appointment)
    return refusal


def _follow_deletion(work: UnitOfWork, catalogue: Catalogue, deed: Deed, *, now: datetime) -> Refused | None:
    """Cancel the visit, or return what speaks against it."""
    try:
        cancel_appointment(
            work,
            catalogue,
            appointment_id=deed.appointment.id,
            reason=_REASON,
            now=now,
            actor=deed.actor,
            source=Source.CALENDAR,
        )
    except Refused as refusal:
        return refusal
    work.session.refresh(deed.appointment)
    return None


def _try_to_move(
    work: UnitOfWork,
    catalogue: Catalogue,
    visit: BookedVisit,
    *,
    to: Interval,
    now: datetime,
    actor: str,
    override_reason: str | None,
) -> Refused | None:
    try:
        with guard.all_or_nothing(work):
            hold = place_hold(
                work,
                catalogue,
                service_id=visit.service_id,
                location_id=visit.location_id,
                starts_at=to.start,
                practitioner_ids=(visit.practitioner_id,),
                conversation_id=None,
                patient_id=visit.patient_id,
                source=Source.CALENDAR,
                now=now,
                replaces_appointment_id=visit.id,
                duration=to.duration,
                place=visit.place,
                bundle_id=visit.bundle_id,
                actor=actor,
                override_reason=override_reason,
            )
            reschedule(
                work,
                catalogue,
                appointment_id=visit.id,
                hold_id=hold.id,
                now=now,
                actor=actor,
                source=Source.CALENDAR,
                override_reason=override_reason,
            )
    except Refused as refusal:
        return refusal
    return None
