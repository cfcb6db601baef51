"""What happens in the diary and concerns others. Ids and counters only: whoever reacts reads the rows."""

from dataclasses import dataclass, field
from datetime import datetime

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
class AppointmentProposed(AppointmentEvent):
    """A patient asked for a visit at no particular time. Staff find one, or decline."""

    name = "booking.appointment.proposed"


@dataclass(frozen=True, kw_only=True)
class AppointmentRejected(AppointmentEvent):
    """Staff said no to a request. `alternatives`: what the patient may have instead, each as `[start, practitioner, location]`."""

    name = "booking.appointment.rejected"

    alternatives: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class EmailLearned(AppointmentEvent):
    """An e-mail address came on file at which the patient, or who books for them, can be told of a visit ahead."""

    name = "booking.appointment.email-learned"


@dataclass(frozen=True, kw_only=True)
class MoveOffered(AppointmentEvent):
    """The visit can't take place as it is. `hold_id` keeps another time for the patient until `expires_at`."""

    name = "booking.appointment.move-offered"

    hold_id: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class AttendanceNoted(AppointmentEvent):
    """The patient came, did not come, or the visit is over; or such a note was taken back."""

    name = "booking.appointment.attendance"


@dataclass(frozen=True, kw_only=True)
class HoldExpired(AppointmentEvent):
    name = "booking.hold.expired"


@dataclass(frozen=True, kw_only=True)
class OfferEvent(AppointmentEvent):
    """Base of what happens to an offer of the waiting list. The Appointment is the Hold that keeps the time."""

    offer_id: str

    @property
    def aggregate_id(self) -> str:
        return self.offer_id


@dataclass(frozen=True, kw_only=True)
class OfferMade(OfferEvent):
    """Time that came free is kept for a patient who waits for it, or for the first of several."""

    name = "booking.offer.made"


@dataclass(frozen=True, kw_only=True)
class OfferAccepted(OfferEvent):
    """The patient took it. The Appointment is the visit: the Hold itself, or the one that was moved."""

    name = "booking.offer.accepted"


@dataclass(frozen=True, kw_only=True)
class OfferEnded(OfferEvent):
    """The patient did not take it. `how`: declined, expired, or gone because somebody else was first."""

    name = "booking.offer.ended"

    how: str


@dataclass(frozen=True, kw_only=True)
class SeatEvent(AppointmentEvent):
    """Base of what happens to a seat in a group's session. The Appointment is the session."""

    seat_id: str


@dataclass(frozen=True, kw_only=True)
class SeatBooked(SeatEvent):
    """A patient takes part in the session."""

    name = "booking.seat.booked"


@dataclass(frozen=True, kw_only=True)
class SeatMoved(SeatEvent):
    """The session is at another time or place, and the patient still takes part."""

    name = "booking.seat.moved"


@dataclass(frozen=True, kw_only=True)
class SeatCancelled(SeatEvent):
    """A patient takes part no more: they left, or the session was called off."""

    name = "booking.seat.cancelled"


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
        AppointmentProposed,
        AppointmentRejected,
        EmailLearned,
        MoveOffered,
        AttendanceNoted,
        HoldExpired,
        OfferMade,
        OfferAccepted,
        OfferEnded,
        SeatBooked,
        SeatMoved,
        SeatCancelled,
        TaskOpened,
    )
}
"""By name, for reading one back from the outbox."""
