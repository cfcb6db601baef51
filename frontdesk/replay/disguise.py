"""Other names, numbers, addresses and dates of birth for those of patients, the same ones wherever they are said. Pure.

What identifies somebody is known from their record and from what was understood; here it is found in free text in all the ways
in which people say it: with other capitals, letter by letter, in words, in groups of figures. What looks like it and is not
known is left to staff (`is_doubtful`).
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import phonenumbers
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from dialog.languages import SPOKEN
from dialog.timewords import hear_birth_date, read_birth_date
from dialog.timewords.birth import number_at, pieces_of
from dialog.timewords.language import language as language_called
from dialog.understanding.phrasebook import phrase_book
from frontdesk.replay.spelled import Letters, runs_of_letters

_FIRST = (
    "Robin",
    "Casey",
    "Jordan",
    "Morgan",
    "Avery",
    "Quinn",
    "Riley",
    "Parker",
    "Rowan",
    "Emerson",
    "Dakota",
    "Marlow",
)
_LAST = ("Bennett", "Hayes", "Porter", "Walsh", "Ellis", "Foster", "Chandler", "Whitaker", "Langley", "Harmon", "Sutton", "Delaney")  # fmt: skip
_JOINING = {"de", "del", "la", "las", "los", "da", "dos", "van", "von", "der", "y", "e", "bin", "al"}
# Words that are names of people as well: taken for one only where somebody gives a name, or by their capital.
_ORDINARY = frozenset(
    [
        "will",
        "may",
        "mark",
        "rose",
        "grace",
        "hope",
        "young",
        "art",
        "bill",
        "frank",
        "grant",
        "jack",
        "joy",
        "june",
        "april",
        "august",
        "summer",
        "dawn",
        "faith",
        "long",
        "short",
        "rich",
        "penny",
        "guy",
        "chase",
        "drew",
        "pat",
        "rob",
        "sue",
        "ivy",
        "lily",
        "daisy",
        "sol",
        "luz",
        "paz",
        "mar",
        "rosa",
        "cruz",
        "bueno",
        "santos",
        "blanca",
        "dulce",
        "angel",
        "mercedes",
    ]
)
_ALIKE = 80  # from here on a word is a name that was misheard or misspelt
_WORD = re.compile(r"[^\W\d_]+")
_MAIL = re.compile(r"\S+@\S+\.\S*\w")
_SPOKEN_MAIL = re.compile(
    r"\b(?:\w\s+)*\S+(?:\s+(?:dot|punto|underscore|dash|hyphen|gui[oó]n(?:\s+bajo)?)\s+(?:\w\s+)*\S+)*\s+(?:at|arroba)\s+\S+(?:\s+(?:dot|punto)\s+\w+)+",
    re.IGNORECASE,
)
_FIGURES = re.compile(r"[+(]{0,2}\d(?:[\s().+-]*\d){3,}")
_LIVES_AT = re.compile(
    r"\b\d+\s+(?:[^\W\d_]+\s+){1,3}(?:street|st|road|rd|avenue|ave|lane|ln|drive|court|boulevard|blvd|terrace|square|close)\b"
    r"|\b(?:calle|avenida|avda|carrera|paseo|camino|colonia)\s+[^\W\d_]+",
    re.IGNORECASE,
)
_LEAST_FIGURES = 4
_LEAST_LETTERS = 3
_LEAST_SPELLED = 5  # so many in a row that are words as well ("why are you") are letters
_LEAST_ALIKE = 4  # letters of a word that may be a misspelt name: shorter ones are like too many others
_LONGEST_DATE = 12  # words
_TWICE = {"double": 2, "doble": 2, "triple": 3}


@dataclass(frozen=True)
class Disguised:
    """A text with other people's data. `spans` are where they stand now."""

    text: str
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def masked(self) -> str:
        """The text with plain words in place of what was put in: what is left of the patient's own."""
        text = self.text
        for start, end in sorted(self.spans, reverse=True):
            text = f"{text[:start]}it{text[end:]}"
        return text


@dataclass(frozen=True)
class Heard:
    """What was understood of a text: names, whole dates of birth and numbers that it gives."""

    names: tuple[str, ...] = ()
    language: str = "en"


@dataclass(frozen=True)
class _Hit:
    start: int
    end: int
    text: str


