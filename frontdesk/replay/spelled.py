"""Letters in what somebody says: alone, by their names, in the spelling alphabet, with a word that begins with them. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dialog.timewords.tokens import folded
from dialog.understanding.phrasebook import NameWords, phrase_book

_WORD = re.compile(r"[^\W\d_]+")
_BETWEEN = re.compile(r"[\s.,-]+")
_IN = "in"  # "as in"


@dataclass(frozen=True)
class Letters:
    """One or two letters, and where they are said."""

    start: int
    end: int
    said: str

    @property
    def is_alone(self) -> bool:
        """Say whether it is written as a letter, and nothing else is said of it."""
        return self.end - self.start == 1


def runs_of_letters(text: str, language: str) -> Iterator[list[Letters]]:
    """Yield the letters that are said one after the other. Words that are letters' names as well are taken for letters."""
    book = phrase_book(language).names
    words = [(found.start(), found.end(), _plain(found[0])) for found in _WORD.finditer(text)]
    run: list[Letters] = []
    at = 0
    while at < len(words):
        taken, letters = _letters_at(words, at, book)
        if run and (not letters or not _BETWEEN.fullmatch(text[run[-1].end : words[at][0]])):
            yield run
            run = []
        if letters:
            run.append(Letters(words[at][0], words[at + taken - 1][1], letters))
        at += taken
    if run:
        yield run


def _letters_at(words: list[tuple[int, int, str]], at: int, book: NameWords) -> tuple[int, str]:
    """Return how many words tell the letter that begins at word `at`, and the letter; none for another word."""
    word = words[at][2]
    if word in book.letter_double and at + 1 < len(words):
        taken, letter = _letters_at(words, at + 1, book)
        return taken + 1, letter * 2
    if word in book.alphabet:
        return 1, word[0]
    letter = word if len(word) == 1 else book.letters.get(word, "")
    return (1 + _illustrated(words, at + 1, letter, book) if letter else 1), letter


def _illustrated(words: list[tuple[int, int, str]], at: int, letter: str, book: NameWords) -> int:
    """Return how many words say with which word the letter begins: "as in Sam", "de Sara"."""
    rest = [word for _, _, word in words[at : at + 3]]
    if not rest or rest[0] not in book.letter_as:
        return 0
    length = 2 if rest[1:2] == [_IN] else 1
    example = rest[length : length + 1]
    return length + 1 if example and len(example[0]) > 1 and example[0].startswith(letter) else 0


def _plain(word: str) -> str:
    return "".join(folded(letter.lower())[:1] for letter in word)
