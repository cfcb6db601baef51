"""What a channel hands to the dialog, and what it gets back. The same for phone, text and terminal."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from dialog.interpreter import Asked


class Channel(StrEnum):
    SMS = "sms"
    VOICE = "voice"
    WEB = "web"  # the chat page


class InboundKind(StrEnum):
    START = "start"  # a call was answered: greet
    SAID = "said"  # words, written or recognised
    KEYS = "keys"  # the keypad
    SILENCE = "silence"  # nothing was said in time
    HUNG_UP = "hung-up"
    TRANSFER_FAILED = "transfer-failed"  # nobody answered: the caller is back with us


class StaffTurn(StrEnum):
    """A Turn while somebody of the staff has the conversation: no message that the agent answered."""

    TAKEN_OVER = "taken-over"
    SAID_TO_STAFF = "said-to-staff"  # by the patient; the agent is silent, except in an emergency
    STAFF_SAID = "staff-said"
    GIVEN_BACK = "given-back"
    LAPSED = "lapsed"  # they did not answer, or forgot it: the agent answers again


@dataclass(frozen=True)
class Inbound:
    """One message. `message_key` is the same for every delivery of it; `thread_key` names the conversation at the vendor."""

    clinic_id: str
    channel: Channel
    kind: InboundKind
    thread_key: str  # voice: the CallSid; sms: the sender's number with ours; web: the visitor
    message_key: str
    caller: str | None  # E.164; None when withheld
    text: str = ""  # words, or digits for KEYS; the caller's own, not trusted
    confidence: float | None = None  # the recogniser's, when it gave one


@dataclass(frozen=True)
class Reply:
    """What to say, rendered for the channel, and what is expected back. JSON both ways: a repeat gets the stored one."""

    text: str
    language: str = "en"
    asked: Asked = Asked.NOTHING
    ends: bool = False  # hang up, or nothing more is expected
    transfer_to: str | None = None  # E.164 of a person, after `text`
    hints: tuple[str, ...] = field(default=())  # words the recogniser should expect
    silent: bool = False  # say nothing at all (the message needs no answer)
    waits: bool = False  # they asked for time: an answer may be long in coming


class TurnHandler(Protocol):
    """The dialog as a channel sees it."""

    def handle_turn(self, inbound: Inbound, /) -> Reply:
        """Answer one message. A repeat of its key gets the same Reply and does nothing twice. May raise anything."""
        ...

    def apologise(self, inbound: Inbound, error: Exception, /) -> Reply:
        """Answer for a turn that failed, and leave staff a task about it."""
        ...

    def answer_to(self, inbound: Inbound, /) -> Reply | None:
        """Return what a message was answered, or the apology for it, by whatever process; None while there is neither."""
        ...
