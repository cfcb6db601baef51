"""A practitioner is away, for some hours or days: whom that concerns, what they can have instead, and doing it in one step.

All of it is one transaction. The time off and the visits it hits change together, so that nobody sees half of it and a process
that dies leaves nothing to tidy up; done once, doing it again finds nothing left to do. Rows are locked up front in the order
of the house (Patients, Appointments, Schedules, each sorted), and each visit is settled in a savepoint of its own: one that
can't be is left to staff, and the others don't suffer from it.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from booking import guard, ledger, quiet, tasks
from booking.asked import ImplausibleTime, location_asked, people_asked
from booking.availability import Wanted
from booking.cancel import cancel_appointment
from booking.desk.absence import Absence
from booking.desk.absence_rows import write_absence
from booking.desk.alternatives import nearest
from booking.desk.instead import free_instead, lost
from booking.desk.offered_moves import moves_offered_for
from booking.events import MoveOffered
from booking.hold import place_hold, release_one
from booking.model.appointment import Appointment, Bundle
from booking.model.patient import Patient
from booking.reschedule import reschedule
from booking.rules import InThePast
from booking.task_words import TaskDetails, TaskSays
from booking.values import (
    AppointmentStatus,
    BookedVisit,
    BundleKind,
    Catalogue,
    PractitionerInfo,
    Slot,
    Source,
    TaskKind,
)
from kernel.errors import Refused
from kernel.interval import Interval
from kernel.work import UnitOfWork

ALTERNATIVES = 3
_LONGEST = timedelta(days=2 * 366)
_TOGETHER = {BundleKind.PACKAGE, BundleKind.HOUSEHOLD}
_S = AppointmentStatus


class EndBeforeStart(Refused):
    """It ends before it starts, or when it starts."""

    code = "end-before-start"


class Instead(StrEnum):
    """What happens to a visit whose practitioner is away."""

    MOVE = "move"  # to another time or person, and the patient is told
    ASK = "ask"  # another time is kept for the patient, who says yes or no
    CANCEL = "cancel"
    LEAVE = "leave"  # staff talk to the patient


@dataclass(frozen=True)
class Choice:
    """What staff chose for one visit. `slot`: None for the best there is."""

    instead: Instead
    slot: Slot | None = None


class Outcome(StrEnum):
    MOVED = "moved"
    ASKED = "asked"
    CANCELLED = "cancelled"
    LEFT_TO_STAFF = "left-to-staff"  # so chosen, or nothing else is free, or it is no visit of one patient: a task


@dataclass(frozen=True)
class Hit:
    """A visit that can't take place as it is, and what its patient could have instead, the best first."""

    visit: BookedVisit
    alternatives: tuple[Slot, ...]


@dataclass(frozen=True)
class Settled:
    """What became of a visit. `visit` is as it stands now; `hold` keeps another time where the patient was asked."""

    visit: BookedVisit
    outcome: Outcome
    hold: BookedVisit | None = None


def preview_away(
    session: Session, catalogue: Catalogue, *, practitioner_id: str, absence: Absence, now: datetime
) -> list[Hit]:
    """Return whom it concerns if the practitioner is away then, in order of time; changes nothing.

    No two visits are offered the same time first. Visits that have begun, and those whose patients were asked before, are
    left out. Raises UnknownPractitioner, UnknownLocation, EndBeforeStart, ImplausibleTime.
    """
    person = _checked(catalogue, practitioner_id=practitioner_id, absence=absence, now=now)
    asked = {one.visit.id for one in moves_offered_for(session, _of_practitioner(person), now=now)}
    visits = [visit for visit in _visits_hit(session, catalogue, person, absence, now=now) if visit.id not in asked]
    return _with_alternatives(session, _without(catalogue, person, absence), visits, now=now)


