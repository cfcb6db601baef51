"""Numbers of several words that are said the same way in many languages: tens with ones, and years."""

from collections.abc import Sequence

from dialog.timewords.language import Language


def below_hundred(words: Sequence[str], at: int, of: Language) -> tuple[int, int] | None:
    """A number below a hundred in words, ordinal or not: how many words it takes, and what it is."""
    first = _one(words, at, of)
    if first is None or first >= 100:
        return None
    if words[at] not in of.numbers or first < 20 or first % 10:
        return 1, first
    between = 1 + (at + 1 < len(words) and words[at + 1] in of.steering["number_joiners"])
    unit = _one(words, at + between, of)
    return (between + 1, first + unit) if unit is not None and 1 <= unit <= 9 else (1, first)


def thousands(words: Sequence[str], at: int, of: Language) -> tuple[int, int] | None:
    """Read "two thousand and three" or "mil novecientos ochenta y dos": how many words it takes, and the year."""
    start = at
    count = of.numbers.get(words[at])
    if count is not None and at + 1 < len(words) and words[at + 1] in of.steering["thousand"]:
        at += 2
    elif words[at] in of.steering["bare_thousand"]:
        count, at = 1, at + 1
    else:
        return None
    if count not in {1, 2}:
        return None
    value = count * 1000
    hundreds = of.numbers.get(words[at], 0) if at < len(words) else 0
    if hundreds >= 100:
        value, at = value + hundreds, at + 1
    behind = at + (at < len(words) and words[at] in of.steering["or"])
    rest = below_hundred(words, behind, of)
    if rest is not None:
        at, value = behind + rest[0], value + rest[1]
    return at - start, value


def _one(words: Sequence[str], at: int, of: Language) -> int | None:
    return of.numbers.get(words[at], of.ordinals.get(words[at])) if at < len(words) else None
