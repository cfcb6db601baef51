"""Another time kept for a patient whose visit can't take place: they say yes or no, and staff know who has not answered."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.orm import Session

from booking import ledger
from booking.hold import release_one
from booking.model.appointment import Appointment
from booking.model.waitlist import Offer
from booking.patients import REACHED_AT, phone_hash
from booking.reschedule import reschedule
from booking.values import AppointmentStatus, BookedVisit, BookingRules, Catalogue, Source
from kernel.db import Ready, one_of, one_of_these, table_of
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
    ran out since then without an answer. One statement where there is none, else two.

    Of people with the number, and of people for whom somebody with it books.
    """
    given = {"clinic_id": clinic_id, "number_hash": phone_hash(phone), "since_at": since_at}
    offered = _moves(session, _KEPT_FOR_NUMBER.rows(session, given))
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
    """Return the visits that fulfil the condition and have a Hold that staff placed to ask the patient.

    One statement where there is none, else two.
    """
    return _moves(session, session.execute(_kept(of_visit=condition, of_hold=_ROW.hold_expires_at > now)))


_ROW = table_of(Appointment).c
_STANDS = one_of_these(_ROW.status, (AppointmentStatus.BOOKED, AppointmentStatus.PENDING))


def _kept(*, of_visit: ColumnElement[bool], of_hold: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Return the select of the Holds that keep another time instead of such visits, each with when it was made."""
    return (
        ledger.entries()
        .add_columns(_ROW.created_at)
        .where(
            _ROW.replaces_id.in_(select(_ROW.id).where(of_visit, _STANDS).correlate(None)),
            one_of_these(_ROW.status, [AppointmentStatus.PENDING]),
            of_hold,
            _ROW.conversation_id.is_(None),
            one_of_these(_ROW.source, [Source.STAFF]),
            # What the waiting list offers is answered there.
            ~select(Offer.id).where(Offer.hold_id == _ROW.id).exists(),
        )
        .order_by(_ROW.starts_at)
    )


KEPT_FOR_NUMBER = _kept(
    of_visit=(_ROW.clinic_id == bindparam("clinic_id")) & _ROW.patient_id.in_(REACHED_AT),
    of_hold=_ROW.hold_expires_at > bindparam("since_at"),
)
"""What `last_move_offered_to_number` reads, for those who first ask whether there is anything at all."""
_KEPT_FOR_NUMBER = Ready(KEPT_FOR_NUMBER)
_VISITS = Ready(ledger.entries().where(one_of(_ROW.id, "ids"), _STANDS))


def _moves(session: Session, holds: Iterable[Sequence[Any]]) -> list[OfferedMove]:
    kept = [(ledger.entry_of(row), row[-1]) for row in holds]
    if not kept:
        return []
    rows = _VISITS.rows(session, {"ids": sorted({str(hold.replaces_id) for hold, _ in kept})})
    visits = {str(entry.visit.id): entry.visit for entry in map(ledger.entry_of, rows)}
    return [
        OfferedMove(visits[hold.replaces_id], hold.visit, offered_at)
        for hold, offered_at in kept
        if hold.replaces_id in visits
    ]


def _without_limits_to_moves(catalogue: Catalogue) -> Catalogue:
    def unlimited(rules: BookingRules) -> BookingRules:
        return dataclasses.replace(rules, cancel_notice=timedelta(0), max_moves=None)

    places = tuple(
        one if one.rules is None else dataclasses.replace(one, rules=unlimited(one.rules))
        for one in catalogue.locations
    )
    return dataclasses.replace(catalogue, rules=unlimited(catalogue.rules), locations=places, _by_id={})
