"""What the vendor's error numbers mean for us: one table, for refusals and for receipts alike."""

from dataclasses import dataclass

from booking.numbers import Trouble

OPTED_OUT = 21610


@dataclass(frozen=True)
class _Meaning:
    word: str  # of `delivery` in `booking.task_words`
    is_passing: bool = False  # the same text may be sent later
    number: Trouble | None = None  # what it says of the number it was sent to
    retries: int = 0  # how often the text is sent again, later, after a receipt with it
    is_set_up: bool = False  # the account or a number must be set up differently: no patient can mend it


_MEANINGS = {
    20003: _Meaning("credentials", is_set_up=True),
    20429: _Meaning("too-many", is_passing=True),
    21211: _Meaning("no-number", number=Trouble.LASTING),
    21214: _Meaning("unreachable", number=Trouble.LASTING),
    21217: _Meaning("no-number", number=Trouble.LASTING),
    21408: _Meaning("country-off", is_set_up=True),
    21606: _Meaning("no-sender", is_set_up=True),
    21608: _Meaning("trial", is_set_up=True),
    OPTED_OUT: _Meaning("opted-out"),
    21611: _Meaning("queue-full", is_passing=True),
    21612: _Meaning("no-way", is_set_up=True),
    21614: _Meaning("no-mobile", number=Trouble.LASTING),
    21617: _Meaning("too-long"),
    21635: _Meaning("landline", number=Trouble.LASTING),
    30001: _Meaning("overflow", is_passing=True, retries=1),
    30003: _Meaning("switched-off", number=Trouble.PASSING, retries=2),
    30004: _Meaning("blocked", number=Trouble.PASSING),
    30005: _Meaning("nobodys", number=Trouble.LASTING),
    30006: _Meaning("landline-or-away", number=Trouble.LASTING),
    30007: _Meaning("filtered"),
    30008: _Meaning("no-reason", number=Trouble.PASSING, retries=1),
    30034: _Meaning("unregistered", is_set_up=True),
}
_UNKNOWN = _Meaning("unknown")


def meaning(code: int | None) -> str:
    """Return what a code means, as staff are told."""
    return _MEANINGS.get(code or 0, _UNKNOWN).word


def of_number(code: int | None) -> Trouble | None:
    """Return what a code says of the number; None where it says nothing of it."""
    return _MEANINGS.get(code or 0, _UNKNOWN).number


def retries_of(code: int | None) -> int:
    """Return how often a text is sent again after a receipt with this code."""
    return _MEANINGS.get(code or 0, _UNKNOWN).retries


def is_passing(code: int | None) -> bool:
    """Say whether the same text may be taken later."""
    return _MEANINGS.get(code or 0, _UNKNOWN).is_passing


def is_set_up(code: int | None) -> bool:
    """Say whether whoever runs the product must act, rather than the clinic's front desk."""
    return _MEANINGS.get(code or 0, _UNKNOWN).is_set_up
