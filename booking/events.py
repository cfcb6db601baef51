"""What happens in the diary and concerns others. Ids and counters only: whoever reacts reads the rows."""

from dataclasses import dataclass

from kernel.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class AppointmentEvent(DomainEvent):
    """Base of what happens to an Appointment, told in the order of its `revision`; `sequence` is iCalendar's."""

    clinic_id: str
    appointment_id: str
    revision: int
    sequence: int

    @property
    def aggregate_id(self) -> str:
        return self.appointment_id


@dataclass(frozen=True, kw_only=True)
class AppointmentBooked(AppointmentEvent):
    name = "booking.appointment.booked"


@dataclass(frozen=True, kw_only=True)
class AppointmentRequested(AppointmentEvent):
    """The patient said yes to a service that staff must confirm. The time is kept."""

    name = "booking.appointment.requested"


@dataclass(frozen=True, kw_only=True)
class AppointmentMoved(AppointmentEvent):
    name = "booking.appointment.moved"


@dataclass(frozen=True, kw_only=True)
class AppointmentCancelled(AppointmentEvent):
    name = "booking.appointment.cancelled"


@dataclass(frozen=True, kw_only=True)
class HoldExpired(AppointmentEvent):
    name = "booking.hold.expired"


@dataclass(frozen=True, kw_only=True)
class TaskOpened(DomainEvent):
    name = "booking.task.opened"

    clinic_id: str
    task_id: str
    kind: str

    @property
    def aggregate_id(self) -> str:
        return self.task_id


EVENTS: dict[str, type[DomainEvent]] = {
    event.name: event
    for event in (
        AppointmentBooked,
        AppointmentRequested,
        AppointmentMoved,
        AppointmentCancelled,
        HoldExpired,
        TaskOpened,
    )
}
"""By name, for reading one back from the outbox."""