class Disguise:
    """Who is who instead, for one case. `kept` are the clinic's own words, which stay."""

    def __init__(
        self,
        *,
        names: Iterable[str],
        numbers: Iterable[str],
        emails: Iterable[str],
        births: Iterable[date],
        kept: Iterable[str],
        shift: timedelta,
        now: datetime,
        day_first: bool,
    ) -> None:
        """`numbers` are E.164; `now` is wall time at the clinic; dates of birth become others by `shift`."""
        self._kept = frozenset(_plain(word) for text in kept for word in _WORD.findall(text))
        self._now, self._day_first = now, day_first
        self._words: dict[str, str] = {}
        real = {_plain(word) for name in names for word in _WORD.findall(name)}
        firsts, lasts = ([each for each in pool if _plain(each) not in self._kept | real] for pool in (_FIRST, _LAST))
        for name in names:
            self._learn(name, firsts, lasts)
        self._numbers = {number: _other_number(number, at) for at, number in enumerate(dict.fromkeys(numbers))}
        self._emails = {each.lower(): f"patient{at}@example.org" for at, each in enumerate(dict.fromkeys(emails), 1)}
        self._births = {born: born + shift for born in births}

    def name(self, name: str) -> str:
        """Return the other name of somebody whose whole name is known."""
        return _WORD.sub(lambda found: self._other(found[0]) or found[0], name)

    def number(self, number: str) -> str:
        return self._numbers.get(number, number)

    def email(self, address: str) -> str:
        return self._emails.get(address.lower(), "patient0@example.org")

    def born(self, day: date) -> date:
        return self._births.get(day, day)

    def keys(self, figures: str) -> str:
        """Return what is pressed instead: a number, or a date of birth in the same order."""
        for number, other in self._numbers.items():
            if len(figures) >= _LEAST_FIGURES and number.endswith(figures):
                return other[-len(figures) :]
        born = read_birth_date(figures, now=self._now, day_first=self._day_first) if len(figures) in {6, 8} else None
        if born is None or born not in self._births:
            return figures
        year = "%Y" if len(figures) == 8 else "%y"
        forms = (f"%d%m{year}", f"%m%d{year}", f"{year}%m%d")
        form = next((each for each in forms if born.strftime(each) == figures), None)
        return figures if form is None else self._births[born].strftime(form)

    def text(self, text: str, heard: Heard) -> Disguised:
        """Return what is said instead."""
        hits: list[_Hit] = []
        finders: tuple[Callable[[str, Heard], Iterator[_Hit]], ...] = (
            self._mails,
            self._born_days,
            self._figures,
            self._figures_in_words,
            self._spelled,
            self._names_in,
        )
        for find in finders:
            hits += [
                hit for hit in find(text, heard) if not any(hit.start < b and a < hit.end for a, b in _spans(hits))
            ]
        return _put(text, hits)

    def may_tell(self, text: str) -> bool:
        """Say whether something is left in a text that may be a name misspelt, run together or spelled, or where somebody lives."""
        is_spelled = any(len(run) >= _LEAST_SPELLED for each in SPOKEN for run in runs_of_letters(text, each))
        return is_spelled or _LIVES_AT.search(text) is not None or any(map(self._is_like_one, _WORD.findall(text)))

    def _is_like_one(self, word: str) -> bool:
        if (
            len(word) < _LEAST_ALIKE
            or word in self._kept
            or any(word in phrase_book(each).vocabulary for each in SPOKEN)
        ):
            return False
        names = (name for name in self._words if len(name) >= _LEAST_ALIKE and name not in self._kept)
        return any(name in word or OSA.distance(name, word) <= (1 if len(name) < 8 else 2) for name in names)

    def _learn(self, name: str, firsts: list[str], lasts: list[str]) -> None:
        words = [word for word in _WORD.findall(name) if _plain(word) not in _JOINING]
        for at, word in enumerate(words):
            if _plain(word) in self._words:
                continue
            alike = [known for known in self._words if fuzz.ratio(known, _plain(word)) >= _ALIKE]
            pool = lasts if at and at == len(words) - 1 else firsts
            taken = len(self._words)
            spare = pool[0] if pool else f"Person{chr(ord('a') + taken % 26)}"
            self._words[_plain(word)] = self._words[alike[0]] if alike else spare
            if not alike and pool:
                pool.pop(0)

    def _other(self, word: str) -> str | None:
        other = self._words.get(_plain(word))
        if other is None:
            return None
        return other.upper() if word.isupper() and len(word) > 1 else other.lower() if word.islower() else other

    def _names_in(self, text: str, heard: Heard) -> Iterator[_Hit]:
        given = {_plain(word) for name in heard.names for word in _WORD.findall(name)}
        for found in _WORD.finditer(text):
            plain, other = _plain(found[0]), self._other(found[0])
            if other is None:
                continue
            begins = not text[: found.start()].rstrip() or text[: found.start()].rstrip()[-1] in ".!?"
            is_plain_word = plain in self._kept or (
                plain in _ORDINARY and (found[0].islower() or begins) and not text.isupper()
            )
            if plain in given or not is_plain_word:
                yield _Hit(*found.span(), other)

    def _spelled(self, text: str, heard: Heard) -> Iterator[_Hit]:
        for run in runs_of_letters(text, heard.language):
            at = 0
            while at < len(run):
                # The longest first: a name may begin with the letters of another one.
                ends = range(len(run), at, -1)
                end = next((end for end in ends if self._spelled_other(run[at:end]) is not None), at)
                if end > at:
                    yield self._spelled_hit(text, run[at:end])
                at = max(end, at + 1)

    def _spelled_other(self, letters: Sequence[Letters]) -> str | None:
        """Return the other name of the one that these letters make. Two short words that sound like letters are no name."""
        if len(letters) < _LEAST_LETTERS and not all(one.is_alone for one in letters):
            return None
        return self._put_together("".join(one.said for one in letters)) if len(letters) > 1 else None

    def _spelled_hit(self, text: str, letters: Sequence[Letters]) -> _Hit:
        start, end = letters[0].start, letters[-1].end
        other = self._spelled_other(letters) or ""
        joint = text[letters[0].end : letters[1].start] if all(one.is_alone for one in letters) else " "
        return _Hit(start, end, joint.join(other.lower() if text[start:end].islower() else other.upper()))

    def _put_together(self, letters: str) -> str | None:
        """Return the other name of the one or two names that the letters make."""
        if letters in self._words:
            return self._words[letters]
        for at in range(1, len(letters)):
            if letters[:at] in self._words and letters[at:] in self._words:
                return self._words[letters[:at]] + self._words[letters[at:]]
        return None

    def _mails(self, text: str, heard: Heard) -> Iterator[_Hit]:
        for found in _MAIL.finditer(text):
            yield _Hit(*found.span(), self.email(found[0]))
        for found in _SPOKEN_MAIL.finditer(text):
            at, dot = ("arroba", "punto") if heard.language == "es" else ("at", "dot")
            other = next(iter(self._emails.values()), "patient0@example.org")
            local, _, domain = other.partition("@")
            yield _Hit(*found.span(), f"{local} {at} {domain.replace('.', f' {dot} ')}")

    def _figures(self, text: str, heard: Heard) -> Iterator[_Hit]:
        for found in _FIGURES.finditer(text):
            other = self._other_figures(re.sub(r"\D", "", found[0]))
            if other is not None:
                yield _Hit(*found.span(), _with_figures(found[0], other))

    def _figures_in_words(self, text: str, heard: Heard) -> Iterator[_Hit]:
        said = {value: word for word, value in reversed(language_called(heard.language).numbers.items()) if value < 10}
        for start, end, figures in _said_figures(text, heard.language):
            other = self._other_figures(figures)
            if other is not None:
                yield _Hit(start, end, " ".join(said[int(figure)] for figure in other))

    def _other_figures(self, figures: str) -> str | None:
        """Return the figures of another number for those of a known one, or of its end."""
        if len(figures) < _LEAST_FIGURES:
            return None
        for number, other in self._numbers.items():
            whole, instead = number.lstrip("+"), other.lstrip("+")
            if whole.endswith(figures) and len(figures) <= len(instead):
                return instead[-len(figures) :]
            if figures.endswith(whole) or (len(figures) >= 7 and figures in whole and len(whole) == len(instead)):
                at = whole.find(figures)
                return instead.rjust(len(figures), "0") if at < 0 else instead[at : at + len(figures)]
        return None

    def _born_days(self, text: str, heard: Heard) -> Iterator[_Hit]:
        if not self._births or not _may_hold_date(text, heard.language):
            return
        hit = self._whole_day(text, heard.language) or self._part_of_day(text, heard.language)
        while hit is not None:
            yield hit
            rest = " " * hit.end + text[hit.end :]
            hit = self._whole_day(rest, heard.language)

    def _whole_day(self, text: str, language: str) -> _Hit | None:
        """Find the fewest words that are a known date of birth."""
        for start, end in _runs(text):
            read = read_birth_date(text[start:end], now=self._now, language=language, day_first=self._day_first)
            if read in self._births:
                return _Hit(
                    _with_noughts_before(text, start),
                    end,
                    _written(text[start:end], read, self._births[read], language),
                )
        return None

    def _part_of_day(self, text: str, language: str) -> _Hit | None:
        """Find the year, or the month and day, of a known date of birth in an answer that gives only that."""
        found = hear_birth_date(text, now=self._now, language=language, day_first=self._day_first)
        if found is None or found.value is not None:
            return None
        for born, other in self._births.items():
            if (found.year, found.month, found.day) == (born.year, None, None):
                return _Hit(*found.span, str(other.year))
            if (found.year, found.month, found.day) == (None, born.month, born.day):
                return _Hit(*found.span, _day_words(other, language, with_year=False))
        return None