def apply_away(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    practitioner_id: str,
    absence: Absence,
    reason: str,
    now: datetime,
    actor: str,
    instead: Instead = Instead.ASK,
    choices: Mapping[str, Choice] = MappingProxyType({}),
) -> list[Settled]:
    """Write the absence and settle every visit it hits: as `choices` say by Appointment id, the others as `instead`.

    A visit whose chosen time has gone gets the next best; where nothing is free staff get a task. Holds of conversations are
    given back. Each patient is told once, `reason` stands in the history. Calling again settles only what has come since: a
    booking made at this very moment by somebody who still took the practitioner for present is found that way.
    Locks the clinic's row, the Patients, the Appointments and the Schedules that the visits may move to. Raises what
    `preview_away` does, and ScheduleBusy.
    """
    person = _checked(catalogue, practitioner_id=practitioner_id, absence=absence, now=now)
    with guard.all_or_nothing(work):
        write_absence(work, catalogue, person, absence)
        left = _without(catalogue, person, absence)
        holds = _holds_hit(work.session, catalogue, person, absence, now=now)
        _lock(work, left, [*_visits_hit(work.session, catalogue, person, absence, now=now), *holds])
        for hold in holds:
            # Who is still talking it over is told that it has gone.
            release_one(work, appointment_id=hold.id, now=now)
        step = _Step(work, left, person, reason, now, actor)
        hits = preview_away(work.session, catalogue, practitioner_id=practitioner_id, absence=absence, now=now)
        return [step.settle(hit, choices.get(hit.visit.id, Choice(instead))) for hit in hits]


@dataclass(frozen=True)
class _Step:
    """What settling one visit works with. `catalogue` is without the practitioner on these days."""

    work: UnitOfWork
    catalogue: Catalogue
    person: PractitionerInfo
    reason: str
    now: datetime
    actor: str

    def settle(self, hit: Hit, choice: Choice) -> Settled:
        settled = self._settled(hit, choice)
        entry = ledger.read_locked(self.work, appointment_id=hit.visit.id)
        ledger.note(
            self.work,
            entry,
            what="practitioner-away",
            actor=self.actor,
            source=Source.STAFF,
            now=self.now,
            after={"practitioner_id": self.person.id, "why": self.reason, "outcome": settled.outcome},
        )
        return settled

    def _settled(self, hit: Hit, choice: Choice) -> Settled:
        if choice.instead is Instead.CANCEL:
            return self._cancelled(hit)
        if choice.instead is Instead.LEAVE:
            return self._left(hit, TaskSays.AWAY_CALL)
        if hit.visit.patient_id is None:
            return self._left(hit)
        slots = hit.alternatives if choice.slot is None else (choice.slot, *hit.alternatives)
        take = self._moved if choice.instead is Instead.MOVE else self._asked
        for slot in dict.fromkeys(slots):
            try:
                with guard.all_or_nothing(self.work):
                    return take(hit, slot)
            except Refused:
                continue  # gone meanwhile, or the patient has another visit then: the next best may do
        return self._left(hit)

    def _cancelled(self, hit: Hit) -> Settled:
        visit = cancel_appointment(
            self.work,
            self.catalogue,
            appointment_id=hit.visit.id,
            reason=self.reason,
            now=self.now,
            actor=self.actor,
            source=Source.STAFF,
        )
        return Settled(visit, Outcome.CANCELLED)

    def _moved(self, hit: Hit, slot: Slot) -> Settled:
        hold = self._held(hit, slot, expires_at=self.now + timedelta(minutes=1))
        visit = reschedule(
            self.work,
            self.catalogue,
            appointment_id=hit.visit.id,
            hold_id=hold.id,
            now=self.now,
            actor=self.actor,
            source=Source.STAFF,
        )
        return Settled(visit, Outcome.MOVED)

    def _asked(self, hit: Hit, slot: Slot) -> Settled:
        told_at = self._told_from(hit.visit)
        rules = self.catalogue.rules_at(slot.location_id)
        expires_at = min(told_at + rules.answer_within, hit.visit.starts_at, slot.starts_at)
        if expires_at <= told_at:
            raise InThePast(starts_at=slot.starts_at.isoformat())  # by the time that they hear of it
        hold = self._held(hit, slot, expires_at=expires_at)
        entry = ledger.read_locked(self.work, appointment_id=hit.visit.id)
        told = MoveOffered(
            occurred_at=self.now,
            clinic_id=entry.clinic_id,
            appointment_id=entry.visit.id,
            revision=entry.revision,
            sequence=entry.visit.sequence,
            hold_id=hold.id,
            expires_at=expires_at,
        )
        self.work.publish(told)
        other = self.catalogue.practitioner(slot.practitioner_id).name
        instead_at = slot.starts_at.astimezone(self.catalogue.location(slot.location_id).zone)
        self._ask_staff(hit, TaskSays.AWAY_ASKED, {"instead_at": instead_at, "other": other})
        return Settled(entry.visit, Outcome.ASKED, hold)

    def _told_from(self, visit: BookedVisit) -> datetime:
        """Return when the patient hears that another time is kept: from then on they have time to answer."""
        zone, hours = self.catalogue.location(visit.location_id).zone, self.catalogue.messages.sent_between
        return quiet.told_from(self.now, zone=zone, hours=hours, starts_at=visit.starts_at)

    def _left(self, hit: Hit, says: TaskSays = TaskSays.AWAY_NOTHING_FREE) -> Settled:
        self._ask_staff(hit, says)
        return Settled(hit.visit, Outcome.LEFT_TO_STAFF)

    def _held(self, hit: Hit, slot: Slot, *, expires_at: datetime) -> BookedVisit:
        flexible = self.catalogue.service(hit.visit.service_id).longest is not None
        return place_hold(
            self.work,
            self.catalogue,
            service_id=hit.visit.service_id,
            location_id=slot.location_id,
            starts_at=slot.starts_at,
            practitioner_ids=(slot.practitioner_id,),
            conversation_id=None,
            patient_id=hit.visit.patient_id,
            source=Source.STAFF,
            now=self.now,
            replaces_appointment_id=hit.visit.id,
            duration=hit.visit.ends_at - hit.visit.starts_at if flexible else None,
            place=hit.visit.place,
            expires_at=expires_at,
            actor=self.actor,
        )

    def _ask_staff(self, hit: Hit, says: TaskSays, details: TaskDetails = MappingProxyType({})) -> None:
        visit = hit.visit
        zone = self.catalogue.location(visit.location_id).zone
        tasks.open_task(
            self.work,
            clinic_id=self.catalogue.clinic_id,
            kind=TaskKind.CALL_BACK,
            says=says,
            details={
                "practitioner": self.person.name,
                "service": self.catalogue.service(visit.service_id).name,
                "visit_at": visit.starts_at.astimezone(zone),
                **details,
            },
            now=self.now,
            patient_id=visit.patient_id,
            appointment_id=visit.id,
            subject=tasks.subject_of(tasks.About.AWAY, visit.id),
        )


