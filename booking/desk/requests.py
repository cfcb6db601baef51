"""What waits for a yes of staff: visits to confirm, and wishes for which a time is still to be found.

A request is an Appointment. To confirm: `pending` without an expiry, and it has its time. A wish: `proposed`, without time and
perhaps without a person; its times bound what the patient asked for. Each has a task for staff, and another one, once, if
nobody answers within the clinic's `answer_within`.
"""

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from booking import guard, ledger, tasks
from booking.asked import location_asked, people_asked, service_asked
from booking.claims import claims_of
from booking.desk.alternatives import nearest
from booking.desk.instead import free_instead, lost
from booking.events import AppointmentBooked, AppointmentCancelled, AppointmentProposed, AppointmentRejected
from booking.guard import SlotTaken
from booking.hold import close_hold, place_hold
from booking.model.appointment import Appointment, AppointmentChange
from booking.patient_record import lock_patient
from booking.rules import AlreadyOver
from booking.task_words import TaskDetails, TaskSays
from booking.values import (
    AppointmentId,
    AppointmentStatus,
    BookedVisit,
    Catalogue,
    PatientId,
    Slot,
    Source,
    TaskKind,
)
from kernel.db import new_id
from kernel.interval import Interval
from kernel.work import UnitOfWork

ALTERNATIVES = 3
_AT_ONCE = 500
_PENDING, _PROPOSED = AppointmentStatus.PENDING, AppointmentStatus.PROPOSED


@dataclass(frozen=True)
class Request:
    """What waits for staff. `practitioner_ids`: whom a wish names; a visit to confirm has its practitioner."""

    visit: BookedVisit
    asked_at: datetime
    answer_by_at: datetime
    practitioner_ids: tuple[str, ...]

    def is_overdue(self, now: datetime) -> bool:
        return self.answer_by_at <= now


def open_requests(session: Session, catalogue: Catalogue) -> list[Request]:
    """Return what waits for staff of this clinic, the oldest first. One statement."""
    asked = (
        select(func.max(AppointmentChange.changed_at))
        .where(
            AppointmentChange.appointment_id == Appointment.id, AppointmentChange.what.in_(("requested", "proposed"))
        )
        .correlate(Appointment)
        .scalar_subquery()
    )
    statement = (
        ledger.entries()
        .add_columns(func.coalesce(asked, Appointment.created_at, type_=Appointment.created_at.type).label("asked_at"))
        .where(Appointment.clinic_id == catalogue.clinic_id, _waits())
    )
    found = [_request(catalogue, ledger.entry_of(row), row.asked_at) for row in session.execute(statement)]
    return sorted(found, key=lambda one: (one.asked_at, one.visit.id))


def accept_request(
    work: UnitOfWork, catalogue: Catalogue, *, appointment_id: str, now: datetime, actor: str
) -> BookedVisit:
    """Book what the patient asked for. Calling again gives the same visit. Locks the Appointment.

    Raises UnknownVisit, VisitClosed for what is no request that has its time, AlreadyOver, SlotTaken if it has lost it.
    """
    with guard.all_or_nothing(work):
        entry = ledger.read_locked(work, appointment_id=appointment_id, clinic_id=catalogue.clinic_id)
        if entry.visit.status is AppointmentStatus.BOOKED:
            return entry.visit
        if entry.visit.status is not _PENDING or entry.visit.is_hold:
            raise ledger.VisitClosed(status=str(entry.visit.status))
        if entry.visit.starts_at <= now:
            raise AlreadyOver(starts_at=entry.visit.starts_at.isoformat())
        if not claims_of(work.session, appointment_id=appointment_id):
            raise SlotTaken
        columns = {"status": AppointmentStatus.BOOKED}
        booked = ledger.change(work, entry, what="accepted", actor=actor, source=Source.STAFF, now=now, columns=columns)
        work.publish(ledger.told(AppointmentBooked, booked, now=now))
        tasks.settle_tasks(work, clinic_id=catalogue.clinic_id, appointment_id=appointment_id, now=now, done_by=actor)
        return booked.visit


