"""Patients' words for time: from an utterance to the wish it makes.

An utterance is cut into tokens (tokens.py); the language's word lists and rules (en.yaml, es.yaml, read by language.py, applied by grammar.py) give each stretch a meaning
(clocks.py, lengths.py, dates.py, periods.py, ranges.py); neighbours are joined (phrases.py), turned into wishes (mention.py) and put together with refusals and corrections (combine.py).
Everything is computed from the text and the wall time that is passed in. Another language is another data file.

Conventions, where people differ: "next Thursday" is the Thursday of next week and "this Thursday" that of this week; a weekday alone, like a date without a year, is the
next to come, and a weekday alone is never today; a clock time without a half of the day is the one within 8:00 to 18:00; "not Friday" refuses all Fridays, "not this Friday" one.
In Spanish "el próximo jueves" and "el jueves que viene" are the next Thursday to come, and 3/4 is the third of April.
"""

from datetime import date, datetime

from dialog.timewords.atoms import Signal
from dialog.timewords.birth import read_birth_date
from dialog.timewords.clocks import Context
from dialog.timewords.combine import Said, Utterance, marks_of, parts_of, wish_from
from dialog.timewords.heard_birth import HeardBirth, hear_birth_date
from dialog.timewords.language import spoken
from dialog.timewords.leaves import prepared
from dialog.timewords.mention import Value, settled, value_of, value_of_signal, wish_of, wish_of_signal
from dialog.timewords.phrases import Phrase, Piece, phrases_of, pieces_of
from dialog.timewords.tokens import Token, cut
from dialog.timewords.values import ClockRange, DayRange, TimeMention, TimeReading, TimeWish
from dialog.timewords.wishes import allows, is_search, merge_wish

__all__ = [
    "ClockRange",
    "DayRange",
    "HeardBirth",
    "TimeMention",
    "TimeReading",
    "TimeWish",
    "allows",
    "hear_birth_date",
    "is_search",
    "merge_wish",
    "read_birth_date",
    "read_time",
]

MAX_LENGTH = 4000


def read_time(
    text: str, *, now: datetime, language: str = "en", asked: str | None = None, day_spoken_of: date | None = None
) -> TimeReading:
    """Read what `text` says about when to come.

    `now` is naive wall time at the clinic. `asked` is what the agent just asked ("when", "time", "date", "choice", "birth_date"): it lets "3" or "the 5th" alone be read,
    though "the first" picks among a choice that was offered, and after a birth date was asked nothing is a wish. `day_spoken_of` is the day that the conversation is about: "the following week" counts from it, and else from today. Any text gives a reading; beyond 4,000 characters it is not read. A text that is plainly in another language than `language` is read in that. Raises KeyError for an unknown language.
    """
    text = text[:MAX_LENGTH]
    cut_text = cut(text)
    context = Context(now, spoken([token.word for token in cut_text], language), asked, day_spoken_of)
    tokens = prepared(cut_text, context.language)
    pieces = pieces_of(tokens, context)
    phrases = [settled(phrase, context) for phrase in phrases_of(pieces, tokens, context.language)]
    parts = parts_of(phrases, Utterance(tokens, marks_of(tokens, phrases, context.language), context))
    if asked == "birth_date":
        parts = [Said(part.phrase, dropped=True) for part in parts]
    wish = wish_from(parts, pieces, context)
    counted = [part for part in parts if not part.dropped]
    mentions = [_mention(part.phrase, text, tokens) for part in parts if not part.phrase.unclear] + _signal_mentions(
        pieces, text, tokens, context
    )
    return TimeReading(
        mentions=tuple(sorted(mentions, key=lambda mention: mention.start)),
        wish=wish,
        unresolved=tuple(
            _said(part.phrase, text, tokens)
            for part in parts
            if asked != "birth_date" and (part.phrase.unclear or _doubtful(part))
        ),
        past=any(part.past and not part.refused for part in counted)
        and not any(not part.past and not part.refused for part in counted),
    )


def _doubtful(part: Said) -> bool:
    return not part.dropped and part.phrase.day is not None and part.phrase.day.doubtful


def _said(found: Phrase | Piece, text: str, tokens: list[Token]) -> str:
    return text[tokens[found.start].start : tokens[found.end - 1].end]


def _mention(phrase: Phrase, text: str, tokens: list[Token]) -> TimeMention:
    return _made(phrase, wish_of(phrase), value_of(phrase), text, tokens)


def _signal_mentions(pieces: list[Piece], text: str, tokens: list[Token], context: Context) -> list[TimeMention]:
    signals = [(piece, piece.atom) for piece in pieces if isinstance(piece.atom, Signal)]
    told = [(piece, signal) for piece, signal in signals if signal.order or signal.relative or signal.flexible]
    return [
        _made(piece, wish_of_signal(signal), value_of_signal(signal, context), text, tokens) for piece, signal in told
    ]


def _made(found: Phrase | Piece, wish: TimeWish, value: Value, text: str, tokens: list[Token]) -> TimeMention:
    said = _said(found, text, tokens)
    start = tokens[found.start].start
    return TimeMention(said, start, start + len(said), wish, value.kind, value.start, value.end, value.open)
