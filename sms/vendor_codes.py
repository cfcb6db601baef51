"""What the vendor's error numbers mean for us: one table, for refusals and for receipts alike."""

from dataclasses import dataclass

from booking.numbers import Trouble

OPTED_OUT = 21610


@dataclass(frozen=True)
class _Meaning:
    text: str  # for staff
    is_passing: bool = False  # the same text may be sent later
    number: Trouble | None = None  # what it says of the number it was sent to
    retries: int = 0  # how often the text is sent again, later, after a receipt with it
    is_set_up: bool = False  # the account or a number must be set up differently: no patient can mend it


_MEANINGS = {
    20003: _Meaning("the vendor does not accept our credentials", is_set_up=True),
    20429: _Meaning("too many requests", is_passing=True),
    21211: _Meaning("not a telephone number", number=Trouble.LASTING),
    21214: _Meaning("the number can't be reached", number=Trouble.LASTING),
    21217: _Meaning("not a telephone number", number=Trouble.LASTING),
    21408: _Meaning("texts to this country are not switched on", is_set_up=True),
    21606: _Meaning("the clinic's number can't send texts", is_set_up=True),
    21608: _Meaning("a trial account sends to verified numbers only", is_set_up=True),
    OPTED_OUT: _Meaning("the patient has stopped texts"),
    21611: _Meaning("the sender's queue is full", is_passing=True),
    21612: _Meaning("no way from the clinic's number to this one", is_set_up=True),
    21614: _Meaning("not a mobile number", number=Trouble.LASTING),
    21617: _Meaning("the text is too long"),
    21635: _Meaning("a landline", number=Trouble.LASTING),
    30001: _Meaning("the queue overflowed", is_passing=True, retries=1),
    30003: _Meaning("the telephone is switched off or out of reach", number=Trouble.PASSING, retries=2),
    30004: _Meaning("blocked by the receiver", number=Trouble.PASSING),
    30005: _Meaning("nobody has this number", number=Trouble.LASTING),
    30006: _Meaning("a landline, or a network that can't be reached", number=Trouble.LASTING),
    30007: _Meaning("filtered by the network"),
    30008: _Meaning("the network gave no reason", number=Trouble.PASSING, retries=1),
    30034: _Meaning("the clinic's number is not registered for texts", is_set_up=True),
}
_UNKNOWN = _Meaning("the vendor gave a reason we do not know")


def explained(code: int | None) -> str:
    """Return the meaning of a code for staff."""
    return _MEANINGS.get(code or 0, _UNKNOWN).text


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
