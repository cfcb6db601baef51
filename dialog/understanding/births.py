"""Finds dates of birth: in the answer to the question for one, however little of it arrived, and whole ones that nobody asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from dialog.countries import writes_month_first
from dialog.interpreter import Asked, Listening
from dialog.timewords import HeardBirth, hear_birth_date, read_birth_date
from dialog.understanding.mention import Span
from dialog.understanding.pattern import Hit
from dialog.understanding.phrasebook import PhraseBook
from dialog.understanding.words import Utterance

YEAR_FIGURES = 4
YEARS_AHEAD = 2
LONG_AGO = timedelta(days=300)


@dataclass(frozen=True)
class BirthDate:
    """A date of birth that was given; None where it can't be one, where only a part of it was `heard`, and, unless that `is_sure`, where it was misheard."""

    value: date | None
    span: Span
    is_sure: bool = True
    heard: HeardBirth | None = None


def birth_date_in(
    utterance: Utterance, cues: Sequence[Hit], listening: Listening, book: PhraseBook
) -> BirthDate | None:
    """Find the date of birth that was given, if one was."""
    runs = _date_runs(utterance, book)
    after_cue = [run for hit in cues if hit.label == "birth_cues" for run in runs if hit.end <= run[0] <= hit.end + 3]
    if listening.asked is Asked.BIRTH_DATE:
        return _answered(utterance, after_cue or runs, listening, book)
    if listening.asked is Asked.YES_NO and after_cue:
        return _answered(utterance, after_cue, listening, book)  # what was read back is put right
    chosen = after_cue or [run for run in runs if _is_whole_date(utterance, run, listening, book)]
    for run in chosen:
        value = _read_birth(utterance, run, listening, book)
        if value:
            return BirthDate(value, run)
    told = [run for run in after_cue if not _is_one_number(run, utterance, book)]
    return BirthDate(None, told[0]) if told else None


def _answered(utterance: Utterance, runs: Sequence[Span], listening: Listening, book: PhraseBook) -> BirthDate | None:
    """Read the answer to the question for a date of birth: all of it, since a misheard word parts what belongs together, or one run of it that is sure."""
    whole = (0, len(utterance.tokens))
    for part in (whole, *runs):
        heard = _heard(utterance, part, listening, book)
        if heard is None or (part != whole and (heard.value is None or not heard.is_sure)):
            continue
        first = utterance.tokens[part[0]].start
        span = utterance.words_between(heard.span[0] + first, heard.span[1] + first)
        if heard.value is not None or _is_most_of_it(span, utterance, book):
            return BirthDate(heard.value, span, heard.is_sure, heard)
    doubtful = [run for run in runs if _is_most_of_it(run, utterance, book)]
    return BirthDate(None, doubtful[0], is_sure=False) if doubtful else None


def _heard(utterance: Utterance, part: Span, listening: Listening, book: PhraseBook) -> HeardBirth | None:
    day_first = not writes_month_first(listening.catalogue.country)
    said = utterance.said(*part)
    return hear_birth_date(said, now=listening.now, language=book.language, day_first=day_first)


def _is_one_number(run: Span, utterance: Utterance, book: PhraseBook) -> bool:
    """Whether a run is one number and no more: "my birthday is on the 17th" gives no date of birth."""
    telling = [word for word in utterance.words[run[0] : run[1]] if word not in book.small]
    return len(telling) == 1 and telling[0].strip("stndrh").isdigit()


def _is_most_of_it(run: Span, utterance: Utterance, book: PhraseBook) -> bool:
    """Whether a run of date words is what was answered: "a cleaning on Tuesday at 10" answers no question for a date of birth."""
    others = [word for at, word in enumerate(utterance.words) if not run[0] <= at < run[1] and word not in book.small]
    return len(others) <= run[1] - run[0]


def _read_birth(utterance: Utterance, run: Span, listening: Listening, book: PhraseBook) -> date | None:
    day_first = not writes_month_first(listening.catalogue.country)
    return read_birth_date(utterance.said(*run), now=listening.now, language=book.language, day_first=day_first)


def _date_runs(utterance: Utterance, book: PhraseBook) -> list[Span]:
    """Find the runs of date words that hold a number and begin and end with more than "of" and "the"."""
    runs: list[Span] = []
    at, words = 0, utterance.words
    while at < len(words):
        end = at
        while end < len(words) and (words[end][:1].isdigit() or words[end] in book.date_words):
            end += 1
        while end > at and words[end - 1] in book.small:
            end -= 1
        if any(word[:1].isdigit() or word in book.numbers for word in words[at:end]):
            runs.append((at, end))
        at = max(end, at + 1)
    return runs


def _is_whole_date(utterance: Utterance, run: Span, listening: Listening, book: PhraseBook) -> bool:
    """Whether a run can only be a date of birth though nobody asked: it has a year, and that has gone by."""
    if not _has_year(utterance, run, listening, book):
        return False
    born = _read_birth(utterance, run, listening, book)
    return born is not None and listening.now.date() - born > LONG_AGO


def _has_year(utterance: Utterance, run: Span, listening: Listening, book: PhraseBook) -> bool:
    """Whether a year was written out ("1984"), written after month and day ("5/2/84"), or said ("nineteen eighty-four")."""
    words = utterance.words[run[0] : run[1]]
    figures = [figure for word in words for figure in word.replace("/", "-").replace(".", "-").split("-")]
    if len(figures) < 3:
        return False
    if any(len(figure) == YEAR_FIGURES and figure.isdigit() for figure in figures):
        return True
    is_one_date = any(_is_old_date(word, listening.now.year) for word in words)
    is_said = any(first in book.century_words and then in book.numbers for first, then in pairwise(words))
    names_month = any(word in book.date_words and word in book.date_names for word in words)
    is_asked = listening.asked in {Asked.NAME, Asked.SPELL_NAME, Asked.BIRTH_DATE}
    return is_one_date or (names_month and is_said) or is_asked


def _is_old_date(word: str, this_year: int) -> bool:
    """Whether "5/2/84" has a year that can't be one to come in."""
    figures = word.replace("/", "-").replace(".", "-").split("-")
    return len(figures) == len("mdy") and not 0 <= int(figures[-1]) - this_year % 100 <= YEARS_AHEAD
