"""How words sound, so that one that was written by ear ("sita", "juebes", "ora") is found. A language's data file says which letters sound alike."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

VOWELS = frozenset("aeiou")
SHORTEST_FOUND = 3
"""Letters of the shortest word that another one may be taken for by its sound."""


@dataclass(frozen=True)
class Sounds:
    """What is written for what is heard, in the order in which it is replaced; nothing in languages that are not written as they sound."""

    pairs: tuple[tuple[str, str], ...]
    swallowed: str = ""
    exchanged: tuple[tuple[str, str], ...] = ()

    def of(self, word: str) -> str:
        """Give how `word`, plain and in small letters, sounds: the same for all words that sound alike."""
        if not self.pairs:
            return word
        for written, heard in self.pairs:
            word = word.replace(written, heard)
        return "".join(letter for letter, _ in groupby(word))

    def blurred(self, word: str) -> str:
        """Give how `word` sounds where the ends of syllables are swallowed."""
        heard = self.of(word)
        return "".join(
            self._at_end_of_syllable(letter, following)
            for letter, following in zip(heard, f"{heard[1:]} ", strict=True)
        )

    def _at_end_of_syllable(self, letter: str, following: str) -> str:
        if following in VOWELS:
            return letter
        return (
            "" if letter in self.swallowed else letter if following == " " else dict(self.exchanged).get(letter, letter)
        )

    def by_blurred_sound(self, words: Iterable[str]) -> Mapping[str, str]:
        """Give the words that sound in each way where ends are swallowed, for a language of which that is told; none of two different ones that then sound alike."""
        found: dict[str, set[str]] = {}
        if self.swallowed:
            for word in words:
                if len(word) > SHORTEST_FOUND and word.isalpha():
                    found.setdefault(self.blurred(word), set()).add(word)
        shortest = {heard: min(alike, key=len) for heard, alike in found.items()}
        return {heard: word for heard, word in shortest.items() if all(one.startswith(word) for one in found[heard])}

    def by_sound(self, words: Iterable[str]) -> Mapping[str, str]:
        """Give the words that sound in each way, one each, none for a language without sounds. Of two that sound alike the first counts."""
        found: dict[str, str] = {}
        if self.pairs:
            for word in words:
                if len(word) >= SHORTEST_FOUND and word.isalpha():
                    found.setdefault(self.of(word), word)
        return found


def read_sounds(lines: str, swallowed: str = "", blurred: str = "") -> Sounds:
    """Read the lines `written = heard` of a data file, the letters that are swallowed, and the lines of those that are blurred."""
    return Sounds(tuple(_pairs(lines)), swallowed, tuple(_pairs(blurred)))


def _pairs(lines: str) -> Iterator[tuple[str, str]]:
    for line in lines.splitlines():
        written, equals, heard = line.partition("=")
        if equals:
            yield written.strip(), heard.strip()