def _checked(catalogue: Catalogue, *, practitioner_id: str, absence: Absence, now: datetime) -> PractitionerInfo:
    person = people_asked(catalogue, (practitioner_id,))[0]
    days = absence.days
    if days.location_id is not None:
        location_asked(catalogue, days.location_id)
    if absence.ends <= absence.begins:
        raise EndBeforeStart(starts_on=days.first.isoformat(), ends_on=days.end.isoformat())
    if days.end - days.first > _LONGEST or abs(days.first - now.date()) > 5 * _LONGEST:
        raise ImplausibleTime(at=days.first.isoformat())
    return person


def _without(catalogue: Catalogue, person: PractitionerInfo, absence: Absence) -> Catalogue:
    """Return the catalogue as it is with the absence."""
    away = absence.without(person)
    people = tuple(away if one.id == person.id else one for one in catalogue.practitioners)
    return dataclasses.replace(catalogue, practitioners=people, _by_id={})


def _visits_hit(
    session: Session, catalogue: Catalogue, person: PractitionerInfo, absence: Absence, *, now: datetime
) -> list[BookedVisit]:
    stands = or_(
        Appointment.status == _S.BOOKED,
        and_(Appointment.status == _S.PENDING, Appointment.hold_expires_at.is_(None)),
    )
    return _within(session, catalogue, person, absence, stands, now=now)


def _holds_hit(
    session: Session, catalogue: Catalogue, person: PractitionerInfo, absence: Absence, *, now: datetime
) -> list[BookedVisit]:
    held = and_(Appointment.status == _S.PENDING, Appointment.hold_expires_at.is_not(None))
    return _within(session, catalogue, person, absence, held, now=now)


