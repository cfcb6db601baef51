"""What a recogniser heard, as a person would have written it. Meaning is not sought here: that is the interpreter's part."""

import re

from kernel.telephony import printable

_LONGEST = 2000  # characters; a minute of speech has about 900

# Sounds that carry no meaning, with the commas recognisers put round them. "Uh-huh" is not one of them.
_FILLER = re.compile(r",?\s*\b(?:u+h+|u+m+|e+rm*|h+m+m+|mmm+)\b(?!-)[.,…]*", re.IGNORECASE)
_YES = re.compile(r"\b(?:uh[- ]?huh|mm+[- ]?hmm+|mhm+)\b", re.IGNORECASE)
_NO = re.compile(r"\b(?:n?uh[- ]uh|nuh[- ]?uh)\b", re.IGNORECASE)
_DOUBLE_U = re.compile(r"\bdouble[- ]?(?:u|you)\b", re.IGNORECASE)

_DIGITS = {
    word: str(digit)
    for digit, words in enumerate(("zero oh o", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
    for word in words.split()
}
_DIGIT = rf"(?:{'|'.join(_DIGITS)}|\d)"
_TIMES = {"double": 2, "triple": 3}
_ONE_DIGIT = rf"(?:(?:{'|'.join(_TIMES)})\s+)?{_DIGIT}"
# Seven and more in a row are a number that is read out; fewer may be "at five oh five" or "May two, one nine eight four".
_READ_OUT = re.compile(rf"\b{_ONE_DIGIT}(?:[\s,-]+{_ONE_DIGIT}){{6,}}\b", re.IGNORECASE)


def clean(text: str) -> str:
    """Return recognised speech without fillers, with digits that were read out one by one put together."""
    text = printable(text)[:_LONGEST]
    text = _NO.sub("no", _YES.sub("yes", text))
    text = _FILLER.sub("", text)
    text = _DOUBLE_U.sub("W", text)
    text = _READ_OUT.sub(_as_number, text)
    return re.sub(r"\s+", " ", text).strip(" ,")


def keys(text: str) -> str:
    """Return what was keyed: digits, star and hash only."""
    return re.sub("[^0-9*#]", "", text)[:40]


def confidence(text: str) -> float | None:
    """Return the recogniser's confidence, None if it gave none: zero means that, too."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value <= 1 else None


def _as_number(match: re.Match[str]) -> str:
    digits, times = "", 1
    for word in re.findall(r"[a-z]+|\d", match[0].lower()):
        if word in _TIMES:
            times = _TIMES[word]
        else:
            digits += _DIGITS.get(word, word) * times
            times = 1
    return digits