def reject_request(
    work: UnitOfWork, catalogue: Catalogue, *, appointment_id: str, reason: str, now: datetime, actor: str
) -> list[Slot]:
    """Say no to a visit to confirm, or to a wish; its time is free again. Return what the patient is offered instead.

    The best two or three Slots near it, of those that patients may see. Calling again changes nothing and looks anew.
    Locks the Appointment. Raises UnknownVisit, VisitClosed for what is no request.
    """
    with guard.all_or_nothing(work):
        entry = ledger.read_locked(work, appointment_id=appointment_id, clinic_id=catalogue.clinic_id)
        if _was_rejected(work.session, entry):
            return _instead(work.session, catalogue, entry, now=now)
        if entry.visit.status not in {_PENDING, _PROPOSED} or entry.visit.is_hold:
            raise ledger.VisitClosed(status=str(entry.visit.status))
        guard.release(work, appointment_id=appointment_id)
        columns = {
            "status": AppointmentStatus.CANCELLED,
            "cancel_reason": reason,
            "sequence": entry.visit.sequence + 1,
        }
        rejected = ledger.change(
            work, entry, what="rejected", actor=actor, source=Source.STAFF, now=now, columns=columns
        )
        slots = _instead(work.session, catalogue, entry, now=now)
        told = ledger.told(AppointmentRejected, rejected, now=now)
        work.publish(dataclasses.replace(told, alternatives=[_told(slot) for slot in slots]))
        tasks.settle_tasks(work, clinic_id=catalogue.clinic_id, appointment_id=appointment_id, now=now, done_by=actor)
        return slots


def propose(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    service_id: str,
    location_id: str,
    patient_id: str,
    span: Interval,
    practitioner_ids: tuple[str, ...],
    text: str,
    conversation_id: str | None,
    source: Source,
    now: datetime,
    actor: str = "patient",
) -> str:
    """Note that the patient wants a visit within `span`, at a time that staff are to find; return the Appointment's id.

    `text`, in the patient's words, is in the task only, which is encrypted. Takes no time. A conversation that asks for the
    same again gets the same Appointment. Locks the Patient. Raises AlreadyOver for a span that has passed, UnknownService,
    UnknownLocation, UnknownPractitioner, UnknownPatient.
    """
    service, location = service_asked(catalogue, service_id), location_asked(catalogue, location_id)
    people_asked(catalogue, practitioner_ids)
    if span.end <= now:
        raise AlreadyOver(starts_at=span.end.isoformat())
    lock_patient(work, patient_id=patient_id, clinic_id=catalogue.clinic_id)
    visit = BookedVisit(
        id=AppointmentId(new_id()),
        uid=f"{new_id()}@frontdesk",
        sequence=0,
        status=_PROPOSED,
        service_id=service_id,
        practitioner_id="",
        location_id=location_id,
        patient_id=PatientId(patient_id),
        starts_at=span.start,
        ends_at=span.end,
        hold_expires_at=None,
        source=source,
    )
    same = _same_wish(work.session, visit, conversation_id=conversation_id)
    if same is not None:
        return same
    wish = {"practitioner_ids": list(practitioner_ids)}
    entry = ledger.Entry(visit, catalogue.clinic_id, 0, conversation_id, None, wish=wish)
    ledger.add(work, entry, what="proposed", actor=actor, now=now)
    work.publish(ledger.told(AppointmentProposed, entry, now=now))
    details: TaskDetails = {
        "service": service.name,
        "place": location.name,
        "from_at": span.start.astimezone(location.zone),
        "until_at": span.end.astimezone(location.zone),
        "words": text,
    }
    _ask_for_time(work, entry, details, now=now)
    return visit.id


def _ask_for_time(work: UnitOfWork, entry: ledger.Entry, details: TaskDetails, *, now: datetime) -> None:
    tasks.open_task(
        work,
        clinic_id=entry.clinic_id,
        kind=TaskKind.BOOKING_REQUEST,
        says=TaskSays.FIND_TIME,
        details=details,
        now=now,
        conversation_id=entry.conversation_id,
        patient_id=entry.visit.patient_id,
        appointment_id=entry.visit.id,
        subject=tasks.subject_of(tasks.About.REQUEST, entry.visit.id),
    )


