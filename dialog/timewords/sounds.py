"""How words sound, so that one that was written by ear ("sita", "juebes", "ora") is found. A language's data file says which letters sound alike."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

SHORTEST_FOUND = 3
"""Letters of the shortest word that another one may be taken for by its sound."""


@dataclass(frozen=True)
class Sounds:
    """What is written for what is heard, in the order in which it is replaced; nothing in languages that are not written as they sound."""

    pairs: tuple[tuple[str, str], ...]

    def of(self, word: str) -> str:
        """Give how `word`, plain and in small letters, sounds: the same for all words that sound alike."""
        if not self.pairs:
            return word
        for written, heard in self.pairs:
            word = word.replace(written, heard)
        return "".join(letter for letter, _ in groupby(word))

    def by_sound(self, words: Iterable[str]) -> Mapping[str, str]:
        """Give the words that sound in each way, one each, none for a language without sounds. Of two that sound alike the first counts."""
        found: dict[str, str] = {}
        if self.pairs:
            for word in words:
                if len(word) >= SHORTEST_FOUND and word.isalpha():
                    found.setdefault(self.of(word), word)
        return found


def read_sounds(lines: str) -> Sounds:
    """Read the lines `written = heard` of a data file."""
    pairs = (line.partition("=") for line in lines.splitlines() if "=" in line)
    return Sounds(tuple((written.strip(), heard.strip()) for written, _, heard in pairs))
