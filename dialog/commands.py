"""The closed set of things an utterance can mean. An interpreter emits these and nothing else; only code acts on them.

Commands carry keys of the clinic's catalogue, never row ids, and times that code resolved, never text a model made up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from dialog.timewords import TimeWish
from kernel.errors import Malformed


class Topic(StrEnum):
    """What patients ask of a clinic. Answered from its own data only."""

    HOURS = "hours"
    ADDRESS = "address"
    PARKING = "parking"
    PRICE = "price"
    SERVICES = "services"
    PRACTITIONERS = "practitioners"
    WHO_WORKS_WHEN = "who-works-when"
    GENDER = "gender"
    LANGUAGES = "languages"
    PREPARATION = "preparation"
    DURATION = "duration"
    PHONE = "phone"
    INSURANCE = "insurance"
    OTHER = "other"


class Relation(StrEnum):
    """Whom the patient books for."""

    SELF = "self"
    CHILD = "child"
    PARENT = "parent"
    PARTNER = "partner"
    OTHER = "other"


@dataclass(frozen=True)
class Command:
    """Base of all commands. `name` is its word in transcripts, in `frontdesk understand` and in the model's schema."""

    name: ClassVar[str]


# What they want.
@dataclass(frozen=True)
class StartBooking(Command):
    """They want a visit; `only_looking`: they look for somebody to go to and have not asked for a time yet ("I need a dentist")."""

    name = "start_booking"
    only_looking: bool = False


@dataclass(frozen=True)
class StartReschedule(Command):
    """They want a visit at another time; `every`: all that fit what they say of them ("move both my appointments")."""

    name = "start_reschedule"
    every: bool = False


@dataclass(frozen=True)
class StartCancel(Command):
    """They want a visit cancelled; `only_unable`: they only said that they can't come, so moving it may be what they want.

    `every`: all that fit what they say of them ("cancel both", "all my appointments").
    """

    name = "start_cancel"
    only_unable: bool = False
    every: bool = False


@dataclass(frozen=True)
class ConfirmVisit(Command):
    """They will come to the visit they have ("I'll be there")."""

    name = "confirm_visit"


@dataclass(frozen=True)
class AskAppointments(Command):
    """Asking when their appointment is; `past`: visits that have been."""

    name = "ask_appointments"
    past: bool = False


@dataclass(frozen=True)
class AskAvailability(Command):
    """Asking what is free, as in "what do you have on Friday?"; `only`: they said that nothing is to be booked yet."""

    name = "ask_availability"
    only: bool = False


@dataclass(frozen=True)
class JoinWaitlist(Command):
    name = "join_waitlist"


@dataclass(frozen=True)
class RunningLate(Command):
    name = "running_late"
    minutes: int | None = None


@dataclass(frozen=True)
class AskClinic(Command):
    """A question about the clinic. `text`: the patient's words, for matching the clinic's own answers."""

    name = "ask_clinic"
    topic: Topic
    text: str = ""


@dataclass(frozen=True)
class AskSame(Command):
    """The question asked last, about what is said beside it: "and on Saturdays?", "what about Dr. Lee?"."""

    name = "ask_same"


@dataclass(frozen=True)
class AskHuman(Command):
    name = "ask_human"


@dataclass(frozen=True)
class WantEmail(Command):
    """What is agreed on shall come by e-mail."""

    name = "want_email"


@dataclass(frozen=True)
class LeaveMessage(Command):
    name = "leave_message"
    text: str = ""


# What they tell about it.
@dataclass(frozen=True)
class GiveService(Command):
    """A service, or a reason for a visit that leads to one. More than one key: these could be meant, ask which."""

    name = "give_service"
    keys: tuple[str, ...]
    text: str = ""


@dataclass(frozen=True)
class GivePractitioner(Command):
    """A person they want. More than one key: ask which. No key: somebody who does not work here."""

    name = "give_practitioner"
    keys: tuple[str, ...]
    text: str = ""


@dataclass(frozen=True)
class AnyPractitioner(Command):
    """Whoever is free will do."""

    name = "any_practitioner"


@dataclass(frozen=True)
class SamePractitioner(Command):
    """The person they saw last time; `gender` as far as they say it ("the lady I saw")."""

    name = "same_practitioner"
    gender: str | None = None


@dataclass(frozen=True)
class RefusePractitioner(Command):
    name = "refuse_practitioner"
    keys: tuple[str, ...]


@dataclass(frozen=True)
class WishPractitioner(Command):
    """What kind of person they want: "a woman, please", "somebody who speaks Spanish"."""

    name = "wish_practitioner"
    gender: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class GiveLocation(Command):
    name = "give_location"
    keys: tuple[str, ...]
    text: str = ""


@dataclass(frozen=True)
class GiveTime(Command):
    """When they want to come, or not. `unresolved`: phrases about time that must be asked about; `past`: it has gone by.

    `of_visit`: no wish, but when the visit is that they have ("move my Tuesday appointment"). `by_weekday`: the day was said by the
    name of its weekday alone, so that it is the one of the weeks spoken of.
    """

    name = "give_time"
    wish: TimeWish
    text: str = ""
    unresolved: tuple[str, ...] = ()
    past: bool = False
    of_visit: bool = False
    by_weekday: bool = False


