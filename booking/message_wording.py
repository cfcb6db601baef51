"""What a clinic may say in its own words when it writes to patients, and what such words must hold.

Pure. The product's own words are with the channel that sends them; here is what holds for any: when the visit is; of a text
also the name of who writes, the digits that answer, and none of the words on which the network itself acts.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from string import Formatter


class Medium(StrEnum):
    """What is worded: a text, what a mail says between the subject and the clinic's name, or the subject."""

    TEXT = "text"
    MAIL = "mail"
    SUBJECT = "subject"


# Characters, with the fields unfilled: three parts and more is no text message.
LONGEST: Mapping[Medium, int] = {Medium.TEXT: 400, Medium.MAIL: 1000, Medium.SUBJECT: 120}


class WordedKind(StrEnum):
    """The texts and mails that a clinic may word by itself."""

    BOOKED = "booked"
    MOVED = "moved"
    MOVED_BY_CLINIC = "moved-by-clinic"
    CANCELLED = "cancelled"
    CANCELLED_BY_CLINIC = "cancelled-by-clinic"
    REMINDER = "reminder"
    REMINDER_CONFIRMED = "reminder-confirmed"
    REMINDERS = "reminders"
    OFFER = "offer"
    MAIL_BOOKED = "mail-booked"
    MAIL_MOVED = "mail-moved"
    MAIL_MOVED_BY_CLINIC = "mail-moved-by-clinic"
    MAIL_CANCELLED = "mail-cancelled"
    MAIL_CANCELLED_BY_CLINIC = "mail-cancelled-by-clinic"
    MAIL_REMINDER = "mail-reminder"
    MAIL_REMINDER_CONFIRMED = "mail-reminder-confirmed"
    MAIL_REMINDERS = "mail-reminders"
    MAIL_OFFER = "mail-offer"
    SUBJECT_BOOKED = "subject-booked"
    SUBJECT_MOVED = "subject-moved"
    SUBJECT_CANCELLED = "subject-cancelled"
    SUBJECT_REMINDER = "subject-reminder"
    SUBJECT_OFFER = "subject-offer"

    @property
    def medium(self) -> Medium:
        first = self.value.partition("-")[0]
        return Medium(first) if first in {Medium.MAIL, Medium.SUBJECT} else Medium.TEXT

    @property
    def occasion(self) -> str:
        """What it is written for, by text or by mail."""
        return self.value if self.medium is Medium.TEXT else self.value.partition("-")[2]


@dataclass(frozen=True)
class Fields:
    """`must`: fields without which the text does not serve; `may`: others. `digits`: the answers that it has to name."""

    must: frozenset[str]
    may: frozenset[str] = frozenset()
    digits: frozenset[str] = frozenset()


_VISIT = Fields(must=frozenset({"clinic", "when"}), may=frozenset({"place", "call"}))
_OF_TEXTS: Mapping[WordedKind, Fields] = {
    WordedKind.BOOKED: _VISIT,
    WordedKind.MOVED: _VISIT,
    WordedKind.MOVED_BY_CLINIC: _VISIT,
    WordedKind.CANCELLED: _VISIT,
    WordedKind.CANCELLED_BY_CLINIC: _VISIT,
    WordedKind.REMINDER: Fields(_VISIT.must, frozenset({"place", "or_call"}), frozenset("12")),
    WordedKind.REMINDER_CONFIRMED: Fields(_VISIT.must, frozenset({"place", "or_call"}), frozenset("2")),
    WordedKind.REMINDERS: Fields(frozenset({"clinic", "visits"}), frozenset({"or_call"}), frozenset("12")),
    WordedKind.OFFER: Fields(
        frozenset({"clinic", "when", "until"}), frozenset({"place", "instead", "first", "call"}), frozenset("12")
    ),
}


def _fields(kind: WordedKind) -> Fields:
    if kind.medium is Medium.SUBJECT:
        return Fields(must=frozenset(), may=frozenset({"clinic"}))
    of_text = _OF_TEXTS[WordedKind(kind.occasion)]
    if kind.medium is Medium.TEXT:
        return of_text
    # A mail ends with the clinic's name, and can't be answered by a digit.
    return Fields(of_text.must - {"clinic"}, of_text.may | {"clinic"})


FIELDS: Mapping[WordedKind, Fields] = {kind: _fields(kind) for kind in WordedKind}

# Whole messages on which the network acts: whoever is told to send one stops every text of the clinic, or starts them.
_NETWORK_WORDS = (
    "STOPALL",
    "STOP",
    "UNSUBSCRIBE",
    "END",
    "QUIT",
    "CANCEL",
    "REVOKE",
    "OPTOUT",
    "START",
    "UNSTOP",
    "YES",
)
_ALSO_HERE = ("ALTO", "PARAR", "PARE", "DETENER", "BAJA", "DESUSCRIBIR", "DESUSCRIBIRME")
_WORDS = "|".join((*_NETWORK_WORDS, *_ALSO_HERE))
# In capitals anywhere, or in any letters where it is said to be sent.
_SHOUTED = re.compile(rf"\b({_WORDS})\b")
_TO_BE_SENT = re.compile(
    r"\b(?:reply|replying|text|texting|send|answer|respond|responda|conteste|env[ií]e|escriba|mande)\b"
    rf"(?:\s+(?:with|con|back|us|la palabra|the word))*[\s:]*[\"'“”‘’«»]?({_WORDS})\b(?!\s+\w)",
    re.IGNORECASE,
)


class WordingFault(StrEnum):
    """What is wrong with a clinic's wording."""

    EMPTY = "empty"
    TOO_LONG = "too-long"
    MALFORMED = "malformed"
    UNKNOWN_FIELD = "unknown-field"
    MISSING_FIELD = "missing-field"
    MISSING_DIGIT = "missing-digit"
    NETWORK_WORD = "network-word"


@dataclass(frozen=True)
class Fault:
    """`about`: the field, digit or word that it is about."""

    kind: WordingFault
    about: str = ""


def faults(kind: WordedKind, text: str) -> Iterator[Fault]:
    """Yield what keeps `text` from being sent as `kind`."""
    if not text.strip():
        yield Fault(WordingFault.EMPTY)
        return
    if len(text) > LONGEST[kind.medium]:
        yield Fault(WordingFault.TOO_LONG)
    named = _named(text)
    if named is None:
        yield Fault(WordingFault.MALFORMED)
        return
    fields, found = FIELDS[kind], set(named)
    for name in sorted(found - fields.must - fields.may):
        yield Fault(WordingFault.UNKNOWN_FIELD, name)
    for name in sorted(fields.must - found):
        yield Fault(WordingFault.MISSING_FIELD, name)
    plain = "".join(literal for literal, *_ in Formatter().parse(text))
    for digit in sorted(fields.digits):
        if not re.search(rf"(?<!\d){digit}(?!\d)", plain):
            yield Fault(WordingFault.MISSING_DIGIT, digit)
    word = (_SHOUTED.search(plain) or _TO_BE_SENT.search(plain)) if kind.medium is Medium.TEXT else None
    if word is not None:
        yield Fault(WordingFault.NETWORK_WORD, word.group(1))


def _named(text: str) -> list[str] | None:
    """Return the fields that a text names; None if it can't be filled in, or asks for more than a field as it stands."""
    try:
        parts = [(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(text) if name is not None]
    except ValueError:
        return None
    is_plain = all(not spec and not conversion and re.fullmatch(r"\w+", name) for name, spec, conversion in parts)
    return [name for name, *_ in parts] if is_plain else None
