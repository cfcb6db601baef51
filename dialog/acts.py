"""What the agent does towards the patient, channel-neutral: each act has wording for the ear and for the eye.

An act carries ids and values, never text: `wording.render` turns it into words of a language and a channel.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Say(StrEnum):
    """The closed set of things the agent says. Each has an entry in every file of `dialog/wording/`."""

    # The conversation itself.
    GREETING = "greeting"
    HELLO = "hello"
    WHAT_TO_DO = "what-to-do"
    ANYTHING_ELSE = "anything-else"
    NOT_UNDERSTOOD = "not-understood"
    HELP = "help"
    BOT = "bot"
    WELCOME = "welcome"
    GOODBYE = "goodbye"
    STARTED_OVER = "started-over"
    NOTHING_CHANGED = "nothing-changed"
    NOT_DONE_YET = "not-done-yet"
    OFF_TOPIC = "off-topic"
    NO_ADVICE = "no-advice"
    LANGUAGE_SWITCHED = "language-switched"
    LANGUAGE_NOT_SPOKEN = "language-not-spoken"
    STILL_THERE = "still-there"
    WELCOME_BACK = "welcome-back"
    GO_ON = "go-on"
    ASK_PROOF = "ask-proof"
    NOT_HEARD_GOODBYE = "not-heard-goodbye"
    APOLOGY = "apology"
    # Booking.
    ASK_SERVICE = "ask-service"
    ASK_WHICH_SERVICE = "ask-which-service"
    ASK_WHICH_PRACTITIONER = "ask-which-practitioner"
    ASK_PRACTITIONER = "ask-practitioner"
    NO_SUCH_PRACTITIONER = "no-such-practitioner"
    NOT_OFFERED_BY = "not-offered-by"
    NOBODY_LIKE_THAT = "nobody-like-that"
    NO_EARLIER_VISIT = "no-earlier-visit"
    ASK_WHEN = "ask-when"
    TIME_UNCLEAR = "time-unclear"
    TIME_PAST = "time-past"
    WHY_NOT = "why-not"
    STAFF_MAY = "staff-may"
    WAITLIST_HINT = "waitlist-hint"
    OFFER = "offer"
    OFFER_ONE = "offer-one"
    NO_MORE_TIMES = "no-more-times"
    NOTHING_FREE = "nothing-free"
    SLOT_GONE = "slot-gone"
    READ_BACK = "read-back"
    NOW_FOR = "now-for"
    ONE_BY_ONE = "one-by-one"
    NOW_THE_NEXT = "now-the-next"
    WHAT_TO_CHANGE = "what-to-change"
    BOOKED = "booked"
    REQUESTED = "requested"
    PREPARATION_NOTE = "preparation-note"
    REFUSED = "refused"
    # Who they are.
    ASK_NAME = "ask-name"
    ASK_THEIR_NAME = "ask-their-name"
    ASK_LAST_NAME = "ask-last-name"
    ASK_SPELLING = "ask-spelling"
    ASK_BIRTH_DATE = "ask-birth-date"
    ASK_THEIR_BIRTH_DATE = "ask-their-birth-date"
    BIRTH_DATE_IMPOSSIBLE = "birth-date-impossible"
    BIRTH_DATE_AGAIN = "birth-date-again"
    ASK_PHONE = "ask-phone"
    WHY_IDENTITY = "why-identity"
    NOT_FOUND = "not-found"
    NOT_FOUND_STAFF = "not-found-staff"
    # Visits they have.
    NO_VISITS = "no-visits"
    VISITS = "visits"
    PAST_VISITS = "past-visits"
    NO_PAST_VISITS = "no-past-visits"
    ASK_WHICH_VISIT = "ask-which-visit"
    READ_BACK_CANCEL = "read-back-cancel"
    ASK_MOVE_OR_CANCEL = "ask-move-or-cancel"
    CANCELLED = "cancelled"
    ASK_WHEN_MOVE = "ask-when-move"
    READ_BACK_MOVE = "read-back-move"
    MOVED = "moved"
    MOVE_BY_STAFF = "move-by-staff"
    VISIT_KEPT = "visit-kept"
    VISIT_CONFIRMED = "visit-confirmed"
    LATE_NOTED = "late-noted"
    WAITLIST_NOTED = "waitlist-noted"
    WAITLIST_JOINED = "waitlist-joined"
    OFFER_TAKEN = "offer-taken"
    OFFER_MOVED = "offer-moved"
    OFFER_REQUESTED = "offer-requested"
    OFFER_PASSED = "offer-passed"
    OFFER_OVER = "offer-over"
    OFFER_FAILED = "offer-failed"
    KEPT_TIME_PASSED = "kept-time-passed"
    KEPT_TIME_OVER = "kept-time-over"
    # Answers about the clinic.
    CLINIC_ANSWER = "clinic-answer"
    HOURS = "hours"
    HOURS_ON = "hours-on"
    ADDRESS = "address"
    PARKING = "parking"
    PRICE = "price"
    PRICE_UNKNOWN = "price-unknown"
    SERVICES = "services"
    SERVICE_OFFERED = "service-offered"
    PRACTITIONERS = "practitioners"
    WHO_OFFERS = "who-offers"
    WORKS_WHEN = "works-when"
    WORKS_ON = "works-on"
    NOT_IN_ON = "not-in-on"
    WORKING_ON = "working-on"
    LANGUAGES = "languages"
    LANGUAGE_SPOKEN_BY = "language-spoken-by"
    PREPARATION = "preparation"
    NO_PREPARATION = "no-preparation"
    DURATION = "duration"
    PHONE = "phone"
    WHICH_SERVICE_ASKED = "which-service-asked"
    NO_ANSWER = "no-answer"
    OFFER_MESSAGE = "offer-message"
    # People.
    TRANSFER = "transfer"
    STAFF_TOLD = "staff-told"
    STAFF_TOLD_CLOSED = "staff-told-closed"
    CLOSED_NOW = "closed-now"
    NOBODY_ANSWERED = "nobody-answered"
    ASK_MESSAGE = "ask-message"
    MESSAGE_TAKEN = "message-taken"
    CALL_BACK = "call-back"
    EMERGENCY = "emergency"


@dataclass(frozen=True)
class Act:
    """One thing said. `fields` are JSON values: ids, ISO instants, numbers, lists of them. `variant`: how often it was asked."""

    say: Say
    fields: Mapping[str, Any] = field(default_factory=dict)
    variant: int = 0


def act(say: Say, /, **fields: Any) -> Act:
    """Make an act with its fields."""
    return Act(say, fields)
