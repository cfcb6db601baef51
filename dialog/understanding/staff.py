"""Finds the clinic's practitioners in what was said: by any part of their name, misspelt, or as a recogniser heard it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import jellyfish
from rapidfuzz.distance import JaroWinkler

from booking.values import PractitionerInfo
from dialog.understanding.mention import Mention, Span, overlaps
from dialog.understanding.phrasebook import PhraseBook
from dialog.understanding.words import Utterance

ALIKE_AFTER_TITLE = 0.82
ALIKE_AFTER_CUE = 0.87
ALIKE_ALONE = 0.94
SAME_SOUND = 0.9
TIE = 0.03
LONGEST_NAME = 3
SHORT = 4
"""Words of so few letters are like too many others to be a misspelt name, unless a title goes before."""


@dataclass(frozen=True)
class _Name:
    key: str
    words: tuple[str, ...]  # without title
    has_title: bool


class StaffNames:
    """The names of one clinic's practitioners, ready for finding."""

    def __init__(self, practitioners: Sequence[PractitionerInfo], book: PhraseBook) -> None:
        self._book = book
        self._ordinary = (book.vocabulary | book.names.common | book.services.generic) - book.date_names
        self._names = tuple(name for each in practitioners for name in self._names_of(each))
        self.words = frozenset(word for name in self._names for word in name.words)

    def _names_of(self, practitioner: PractitionerInfo) -> Iterator[_Name]:
        for written in (practitioner.name, *practitioner.aliases):
            name, _, behind = written.partition(",")
            # "Ann Butler, MD" is called Ann Butler; "Butler, Ann" is both.
            whole = name if " " in name.strip() else f"{name} {behind}"
            words = tuple(word for piece in whole.replace("-", " ").split() for word in self._book.rules.plain(piece))
            plain = tuple(word for word in words if word not in self._book.names.titles and len(word) > 1)
            if plain:
                yield _Name(practitioner.key, plain, has_title=len(plain) < len(words))

    def find(self, utterance: Utterance, *, taken: Sequence[Span], is_asked: bool) -> list[Mention]:
        """Find those named outside `taken`. `is_asked`: the question was who, so that a name alone is enough."""
        found: list[Mention] = []
        at = 0
        while at < len(utterance.tokens):
            mention = (
                None
                if any(overlaps((at, at + 1), span) for span in taken)
                else self._at(utterance, at, is_asked=is_asked)
            )
            if mention:
                found.append(mention)
            at = mention.end if mention else at + 1
        return found or (self._strangers(utterance, taken) if is_asked else [])

    def _strangers(self, utterance: Utterance, taken: Sequence[Span]) -> list[Mention]:
        """Read "Wanda Quist, please" in answer to "who?": capitals in a row that are nothing else, or all that was said."""
        free = [
            at
            for at in range(len(utterance.tokens))
            if self._is_strange(utterance, at) and not any(overlaps((at, at + 1), span) for span in taken)
        ]
        for at in free:
            end = self._end_of_unknown(utterance, at)
            if end - at > 1 and not any(overlaps((at, end), span) for span in taken):
                return [Mention(at, end, (), utterance.said(at, end))]
        said = [at for at, word in enumerate(utterance.words) if word not in self._book.small]
        if free and free == said and free[-1] - free[0] == len(free) - 1 and len(free) <= LONGEST_NAME:
            return [Mention(free[0], free[-1] + 1, (), utterance.said(free[0], free[-1] + 1))]
        return []

    def _is_strange(self, utterance: Utterance, at: int) -> bool:
        """Whether word `at` may begin a name that nobody here has."""
        token = utterance.tokens[at]
        if utterance.is_cased and not token.capital:
            return False
        known = self._ordinary | self._book.date_names | self._book.date_words | self._book.names.never
        return token.word.isalpha() and len(token.word) > 1 and token.word not in known

    def _at(self, utterance: Utterance, at: int, *, is_asked: bool) -> Mention | None:
        words = utterance.words
        has_title = words[at] in self._book.names.titles
        first = at + 1 if has_title and at + 1 < len(words) and at + 1 not in utterance.stops else at
        if first == at and self._is_date(utterance, at):
            return None
        needed = self._needed(utterance, first, after_title=first > at, is_asked=is_asked)
        best: dict[str, tuple[float, int]] = {}
        for name in self._names:
            likeness, length = self._likeness(name, utterance, first, needed)
            if likeness >= needed and (likeness, length) > best.get(name.key, (0.0, 0)):
                best[name.key] = (likeness, length)
        if best:
            return self._chosen(utterance, at, first, best)
        if first > at and self._could_be_name(utterance, first):
            end = self._end_of_unknown(utterance, first)
            return Mention(at, end, (), utterance.said(at, end))
        return None

    def _end_of_unknown(self, utterance: Utterance, at: int) -> int:
        """Follow "Dr. Ann B. Smith" to the end of the name, by its capitals."""
        end = at + 1
        while end < len(utterance.tokens) and utterance.is_cased and self._goes_on(utterance, end):
            end += 1
        return end

    def _is_date(self, utterance: Utterance, at: int) -> bool:
        """Whether "may" or "friday" is the month or the day rather than somebody: "in may", "next friday", "may 5th"."""
        words = utterance.words
        if words[at] not in self._book.date_names:
            return False
        beside = (*words[max(0, at - 1) : at], *words[at + 1 : at + 2])
        return (bool(words[max(0, at - 1) : at]) and words[at - 1] in self._book.date_leads) or any(
            word[:1].isdigit() for word in beside
        )

    def _needed(self, utterance: Utterance, at: int, *, after_title: bool, is_asked: bool) -> float:
        if after_title:
            return ALIKE_AFTER_TITLE
        if len(utterance.words[at]) <= SHORT and not is_asked:
            return 1.0
        return ALIKE_AFTER_CUE if is_asked or (utterance.tokens[at].capital and utterance.is_cased) else ALIKE_ALONE

    def _likeness(self, name: _Name, utterance: Utterance, at: int, needed: float) -> tuple[float, int]:
        words = utterance.words
        if words[at] in self._book.small and words[at] not in name.words:
            return 0.0, 0
        is_common = words[at] in self._book.vocabulary and needed > ALIKE_AFTER_TITLE
        if is_common and words[at] not in name.words and not (utterance.tokens[at].capital and utterance.is_cased):
            return 0.0, 0
        length = len(name.words)
        if length > 2 and tuple(words[at : at + length]) == name.words:
            return 2.0, length
        if len(name.words) > 1 and at + 1 < len(words) and at + 1 not in utterance.stops:
            both = min(alike(words[at], name.words[0]), alike(words[at + 1], name.words[-1]))
            if both >= ALIKE_AFTER_TITLE:
                return 1.0 + both, 2
            if (
                needed < ALIKE_ALONE
                and words[at + 1] not in self._book.names.common
                and alike(words[at] + words[at + 1], name.words[-1]) >= 0.93
            ):
                return 0.9, 2
        if not name.has_title and needed > ALIKE_AFTER_TITLE and self._is_only_a_word(utterance, at):
            return 0.0, 0
        return max(alike(words[at], word) for word in name.words), 1

    def _is_only_a_word(self, utterance: Utterance, at: int) -> bool:
        """Whether a word is more likely itself than part of a name: "great", said of Great Smiles, at the beginning or in small letters."""
        token = utterance.tokens[at]
        return token.word in self._ordinary and (at in utterance.starts or not token.capital or not utterance.is_cased)

    def _chosen(self, utterance: Utterance, at: int, first: int, best: dict[str, tuple[float, int]]) -> Mention:
        top = max(likeness for likeness, _ in best.values())
        keys = [key for key, (likeness, _) in best.items() if likeness >= top - TIE]
        if len(keys) > 1 and first > at:
            titled = [key for key in keys if any(name.key == key and name.has_title for name in self._names)]
            keys = titled if len(titled) == 1 else keys
        end = first + max(best[key][1] for key in keys)
        return Mention(at, end, tuple(keys), utterance.said(at, end))

    def _goes_on(self, utterance: Utterance, at: int) -> bool:
        """Whether word `at` belongs to the name before it: an initial, or a capital that is no ordinary word, in the same part of the sentence."""
        token, before = utterance.tokens[at], utterance.tokens[at - 1]
        if token.capital and token.end - token.start == 1:
            return at not in utterance.stops
        is_cut = at in utterance.stops and before.end - before.start > 1
        is_other = token.word in self._ordinary | self._book.date_names | self._book.date_words
        return token.capital and not is_cut and not is_other

    def _could_be_name(self, utterance: Utterance, at: int) -> bool:
        token = utterance.tokens[at]
        if not token.word.isalpha() or len(token.word) < 2 or token.word in self._book.names.never:
            return False
        if utterance.is_cased and token.capital:
            return True
        return token.word not in self._book.vocabulary


@lru_cache(maxsize=8192)
def alike(said: str, name: str) -> float:
    """Tell how alike two words look or sound, 0 to 1."""
    if said == name:
        return 1.0
    if min(len(said), len(name)) < 2 or not said.isalpha():
        return 0.0
    looks = JaroWinkler.similarity(said, name)
    sounds = SAME_SOUND if sound(said) == sound(name) and looks > 0.45 else 0.0
    return max(looks if abs(len(said) - len(name)) <= 2 else 0.0, sounds)


@lru_cache(maxsize=8192)
def sound(word: str) -> str:
    """Give a word's sound as consonants; a vowel at the beginning is one sign, since recognisers swap them."""
    code = str(jellyfish.metaphone(word))
    return "A" + code.lstrip("AEIOU") if word[:1] in "aeiou" else code
