"""Hears a date of birth in the answer to the question for it: what of it is certain, what is missing, what may have been misheard.

A bad line loses words and changes them: "nineteen forty none" is not 1940. What is read here can be asked about; a date of birth
that nobody asked for is read by birth.py, all or nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from dialog.timewords.birth import MAX_LENGTH, OLDEST_YEARS, born_in, in_figures, month_of, number_at, pieces_of
from dialog.timewords.language import Language, correct, spoken

_CENTURY, _WHOLE_YEAR = 100, 1000
_NINETY = 90  # what "nineteen" is heard as
_CENTURIES = (18, 19, 20)
_TENS_OF_DAYS, _LAST_DAY = (20, 30), 31
_UNITS = range(1, 10)
_LEAP_YEAR = 2000


@dataclass(frozen=True)
class HeardBirth:
    """A date of birth as far as it was heard; what is missing is None. `span` are its characters.

    `is_sure`: nothing in it or beside it speaks for another one, as for any that is not whole. `is_impossible`: it was heard well, and nobody was born then.
    """

    span: tuple[int, int]
    year: int | None = None
    month: int | None = None
    day: int | None = None
    is_sure: bool = True
    is_impossible: bool = False

    @property
    def value(self) -> date | None:
        """The whole date; None while anything of it is missing."""
        if self.year is None or self.month is None or self.day is None:
            return None
        return date(self.year, self.month, self.day)


@dataclass(frozen=True)
class _Piece:
    """A number as figures, the month, or a strange word: one that neither belongs to a date nor goes with one."""

    kind: Literal["number", "month", "strange"]
    span: tuple[int, int]
    figures: str = "0"
    is_said: bool = False  # in words, which get lost one by one
    is_ordinal: bool = False
    is_led: bool = False  # by "the", as an ordinal is
    is_doubtful: bool = False

    @property
    def number(self) -> int:
        return int(self.figures)

    @property
    def is_open(self) -> bool:
        """Whether a word may be missing behind it: "forty" is what is left of "forty two"."""
        return self.is_said and not self.is_ordinal and self.number >= _TENS_OF_DAYS[0] and self.number % 10 == 0

    @property
    def may_be_day(self) -> bool:
        return self.kind == "number" and len(self.figures) <= 2 and 1 <= self.number <= _LAST_DAY


def hear_birth_date(text: str, *, now: datetime, language: str = "en", day_first: bool = False) -> HeardBirth | None:
    """Return what `text`, an answer, tells of somebody's date of birth, or None if that is nothing. `now` is wall time at the clinic.

    Figures alone are month, day, year, or day, month, year with `day_first`, as for `read_birth_date`.
    """
    words = pieces_of(text[:MAX_LENGTH])
    of = spoken([word for word, _ in words], language)
    pieces = _put_together(_pieces(words, of))
    if len(_months(pieces)) > 1:
        pieces = _without_idle_months(pieces)
    months = _months(pieces)
    if len(months) > 1 or not _numbers(pieces):
        return None
    today = now.date()
    if months:
        heard = _with_month(pieces, today)
    else:
        heard = _in_numbers(pieces, today, day_first=day_first or of.day_first)
    return heard if heard is not None and (heard.is_sure or heard.value is not None) else None


def _months(pieces: Sequence[_Piece]) -> list[_Piece]:
    return [piece for piece in pieces if piece.kind == "month"]


def _without_idle_months(pieces: Sequence[_Piece]) -> list[_Piece]:
    """Take a month without a number beside it for the word that it also is ("may I say ..."), or for one that was put right ("March, no, April fifth")."""

    def is_meant(at: int) -> bool:
        beside = (*pieces[max(0, at - 1) : at], *pieces[at + 1 : at + 2])
        return any(piece.kind == "number" for piece in beside)

    return [
        replace(piece, kind="strange") if piece.kind == "month" and not is_meant(at) else piece
        for at, piece in enumerate(pieces)
    ]


def _numbers(pieces: Sequence[_Piece]) -> list[_Piece]:
    return [piece for piece in pieces if piece.kind == "number"]


# From words to pieces


def _pieces(words: Sequence[tuple[str, tuple[int, int]]], of: Language) -> list[_Piece]:
    plain = [word for word, _ in words]
    found: list[_Piece] = []
    at = 0
    while at < len(words):
        taken, figures = number_at(plain, at, of)
        end = at + max(taken, 1)
        span = (words[at][1][0], words[end - 1][1][1])
        month = month_of(correct(plain[at], of), of)
        if figures is not None:
            is_said = not plain[at].isdecimal()
            is_led = plain[at - 1 : at] != [] and plain[at - 1] in of.steering["birth_leads"]
            found.append(_Piece("number", span, figures, is_said, is_said and plain[end - 1] in of.ordinals, is_led))
        elif month is not None:
            found.append(_Piece("month", span, str(month)))
        elif plain[at] not in of.steering["birth_idle"]:
            found.append(_Piece("strange", span))
        at = end
    return found


def _put_together(pieces: Sequence[_Piece]) -> list[_Piece]:
    """Put together the years that came in two: "ninety forty five" for 1945, "nineteen forty, uh, five"."""
    found: list[_Piece] = []
    for piece in pieces:
        if not found or not (piece.kind == found[-1].kind == "number" and piece.is_said and found[-1].is_said):
            found.append(piece)
            continue
        before = found[-1]
        century, rest = divmod(before.number, _CENTURY)
        if rest == _NINETY and century in (0, *_CENTURIES) and 10 <= piece.number < _CENTURY:
            # The century of "May nineteen, ninety forty five" is the day.
            found[-1:] = [replace(before, figures=str(century))] if century else []
            found.append(_joined(before, piece, f"19{piece.figures}"))
        elif before.number >= _WHOLE_YEAR and before.is_open and piece.number in _UNITS:
            found[-1] = _joined(before, piece, str(before.number + piece.number))
        elif before.number in _CENTURIES and not before.is_ordinal and 10 <= piece.number < _CENTURY:
            found[-1] = _joined(before, piece, before.figures + piece.figures)  # "nineteen, uh, forty five"
        else:
            found.append(piece)
    return found


def _joined(first: _Piece, last: _Piece, figures: str) -> _Piece:
    return replace(first, span=(first.span[0], last.span[1]), figures=figures, is_ordinal=False, is_doubtful=True)


# Where the month is named


def _with_month(pieces: Sequence[_Piece], today: date) -> HeardBirth | None:
    at = next(at for at, piece in enumerate(pieces) if piece.kind == "month")
    before, behind = list(pieces[:at]), list(pieces[at + 1 :])
    day, rest = _day_and_rest(before, behind)
    year = _year(rest if _numbers(rest) else before[-1:], today)
    doubts = (day is not None and day.is_doubtful, year is not None and year.is_doubtful)
    heard = HeardBirth(
        (pieces[0].span[0], pieces[-1].span[1]),
        year.number if year else None,
        pieces[at].number,
        day.number if day else None,
        is_sure=not any(doubts),
    )
    return _possible(heard, today)


def _day_and_rest(before: list[_Piece], behind: list[_Piece]) -> tuple[_Piece | None, list[_Piece]]:
    """Find the day beside the month, and what is left behind it for the year."""
    first = next((piece for piece in behind if piece.kind == "number"), None)
    if first is not None and first.may_be_day:
        place = behind.index(first)
        day, rest = _whole_day(first, behind[place + 1 :], follows_strange=place > 0)
        is_of_year = before and before[-1].may_be_day and not _numbers(rest)
        if not is_of_year:
            return day, rest
    if before and before[-1].may_be_day:
        # Whatever leads up to the date stands before it: "I was born on the fifth".
        return _whole_day(before[-1], [], follows_strange=False)[0], behind
    return None, behind


def _whole_day(day: _Piece, behind: list[_Piece], *, follows_strange: bool) -> tuple[_Piece | None, list[_Piece]]:
    """Say what the number really was, as far as strange words beside it tell: no "twenty", but "twenty ... seventh"."""
    is_cut = day.is_open and behind and (behind[0].kind == "strange" or behind[0].number < _WHOLE_YEAR)
    if is_cut and len(behind) > 1 and behind[1].kind == "number" and behind[1].number in _UNITS:
        return _joined(day, behind[1], str(day.number + behind[1].number)), behind[2:]
    if is_cut:
        return None, behind
    may_have_tens = day.is_said and day.number in _UNITS and follows_strange
    was_ordinal = day.is_open and day.is_led  # "the thirty" is what is heard of "the third"
    return replace(day, is_doubtful=may_have_tens or was_ordinal), behind


def _year(pieces: Sequence[_Piece], today: date) -> _Piece | None:
    """Read the year that `pieces` begin with; None where they hold none, or not the whole of it."""
    place = next((at for at, piece in enumerate(pieces) if piece.kind == "number"), None)
    if place is None:
        return None
    year, behind = pieces[place], pieces[place + 1 :]
    if year.is_said and year.number in _CENTURIES:
        return _digit_by_digit(year, behind)
    goes_on = bool(behind) and (behind[0].is_said or (behind[0].kind == "strange" and year.is_open))
    if year.is_said and goes_on:
        return None
    if year.number >= _WHOLE_YEAR:
        return replace(year, is_doubtful=year.is_doubtful or year.is_open)
    if len(year.figures) != 2:
        return None
    latest = today.year - today.year % _CENTURY + year.number
    full = latest if latest <= today.year else latest - _CENTURY
    return replace(year, figures=str(full), is_doubtful=year.is_said and (year.is_open or full == latest))


def _digit_by_digit(century: _Piece, behind: Sequence[_Piece]) -> _Piece | None:
    """Read "nineteen six one". A century alone is no year."""
    digits = [piece for piece in behind[:2] if piece.kind == "number" and len(piece.figures) == 1]
    if len(digits) < 2:
        return None
    return _joined(century, digits[1], century.figures + digits[0].figures + digits[1].figures)


# Where all of it is numbers


def _in_numbers(pieces: Sequence[_Piece], today: date, *, day_first: bool) -> HeardBirth | None:
    numbers = _numbers(pieces)
    span = (numbers[0].span[0], numbers[-1].span[1])
    is_written = not any(piece.is_said for piece in numbers)
    ends_in_year = numbers[-1].number > _LAST_DAY
    if not any(piece.is_ordinal for piece in numbers) and (is_written or ends_in_year or len(numbers) > 3):
        inside = pieces[pieces.index(numbers[0]) : pieces.index(numbers[-1])]
        is_sure = not any(piece.kind == "strange" for piece in inside) and not numbers[-1].is_open
        candidates = in_figures([piece.figures for piece in numbers], day_first=day_first)
        for each in candidates:
            if born := born_in(*each, today):
                return HeardBirth(span, born.year, born.month, born.day, is_sure=is_sure)
        if candidates:
            return HeardBirth(span, is_impossible=True) if is_sure else None
    year = _year(pieces[pieces.index(numbers[-1]) :], today) if ends_in_year else None
    return _possible(HeardBirth(span, year=year.number, is_sure=not year.is_doubtful), today) if year else None


def _possible(heard: HeardBirth, today: date) -> HeardBirth | None:
    """Leave out of what was heard badly whatever can't be, and take as impossible what was heard well and can't."""
    is_year = heard.year is None or today.year - OLDEST_YEARS <= heard.year <= today.year
    is_day = _is_day(heard)
    left = heard if is_year else replace(heard, year=None, is_sure=False)
    left = left if is_day else replace(left, month=None, day=None, is_sure=False)
    if heard.is_sure and left != heard and None not in (heard.year, heard.month, heard.day):
        return HeardBirth(heard.span, is_impossible=True)
    tells_day = left.month is not None and left.day is not None
    if (left.year is None and not tells_day) or (left.value or today) > today:
        return None
    return left


def _is_day(heard: HeardBirth) -> bool:
    """Whether there is such a day in the month, in that year or, as long as none is known, in any."""
    if heard.month is None or heard.day is None:
        return True
    try:
        date(heard.year or _LEAP_YEAR, heard.month, heard.day)
    except ValueError:
        return False
    return True