@dataclass(frozen=True)
class GiveName(Command):
    name = "give_name"
    value: str
    spelled: bool = False


@dataclass(frozen=True)
class GiveBirthDate(Command):
    """`value` is None when they gave only a part of one, which is in `year`, `month` and `day`, or something that can't be a date of birth.

    Unless it `is_sure`, it may have been misheard, or was.
    """

    name = "give_birth_date"
    value: date | None
    is_sure: bool = True
    year: int | None = None
    month: int | None = None
    day: int | None = None

    @property
    def is_impossible(self) -> bool:
        """Say whether it was heard well, and nobody was born then."""
        return self.is_sure and self.value is None and not self.is_part

    @property
    def is_part(self) -> bool:
        """Say whether they gave some of it, and not all."""
        return self.value is None and (self.year, self.month, self.day) != (None, None, None)


@dataclass(frozen=True)
class GivePhone(Command):
    name = "give_phone"
    value: str  # E.164


@dataclass(frozen=True)
class LikeLastTime(Command):
    """What they had the last time, with the same person: "the usual, please", "the same as last time"."""

    name = "like_last_time"


@dataclass(frozen=True)
class GiveEmail(Command):
    """An e-mail address. `value` is None when what they gave can't be one; `meant`: the address that it is more likely to be ("gmial")."""

    name = "give_email"
    value: str | None
    meant: str | None = None


@dataclass(frozen=True)
class BookFor(Command):
    """Whom it is for; `also`: besides whoever it was for so far ("my daughter needs one too")."""

    name = "book_for"
    relation: Relation
    person: str | None = None
    also: bool = False


@dataclass(frozen=True)
class NewPatient(Command):
    """Whether they have been here before."""

    name = "new_patient"
    is_new: bool


# How they answer.
@dataclass(frozen=True)
class Affirm(Command):
    name = "affirm"


@dataclass(frozen=True)
class Deny(Command):
    """`nothing_more`: not that, but nothing else either ("that's all")."""

    name = "deny"
    nothing_more: bool = False


@dataclass(frozen=True)
class Choose(Command):
    """One of the options that were offered: `index` from 0; -1 is the last."""

    name = "choose"
    index: int


@dataclass(frozen=True)
class ChooseAll(Command):
    """All of the options: each of the visits listed ("both of them"), any of the times."""

    name = "choose_all"


@dataclass(frozen=True)
class MoreOptions(Command):
    """None of these; others, please. `with_others`: with other people rather than at other times ("anyone else?")."""

    name = "more_options"
    with_others: bool = False


@dataclass(frozen=True)
class Unsure(Command):
    name = "unsure"


@dataclass(frozen=True)
class Correct(Command):
    """What was understood is wrong ("no, Thursday" also gives the time); the details beside it replace what is known.

    `what`: "name" when they say that this is what is wrong with it.
    """

    name = "correct"
    what: str | None = None


# About the conversation.
@dataclass(frozen=True)
class Repeat(Command):
    name = "repeat"


@dataclass(frozen=True)
class StartOver(Command):
    name = "start_over"


@dataclass(frozen=True)
class GoBack(Command):
    name = "go_back"


@dataclass(frozen=True)
class Stop(Command):
    """Ends what is under way ("never mind"); nothing that is booked is touched."""

    name = "stop"


@dataclass(frozen=True)
class Greet(Command):
    name = "greet"


@dataclass(frozen=True)
class Thank(Command):
    name = "thank"


@dataclass(frozen=True)
class Goodbye(Command):
    name = "goodbye"


@dataclass(frozen=True)
class Help(Command):
    name = "help"


@dataclass(frozen=True)
class AskWhy(Command):
    """What is asked of them is needed for: "why do you need my date of birth?"."""

    name = "ask_why"


@dataclass(frozen=True)
class HoldOn(Command):
    """They are not ready to answer: "one moment", "let me get my calendar"."""

    name = "hold_on"


@dataclass(frozen=True)
class AskIfBot(Command):
    name = "ask_if_bot"


@dataclass(frozen=True)
class SwitchLanguage(Command):
    name = "switch_language"
    language: str


@dataclass(frozen=True)
class Emergency(Command):
    """A red flag. Found before anything else and never by a model alone."""

    name = "emergency"
    text: str = ""


@dataclass(frozen=True)
class OutOfScope(Command):
    """Nothing a clinic's front desk does: other businesses' bookings, general questions, medical advice (`kind`)."""

    name = "out_of_scope"
    kind: str = "other"


def to_json(command: Command) -> dict[str, Any]:
    """Return `command` as plain JSON values: its name, and those of its fields that say something. Dates are ISO."""
    return {"name": command.name, **_adapter(command.name).dump_python(command, mode="json", exclude_defaults=True)}


def from_json(plain: Mapping[str, Any]) -> Command:
    """Return the command that `to_json` wrote. Raises Malformed for anything else."""
    fields = {key: value for key, value in plain.items() if key != "name"}
    try:
        command: Command = _adapter(str(plain["name"])).validate_python(fields)
    except (KeyError, ValidationError):
        # The validation error repeats the patient's words.
        raise Malformed("not a command") from None
    return command


@lru_cache
def _adapter(name: str) -> TypeAdapter[Any]:
    kinds = {kind.name: kind for kind in Command.__subclasses__()}
    return TypeAdapter(kinds[name])
