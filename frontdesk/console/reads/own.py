"""What is a practitioner's own: the bounds of what they may see. `None` stands for staff who see everything of the clinic.

A patient is theirs who has, or had, a visit with them; a Hold that nobody confirmed makes nobody a patient.
"""

from sqlalchemy import ColumnElement, Select, or_, select, true

from booking.model.appointment import Appointment, Participant
from booking.values import AppointmentStatus
from dialog.model import Conversation

_NO_VISIT = (AppointmentStatus.ENTERED_IN_ERROR, AppointmentStatus.PROPOSED, AppointmentStatus.WAITLIST)


def own_appointments(practitioner_id: str | None) -> ColumnElement[bool]:
    """Narrow a query of appointments to those with the practitioner."""
    return true() if practitioner_id is None else Appointment.practitioner_id == practitioner_id


def own_patients(practitioner_id: str) -> Select[tuple[str | None]]:
    """Select the ids of the patients of a practitioner, those who come in a group included."""
    alone = select(Appointment.patient_id).where(*_visits(practitioner_id), Appointment.patient_id.is_not(None))
    in_groups = (
        select(Participant.patient_id)
        .join(Appointment, Appointment.id == Participant.appointment_id)
        .where(*_visits(practitioner_id), Participant.patient_id.is_not(None), Participant.hold_expires_at.is_(None))
    )
    return select(alone.union(in_groups).subquery().c.patient_id)


def own_conversations(practitioner_id: str | None) -> ColumnElement[bool]:
    """Narrow a query of conversations to those that made a visit with the practitioner, or whose patient is theirs."""
    if practitioner_id is None:
        return true()
    made = select(Appointment.conversation_id).where(
        *_visits(practitioner_id), Appointment.conversation_id.is_not(None)
    )
    return or_(Conversation.id.in_(made), Conversation.patient_id.in_(own_patients(practitioner_id)))


def _visits(practitioner_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        Appointment.practitioner_id == practitioner_id,
        Appointment.hold_expires_at.is_(None),
        Appointment.status.not_in(_NO_VISIT),
    )
