"""A name as it is compared and looked for: its parts, without case, accents, punctuation and titles. Pure."""

import re
import unicodedata

from jellyfish import metaphone

_TITLES = {"mr", "mrs", "ms", "miss", "mx", "dr", "doctor", "sir", "madam", "jr", "sr", "sra", "senor", "senora"}


def name_parts(name: str) -> list[str]:
    """Return the parts of a name in its order. None of them is left of one without letters."""
    bare = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(char for char in bare if not unicodedata.combining(char))
    # "O'Brien" is heard as "Obrien", "Smith-Jones" as two names.
    return [part for part in re.findall(r"[^\W\d_]+", re.sub(r"['’`.]", "", letters)) if part not in _TITLES]


def searchable(name: str) -> str:
    """Return the parts of a name as they are stored to be searched: a space before each."""
    return "".join(f" {part}" for part in name_parts(name))


def sounding(name: str) -> str:
    """Return how the parts of a name sound, stored likewise: people spell what they hear."""
    return "".join(f" {sound}" for part in name_parts(name) if (sound := metaphone(part)))
