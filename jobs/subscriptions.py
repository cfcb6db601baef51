"""Who reacts to what: the one table. A new effect of a booking is a line here and a job module."""

from collections.abc import Callable
from datetime import datetime

from booking.events import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentEvent,
    AppointmentMoved,
    AppointmentRejected,
    AppointmentRequested,
    EmailLearned,
    HoldExpired,
    MoveOffered,
    OfferAccepted,
    OfferEnded,
    OfferMade,
    SeatBooked,
    SeatCancelled,
    SeatMoved,
)
from jobs.context import JobServices
from jobs.groups import send_seat_notice, tell_participants
from jobs.invitations import write_invitation
from jobs.messages import send_confirmation
from jobs.next_available import refresh_practitioners
from jobs.push import push_to_calendars
from jobs.waiting_list import drop_text_of_offer, offer_what_is_free, send_offer

Step = Callable[[JobServices, AppointmentEvent, datetime], None]

CALENDAR = "calendar.push"
CONFIRMATION = "sms.confirmation"
WAITLIST = "waitlist.offer"
OFFER = "sms.offer"
OFFER_OVER = "sms.offer-over"
NEXT_AVAILABLE = "next-available"
SEAT = "sms.seat"
PARTICIPANTS = "group.moved"
INVITATION = "mail.invitation"

# Names are stored with each Delivery: rename none, and keep the step of a removed one until its last Delivery is done.
STEPS: dict[str, Step] = {
    CALENDAR: push_to_calendars,
    CONFIRMATION: send_confirmation,
    WAITLIST: offer_what_is_free,
    OFFER: send_offer,
    OFFER_OVER: drop_text_of_offer,
    NEXT_AVAILABLE: refresh_practitioners,
    SEAT: send_seat_notice,
    PARTICIPANTS: tell_participants,
    INVITATION: write_invitation,
}

SUBSCRIBERS: dict[str, tuple[str, ...]] = {
    AppointmentRequested.name: (CALENDAR, INVITATION, NEXT_AVAILABLE),
    AppointmentBooked.name: (CALENDAR, CONFIRMATION, INVITATION, NEXT_AVAILABLE),
    AppointmentMoved.name: (CALENDAR, CONFIRMATION, INVITATION, PARTICIPANTS, WAITLIST, NEXT_AVAILABLE),
    AppointmentCancelled.name: (CALENDAR, CONFIRMATION, INVITATION, WAITLIST, NEXT_AVAILABLE),
    AppointmentRejected.name: (CALENDAR, CONFIRMATION, INVITATION, WAITLIST, NEXT_AVAILABLE),
    EmailLearned.name: (INVITATION,),
    MoveOffered.name: (CONFIRMATION,),
    HoldExpired.name: (WAITLIST, NEXT_AVAILABLE),
    OfferMade.name: (OFFER, NEXT_AVAILABLE),
    OfferAccepted.name: (OFFER_OVER,),
    OfferEnded.name: (OFFER_OVER, WAITLIST, NEXT_AVAILABLE),
    SeatBooked.name: (SEAT,),
    SeatMoved.name: (SEAT,),
    SeatCancelled.name: (SEAT,),
}
