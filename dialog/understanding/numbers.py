"""Telephone numbers and small numbers as they are said: digits, words, "double five"."""

import re
from dataclasses import dataclass

from dialog.understanding.mention import Span
from dialog.understanding.phrasebook import PhraseBook
from dialog.understanding.words import Utterance
from kernel.phone import to_e164

FEWEST_DIGITS = 7
_WRITTEN_DATE = re.compile(r"\d{1,2}([/.-])\d{1,2}\1(\d{4}|\d{2})|\d{4}([/.-])\d{1,2}\3\d{1,2}")


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A telephone number in E.164 form and the words it was."""

    value: str
    span: Span


def number_at(utterance: Utterance, at: int, book: PhraseBook) -> tuple[int, int] | None:
    """Read a small number at word `at`: its value and where it ends. "twenty five" is 25, and so is "veinte y cinco"."""
    word = utterance.words[at]
    if word.isdigit() and len(word) < 5:
        return int(word), at + 1
    value = book.numbers.get(word)
    if value is None:
        return None
    following = at + 2 if utterance.words[at + 1 : at + 2] and utterance.words[at + 1] in book.number_joints else at + 1
    unit = book.numbers.get(utterance.words[following]) if following < len(utterance.words) else None
    if 20 <= value < 100 and unit is not None and 0 < unit < 10:
        return value + unit, following + 1
    return value, at + 1


def phone_in(utterance: Utterance, book: PhraseBook, *, country: str) -> PhoneNumber | None:
    """Find the first run of words that is a telephone number of `country`, or of another with its prefix."""
    at = 0
    while at < len(utterance.tokens):
        digits, end = _digits_from(utterance, at, book)
        if len(digits) >= FEWEST_DIGITS:
            plus = "+" if utterance.text[: utterance.tokens[at].start].rstrip(" (").endswith("+") else ""
            number = to_e164(plus + digits, country=country)
            if number:
                return PhoneNumber(number, (at, end))
        at = max(end, at + 1)
    return None


def _digits_from(utterance: Utterance, at: int, book: PhraseBook) -> tuple[str, int]:
    digits = ""
    words = utterance.words
    while at < len(words):
        times, here = (
            (book.multiples[words[at]], at + 1) if words[at] in book.multiples and at + 1 < len(words) else (1, at)
        )
        plain = words[here].translate(_SEPARATORS)
        if _WRITTEN_DATE.fullmatch(words[here]):
            break  # "3/22/2027" has as many digits as a local number
        if plain.isdigit() and plain.isascii():
            digits += plain * times
        elif (value := book.numbers.get(words[here])) is not None and (value < 10 or digits):
            joined = number_at(utterance, here, book) if book.number_joints & set(words[here + 1 : here + 2]) else None
            digits += str(joined[0] if joined else value) * times
            here = joined[1] - 1 if joined else here
        else:
            break
        at = here + 1
    return digits, at


_SEPARATORS = str.maketrans("", "", "-./")
