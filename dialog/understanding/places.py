"""Finds the clinic's locations in what was said: by name, street, town, or "the main office"."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from booking.values import LocationInfo
from dialog.understanding.mention import Mention, Span, overlaps
from dialog.understanding.phrasebook import PhraseBook
from dialog.understanding.staff import alike
from dialog.understanding.words import Utterance

ALIKE = 0.9
SHORT = 4
"""Words of so few letters are like too many others to be a misspelt name."""


class PlaceNames:
    """The names of one clinic's locations, ready for finding. `place_words` are the ends of "<place_word>" at each word."""

    def __init__(self, locations: Sequence[LocationInfo], book: PhraseBook) -> None:
        self._book = book
        self._names = tuple(dict.fromkeys(pair for each in locations for pair in self._names_of(each)))
        self.words = frozenset(word for _, name in self._names for word in name)
        self._beginning = lru_cache(maxsize=4096)(self._names_beginning)

    def _names_of(self, location: LocationInfo) -> Iterator[tuple[str, tuple[str, ...]]]:
        town = location.address.rpartition(",")[2]
        street = "".join(letter for letter in location.address.partition(",")[0] if not letter.isdigit())
        for written in (location.name, *location.aliases, town, street):
            words = tuple(
                word
                for piece in written.replace("-", " ").split()
                for word in self._book.rules.plain(piece)
                if word.isalpha()
            )
            meaning = tuple(word for word in words if word not in self._book.small)
            if meaning:
                yield location.key, meaning

    def find(
        self, utterance: Utterance, *, taken: Sequence[Span], place_words: Sequence[Sequence[int]], is_asked: bool
    ) -> list[Mention]:
        """Find those named outside `taken`. `is_asked`: the question was where, so that part of a name is enough."""
        found: list[Mention] = []
        at = 0
        while at < len(utterance.tokens):
            mention = self._at(utterance, at, place_words, is_asked=is_asked)
            if mention and not any(overlaps((mention.start, mention.end), span) for span in taken):
                found.append(mention)
                at = mention.end
            else:
                at += 1
        return found

    def _at(
        self, utterance: Utterance, at: int, place_words: Sequence[Sequence[int]], *, is_asked: bool
    ) -> Mention | None:
        words = utterance.words
        near = self._beginning(words[at])
        whole = {key: len(name) for key, name in near if self._says(words[at : at + len(name)], name)}
        if whole:
            longest = max(whole.values())
            return Mention(
                at,
                at + longest,
                tuple(key for key, length in whole.items() if length == longest),
                utterance.said(at, at + longest),
            )
        followed = at + 1 < len(words) and bool(place_words[at + 1])
        if not (is_asked or followed):
            return None
        keys = tuple(dict.fromkeys(key for key, name in near if alike(words[at], name[0]) >= ALIKE))
        end = max(place_words[at + 1]) if followed else at + 1
        return Mention(at, end, keys, utterance.said(at, end)) if keys else None

    def _names_beginning(self, word: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Give the names that may begin with `word`."""
        return tuple(pair for pair in self._names if self._says((word,), pair[1][:1]))

    def _says(self, words: Sequence[str], name: Sequence[str]) -> bool:
        return len(words) == len(name) and all(
            word == part or (len(part) > SHORT and not self._is_ordinary(word) and alike(word, part) >= ALIKE)
            for word, part in zip(words, name, strict=True)
        )

    def _is_ordinary(self, word: str) -> bool:
        """Whether a word is a common one: "around" is no Orinda."""
        return word in self._book.vocabulary or word in self._book.names.common
