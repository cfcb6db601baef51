"""How many parts a text is sent and paid as. One character outside the basic alphabet more than halves what fits."""

from dataclasses import dataclass
from enum import StrEnum

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")  # two units each

# What word processors and phones put in for plain characters.
_PLAIN = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "´": "'", "`": "'", "“": '"', "”": '"', "„": '"', "‐": "-", "‑": "-",
        "‒": "-", "–": "-", "—": "-", "…": "...", "•": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u200b": "",
    }
)  # fmt: skip

# Letters whose accent alone would take a text out of the basic alphabet, and the patient reads without it.
_UNACCENTED = str.maketrans("áíóúÁÍÓÚ", "aiouAIOU")


class Encoding(StrEnum):
    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"


@dataclass(frozen=True)
class Segments:
    """`units`: septets in GSM-7, 16-bit units in UCS-2."""

    encoding: Encoding
    units: int
    count: int


def alphabet() -> dict[str, object]:
    """Return what parts are counted by, for a page that counts while somebody writes: as JSON, letters by their marks."""
    marks, accents = ("".join(map(chr, table)) for table in (_PLAIN, _UNACCENTED))
    return {
        "basic": "".join(sorted(_BASIC)),
        "extended": "".join(sorted(_EXTENDED)),
        "plain": {letter: letter.translate(_PLAIN).translate(_UNACCENTED) for letter in marks + accents},
        "accents": accents,
    }


def plain(text: str) -> str:
    """Return `text` with typographic marks as plain ones, so that they do not change its alphabet.

    Letters stay, but for accents that alone would more than double what the text costs: "médico el día 3" is sent as "médico el dia 3".
    """
    marked = text.translate(_PLAIN)
    cheaper = marked.translate(_UNACCENTED)
    return cheaper if count(cheaper).encoding is Encoding.GSM_7 else marked


def count(text: str) -> Segments:
    """Count the parts of `text`. A character of two units is never split over two parts."""
    if all(char in _BASIC or char in _EXTENDED for char in text):
        return _counted(Encoding.GSM_7, [2 if char in _EXTENDED else 1 for char in text], single=160, part=153)
    return _counted(Encoding.UCS_2, [2 if ord(char) > 0xFFFF else 1 for char in text], single=70, part=67)


def _counted(encoding: Encoding, sizes: list[int], *, single: int, part: int) -> Segments:
    units = sum(sizes)
    if units <= single:
        return Segments(encoding, units, 1)
    parts, filled = 1, 0
    for size in sizes:
        if filled + size > part:
            parts, filled = parts + 1, 0
        filled += size
    return Segments(encoding, units, parts)
