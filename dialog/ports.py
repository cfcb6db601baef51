"""What the conversation needs from outside: a language model that reads one utterance. It proposes; code decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"


@dataclass(frozen=True)
class Message:
    role: Role
    text: str


@dataclass(frozen=True)
class ModelQuestion:
    """What the model is told, and the JSON schema of the object it must answer with (every field required)."""

    messages: tuple[Message, ...]
    schema: Mapping[str, object]


@dataclass(frozen=True)
class ModelAnswer:
    """The object the model answered with, of which nothing has been checked, and what it cost in tokens."""

    fields: Mapping[str, object]
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True)
class TokenPrices:
    """What a million tokens cost, read and written, in the operator's currency."""

    per_million_in: float
    per_million_out: float

    def cost(self, *, tokens_in: int, tokens_out: int) -> float:
        """Return what so many tokens cost."""
        return (tokens_in * self.per_million_in + tokens_out * self.per_million_out) / 1_000_000


class LanguageModel(Protocol):
    def propose(self, question: ModelQuestion, *, deadline_s: float) -> ModelAnswer:
        """Ask once, without trying again, and answer or raise within `deadline_s` whatever the other side does.

        Safe to call from several threads. Raises Unavailable when the model is slow, down or refuses us (429, 5xx, a bad
        key), and Malformed when it answered and that is not an object: a refusal, broken JSON, an answer cut off.
        """
        ...
