"""A booking that somebody made for themselves on the practitioner's own booking page elsewhere."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class RemoteBooking:
    """What the page knows of it. Instants are UTC; who it is for is as they wrote it, and proves nothing."""

    starts_at: datetime
    ends_at: datetime
    kinds: tuple[str, ...]  # what the page calls such a visit: its slug, its title
    is_confirmed: bool  # False: whose calendar it is has not said yes
    name: str = field(repr=False)
    phone: str | None = field(repr=False)
    email: str | None = field(repr=False)
    language: str | None  # ISO 639
