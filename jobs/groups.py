"""What happens to seats in groups, told to who has them, and sessions that somebody must look at."""

from datetime import datetime

from booking.events import AppointmentEvent, SeatBooked, SeatCancelled, SeatEvent, SeatMoved
from booking.several.groups import look_after_sessions, tell_of_move
from jobs.context import JobServices
from kernel.work import UnitOfWork
from sms.model import SmsKind
from sms.seat_texts import queue_seat_notice
from sms.send import send_queued

_KINDS: dict[type[SeatEvent], SmsKind] = {
    SeatBooked: SmsKind.BOOKED,
    SeatMoved: SmsKind.MOVED,
    SeatCancelled: SmsKind.CANCELLED,
}


def tell_participants(services: JobServices, event: AppointmentEvent, now: datetime) -> None:
    """If it is a session that was moved, tell of each seat in it, once for each move."""
    services.db.run(lambda work: tell_of_move(work, session_id=event.appointment_id, sequence=event.sequence, now=now))


def send_seat_notice(services: JobServices, event: AppointmentEvent, now: datetime) -> None:
    """Write the text about the seat down and hand it over; a second time it is the same text. Raises Unavailable."""
    if not isinstance(event, SeatEvent):
        raise TypeError(f"{event.name} is not about a seat")
    kind = _KINDS[type(event)]

    def queue(work: UnitOfWork) -> str | None:
        catalogue = services.catalogues.get(work.session, clinic_id=event.clinic_id)
        return queue_seat_notice(
            work,
            catalogue,
            kind=kind,
            seat_id=event.seat_id,
            revision=event.revision,
            now=now,
            mail=services.mail_use(catalogue),
        )

    message_id = services.db.run(queue)
    if message_id is not None:
        send_queued(services.db, services.sms_gateway, message_id=message_id, now=now)


def look_after_groups(services: JobServices, now: datetime) -> None:
    """Ask staff about sessions with too few, and tell participants of those that were called off."""
    services.db.run(lambda work: look_after_sessions(work, now=now))
