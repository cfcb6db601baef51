"""Telephone numbers in one form (E.164), and how they may be shown."""

import phonenumbers

_WITHHELD = {
    "anonymous",
    "unknown",
    "restricted",
    "unavailable",
    "private",
    "+266696687",
    "+86282452253",
    "+464",
    "+7378742883",
}


def to_e164(text: str, *, country: str) -> str | None:
    """Return the number in E.164 form, or None if it can't be one. `country` (ISO 3166) reads numbers without a prefix."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    # Possible, not valid: numbering plans change faster than any library, and a wrong "no" loses a patient.
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def caller_number(text: str | None) -> str | None:
    """Return a vendor's `From` in E.164 form, or None when the caller withheld it or calls from an address."""
    text = (text or "").strip()
    if text.lower() in _WITHHELD or not text.startswith("+"):
        return None
    return to_e164(text, country="US")


def masked(number: str | None) -> str:
    """Return a number as logs and lists may show it: the last two digits."""
    return f"…{number[-2:]}" if number else "withheld"


def readable(number: str) -> str:
    """Return an E.164 number as people write it: `+1 212-555-0100`."""
    return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def may_take_texts(number: str) -> bool:
    """Say whether a text to this number can arrive, as far as the number tells. Only certain landlines are a no."""
    return phonenumbers.number_type(phonenumbers.parse(number)) != phonenumbers.PhoneNumberType.FIXED_LINE
