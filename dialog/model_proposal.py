"""The object a language model answers with, and the commands that code makes of it. Nothing in it is taken on trust.

Keys that were not offered are dropped. Times are the patient's own words, read by code. Flat and without nulls,
because small models and servers that constrain them by grammar do best with that.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict
from rapidfuzz import fuzz

from booking.values import Catalogue
from dialog.commands import (
    Affirm,
    AnyPractitioner,
    AskAppointments,
    AskAvailability,
    AskClinic,
    AskHuman,
    AskIfBot,
    BookFor,
    Choose,
    Command,
    ConfirmVisit,
    Correct,
    Deny,
    GiveLocation,
    GivePractitioner,
    GiveService,
    GiveTime,
    GoBack,
    Goodbye,
    Greet,
    Help,
    JoinWaitlist,
    LeaveMessage,
    MoreOptions,
    OutOfScope,
    RefusePractitioner,
    Relation,
    Repeat,
    RunningLate,
    SamePractitioner,
    StartBooking,
    StartCancel,
    StartOver,
    StartReschedule,
    Stop,
    Thank,
    Topic,
    Unsure,
    WantEmail,
)
from dialog.interpreter import Asked, Listening
from dialog.model_privacy import read_times
from dialog.timewords import TimeWish, merge_wish

NONE = "none"


class Intent(StrEnum):
    """What the model may say that an utterance means: the names of commands, and a few that code translates."""

    START_BOOKING = "start_booking"
    START_RESCHEDULE = "start_reschedule"
    START_CANCEL = "start_cancel"
    CONFIRM_VISIT = "confirm_visit"
    ASK_APPOINTMENTS = "ask_appointments"
    ASK_PAST_APPOINTMENTS = "ask_past_appointments"
    ASK_AVAILABILITY = "ask_availability"
    ASK_CLINIC = "ask_clinic"
    JOIN_WAITLIST = "join_waitlist"
    RUNNING_LATE = "running_late"
    WANT_EMAIL = "want_email"
    ASK_HUMAN = "ask_human"
    LEAVE_MESSAGE = "leave_message"
    ANY_PRACTITIONER = "any_practitioner"
    SAME_PRACTITIONER = "same_practitioner"
    AFFIRM = "affirm"
    DENY = "deny"
    CORRECT = "correct"
    MORE_OPTIONS = "more_options"
    UNSURE = "unsure"
    REPEAT = "repeat"
    START_OVER = "start_over"
    GO_BACK = "go_back"
    STOP = "stop"
    GREET = "greet"
    THANK = "thank"
    GOODBYE = "goodbye"
    HELP = "help"
    ASK_IF_BOT = "ask_if_bot"
    MEDICAL_EMERGENCY = "medical_emergency"
    ASK_MEDICAL_ADVICE = "ask_medical_advice"
    OFF_TOPIC = "off_topic"


_COMMANDS: Mapping[Intent, Command] = {
    Intent.START_BOOKING: StartBooking(),
    Intent.START_RESCHEDULE: StartReschedule(),
    Intent.START_CANCEL: StartCancel(),
    Intent.CONFIRM_VISIT: ConfirmVisit(),
    Intent.ASK_APPOINTMENTS: AskAppointments(),
    Intent.ASK_PAST_APPOINTMENTS: AskAppointments(past=True),
    Intent.ASK_AVAILABILITY: AskAvailability(),
    Intent.JOIN_WAITLIST: JoinWaitlist(),
    Intent.RUNNING_LATE: RunningLate(),
    Intent.WANT_EMAIL: WantEmail(),
    Intent.ASK_HUMAN: AskHuman(),
    Intent.LEAVE_MESSAGE: LeaveMessage(),
    Intent.ANY_PRACTITIONER: AnyPractitioner(),
    Intent.SAME_PRACTITIONER: SamePractitioner(),
    Intent.AFFIRM: Affirm(),
    Intent.DENY: Deny(),
    Intent.CORRECT: Correct(),
    Intent.MORE_OPTIONS: MoreOptions(),
    Intent.UNSURE: Unsure(),
    Intent.REPEAT: Repeat(),
    Intent.START_OVER: StartOver(),
    Intent.GO_BACK: GoBack(),
    Intent.STOP: Stop(),
    Intent.GREET: Greet(),
    Intent.THANK: Thank(),
    Intent.GOODBYE: Goodbye(),
    Intent.HELP: Help(),
    Intent.ASK_IF_BOT: AskIfBot(),
    # A red flag is the local list's to find, never a model's alone: what a model suspects, a person shall hear.
    Intent.MEDICAL_EMERGENCY: AskHuman(),
    Intent.ASK_MEDICAL_ADVICE: OutOfScope(kind="advice"),
    Intent.OFF_TOPIC: OutOfScope(),
}
_NOT_AT_A_READ_BACK = frozenset({Intent.AFFIRM, Intent.DENY, Intent.CONFIRM_VISIT})
"""A yes that changes the diary, and the no that stops it, are read by code."""
_NOT_IN_THE_MIDDLE = frozenset(
    {
        Intent.START_BOOKING,
        Intent.START_RESCHEDULE,
        Intent.START_CANCEL,
        Intent.CONFIRM_VISIT,
        Intent.START_OVER,
        Intent.STOP,
        Intent.GOODBYE,
        Intent.ASK_HUMAN,
    }
)
"""An answer to a question on the way to a booking tempts models to begin another one. And to end one, or to be put through,
takes words that the local interpreter knows: who is not understood three times gets a person anyway.
"""
_OPEN_QUESTIONS = frozenset({Asked.NOTHING, Asked.WHAT_TO_DO, Asked.ANYTHING_ELSE})
_QUESTIONS_OF_WHAT = _OPEN_QUESTIONS | {Asked.SERVICE, Asked.FOR_WHOM}


class Proposal(BaseModel):
    """A model's answer in the form asked for. Keys are still any text: a list of this clinic's is in the schema only."""

    model_config = ConfigDict(frozen=True)

    intents: list[Intent]
    topic: Topic | Literal["none"]
    service: str
    practitioner: str
    refused_practitioner: str
    location: str
    time_phrases: list[str]
    option: int
    for_whom: Relation | Literal["none"]
    confidence: Literal["low", "medium", "high"]

    @property
    def certainty(self) -> float:
        return {"low": 0.4, "medium": 0.6, "high": 0.8}[self.confidence]


def json_schema(catalogue: Catalogue) -> dict[str, object]:
    """Give the schema of a proposal for this clinic. It changes only with the clinic's data, so that vendors can cache it."""

    def one_of(*values: str) -> dict[str, object]:
        return {"type": "string", "enum": list(dict.fromkeys([*values, NONE]))}

    practitioners = one_of(*(person.key for person in catalogue.practitioners))
    properties: dict[str, object] = {
        "intents": {"type": "array", "items": {"type": "string", "enum": [intent.value for intent in Intent]}},
        "topic": one_of(*(topic.value for topic in Topic)),
        "service": one_of(*(service.key for service in catalogue.services)),
        "practitioner": practitioners,
        "refused_practitioner": practitioners,
        "location": one_of(*(place.key for place in catalogue.locations)),
        "time_phrases": {"type": "array", "items": {"type": "string"}},
        "option": {"type": "integer"},
        "for_whom": one_of(*(relation.value for relation in Relation)),
        "confidence": {"type": "string", "enum": ["low", "medium", "high"]},
    }
    return {
        "title": "understood",
        "description": "What the patient's words mean.",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def commands_of(proposal: Proposal, *, said: str, listening: Listening) -> tuple[Command, ...]:
    """Turn what the model proposed into commands. `said` is the text it was shown; anything not founded there is dropped."""
    return tuple(
        dict.fromkeys(
            [*_intents(proposal, said, listening), *_details(proposal, said, listening)]
        )  # in order, once each
    )


def _intents(proposal: Proposal, said: str, listening: Listening) -> Iterator[Command]:
    for intent in proposal.intents:
        if intent is Intent.ASK_CLINIC:
            # Small models say so of what they can't place; whoever hears a question knows what it is about, if only "other".
            if proposal.topic != NONE:
                yield AskClinic(Topic(proposal.topic), text=said)
        elif _may_be_said(intent, listening.asked):
            yield _COMMANDS[intent]


def _may_be_said(intent: Intent, asked: Asked) -> bool:
    if asked is Asked.YES_NO and intent in _NOT_AT_A_READ_BACK:
        return False
    return asked in _OPEN_QUESTIONS or intent not in _NOT_IN_THE_MIDDLE


def _details(proposal: Proposal, said: str, listening: Listening) -> Iterator[Command]:
    catalogue = listening.catalogue
    for service in catalogue.services:
        names = (service.name, *service.aliases, *service.reasons)
        if service.key == proposal.service and (listening.asked in _QUESTIONS_OF_WHAT or _is_said(names, said)):
            yield GiveService((service.key,))
    for place in catalogue.locations:
        # Small models fill this in for patients who named no place, and the next person too.
        names = (place.name, *place.aliases, place.address)
        if place.key == proposal.location and (listening.asked is Asked.LOCATION or _is_said(names, said)):
            yield GiveLocation((place.key,))
    for person in catalogue.practitioners:
        if person.key in {proposal.practitioner, proposal.refused_practitioner} and _is_said(
            (person.name, *person.aliases), said
        ):
            is_refused = person.key == proposal.refused_practitioner
            yield RefusePractitioner((person.key,)) if is_refused else GivePractitioner((person.key,))
    if 0 < proposal.option <= len(listening.offered):
        yield Choose(proposal.option - 1)
    if proposal.for_whom not in {NONE, Relation.SELF} and listening.asked in _QUESTIONS_OF_WHAT:
        yield BookFor(Relation(proposal.for_whom))
    yield from _time(proposal, said, listening)


def _is_said(names: Iterable[str], said: str) -> bool:
    """Say whether some word of the patient's is like one of the names. Titles and what every visit is called are too common to count."""
    parts = {word for name in names for word in name.casefold().split()} - _COMMON
    words = {word.strip(".,;:!?\"'") for word in said.casefold().split()} - _COMMON
    return any(len(word) > 2 and fuzz.ratio(word, part) >= 70 for word in words for part in parts)


_TITLES = {"dr", "dr.", "doctor", "doctora", "dra", "dra.", "nurse"}
_SMALL_WORDS = {
    "the",
    "for",
    "and",
    "with",
    "my",
    "our",
    "your",
    "have",
    "not",
    "fell",
    "out",
    "first",
    "new",
    "see",
    "feeling",
    "para",
    "con",
    "del",
    "los",
    "las",
    "una",
}
_OF_EVERY_VISIT = {
    "visit",
    "appointment",
    "check",
    "session",
    "test",
    "office",
    "street",
    "consulta",
    "cita",
    "visita",
    "sesión",
}
_COMMON = frozenset(_TITLES | _SMALL_WORDS | _OF_EVERY_VISIT)


def _time(proposal: Proposal, said: str, listening: Listening) -> Iterator[GiveTime]:
    folded = said.casefold()
    phrases = [phrase for phrase in proposal.time_phrases if phrase.strip() and phrase.casefold() in folded]
    readings = [read_times(phrase, listening, asked=Asked.WHEN) for phrase in phrases]
    wish: TimeWish | None = None
    for reading in readings:
        wish = merge_wish(wish, reading.wish) if reading.wish else wish
    is_about_when = listening.asked is Asked.WHEN or listening.asked in _OPEN_QUESTIONS
    unread = tuple(
        unclear
        for phrase, reading in zip(phrases, readings, strict=True)
        for unclear in (reading.unresolved or (() if reading.wish or reading.past or not is_about_when else (phrase,)))
    )
    past = wish is None and any(reading.past for reading in readings)
    if wish or unread or past:
        yield GiveTime(wish or TimeWish(), text=", ".join(phrases), unresolved=unread, past=past)