def grant_proposal(
    work: UnitOfWork,
    catalogue: Catalogue,
    *,
    appointment_id: str,
    starts_at: datetime,
    practitioner_id: str,
    now: datetime,
    actor: str,
    override_reason: str | None = None,
) -> BookedVisit:
    """Give a wish its time: the same Appointment and UID is then booked. Calling again gives the same visit.

    Locks the Patient, the Appointment and what `place_hold` locks. Raises UnknownVisit, VisitClosed for what is no wish, and
    what `place_hold` raises; the wish is then as before.
    """
    with guard.all_or_nothing(work):
        wish = ledger.read(work.session, appointment_id=appointment_id, clinic_id=catalogue.clinic_id)
        if wish.visit.patient_id is not None:
            lock_patient(work, patient_id=wish.visit.patient_id, clinic_id=catalogue.clinic_id)
        # Read again, now that nobody else can answer it.
        wish = ledger.read_locked(work, appointment_id=appointment_id)
        given = (wish.visit.starts_at, wish.visit.practitioner_id)
        if wish.visit.status is AppointmentStatus.BOOKED and given == (starts_at, practitioner_id):
            return wish.visit
        if wish.visit.status is not _PROPOSED:
            raise ledger.VisitClosed(status=str(wish.visit.status))
        # The time is claimed as always, by a Hold, and handed over.
        hold = place_hold(
            work,
            catalogue,
            service_id=wish.visit.service_id,
            location_id=wish.visit.location_id,
            starts_at=starts_at,
            practitioner_ids=(practitioner_id,),
            conversation_id=None,
            patient_id=wish.visit.patient_id,
            source=Source.STAFF,
            now=now,
            actor=actor,
            override_reason=override_reason,
        )
        return _grant(work, wish, hold, now=now, actor=actor)


def escalate_requests(work: UnitOfWork, catalogue: Catalogue, *, now: datetime) -> int:
    """Raise a task for each request that nobody has answered in time, once; return how many were raised."""
    late = [one for one in open_requests(work.session, catalogue) if one.is_overdue(now)]
    raised = [one for one in late if _escalate(work, catalogue, one, now=now)]
    return len(raised)


def close_unanswered(work: UnitOfWork, *, now: datetime) -> int:
    """End requests whose time has come without an answer, and return how many; what staff were asked to do stays open.

    Safe with many workers. At most 500 a call.
    """
    is_late = or_(
        and_(Appointment.status == _PENDING, Appointment.starts_at <= now),
        and_(Appointment.status == _PROPOSED, Appointment.ends_at <= now),
    )
    statement = (
        ledger.entries()
        .where(_waits(), is_late)
        .order_by(Appointment.id)
        .limit(_AT_ONCE)
        .with_for_update(key_share=True, skip_locked=True)
    )
    late = [ledger.entry_of(row) for row in work.session.execute(statement)]
    for entry in late:
        guard.release(work, appointment_id=entry.visit.id)
        columns = {
            "status": AppointmentStatus.CANCELLED,
            "cancel_reason": "unanswered",
            "sequence": entry.visit.sequence + 1,
        }
        closed = ledger.change(
            work, entry, what="unanswered", actor="system", source=entry.visit.source, now=now, columns=columns
        )
        work.publish(ledger.told(AppointmentCancelled, closed, now=now))
    return len(late)


def clinics_with_requests(session: Session) -> list[str]:
    """Return the ids of clinics whose staff have something to answer."""
    return sorted(session.scalars(select(Appointment.clinic_id).where(_waits()).distinct()))


def _grant(work: UnitOfWork, wish: ledger.Entry, hold: BookedVisit, *, now: datetime, actor: str) -> BookedVisit:
    claims = claims_of(work.session, appointment_id=hold.id)
    guard.discard(work, appointment_ids=[hold.id])
    guard.claim(work, appointment_id=wish.visit.id, claims=claims)
    held = ledger.read_locked(work, appointment_id=hold.id)
    close_hold(work, held, what="used", now=now)
    columns = {
        "status": AppointmentStatus.BOOKED,
        "starts_at": hold.starts_at,
        "ends_at": hold.ends_at,
        "practitioner_id": hold.practitioner_id,
        "reason": hold.reason,
        "meeting_url": hold.meeting_url,
        "place": hold.place,
        "overridden": hold.overridden,
        "override_reason": held.override_reason,
    }
    granted = ledger.change(work, wish, what="granted", actor=actor, source=Source.STAFF, now=now, columns=columns)
    work.publish(ledger.told(AppointmentBooked, granted, now=now))
    tasks.settle_tasks(work, clinic_id=wish.clinic_id, appointment_id=wish.visit.id, now=now, done_by=actor)
    return granted.visit


