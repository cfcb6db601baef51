"""Which language a conversation is in: those the agent speaks and the clinic lists, the patient's own first."""

import unicodedata
from collections.abc import Iterable

from booking.values import Catalogue
from dialog.wording.render import wording

SPOKEN = ("en", "es")
"""Languages with phrases, words for time and wording. A new one is three files and its code here."""


def spoken_at(catalogue: Catalogue) -> tuple[str, ...]:
    """Return the languages a conversation with this clinic may be in, its first one first; English where it lists none that we speak."""
    return tuple(one for one in catalogue.languages if one in SPOKEN) or SPOKEN[:1]


def first_language(catalogue: Catalogue, *, of_patients: Iterable[str | None]) -> str:
    """Return the language to begin in: that of the patients of the caller's number where they share one we speak, else the clinic's first."""
    spoken, wished = spoken_at(catalogue), set(of_patients)
    return next((one for one in spoken if wished == {one}), spoken[0])


def language_named(text: str) -> str | None:
    """Return the language that `text` names in any language we speak: "does anyone speak Spanish?", "¿hablan espanol?"."""
    said = _plain(text)
    names = {_plain(name): code for one in SPOKEN for code, name in wording(one)["parts"]["languages"].items()}
    return next((code for name, code in names.items() if name in said.split()), None)


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter if letter.isalnum() else " " for letter in letters if not unicodedata.combining(letter))
