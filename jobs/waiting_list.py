"""Time that came free, offered to those who wait, and told to them."""

from datetime import datetime

from booking import quiet
from booking.events import AppointmentEvent, OfferEvent
from booking.values import Catalogue
from booking.waiting_list.freed_time import TellFrom
from booking.waiting_list.waitlist import clinics_waiting, expire_offers, offer_freed_time
from jobs.context import JobServices
from jobs.in_turn import in_turn
from kernel.work import UnitOfWork
from sms.offer_texts import drop_offer, queue_offer
from sms.send import send_queued

_AT_ONCE = 100  # Holds in one go; what is left is offered at the next


def offer_what_is_free(services: JobServices, event: AppointmentEvent, now: datetime) -> None:
    """Offer what is free at the clinic of the event. Raises Unavailable."""
    _offer(services, clinic_id=event.clinic_id, now=now)


def offer_everywhere(services: JobServices, now: datetime) -> None:
    """End offers that nobody answered, and offer what is free at every clinic: also what came free without an event."""
    services.db.run(lambda work: expire_offers(work, now=now))
    with services.db.read() as session:
        clinic_ids = clinics_waiting(session, now=now)
    with in_turn() as turn:
        for clinic_id in clinic_ids:
            with turn():
                _offer(services, clinic_id=clinic_id, now=now)


def send_offer(services: JobServices, event: AppointmentEvent, now: datetime) -> None:
    """Write the text down that makes the offer and hand it over; a second time it is the same text. Raises Unavailable."""
    offer_id = _offer_id(event)

    def queue(work: UnitOfWork) -> str | None:
        catalogue = services.catalogues.get(work.session, clinic_id=event.clinic_id)
        return queue_offer(work, catalogue, offer_id=offer_id, now=now, mail=services.mail_use(catalogue))

    message_id = services.db.run(queue)
    if message_id is not None:
        send_queued(services.db, services.sms_gateway, message_id=message_id, now=now)


def drop_text_of_offer(services: JobServices, event: AppointmentEvent, _now: datetime) -> None:
    """Keep the text of an offer that is over from being sent in the morning."""
    offer_id = _offer_id(event)
    services.db.run(lambda work: drop_offer(work, offer_id=offer_id))


def _offer(services: JobServices, *, clinic_id: str, now: datetime) -> None:
    def offer_one(work: UnitOfWork) -> bool:
        catalogue = services.catalogues.get(work.session, clinic_id=clinic_id)
        return bool(offer_freed_time(work, catalogue, now=now, at_most=1, tell_from=_tell_from(catalogue)))

    for _ in range(_AT_ONCE):
        if not services.db.run(offer_one):
            return


def _tell_from(catalogue: Catalogue) -> TellFrom:
    hours = catalogue.messages.sent_between
    return lambda now, zone: quiet.allowed_from(now, zone=zone, hours=hours)


def _offer_id(event: AppointmentEvent) -> str:
    if not isinstance(event, OfferEvent):
        raise TypeError(f"{event.name} is about no offer")
    return event.offer_id
