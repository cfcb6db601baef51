"""A link's history, and the tasks that staff get when somebody changed a visit in a calendar."""

from datetime import datetime

from booking.model.appointment import Appointment
from booking.tasks import About, open_task, subject_of
from booking.values import Catalogue, TaskKind
from calendar_sync.model import CalendarAction
from kernel.interval import Interval
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


def tell_staff(work: UnitOfWork, catalogue: Catalogue, appointment: Appointment, *, text: str, now: datetime) -> None:
    """Open a task about what happened to the visit in a calendar; it is settled when the visit is moved or cancelled."""
    open_task(
        work,
        clinic_id=catalogue.clinic_id,
        kind=TaskKind.CALENDAR,
        text=text,
        now=now,
        patient_id=appointment.patient_id,
        appointment_id=appointment.id,
        subject=subject_of(About.CALENDAR, appointment.id),
    )


def visit_in_words(catalogue: Catalogue, appointment: Appointment) -> str:
    """Return which visit it is, for staff: what, with whom, when by the clock of the place."""
    service = catalogue.service(appointment.service_id).name
    zone = catalogue.location(appointment.location_id).zone
    who = catalogue.practitioner(appointment.practitioner_id).name if appointment.practitioner_id else "nobody yet"
    return f"{service} with {who}, {appointment.starts_at.astimezone(zone):%A %d %B %Y, %H:%M}"


def time_in_words(catalogue: Catalogue, appointment: Appointment, time: Interval) -> str:
    """Return a time by the clock of the visit's place."""
    zone = catalogue.location(appointment.location_id).zone
    return f"{time.start.astimezone(zone):%A %d %B %Y, %H:%M}-{time.end.astimezone(zone):%H:%M}"
