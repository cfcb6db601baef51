"""Reads dates of birth: as they are written, as they are said, and as they are keyed in."""

import re
from datetime import date, datetime

from dialog.timewords.language import Language, correct, spoken
from dialog.timewords.numbers import below_hundred, thousands
from dialog.timewords.tokens import folded

OLDEST_YEARS = 120
MAX_LENGTH = 200

_PIECE = re.compile(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)*")


def read_birth_date(text: str, *, now: datetime, language: str = "en", day_first: bool = False) -> date | None:
    """Read a date of birth, or None if there is none, if it is open which, or if it can't be: no such date, in the future, over 120 years ago.

    Figures alone are month, day, year, or day, month, year with `day_first` and in languages that always write so; a number over 12 tells which is which. A text that is
    plainly in another language than `language` is read in that. Two figures of a year mean the latest past year.
    `now` is wall time at the clinic.
    """
    words = [word for word, _ in pieces_of(text[:MAX_LENGTH])]
    of = spoken(words, language)
    numbers, month = _numbers(words, of)
    day_leads = day_first or of.day_first
    candidates = _with_month(numbers, month) if month is not None else in_figures(numbers, day_first=day_leads)
    for year, month_number, day in candidates:
        born = born_in(year, month_number, day, now.date())
        if born is not None:
            return born
    return None


def pieces_of(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Cut `text` into plain words and figures, each with its place in it."""
    # Letter by letter, since a word without its accents may be shorter.
    plain = "".join(folded(letter.lower())[:1] for letter in text.replace("’", "'"))
    return [(match.group(), match.span()) for match in _PIECE.finditer(plain)]


def born_in(year: str, month: int, day: int, today: date) -> date | None:
    """Return the day, if there is one and somebody alive can be born on it. Two figures of a year mean the latest past one."""
    if len(year) == 2:
        full = today.year // 100 * 100 + int(year)
        years = [full] if full <= today.year else [full - 100]
        years.append(years[0] - 100)
    else:
        years = [int(year)]
    for each in years:
        try:
            born = date(each, month, day)
        except ValueError:
            continue
        if born <= today and today.year - born.year <= OLDEST_YEARS:
            return born
    return None


def _with_month(numbers: list[str], month: int) -> list[tuple[str, int, int]]:
    if len(numbers) != 2:
        return []
    day, year = numbers if len(numbers[0]) <= 2 and int(numbers[0]) <= 31 else reversed(numbers)
    return [(year, month, int(day))] if len(year) in {2, 4} and len(day) <= 2 else []


def in_figures(numbers: list[str], *, day_first: bool) -> list[tuple[str, int, int]]:
    """Return the dates (year, month, day) that numbers alone can be, the likeliest first."""
    numbers = _joined_digits(numbers)
    if len(numbers) == 1:
        numbers = _cut_apart(numbers[0])
    if len(numbers) != 3:
        return []
    first, second, third = numbers
    if len(first) == 4:
        return [(first, int(second), int(third))]
    if len(third) not in {2, 4} or len(first) > 2 or len(second) > 2:
        return []
    month_first, day_leads = (third, int(first), int(second)), (third, int(second), int(first))
    # The other order counts only where this one is no date at all.
    return [day_leads, month_first] if day_first else [month_first, day_leads]


def _joined_digits(numbers: list[str]) -> list[str]:
    """Join what was said digit by digit: "zero five zero two one nine eight four", "oh five oh two nineteen eighty-four", "one two three one eighty-four"."""
    if len(numbers) in {6, 8} and all(len(each) == 1 for each in numbers):
        return ["".join(numbers)]
    joined: list[str] = []
    for each in numbers:
        if joined and joined[-1] == "0" and len(each) == 1:
            joined[-1] += each
        else:
            joined.append(each)
    singles, rest = joined[:4], joined[4:]
    if len(rest) == 1 and len(rest[0]) > 1 and all(len(each) == 1 for each in singles):
        return ["".join(singles[:2]), "".join(singles[2:]), rest[0]]
    return joined


def _cut_apart(figures: str) -> list[str]:
    if len(figures) == 8 and figures[:2] in {"19", "20"} and int(figures[4:6]) <= 12:
        return [figures[:4], figures[4:6], figures[6:]]
    return [figures[:2], figures[2:4], figures[4:]] if len(figures) in {6, 8} else []


# Numbers, in figures or in words


def _numbers(words: list[str], of: Language) -> tuple[list[str], int | None]:
    """The numbers in order, as figures, and the month if it is named. A second month leaves no numbers, since nobody can tell which one counts."""
    numbers: list[str] = []
    months: list[int] = []
    at = 0
    while at < len(words):
        word = correct(words[at], of)
        month = month_of(word, of)
        taken, figures = number_at(words, at, of)
        if figures is not None:
            numbers.append(figures)
        elif month is not None:
            months.append(month)
        at += max(taken, 1)
    if len(months) > 1:
        return [], None
    return numbers, months[0] if months else None


def month_of(word: str, of: Language) -> int | None:
    """Return the month that `word` names."""
    node = of.lexicon.after.get(word)
    return next((phrase.value for phrase in node.phrases if phrase.kind == "MONTH"), None) if node is not None else None


def number_at(words: list[str], at: int, of: Language) -> tuple[int, str | None]:
    """Read the number, as people say those of dates, that begins at word `at`: how many words it takes, and its figures."""
    if words[at].isdecimal():
        return 1, words[at]
    if _is_day_before_year(words, at, of):
        return 1, str(of.numbers[words[at]])
    for reader in (_thousands, _century, _below_hundred):
        taken, value = reader(words, at, of)
        if value is not None:
            return taken, value
    return 1, None


def _is_day_before_year(words: list[str], at: int, of: Language) -> bool:
    """Say whether a whole year follows: "twenty" is the day in "November twenty nineteen ninety-six", and no part of the year."""
    following = at + 1
    if words[at] not in of.numbers or following >= len(words) or of.numbers.get(words[following]) not in {2, 19, 20}:
        return False
    years = (reader(words, following, of)[1] for reader in (_thousands, _century))
    return any(year is not None and len(year) == 4 for year in years)


def _below_hundred(words: list[str], at: int, of: Language) -> tuple[int, str | None]:
    if (
        words[at] in of.steering["oh"]
        and at + 1 < len(words)
        and words[at + 1] in of.numbers
        and of.numbers[words[at + 1]] <= 9
    ):
        return 1, "0"
    found = below_hundred(words, at, of)
    return (found[0], str(found[1])) if found is not None else (1, None)


def _century(words: list[str], at: int, of: Language) -> tuple[int, str | None]:
    """Read "nineteen eighty-four", "twenty twelve", "nineteen oh five"."""
    century = of.numbers.get(words[at])
    if century not in {19, 20} or at + 1 >= len(words):
        return 1, None
    if words[at + 1] in of.steering["oh"] and at + 2 < len(words) and 1 <= of.numbers.get(words[at + 2], 0) <= 9:
        return 3, f"{century}0{of.numbers[words[at + 2]]}"
    rest = below_hundred(words, at + 1, of)
    return (1 + rest[0], f"{century}{rest[1]}") if rest is not None and 10 <= rest[1] <= 99 else (1, None)


def _thousands(words: list[str], at: int, of: Language) -> tuple[int, str | None]:
    """Read "two thousand and three"."""
    found = thousands(words, at, of)
    return (found[0], str(found[1])) if found is not None else (1, None)