def _within(
    session: Session,
    catalogue: Catalogue,
    person: PractitionerInfo,
    absence: Absence,
    condition: ColumnElement[bool],
    *,
    now: datetime,
) -> list[BookedVisit]:
    """Return what the practitioner has then, by the clocks of each Location, and has not begun."""
    outside = timedelta(days=2)  # wider than any zone is from UTC; the exact time is taken from what is found
    statement = (
        ledger.entries()
        .where(
            _of_practitioner(person),
            condition,
            Appointment.starts_at > now,
            Appointment.starts_at < _noon(absence.days.end) + outside,
            Appointment.ends_at > _noon(absence.days.first) - outside,
        )
        .order_by(Appointment.starts_at, Appointment.id)
    )
    found = [ledger.entry_of(row).visit for row in session.execute(statement)]
    return [visit for visit in found if _is_hit(catalogue, visit, absence)]


def _noon(day: date) -> datetime:
    return datetime.fromisoformat(f"{day.isoformat()}T12:00:00+00:00")


def _is_hit(catalogue: Catalogue, visit: BookedVisit, absence: Absence) -> bool:
    if absence.days.location_id not in {None, visit.location_id}:
        return False
    away = absence.interval(catalogue.location(visit.location_id).zone)
    return away is not None and away.overlaps(Interval(visit.starts_at, visit.ends_at))


def _of_practitioner(person: PractitionerInfo) -> ColumnElement[bool]:
    return Appointment.practitioner_id == person.id


def _with_alternatives(
    session: Session, catalogue: Catalogue, visits: Sequence[BookedVisit], *, now: datetime
) -> list[Hit]:
    together = _bundles_that_come_together(session, visits)
    hits: list[Hit] = []
    promised: list[Slot] = []
    for visit in visits:
        free = free_instead(session, catalogue, visit=visit, replaces=True, now=now)
        if visit.bundle_id in together or visit.patient_id is None:
            free = [slot for slot in free if slot.starts_at == visit.starts_at]
        free = [slot for slot in free if not any(_clash(slot, other) for other in promised)]
        best = nearest(free, to=lost(catalogue, visit), limit=ALTERNATIVES)
        promised.extend(best[:1])
        hits.append(Hit(visit, best))
    return hits


def _bundles_that_come_together(session: Session, visits: Sequence[BookedVisit]) -> set[str | None]:
    """Return the bundles whose parts can't be moved to another time alone. One statement."""
    ids = {visit.bundle_id for visit in visits if visit.bundle_id is not None}
    rows = session.scalars(select(Bundle.id).where(Bundle.id.in_(ids), Bundle.kind.in_(_TOGETHER)))
    return set(rows)


def _clash(slot: Slot, other: Slot) -> bool:
    same = slot.practitioner_id == other.practitioner_id
    return same and slot.starts_at < other.ends_at and other.starts_at < slot.ends_at


def _lock(work: UnitOfWork, catalogue: Catalogue, visits: Sequence[BookedVisit]) -> None:
    """Lock what is about to change, in the order of the house."""
    patient_ids = {str(visit.patient_id) for visit in visits if visit.patient_id is not None}
    _lock_rows(work, Patient, patient_ids)
    _lock_rows(work, Appointment, {str(visit.id) for visit in visits})
    schedule_ids = {each for visit in visits for each in _schedules(catalogue, visit)}
    guard.lock_schedules(work, schedule_ids=schedule_ids)


def _lock_rows(work: UnitOfWork, rows: type[Patient] | type[Appointment], ids: set[str]) -> None:
    work.session.execute(
        select(rows.id).where(rows.id.in_(sorted(ids))).order_by(rows.id).with_for_update(key_share=True)
    ).all()


def _schedules(catalogue: Catalogue, visit: BookedVisit) -> set[str]:
    wanted = Wanted(catalogue, catalogue.service(visit.service_id), catalogue.location(visit.location_id))
    return wanted.schedule_ids(catalogue.able(wanted.service, wanted.location))
