"""A link's history, and the tasks that staff get when somebody changed a visit in a calendar."""

from datetime import datetime

from booking.model.appointment import Appointment
from booking.task_words import TaskDetails, TaskSays
from booking.tasks import About, open_task, subject_of
from booking.values import Catalogue, TaskKind
from calendar_sync.model import CalendarAction, CalendarLink
from kernel.work import UnitOfWork

SYSTEM = "system"


def note_action(
    work: UnitOfWork,
    *,
    link_id: str,
    action: str,
    outcome: str,
    now: datetime,
    appointment_id: str | None = None,
    href: str | None = None,
    actor: str = SYSTEM,
) -> None:
    """Write a line into the link's history."""
    work.session.add(
        CalendarAction(
            link_id=link_id,
            at=now,
            action=action,
            appointment_id=appointment_id,
            href=href,
            outcome=outcome,
            actor=actor,
        )
    )


def tell_staff(
    work: UnitOfWork,
    catalogue: Catalogue,
    appointment: Appointment,
    *,
    link: CalendarLink,
    says: TaskSays,
    details: TaskDetails,
    now: datetime,
) -> None:
    """Open a task about what happened to the visit in the calendar of `link`; it is settled when the visit is moved or cancelled.

    `details`: what the sentence names beside the visit.
    """
    open_task(
        work,
        clinic_id=catalogue.clinic_id,
        kind=TaskKind.CALENDAR,
        says=says,
        details={
            "service": catalogue.service(appointment.service_id).name,
            "practitioner": catalogue.practitioner(link.practitioner_id).name,
            "visit_at": appointment.starts_at.astimezone(catalogue.location(appointment.location_id).zone),
            **details,
        },
        now=now,
        patient_id=appointment.patient_id,
        appointment_id=appointment.id,
        subject=subject_of(About.CALENDAR, appointment.id),
    )