def _with_figures(text: str, figures: str) -> str:
    """Return `text` with these figures for its own, grouped as they were."""
    rest = iter(figures)
    return re.sub(r"\d", lambda _: next(rest), text)


def _plain(word: str) -> str:
    """Return a word without its capitals and accents."""
    cut = unicodedata.normalize("NFKD", word.casefold())
    return "".join(each for each in cut if not unicodedata.combining(each))


def _spans(hits: Iterable[_Hit]) -> list[tuple[int, int]]:
    return [(hit.start, hit.end) for hit in hits]


def _put(text: str, hits: Sequence[_Hit]) -> Disguised:
    parts, spans, at, length = [], [], 0, 0
    for hit in sorted(hits, key=lambda one: one.start):
        parts += [text[at : hit.start], hit.text]
        length += hit.start - at
        spans.append((length, length + len(hit.text)))
        length, at = length + len(hit.text), hit.end
    return Disguised("".join([*parts, text[at:]]), tuple(spans))


def _other_number(number: str, at: int) -> str:
    """Return a number that nobody has: in North America one that is kept for stories, elsewhere the region's example."""
    if number.startswith("+1") and len(number) == len("+12125550100"):
        return f"{number[:5]}55501{at % 100:02}"
    region = phonenumbers.region_code_for_number(phonenumbers.parse(number)) or "US"
    kind = phonenumbers.PhoneNumberType.MOBILE
    example = phonenumbers.example_number_for_type(region, kind) or phonenumbers.example_number(region)
    if example is None:
        return f"{number[:-4]}{at % 10000:04}"
    text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    return f"{text[:-2]}{at % 100:02}"


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Yield spans of whole words and figures, the short ones first."""
    pieces = pieces_of(text)
    for length in range(1, min(_LONGEST_DATE, len(pieces)) + 1):
        for first in range(len(pieces) - length + 1):
            yield pieces[first][1][0], pieces[first + length - 1][1][1]


def _with_noughts_before(text: str, start: int) -> int:
    """Return where a date begins with the nought that may be said before it: it reads the same without."""
    before = re.search(r"(?:\b(?:oh|o|zero|cero)\s+)$", text[:start], re.IGNORECASE)
    return start if before is None else before.start()


def _may_hold_date(text: str, language: str) -> bool:
    words = [word for word, _ in pieces_of(text)]
    numbers = language_called(language).numbers
    return any(word.isdecimal() or word in numbers for word in words)


def _said_figures(text: str, language: str) -> Iterator[tuple[int, int, str]]:
    """Yield runs of numbers in words, as numbers are dictated, with their figures."""
    pieces = pieces_of(text)
    words = [word for word, _ in pieces]
    at = 0
    while at < len(words):
        first, figures, in_words = at, "", False
        while at < len(words):
            taken, found = _figures_at(words, at, language)
            if not found:
                break
            figures, in_words, at = figures + found, in_words or not words[at].isdecimal(), at + taken
        if in_words and len(figures) >= _LEAST_FIGURES:
            yield pieces[first][1][0], pieces[at - 1][1][1], figures
        at = max(at, first + 1)


def _figures_at(words: list[str], at: int, language: str) -> tuple[int, str]:
    """Read the figures that begin at word `at`: how many words they take, and none for another word."""
    times = _TWICE.get(words[at])
    if times is not None and at + 1 < len(words):
        taken, found = _figures_at(words, at + 1, language)
        return taken + 1, found * times
    if language == "en" and words[at] in {"oh", "o"}:
        return 1, "0"
    taken, value = number_at(words, at, language_called(language))
    return taken, value or ""


def _written(said: str, born: date, other: date, language: str) -> str:
    """Write a date in the form in which one was said: figures in their order, else with the month's name."""
    numbers = re.findall(r"\d+", said)
    if len(numbers) == 3 and not _WORD.search(said):
        order = {born.year: "%Y", born.year % 100: "%y"}
        forms: list[str] = []
        for number in numbers:
            value = int(number)
            is_year = len(number) == 4 or (value in order and value not in {born.month, born.day})
            left = [
                form for form, part in (("%m", born.month), ("%d", born.day)) if part == value and form not in forms
            ]
            forms.append(("%Y" if len(number) == 4 else "%y") if is_year else (left or ["%d"])[0])
        rest = iter(forms)
        return re.sub(r"\d+", lambda _: other.strftime(next(rest)), said)
    return _day_words(other, language, with_year=True)


_MONTHS: Mapping[str, Sequence[str]] = {
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "es": [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
}


def _day_words(day: date, language: str, *, with_year: bool) -> str:
    months = _MONTHS.get(language, _MONTHS["en"])
    if language == "es":
        return f"{day.day} de {months[day.month - 1]}" + (f" de {day.year}" if with_year else "")
    return f"{months[day.month - 1]} {day.day}" + (f", {day.year}" if with_year else "")
