"""Where recordings of calls are kept: at the vendor, until somebody listens."""

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


class NoRecordings:
    """Where there is no vendor: nothing was ever recorded."""

    def fetch(self, recording_sid: str) -> Audio:
        raise RecordingGone
