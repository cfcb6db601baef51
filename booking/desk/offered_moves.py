"""Another time kept for a patient whose visit can't take place: they say yes or no, and staff know who has not answered."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from booking import ledger
from booking.hold import release_one
from booking.model.appointment import Appointment
from booking.model.waitlist import Offer
from booking.patients import reached_at
from booking.reschedule import reschedule
from booking.values import AppointmentStatus, BookedVisit, BookingRules, Catalogue, Source
from kernel.work import UnitOfWork


@dataclass(frozen=True)
class OfferedMove:
    """A visit that can't take place, and the Hold that keeps another time for its patient."""

    visit: BookedVisit
    hold: BookedVisit
    offered_at: datetime

    def is_open_at(self, now: datetime) -> bool:
        expires_at = self.hold.hold_expires_at
        return self.hold.is_hold and expires_at is not None and expires_at > now


def offered_moves(session: Session, *, patient_ids: Sequence[str], now: datetime) -> list[OfferedMove]:
    """Return the visits of these patients for which they were asked to take another time, and have not answered."""
    return moves_offered_for(session, Appointment.patient_id.in_(patient_ids), now=now)


def last_move_offered_to_number(
    session: Session, *, clinic_id: str, phone: str, since_at: datetime, now: datetime
) -> OfferedMove | None:
    """Return the kept time that an answer from this number (E.164) is about: the latest that is kept, else the latest that
    ran out since then without an answer. Two statements.

    Of people with the number, and of people for whom somebody with it books.
    """
    theirs = (Appointment.clinic_id == clinic_id) & Appointment.patient_id.in_(reached_at(phone))
    offered = _moves(session, of_visit=theirs, of_hold=Appointment.hold_expires_at > since_at)
    return max(offered, key=lambda one: (one.is_open_at(now), one.offered_at, one.hold.id), default=None)


def move_offered_for(session: Session, *, visit_id: str, now: datetime) -> OfferedMove | None:
    """Return the time that is kept for the patient of this visit, if there is one."""
    return next(iter(moves_offered_for(session, Appointment.id == visit_id, now=now)), None)


def accept_move(
    work: UnitOfWork, catalogue: Catalogue, *, hold_id: str, now: datetime, actor: str, source: Source
) -> BookedVisit:
    """Move the visit to the time that was kept for the patient. Calling again gives the visit as moved.

    What limits the moves of patients does not count: it is the clinic that asked. Raises NotHeld, and what `reschedule` does.
    """
    hold = ledger.read(work.session, appointment_id=hold_id, clinic_id=catalogue.clinic_id)
    if hold.replaces_id is None:
        raise ledger.UnknownVisit
    return reschedule(
        work,
        _without_limits_to_moves(catalogue),
        appointment_id=hold.replaces_id,
        hold_id=hold_id,
        now=now,
        actor=actor,
        source=source,
    )


def decline_move(work: UnitOfWork, catalogue: Catalogue, *, hold_id: str, now: datetime) -> None:
    """Give back the time that was kept. The visit stays as it is, and staff keep their task. Raises UnknownVisit."""
    ledger.read(work.session, appointment_id=hold_id, clinic_id=catalogue.clinic_id)
    release_one(work, appointment_id=hold_id, now=now)


def moves_offered_for(session: Session, condition: ColumnElement[bool], *, now: datetime) -> list[OfferedMove]:
    """Return the visits that fulfil the condition and have a Hold that staff placed to ask the patient. Two statements."""
    return _moves(session, of_visit=condition, of_hold=Appointment.hold_expires_at > now)


def _moves(session: Session, *, of_visit: ColumnElement[bool], of_hold: ColumnElement[bool]) -> list[OfferedMove]:
    stands = Appointment.status.in_((AppointmentStatus.BOOKED, AppointmentStatus.PENDING))
    visits = {
        str(entry.visit.id): entry.visit
        for entry in map(ledger.entry_of, session.execute(ledger.entries().where(of_visit, stands)))
    }
    holds = (
        ledger.entries()
        .add_columns(Appointment.created_at)
        .where(
            Appointment.replaces_id.in_(visits),
            Appointment.status == AppointmentStatus.PENDING,
            of_hold,
            Appointment.conversation_id.is_(None),
            Appointment.source == Source.STAFF,
            # What the waiting list offers is answered there.
            ~select(Offer.id).where(Offer.hold_id == Appointment.id).exists(),
        )
        .order_by(Appointment.starts_at)
    )
    found = [(ledger.entry_of(row), row.created_at) for row in session.execute(holds)]
    return [
        OfferedMove(visits[entry.replaces_id], entry.visit, offered_at)
        for entry, offered_at in found
        if entry.replaces_id in visits
    ]


def _without_limits_to_moves(catalogue: Catalogue) -> Catalogue:
    def unlimited(rules: BookingRules) -> BookingRules:
        return dataclasses.replace(rules, cancel_notice=timedelta(0), max_moves=None)

    places = tuple(
        one if one.rules is None else dataclasses.replace(one, rules=unlimited(one.rules))
        for one in catalogue.locations
    )
    return dataclasses.replace(catalogue, rules=unlimited(catalogue.rules), locations=places, _by_id={})
