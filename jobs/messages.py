"""A change of a visit, told to the patient by text; and all texts that wait, handed over."""

from contextlib import suppress
from datetime import datetime

from sqlalchemy.orm import Session

from booking import queries
from booking.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentEvent,
    AppointmentMoved,
    AppointmentRejected,
    MoveOffered,
)
from booking.waiting_list.waitlist import OfferGone
from jobs.context import JobServices
from jobs.in_turn import in_turn
from jobs.lease import within_lease
from kernel.errors import Refused, Unavailable
from kernel.work import UnitOfWork
from sms.model import SmsKind
from sms.notices import Instead
from sms.send import send_queued, texts_to_send
from sms.visit_notices import queue_visit_notice

_KINDS: dict[type[AppointmentEvent], SmsKind] = {
    AppointmentBooked: SmsKind.BOOKED,
    AppointmentMoved: SmsKind.MOVED,
    AppointmentCancelled: SmsKind.CANCELLED,
    AppointmentRejected: SmsKind.REJECTED,
    MoveOffered: SmsKind.MOVE_OFFERED,
}


def send_confirmation(services: JobServices, event: AppointmentEvent, now: datetime) -> None:
    """Write the text about the event down and hand it over; a second time it is the same text. Raises Unavailable."""

    def queue(work: UnitOfWork) -> str | None:
        catalogue = services.catalogues.get(work.session, clinic_id=event.clinic_id)
        return queue_visit_notice(
            work,
            catalogue,
            kind=_KINDS[type(event)],
            appointment_id=event.appointment_id,
            revision=event.revision,
            sequence=event.sequence,
            now=now,
            instead=_instead(work.session, event, now=now),
            mail=services.mail_use(catalogue),
        )

    message_id = services.db.run(queue)
    if message_id is not None:
        send_queued(services.db, services.sms_gateway, message_id=message_id, now=now)


def _instead(session: Session, event: AppointmentEvent, *, now: datetime) -> Instead:
    """Return what the event offers instead of the visit. Raises OfferGone."""
    match event:
        case AppointmentRejected(alternatives=alternatives):
            return Instead(starts_at=tuple(datetime.fromisoformat(starts_at) for starts_at, *_ in alternatives))
        case MoveOffered(hold_id=hold_id, expires_at=expires_at):
            hold = queries.visit(session, appointment_id=hold_id)
            if not hold.is_hold or expires_at <= now:
                raise OfferGone
            return Instead((hold.starts_at,), location_id=hold.location_id, kept_until=expires_at)
        case _:
            return Instead()


def send_what_waits(services: JobServices, now: datetime) -> None:
    """Send what waits, for as long as the duty's lease allows, and find out about what may have been sent."""
    with services.db.read() as session:
        waiting = texts_to_send(session, now=now)
    with in_turn() as turn:
        for message_id, at in within_lease(waiting, services.clock, began_at=now):
            # What passes is noted at the text.
            with turn(), suppress(Refused, Unavailable):
                send_queued(services.db, services.sms_gateway, message_id=message_id, now=at)
