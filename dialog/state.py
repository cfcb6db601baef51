"""What a conversation knows between two turns. Frozen, JSON both ways; misunderstanding never erases any of it."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from booking.values import BookedVisit
from dialog.acts import Act, Say
from dialog.commands import Relation, Topic
from dialog.errands import OpenTask
from dialog.interpreter import Asked
from dialog.offers import Offer
from dialog.timewords import TimeWish

MOVE, CANCEL = "move", "cancel"
"""Keys of the choices of somebody who can't come to a visit."""


class FlowKind(StrEnum):
    """What is under way."""

    BOOK = "book"
    RESCHEDULE = "reschedule"
    CANCEL = "cancel"
    APPOINTMENTS = "appointments"
    PAST_VISITS = "past-visits"
    CONFIRM = "confirm"
    MESSAGE = "message"
    EMAIL = "email"


class Outcome(StrEnum):
    """How a conversation ended, or what it has come to so far."""

    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"
    HANDED_OVER = "handed-over"
    MESSAGE_TAKEN = "message-taken"
    INFORMED = "informed"
    ABANDONED = "abandoned"


_RANK = {
    Outcome.BOOKED: 3,
    Outcome.MOVED: 3,
    Outcome.CANCELLED: 3,
    Outcome.HANDED_OVER: 2,
    Outcome.MESSAGE_TAKEN: 2,
    Outcome.INFORMED: 1,
    Outcome.ABANDONED: 0,
}


def weightier(old: Outcome | None, new: Outcome) -> Outcome:
    """Return the outcome to keep: what changed the diary counts more than words, and of equals the later one."""
    return new if old is None or _RANK[new] >= _RANK[old] else old


