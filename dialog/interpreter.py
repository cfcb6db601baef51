"""From what a patient said to commands of the closed set: the port, and the records that go in and come out."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from booking.values import Catalogue
from dialog.commands import Command


class Asked(StrEnum):
    """The question the agent asked last: what a bare answer is an answer to."""

    NOTHING = "nothing"
    WHAT_TO_DO = "what-to-do"
    SERVICE = "service"
    PRACTITIONER = "practitioner"
    LOCATION = "location"
    WHEN = "when"
    CHOICE = "choice"  # one of the options offered
    YES_NO = "yes-no"
    NAME = "name"
    SPELL_NAME = "spell-name"
    BIRTH_DATE = "birth-date"
    PHONE = "phone"
    EMAIL = "email"
    FOR_WHOM = "for-whom"
    MESSAGE = "message"
    ANYTHING_ELSE = "anything-else"


@dataclass(frozen=True)
class Option:
    """One thing that was offered, as the patient may refer to it. Slots have a start; others only keys or words."""

    starts: datetime | None = None  # wall time at the location, naive
    practitioner_key: str | None = None
    location_key: str | None = None
    text: str = ""


@dataclass(frozen=True)
class Listening:
    """What an utterance is understood against. `now` is naive wall time in the clinic's zone.

    `day_spoken_of` is the day that "the following week" counts from: of what was offered or is moved.
    `tokens_left` is what the conversation may still spend on a language model; None is no limit.
    """

    catalogue: Catalogue
    now: datetime
    language: str = "en"
    asked: Asked = Asked.NOTHING
    offered: tuple[Option, ...] = ()
    day_spoken_of: date | None = None
    tokens_left: int | None = None


@dataclass(frozen=True)
class Interpretation:
    """`confidence` 0 to 1: below about a half the rest of the pipeline asks rather than acts. `open_words`: what was not used.

    `tokens_in` and `tokens_out` are what a language model was paid for: reading and answering.
    """

    commands: tuple[Command, ...]
    language: str
    confidence: float
    open_words: str = ""
    tokens_in: int = 0
    tokens_out: int = 0

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out


class Interpreter(Protocol):
    def interpret(self, text: str, listening: Listening, *, deadline_s: float) -> Interpretation:
        """Say what `text` means. Never raises for any text; takes at most about `deadline_s`."""
        ...
