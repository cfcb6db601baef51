"""What protects patients: emergency numbers, and how much of their words is taken in."""

MAX_WORDS_TAKEN = 500

_EVERYWHERE = "112"
# National emergency numbers for ambulance: ITU-T E.161.1 and the "List of national emergency numbers" of the ITU.
_NUMBERS = {
    "US": "911",
    "CA": "911",
    "MX": "911",
    "PR": "911",
    "GB": "999",
    "IE": "112",
    "AU": "000",
    "NZ": "111",
    "ZA": "10177",
    "IN": "112",
    "CH": "144",
    "AT": "144",
    "JP": "119",
    "SG": "995",
    "HK": "999",
    "BR": "192",
    "AR": "107",
    "CL": "131",
    "CO": "123",
}


def emergency_number(country: str) -> str:
    """Return the number for an ambulance in `country` (ISO 3166); 112 where we know no better, which mobiles connect anywhere."""
    return _NUMBERS.get(country.upper(), _EVERYWHERE)


def taken(text: str) -> str:
    """Return as much of a patient's words as is worked with: no control characters, at most 500 characters."""
    cleaned = "".join(char if char.isprintable() else " " for char in text[: MAX_WORDS_TAKEN * 4])
    return " ".join(cleaned.split())[:MAX_WORDS_TAKEN]
