"""A Turn of a conversation as it was stored, free of its row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class StoredTurn:
    """A Turn as it was stored."""

    number: int
    channel: str
    at: datetime
    kind: str
    said: str
    reply: str
    message_key: str
    catalogue_version: int
    commands: Sequence[Mapping[str, Any]]
    acts: Sequence[Any]
    writes: Sequence[Mapping[str, Any]]
    results: Any
    timings: Mapping[str, float]
    tokens_in: int
    tokens_out: int
    cost: float | None  # of the tokens, in the operator's currency
    staff: str | None = None  # who of them had the conversation