def _escalate(work: UnitOfWork, catalogue: Catalogue, request: Request, *, now: datetime) -> bool:
    entry = ledger.read_locked(work, appointment_id=request.visit.id)
    if entry.visit.status not in {_PENDING, _PROPOSED} or _has_line(work.session, entry, "escalated"):
        return False
    ledger.change(work, entry, what="escalated", actor="system", source=entry.visit.source, now=now, columns={})
    zone = catalogue.location(entry.visit.location_id).zone
    tasks.open_task(
        work,
        clinic_id=entry.clinic_id,
        kind=TaskKind.BOOKING_REQUEST,
        says=TaskSays.OVERDUE,
        details={
            "asked_at": request.asked_at.astimezone(zone),
            "service": catalogue.service(entry.visit.service_id).name,
            "visit_at": entry.visit.starts_at.astimezone(zone),
        },
        now=now,
        conversation_id=entry.conversation_id,
        patient_id=entry.visit.patient_id,
        appointment_id=entry.visit.id,
        subject=tasks.subject_of(tasks.About.OVERDUE, entry.visit.id),
    )
    return True


def _instead(session: Session, catalogue: Catalogue, entry: ledger.Entry, *, now: datetime) -> list[Slot]:
    visit = entry.visit
    wished = () if visit.practitioner_id else _wished(entry)
    free = free_instead(session, catalogue, visit=visit, practitioner_ids=wished, replaces=False, now=now)
    return list(nearest(free, to=lost(catalogue, visit), limit=ALTERNATIVES))


def _told(slot: Slot) -> list[str]:
    return [slot.starts_at.astimezone(UTC).isoformat(), slot.practitioner_id, slot.location_id]


def _request(catalogue: Catalogue, entry: ledger.Entry, asked_at: datetime) -> Request:
    rules = catalogue.rules_at(entry.visit.location_id)
    answer_by_at = asked_at + rules.answer_within
    if entry.visit.status is _PENDING:
        # Later than this the patient could not book anything else for that day.
        answer_by_at = min(answer_by_at, entry.visit.starts_at - rules.minimum_notice)
    return Request(entry.visit, asked_at, answer_by_at, _wished(entry))


def _wished(entry: ledger.Entry) -> tuple[str, ...]:
    return tuple((entry.wish or {}).get("practitioner_ids", ()))


def _waits() -> ColumnElement[bool]:
    to_confirm = and_(Appointment.status == _PENDING, Appointment.hold_expires_at.is_(None))
    return or_(to_confirm, Appointment.status == _PROPOSED)


def _same_wish(session: Session, visit: BookedVisit, *, conversation_id: str | None) -> str | None:
    if conversation_id is None:
        return None
    return session.scalar(
        select(Appointment.id).where(
            Appointment.conversation_id == conversation_id,
            Appointment.status == _PROPOSED,
            Appointment.patient_id == visit.patient_id,
            Appointment.service_id == visit.service_id,
            Appointment.location_id == visit.location_id,
            Appointment.starts_at == visit.starts_at,
            Appointment.ends_at == visit.ends_at,
        )
    )


def _was_rejected(session: Session, entry: ledger.Entry) -> bool:
    return entry.visit.status is AppointmentStatus.CANCELLED and _has_line(session, entry, "rejected")


def _has_line(session: Session, entry: ledger.Entry, what: str) -> bool:
    statement = select(AppointmentChange.id).where(
        AppointmentChange.appointment_id == entry.visit.id, AppointmentChange.what == what
    )
    return session.scalars(statement.limit(1)).first() is not None
