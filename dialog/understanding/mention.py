"""What a finder reports: a stretch of the utterance that names something of the clinic."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mention:
    """Words `start` to before `end` name any of `keys`; none: something of this kind that the clinic does not have.

    `is_reason`: a service was not named, only what leads to it; `is_part`: only a part of its name was said.
    """

    start: int
    end: int
    keys: tuple[str, ...]
    text: str
    is_reason: bool = False
    is_part: bool = False


Span = tuple[int, int]


def overlaps(one: Span, other: Span) -> bool:
    """Whether two stretches share a word."""
    return one[0] < other[1] and other[0] < one[1]
