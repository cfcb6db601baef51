"""An utterance cut into plain words that keep their place in it.

Plain means: lower case, no accents, contractions taken apart ("don't" is "do not"), fillers dropped, small misspellings put right. The original stays
reachable by position, because names and times are read from it.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest

LONGEST_TEXT = 600
"""Characters that are read: a spoken or texted turn is far shorter, and a pasted book must cost no more than a turn."""

_PIECE = re.compile(r"\d+(?:[:./-]\d+)*(?:[^\W\d_]{1,2}\b)?|(?:[^\W\d_]\.)+[^\W\d_]\b|[^\W\d_]+(?:'[^\W\d_]+)*|\S|\n")
_QUOTES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u00b4": "'", "`": "'", "\u201c": '"', "\u201d": '"'})
_MARKS = frozenset('.?!,;:()"\n')


@dataclass(frozen=True, slots=True)
class Token:
    """One plain word; `start` and `end` are positions in the text. `glued`: no space before it ("A-N-N")."""

    word: str
    start: int
    end: int
    capital: bool
    glued: bool


@dataclass(frozen=True, slots=True)
class Utterance:
    """The text as it is read from now on. `starts` and `stops` are the word positions where a part of it begins and ends.

    `is_cased`: whether capital letters tell anything: recognisers and hurried writers leave them out or use nothing else.
    """

    text: str
    tokens: tuple[Token, ...]
    starts: frozenset[int]
    stops: frozenset[int]
    # Asked for hundreds of times in a turn, so they are made with it.
    words: tuple[str, ...] = field(init=False, compare=False, repr=False)
    is_cased: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        letters = [letter for letter in self.text if letter.isalpha()]
        capitals = sum(letter.isupper() for letter in letters)
        is_mixed = 0 < capitals < 0.6 * len(letters)
        is_cased = is_mixed or (len(letters) < 30 and any(token.capital for token in self.tokens))
        object.__setattr__(self, "words", tuple(token.word for token in self.tokens))
        object.__setattr__(self, "is_cased", is_cased)

    def said(self, start: int, end: int) -> str:
        """Give the original words `start` to before `end`."""
        return self.text[self.tokens[start].start : self.tokens[end - 1].end] if end > start else ""

    def words_between(self, first: int, last: int) -> tuple[int, int]:
        """Give the word positions (end excluded) of the characters `first` to before `last`."""
        inside = [n for n, token in enumerate(self.tokens) if token.start < last and token.end > first]
        return (inside[0], inside[-1] + 1) if inside else (0, 0)


@dataclass(frozen=True)
class WordRules:
    """How words of one language become plain; from its phrase file."""

    whole: Mapping[str, tuple[str, ...]]  # "can't" to (can, not)
    together: Mapping[str, tuple[str, ...]]  # two written words: "uh huh" to (yes)
    endings: tuple[tuple[str, tuple[str, ...]], ...]  # "'ll" to (will), longest first; "-ar la" leaves "ar" at the word
    fillers: frozenset[str]
    signs: Mapping[str, tuple[str, ...]]  # pictures that are words: a thumb is "yes"
    abbreviations: frozenset[str]  # a full stop after them ends nothing
    joiners: frozenset[str]  # begin another part of the sentence: and, but, so
    # Said in the midst of a phrase, they part nothing: "por favor".
    courtesies: frozenset[tuple[str, ...]] = frozenset()

    def plain(self, piece: str) -> tuple[str, ...]:
        """Take one written word apart into plain words."""
        if piece in self.signs:
            return self.signs[piece]
        accented = piece.translate(_QUOTES).lower().rstrip(".,")
        word = without_accents(accented)
        # An accent may be all that tells two words apart, so a word is looked for as it was written first.
        for written in (accented, word):
            if written in self.whole:
                return self.whole[written]
        for ending, meaning in self.endings:
            if word.endswith(ending) and len(word) > len(ending):
                return _apart(word[: -len(ending)], meaning)
        return (word.replace("'", "").replace(".", ""),) if not word[:1].isdigit() else (word,)


def _apart(stem: str, meaning: tuple[str, ...]) -> tuple[str, ...]:
    """Take an ending off a word, part of which may stay at it: "cancelarla" is "cancelar la"."""
    if meaning and meaning[0].startswith("-"):
        return stem + meaning[0][1:], *meaning[1:]
    return stem, *meaning


def without_accents(text: str) -> str:
    """Drop accents: patients and recognisers leave them out."""
    if text.isascii():
        return text
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def read_words(text: str, rules: WordRules) -> Utterance:
    """Cut `text` into plain words. Reads the first LONGEST_TEXT characters; control characters count as spaces."""
    kept = clean(text)
    tokens: list[Token] = []
    starts, stops = {0}, set()
    before = -1
    for match, following in _with_next(_PIECE.finditer(kept)):
        piece = match.group()
        if match.end() <= before:
            continue
        if not piece[0].isalnum() and piece not in rules.signs:
            if piece in _MARKS and not (
                piece == "." and kept[_last_start(tokens) : before].lower() in rules.abbreviations
            ):
                stops.add(len(tokens))
                starts.add(len(tokens))
            continue
        pair = f"{piece} {following.group()}".lower() if following else ""
        if piece.lower() in rules.fillers and pair not in rules.together:
            continue
        end = following.end() if following and pair in rules.together else match.end()
        plain = rules.together.get(pair) or rules.plain(piece)
        if tokens and plain in rules.courtesies and _goes_on(kept, end):
            before = end
            continue
        for word in plain:
            if word in rules.joiners:
                stops.add(len(tokens))
                starts.add(len(tokens) + 1)
            glued = before >= 0 and match.start() - before <= 1 and not kept[before : match.start()].isspace()
            tokens.append(Token(word, match.start(), end, piece[0].isupper(), glued))
        before = end
    stops.add(len(tokens))
    return Utterance(kept, tuple(tokens), frozenset(starts), frozenset(stops))


def _goes_on(text: str, end: int) -> bool:
    """Whether something is said behind `end`."""
    return any(letter.isalnum() for letter in text[end:])


def _last_start(tokens: list[Token]) -> int:
    return tokens[-1].start if tokens else 0


def _with_next(matches: Iterable[re.Match[str]]) -> Iterator[tuple[re.Match[str], re.Match[str] | None]]:
    found = list(matches)
    return zip_longest(found, found[1:]) if found else iter(())


def clean(text: str) -> str:
    """Cap `text` and make it safe to cut: no control characters, one kind of apostrophe; letter for letter, so that positions stay."""
    capped = text[:LONGEST_TEXT].translate(_QUOTES)
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in capped)
