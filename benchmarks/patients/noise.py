"""What a speech recogniser makes of a telephone line at 8 kHz: a model of its errors, the same for the same seed.

Words are replaced by ones that sound alike, lost, or made up from a cough; punctuation and case are gone and numbers are words. Short
words suffer most, as they do on the telephone; on average the wished share of words is wrong.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import jellyfish
from rapidfuzz.distance import Levenshtein

from benchmarks.patients.wording import words

_SUBSTITUTED, _LOST = 0.65, 0.85  # of all errors; the rest are words that nobody said
_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_TOKEN = re.compile(r"\d+(?:st|nd|rd|th)\b|\d+|[a-z]+(?:'[a-z]+)?")


@dataclass
class Recogniser:
    """Mishears `rate` of the words. `said` and `wrong` count words over everything heard."""

    rate: float
    vocabulary: Iterable[str]
    said: int = 0
    wrong: int = 0
    _alike: Mapping[str, Sequence[str]] = field(init=False)

    def __post_init__(self) -> None:
        by_sound: dict[str, set[str]] = defaultdict(set)
        for word in {*self.vocabulary, *words()["everyday"], *_ONES, *_TENS}:
            for part in _TOKEN.findall(word.lower()):
                by_sound[jellyfish.metaphone(part)].add(part)
        self._alike = {sound: sorted(found) for sound, found in by_sound.items()}

    @property
    def error_rate(self) -> float:
        """The word error rate so far, by the usual count of edits."""
        return self.wrong / self.said if self.said else 0.0

    def hear(self, text: str, random: Random) -> str:
        """Return what arrives of an utterance."""
        spoken = as_spoken(text)
        heard = self._misheard(spoken, random) or spoken
        self.said += len(spoken)
        self.wrong += Levenshtein.distance(spoken, heard)
        return " ".join(heard)

    def _misheard(self, spoken: Sequence[str], random: Random) -> list[str]:
        weights = [_weight(one) for one in spoken]
        scale = self.rate * len(spoken) / sum(weights) if weights else 0.0
        heard: list[str] = []
        for word, weight in zip(spoken, weights, strict=True):
            if random.random() >= weight * scale:
                heard.append(word)
                continue
            kind = random.random()
            if kind < _SUBSTITUTED:
                heard.append(self._sounding_like(word, random))
            elif kind >= _LOST:
                heard += [random.choice(words()["fillers"]), word]
        return heard

    def _sounding_like(self, word: str, random: Random) -> str:
        """Return another word that sounds the same, or nearly so."""
        sound = jellyfish.metaphone(word)
        for distance in (0, 1, 2):
            found = [
                other
                for key, others in self._alike.items()
                if abs(len(key) - len(sound)) <= distance and Levenshtein.distance(key, sound) == distance
                for other in others
                if other != word
            ]
            if found:
                return random.choice(found)
        return word[:-1] or word


def as_spoken(text: str) -> list[str]:
    """Return the words of a text as they are spoken: numbers as words, nothing else."""
    spoken: list[str] = []
    for token in _TOKEN.findall(text.lower().replace(":00", "")):
        digits = re.match(r"\d+", token)
        if digits is None:
            spoken.append(token)
        elif token == digits[0]:
            spoken += _number(token)
        else:
            *rest, last = _number(digits[0])
            spoken += [*rest, _ordinal(last)]
    return spoken


def _weight(word: str) -> float:
    return 1.3 if len(word) <= 3 else 1.0 if len(word) <= 5 else 0.7


def _number(digits: str) -> list[str]:
    """Say digits as people say days, times, years and telephone numbers."""
    value = int(digits)
    if len(digits) == 2 and digits[0] == "0":
        return ["oh", _ONES[value]] if value else ["oh", "oh"]
    if len(digits) > 4 or (len(digits) == 3 and value % 100):
        return [_ONES[int(one)] for one in digits]
    if len(digits) == 4:
        return _year(value)
    if value < 20:
        return [_ONES[value]]
    if value < 100:
        return [_TENS[value // 10 - 2], *([_ONES[value % 10]] if value % 10 else [])]
    return [_ONES[value // 100], "hundred"]


def _year(value: int) -> list[str]:
    century, rest = divmod(value, 100)
    if century == 20 and rest < 10:
        return ["two", "thousand", *([_ONES[rest]] if rest else [])]
    return [*_number(str(century)), *(_number(f"{rest:02}") if rest else ["hundred"])]


def _ordinal(word: str) -> str:
    if word in _ORDINALS:
        return _ORDINALS[word]
    return f"{word[:-1]}ieth" if word.endswith("y") else f"{word}th"