@dataclass(frozen=True)
class BirthParts:
    """As much of a date of birth as arrived."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    @property
    def is_whole(self) -> bool:
        return None not in (self.year, self.month, self.day)


@dataclass(frozen=True)
class Person:
    """Who somebody says they are."""

    name: str | None = None
    birth_date: date | None = None
    phone: str | None = None
    birth_date_refusals: int = 0
    name_refusals: int = 0
    name_tried: str | None = None  # with a date of birth that did not go with it, or it was not known
    is_put_right: bool = False  # another name was understood, or on file, before this one
    is_last_name: bool = False  # all of the name that is known is the last one
    is_name_doubted: bool = False  # they said that it was misheard
    birth_parts: BirthParts = BirthParts()  # as long as it is not whole
    is_birth_date_sure: bool = True


@dataclass(frozen=True)
class Details:
    """What was said about the visit that is wanted. More than one key: which of them is still to be asked."""

    service_keys: tuple[str, ...] = ()
    practitioner_keys: tuple[str, ...] = ()
    refused_keys: tuple[str, ...] = ()
    unknown_practitioner: str | None = None  # a name nobody here has
    same_practitioner: bool = False
    same_visit: bool = False  # what they had the last time, with the same person
    same_time: bool = False  # at the time of day that they came at the last time
    gender: str | None = None
    language: str | None = None
    location_keys: tuple[str, ...] = ()
    wish: TimeWish | None = None
    time_unclear: str | None = None  # the phrase to ask about
    time_past: bool = False
    not_before: datetime | None = None  # naive wall time of the clinic: "anything later?"
    not_after: datetime | None = None
    relation: Relation = Relation.SELF
    person_said: str | None = None  # how they called the one they book for

    @property
    def refers_to_last_time(self) -> bool:
        return self.same_practitioner or self.same_visit or self.same_time


@dataclass(frozen=True)
class Flow:
    """One thing under way, with all that is known about it."""

    kind: FlowKind
    details: Details = field(default_factory=Details)
    about: Details = field(default_factory=Details)  # which existing visit is meant
    person: Person = field(default_factory=Person)  # whom it is for, when it is not the one we talk to
    patient_id: str | None = None
    matched: tuple[str, date | None] | None = None  # who was looked for among the patients of the caller's number
    looked_up: tuple[str, date] | None = None  # the name and date of birth looked for among all patients
    is_newcomer: bool = False  # nobody on file fits: taken on at the yes
    visits: tuple[BookedVisit, ...] | None = None
    visit: BookedVisit | None = None  # the one to move or cancel
    offers: tuple[Offer, ...] = ()
    shown: tuple[datetime, ...] = ()  # starts offered before
    anchor: tuple[
        datetime, ...
    ] = ()  # starts offered last, or the one chosen of them: what "later" and "another day" refer to
    lost_at: datetime | None = None  # the time somebody else took, while looking for one near it
    chosen: Offer | None = None
    offered_beside: tuple[Offer, ...] = ()  # the list that it was chosen from
    listed: tuple[Offer, ...] = ()  # the several times that were offered last
    hold: BookedVisit | None = None
    seat_id: str | None = None  # of a group: the seat that is held
    agreed: bool = False
    is_every: bool = False  # a change of all visits that fit what was said of them
    called_off: tuple[BookedVisit, ...] = ()  # of these, those that are cancelled already
    only_asks: bool = False  # a booking of which they said that nothing is to be booked yet
    is_to_wait: bool = False  # a move that is only to wait for an earlier time
    may_move: bool = False  # a cancellation by somebody who only said that they can't come: moving it may be better
    is_doubted: bool = False  # a patient of this number has the name, but not the date of birth
    is_second: bool = False  # another service for the same person, taken up after the first one
    is_overtaken: bool = False  # a booking that was open when they came to a change of a visit they have
    is_companion: bool = False  # the same visit for a second person, taken up after the first one's
    email: str | None = None  # the address to keep
    is_email_right: bool = False  # it was written so, or they agreed to it
    email_meant: str | None = None  # the one that they more likely meant
    email_refusals: int = 0
    note: str | None = None  # words for the staff
    note_for: str | None = None
    task: OpenTask | None = None  # staff are told of it as soon as they know how to reach whom it is about
    promise: Say | None = None  # said once they are told


@dataclass(frozen=True)
class Choice:
    """One option of the question that is open."""

    key: str
    offer: Offer | None = None
    visit: BookedVisit | None = None


@dataclass(frozen=True)
class SetAside:
    """The question that was open while it is asked what an answer was about, and that answer."""

    question: Act | None
    asked: Asked
    choices: tuple[Choice, ...]
    said: str
    takes: bool


@dataclass(frozen=True)
class Made:
    """A visit booked or moved in this conversation, and whom it is for."""

    visit: BookedVisit
    relation: Relation = Relation.SELF


@dataclass(frozen=True)
class DialogState:
    """One conversation. The flow under way is the last of `flows`; the others wait for it."""

    language: str = "en"
    flows: tuple[Flow, ...] = ()
    me: Person = field(default_factory=Person)
    is_new: bool = False  # they say they have never been here
    gives_no_number: bool = False  # they were asked how staff can reach them, and would not say
    number_patients: tuple[str, ...] = ()  # ids of the patients who have the caller's number
    verified_id: str | None = None
    served_id: str | None = None  # whose visit was written last
    made: tuple[Made, ...] = ()  # by whoever speaks, the last one last: they may change these without another proof
    offered_for_it: tuple[datetime, ...] = ()  # starts offered for the visit that was written last
    called_off: BookedVisit | None = None  # the visit cancelled last: what "another one the week after" refers to
    spoken_of: str | None = None  # key of the service that a question was about last: what "can I get one?" refers to
    asked_topic: Topic | None = None  # of the question answered in the last turn: what "and on Saturdays?" asks again
    told: tuple[BookedVisit, ...] = ()  # the visits listed last: what "the first one" refers to
    told_for: Relation = Relation.SELF  # whose they are
    failed_checks: int = 0
    asked: Asked = Asked.NOTHING
    question: Act | None = None
    choices: tuple[Choice, ...] = ()
    failures: int = 0  # on the question that is open
    silences: int = 0
    rounds: int = 0  # how often in a row nothing was said but the question that is open
    turns: int = 0
    last_acts: tuple[Act, ...] = ()
    last_heard_at: datetime | None = None
    outcome: Outcome | None = None
    pending_note: str | None = None  # a question for the staff, if they want it passed on
    greeted: bool = False
    tokens_spent: int = 0  # on a language model
    channel: str | None = None  # of the last turn; `verified_id` is who they proved to be on it
    verified_elsewhere: tuple[tuple[str, str], ...] = ()  # who they proved to be on other channels
    birth_date_is_elsewhere: bool = False  # theirs was said on another channel: good for a booking, and no proof here
    is_on_call: bool = False
    set_aside: SetAside | None = None
    must_prove: bool = False  # who calls now may be another than who left something open: nothing of it is said before
    cut_off_at: datetime | None = None  # the call dropped with something open, and they have not been heard since
    had_emergency: bool = False
    email: str | None = None  # given while a visit was booked, and kept with it
    introduced_id: str | None = None  # the patient of the visit booked last, if they gave name and date of birth for it

    @property
    def flow(self) -> Flow | None:
        return self.flows[-1] if self.flows else None

    @property
    def start_spoken_of(self) -> datetime | None:
        """The start that "the following week" counts from: offered or chosen last, of the visit that is moved, or made last."""
        flow = self.flow
        if flow is None:
            return self.made[-1].visit.starts_at if self.made else None
        return max(flow.anchor, default=flow.visit.starts_at if flow.visit else None)

    def with_flow(self, flow: Flow) -> "DialogState":
        return replace(self, flows=(*self.flows[:-1], flow))


_ADAPTER = TypeAdapter(DialogState)


def to_json(state: DialogState) -> dict[str, Any]:
    """Return the state as JSON values."""
    plain: dict[str, Any] = _ADAPTER.dump_python(state, mode="json", exclude_defaults=True)
    return plain


def from_json(plain: dict[str, Any]) -> DialogState:
    """Return the state that `to_json` wrote; fields this version does not know are passed over."""
    return _ADAPTER.validate_python(plain)
