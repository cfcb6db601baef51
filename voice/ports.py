"""What we ask the telephone vendor for of our own accord: a recording when somebody listens, a call to try the agent."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from kernel.errors import Refused


class RecordingGone(Refused):
    """The vendor has no such recording (any more)."""

    code = "recording-gone"


@dataclass(frozen=True)
class Audio:
    """A recording as it comes: `length` in bytes where the vendor says it."""

    media_type: str
    length: int | None
    pieces: Iterator[bytes]


class Recordings(Protocol):
    """Fetches recordings by the vendor's id."""

    def fetch(self, recording_sid: str) -> Audio:
        """Begin to fetch a recording; the pieces come as they are asked for. Raises RecordingGone, Unavailable."""
        ...


class CallRefused(Refused):
    """The vendor will not place this call; `vendor_code` is its reason."""

    code = "call-refused"


class Calls(Protocol):
    """Places calls. Not idempotent: each is another call."""

    @property
    def is_on(self) -> bool:
        """Say whether there is a vendor at all."""
        ...

    def place(self, *, to: str, number: str) -> None:
        """Call `to` from the clinic's `number` (both E.164); who takes it talks with the agent as if they had called.

        Raises CallRefused, Unavailable.
        """
        ...


class NoCalls:
    """Where there is no vendor."""

    is_on = False

    def place(self, *, to: str, number: str) -> None:
        raise CallRefused(vendor_code=0)


class NoRecordings:
    """Where there is no vendor: nothing was ever recorded."""

    def fetch(self, recording_sid: str) -> Audio:
        raise RecordingGone
