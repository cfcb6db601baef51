"""Whether an appointment has reached its practitioner's calendar."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from booking.model.appointment import Appointment
from calendar_sync.model import CalendarLink, LinkState, ObjectState, RemoteObject


class CalendarState(StrEnum):
    NONE = "none"  # no calendar is linked that shows visits
    WAITING = "waiting"
    ARRIVED = "arrived"
    REMOVED = "removed"
    FAILED = "failed"


def calendar_states(session: Session, *, clinic_id: str, appointment_ids: Sequence[str]) -> Mapping[str, CalendarState]:
    """Return the state of each appointment of the clinic, in one query. With several calendars the least good one counts."""
    found = session.execute(
        select(Appointment.id, CalendarLink.id, CalendarLink.state, RemoteObject.state)
        .outerjoin(
            CalendarLink, and_(CalendarLink.practitioner_id == Appointment.practitioner_id, CalendarLink.shows_visits)
        )
        .outerjoin(
            RemoteObject,
            and_(RemoteObject.link_id == CalendarLink.id, RemoteObject.appointment_id == Appointment.id),
        )
        .where(Appointment.clinic_id == clinic_id, Appointment.id.in_(appointment_ids))
    )
    states: dict[str, list[CalendarState]] = {}
    for appointment_id, link_id, link_state, object_state in found:
        states.setdefault(appointment_id, []).append(_state(link_id, link_state, object_state))
    return {appointment_id: max(found_states, key=_URGENCY.index) for appointment_id, found_states in states.items()}


_URGENCY = [
    CalendarState.NONE,
    CalendarState.REMOVED,
    CalendarState.ARRIVED,
    CalendarState.WAITING,
    CalendarState.FAILED,
]


def _state(link_id: str | None, link_state: str | None, object_state: str | None) -> CalendarState:
    if link_id is None:
        return CalendarState.NONE
    if object_state == ObjectState.OK:
        return CalendarState.ARRIVED
    if object_state == ObjectState.REMOVED:
        return CalendarState.REMOVED
    return CalendarState.FAILED if link_state == LinkState.FAILED else CalendarState.WAITING
