"""What the language model's vendor may read of a patient's words: the wish, and as little else as can be told apart.

Names of patients, dates of birth, numbers and addresses are replaced before anything leaves. Where in doubt a word is
replaced: the local interpreter has read the original, so nothing is lost but some help.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rapidfuzz import fuzz

from booking.values import Catalogue
from dialog.commands import BookFor, Command, GiveBirthDate, GiveEmail, GiveName, GivePhone
from dialog.interpreter import Asked, Listening
from dialog.timewords import TimeReading, read_time
from dialog.timewords.language import Language
from dialog.timewords.language import language as language_called

MAX_LENGTH = 500

_PERSONAL_QUESTIONS = frozenset(
    {Asked.NAME, Asked.SPELL_NAME, Asked.BIRTH_DATE, Asked.PHONE, Asked.EMAIL, Asked.MESSAGE}
)
_ADDRESS = re.compile(r"\S+@\S+|https?://\S+|www\.\S+", re.IGNORECASE)
_SPELLED = re.compile(r"(?<!['’\w])(?:[^\W\d_][\s.,-]+){2,}[^\W\d_]\b")
_NUMBER_DATE = re.compile(r"\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b|\b\d{4}-\d{1,2}-\d{1,2}\b")
_DIGITS = re.compile(r"[+(]{0,2}\d(?:[\s().+/-]*\d){4,}")
_YEAR = re.compile(r"(?:[^\s.!?]+\s+){0,3}\b((?:18|19|20)\d\d)\b")
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_SENTENCE_END = ".!?:;\n"


def is_personal(asked: Asked, commands: Iterable[Command]) -> bool:
    """Say whether an utterance as a whole is about who somebody is, so that no part of it should leave."""
    return asked in _PERSONAL_QUESTIONS or any(
        isinstance(each, GiveBirthDate | GiveEmail | GivePhone) for each in commands
    )


def without_personal_data(text: str, listening: Listening, *, commands: Iterable[Command] = ()) -> str:
    """Return `text` on one line, of at most 500 characters, with what may identify somebody replaced by [words].

    `commands` is what the local interpreter found in it. Names that are the clinic's own stay.
    """
    text = _ADDRESS.sub("[contact]", one_line(text))
    text = _without_given_names(text, commands)
    text = _SPELLED.sub("[name]", text)
    text = _NUMBER_DATE.sub("[date]", text)
    text = _YEAR.sub(lambda found: "[date]" if int(found[1]) < listening.now.year else found[0], text)
    text = _DIGITS.sub("[number]", text)
    text = _without_spoken_numbers(text, listening)
    return _without_capitals(text, listening)[:MAX_LENGTH]


def one_line(text: str) -> str:
    """Drop control characters and everything beyond 500 characters, and make all white space single blanks."""
    kept = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in text[: 4 * MAX_LENGTH])
    return " ".join(kept.split())[:MAX_LENGTH]


def _without_given_names(text: str, commands: Iterable[Command]) -> str:
    for command in commands:
        name = (
            command.value if isinstance(command, GiveName) else command.person if isinstance(command, BookFor) else None
        )
        for word in _WORD.findall(name or ""):
            text = re.sub(rf"\b{re.escape(word)}\b", "[name]", text, flags=re.IGNORECASE)
    return text


def _without_spoken_numbers(text: str, listening: Listening) -> str:
    """Replace five and more number words in a row, as numbers are dictated. Times and days need fewer."""
    words = _words(listening)
    one = "|".join(re.escape(word) for word in sorted(words.numbers, key=len, reverse=True)) if words else r"(?!)"
    return re.sub(rf"\b(?:{one}|oh|\d+)(?:[\s,.-]+(?:{one}|oh|\d+)){{4,}}\b", "[number]", text, flags=re.IGNORECASE)


class _Capital(NamedTuple):
    start: int
    end: int
    begins_sentence: bool


def _without_capitals(text: str, listening: Listening) -> str:
    """Replace capitalised words inside a sentence that are neither the clinic's words nor about time: mostly names."""
    if not any(each.islower() for each in text):
        return text.lower()
    known = _known_words(listening.catalogue)
    times = tuple(_time_spans(text, listening))
    doubtful = [
        word
        for word in _capitals(text)
        if not _is_known(text[word.start : word.end], known) and not any(a <= word.start < b for a, b in times)
    ]
    names = {word for word in doubtful if not word.begins_sentence}
    # The first word of a sentence says nothing by its capital, but "Ann Smith here" goes together.
    names |= {word for word in doubtful if any(word.end + 1 == other.start for other in names)}
    for word in sorted(names, reverse=True):
        text = f"{text[: word.start]}[name]{text[word.end :]}"
    return text


def _capitals(text: str) -> Iterator[_Capital]:
    for found in _WORD.finditer(text):
        word = found[0]
        if word[0].isupper() and not re.match(r"I(['’]|$)", word) and text[found.start() - 1 : found.start()] != "[":
            before = text[: found.start()].rstrip()
            yield _Capital(found.start(), found.end(), begins_sentence=not before or before[-1] in _SENTENCE_END)


def _known_words(catalogue: Catalogue) -> frozenset[str]:
    phrases = [catalogue.name]
    for person in catalogue.practitioners:
        phrases += (person.name, *person.aliases)
    for service in catalogue.services:
        phrases += (service.name, *service.aliases, *service.reasons)
    for place in catalogue.locations:
        phrases += (place.name, place.address, *place.aliases)
    return frozenset(word.casefold() for phrase in phrases for word in _WORD.findall(phrase))


def _is_known(word: str, known: frozenset[str]) -> bool:
    """Say whether the clinic has this word, or nearly: a misspelt practitioner is what the model may help with."""
    folded = word.casefold().removesuffix("'s").removesuffix("’s")
    return folded in known or any(fuzz.ratio(folded, each) >= 75 for each in known)


def _time_spans(text: str, listening: Listening) -> Iterator[tuple[int, int]]:
    reading = read_times(text, listening)
    yield from ((mention.start, mention.end) for mention in reading.mentions)
    for phrase in reading.unresolved:
        start = text.find(phrase)
        yield start, start + len(phrase)


def read_times(text: str, listening: Listening, *, asked: Asked | None = None) -> TimeReading:
    """Read what `text` says about time; in a language that has no words for it yet, that is nothing."""
    if _words(listening) is None:
        return TimeReading(mentions=(), wish=None, unresolved=(), past=False)
    return read_time(
        text,
        now=listening.now,
        language=listening.language,
        asked=asked and asked.value,
        day_spoken_of=listening.day_spoken_of,
    )


def _words(listening: Listening) -> Language | None:
    try:
        return language_called(listening.language)
    except KeyError:
        return None
