"""Finds people's names: after a cue ("this is ..."), as the answer to a question, or spelled letter by letter."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from dialog.understanding.mention import Span
from dialog.understanding.phrasebook import PhraseBook
from dialog.understanding.words import Utterance, without_accents

LONGEST_NAME = 5
"""Words of a name, those that join them not counted: "María de la Cruz Hernández" has three."""
FEWEST_LETTERS = 3
MOST_BESIDE = 4
_PARTS_OF_NAME = re.compile(r"[^'-]+")
_NO_WRITING = re.compile(r"<\s*[/!?a-z]|\w\s*=\s*\S|[{}\\]|['\")]\s*;|--\s*$", re.IGNORECASE)
"""Signs of markup or of commands to a machine: what stands in them is nobody's name."""


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name that was given, as it is written; `span` are its words. `spelled`: letter by letter."""

    value: str
    span: Span
    spelled: bool


def name_at(utterance: Utterance, start: int, book: PhraseBook, *, is_expected: bool) -> PersonName | None:
    """Read a name that begins at word `start`. `is_expected`: nearly any word may be one, since a name was announced or asked for."""
    end = start
    idle: set[int] = set()
    names = 0
    while end < len(utterance.tokens) and names < LONGEST_NAME:
        if end > start and end in utterance.stops:
            break
        if start < end < len(utterance.tokens) - 1 and utterance.tokens[end].word in book.names.idle:
            idle.add(end)  # "Abigail, oh, Kowalski"
            end += 1
            continue
        is_joiner = start < end and utterance.tokens[end].word in book.names.joiners and end + 1 < len(utterance.tokens)
        if not is_joiner and not _may_be_name(
            utterance, end, book, is_expected=is_expected and end == start, is_second=end > start
        ):
            break
        names += not is_joiner
        end += 1
    while end > start and (utterance.tokens[end - 1].word in book.names.joiners or end - 1 in idle):
        end -= 1
    if end == start:
        return None
    return PersonName(written(_without_fillers(utterance, start, end, idle)), (start, end), spelled=False)


def with_plain_words(utterance: Utterance, name: PersonName, book: PhraseBook, *, but: Collection[int]) -> PersonName:
    """Take a word of other meaning into a name that was asked for: "john black", "maria luz perez".

    Only the last words of a part of the sentence are taken, one of them plain, none common and none of the phrases `but`.
    """
    start, end = name.span
    last = min((at for at in utterance.stops if at >= end), default=len(utterance.tokens))
    rest = range(end, last)
    plain = [at for at in rest if not _may_be_name(utterance, at, book, is_expected=False, is_second=True)]
    is_free = all(utterance.words[at] not in book.names.common and at not in but for at in rest)
    is_written = all(utterance.words[at].isalpha() for at in plain)
    if utterance.is_cased or len(plain) != 1 or not (is_free and is_written) or last - start > LONGEST_NAME:
        return name
    return PersonName(written(utterance.said(start, last)), (start, last), spelled=False)


def _without_fillers(utterance: Utterance, start: int, end: int, idle: Collection[int]) -> str:
    """Give the original words `start` to before `end`, without the `idle` ones and the sounds between them that are no words."""
    said, before = "", 0
    for token in (utterance.tokens[at] for at in range(start, end) if at not in idle):
        between = utterance.text[before : token.start] if said else ""
        said += (" " if any(sign.isalnum() for sign in between) else between) + utterance.text[token.start : token.end]
        before = token.end
    return said


def is_legible(utterance: Utterance, span: Span) -> bool:
    """Whether the words `span` can be somebody's name as they were written: no markup around them, no figures stuck to them."""
    text = utterance.text
    start, end = utterance.tokens[span[0]].start, utterance.tokens[span[1] - 1].end
    beside = text[max(0, start - 1) : start] + text[end : end + 1]
    return not (_NO_WRITING.search(text) or any(sign.isdigit() or sign in "_@" for sign in beside))


def beside(utterance: Utterance, number: Span, book: PhraseBook, *, known: Collection[str]) -> PersonName | None:
    """Read the first and last name that stand directly before or behind a date of birth or a telephone number. `known` are names of the clinic's own."""

    def may_be(at: int) -> bool:
        token = utterance.tokens[at]
        is_joined = at > 0 and utterance.words[at - 1] in book.names.joiners
        common = book.names.common if is_joined else book.vocabulary | book.names.common
        is_free = token.word not in known and token.word not in common
        return is_free and _may_be_name(utterance, at, book, is_expected=False, is_second=True)

    before = range(number[0] - 1, -1, -1)
    behind = range(number[1], len(utterance.tokens))
    for places, borders in ((before, {at - 1 for at in utterance.starts}), (behind, utterance.stops)):
        found = _run_of_names(utterance, places, borders, book, may_be)
        if len(found) > 1:
            span = (min(found), max(found) + 1)
            return PersonName(written(utterance.said(*span)), span, spelled=False)
    return None


def _run_of_names(
    utterance: Utterance, places: range, borders: Collection[int], book: PhraseBook, may_be: Callable[[int], bool]
) -> list[int]:
    """Give the words of a name that begins or ends at the first of `places`, up to the first that can be none or stands at a border."""
    found: list[int] = []
    names = 0
    for at in places:
        is_joiner = utterance.words[at] in book.names.joiners
        names += not is_joiner
        if names > MOST_BESIDE or (found and at in borders) or not (is_joiner or may_be(at)):
            break
        found.append(at)
    while found and utterance.words[found[-1]] in book.names.joiners:
        found.pop()
    return found


def alone(utterance: Utterance, book: PhraseBook, *, known: Collection[str]) -> PersonName | None:
    """Read "Grace Hopper" and nothing else, written as a name is and of words that mean nothing here."""
    names = utterance.tokens
    if not 1 < len(names) <= MOST_BESIDE or any(at in utterance.stops for at in range(1, len(names))):
        return None
    if any(
        not each.capital or each.word in known or each.word in book.vocabulary | book.names.common for each in names
    ):
        return None
    name = name_at(utterance, 0, book, is_expected=False)
    return name if name and name.span[1] == len(names) else None


def _may_be_name(utterance: Utterance, at: int, book: PhraseBook, *, is_expected: bool, is_second: bool) -> bool:
    token = utterance.tokens[at]
    raw = without_accents(utterance.text[token.start : token.end]).lower()
    beside = (*utterance.tokens[max(0, at - 1) : at], *utterance.tokens[at + 1 : at + 2])
    if any(each.start == token.start for each in beside):
        return False  # "Hábleme" is two words, of which none is a name
    if not raw.replace("'", "").isalpha() or raw in book.names.never or token.word in book.names.never:
        return False
    if is_expected:
        return raw not in book.names.common or token.capital or len(utterance.tokens) <= 2
    if is_second and utterance.words[at - 1] in book.names.joiners:
        return raw not in book.names.common  # a tower is a word like others, but not in "de la torre"
    if utterance.is_cased:
        return token.capital
    return raw not in book.vocabulary if is_second else raw not in book.names.common and raw not in book.vocabulary


def written(said: str) -> str:
    """Write a name as names are written, unless its writer already did: "ann o'neil" is "Ann O'Neil"."""
    words = [word.strip(".,;:!?") for word in said.split()]
    if any(word[:1].isupper() for word in words) and not said.isupper():
        return " ".join(words)
    return " ".join(_PARTS_OF_NAME.sub(lambda part: part[0][:1].upper() + part[0][1:].lower(), word) for word in words)


def spelled_at(utterance: Utterance, start: int, book: PhraseBook, *, is_expected: bool) -> PersonName | None:
    """Read letters that begin at word `start`: "A N N", "b as in boy", "alpha november november", "double l". At least three make a name.

    `is_expected`: words that sound like letters ("bee", "double you") count too. "New word" and "space" part two names.
    """
    letters: list[str] = []
    breaks: list[int] = []
    at = start
    while at < len(utterance.tokens):
        if letters and (behind := _after_break(utterance, at, book)) > at:
            breaks.append(len(letters))
            at = behind
            continue
        if letters and (sign := book.names.letter_signs.get(utterance.words[at])) and at + 1 < len(utterance.tokens):
            letters.append(sign)
            at += 1
            continue
        read = _letter(utterance, at, book, is_expected=is_expected)
        if read is None:
            break
        if letters and not utterance.tokens[at].glued and _is_glued_run(utterance, at):
            breaks.append(len(letters))
        letters += read[0]
        at = read[1]
    if len(letters) < FEWEST_LETTERS:
        return None
    words = ["".join(letters[first:last]) for first, last in zip([0, *breaks], [*breaks, len(letters)], strict=True)]
    return PersonName(" ".join(written(word) for word in words if word), (start, at), spelled=True)


def _after_break(utterance: Utterance, at: int, book: PhraseBook) -> int:
    """Step over the words that part two spelled names, where a letter follows."""
    end = at
    while end < len(utterance.words) and utterance.words[end] in book.names.letter_breaks:
        end += 1
    follows = end < len(utterance.tokens) and _letter(utterance, end, book, is_expected=False) is not None
    return end if follows else at


def _is_glued_run(utterance: Utterance, at: int) -> bool:
    """Whether a hyphenated run ("S-M-I-T-H") begins or ended here: then a space parts two names."""
    following = at + 1 < len(utterance.tokens) and utterance.tokens[at + 1].glued
    return following or utterance.tokens[at - 1].glued


def _letter(utterance: Utterance, at: int, book: PhraseBook, *, is_expected: bool) -> tuple[list[str], int] | None:
    words = utterance.words
    names = book.names
    if words[at] in names.letter_double and at + 1 < len(words):
        if is_expected and words[at + 1 : at + 2] == ("you",):
            return ["w"], at + 2
        doubled = _letter(utterance, at + 1, book, is_expected=is_expected)
        return (doubled[0] * 2, doubled[1]) if doubled else None
    # The written letter, not the plain word: a K on its own is "ok" otherwise.
    raw = utterance.text[utterance.tokens[at].start : utterance.tokens[at].end].strip(".").lower()
    letter = raw if len(raw) == 1 and raw.isalpha() else ""
    if not letter and words[at] in names.alphabet:
        letter = words[at][0]
    if not letter and is_expected:
        letter = names.letters.get(words[at], "")
    if not letter:
        return None
    return [letter], _after_example(utterance, at + 1, letter, book)


def _after_example(utterance: Utterance, at: int, letter: str, book: PhraseBook) -> int:
    """Step over "as in boy" and "for boy" after the letter."""
    words = utterance.words
    if at < len(words) and words[at] in book.names.letter_as:
        for end in (at + 1, at + 2):
            if end < len(words) and words[end].startswith(letter) and len(words[end]) > 1:
                return end + 1
    return at


def spellings(utterance: Utterance, book: PhraseBook, *, is_expected: bool) -> Iterator[PersonName]:
    """Find all spelled names of the utterance."""
    at = 0
    while at < len(utterance.tokens):
        found = spelled_at(utterance, at, book, is_expected=is_expected)
        if found:
            yield found
        at = found.span[1] if found else at + 1


def joined(said: PersonName | None, spelled: PersonName) -> PersonName:
    """Join a name that was said with its spelling: the spelling decides the letters, what was said where one name ends."""
    if said is None:
        return spelled
    letters = spelled.value.replace(" ", "").lower()
    words = said.value.split()
    plain = [without_accents(word).replace("'", "").lower() for word in words]
    span = (min(said.span[0], spelled.span[0]), max(said.span[1], spelled.span[1]))
    if letters == "".join(plain):
        return PersonName(said.value, span, spelled=True)
    if len(words) > 1 and len(spelled.value.split()) == 1:
        return PersonName(
            " ".join(
                [*words[:-1], letters.capitalize()] if _is_last(letters, plain) else [letters.capitalize(), *words[1:]]
            ),
            span,
            spelled=True,
        )
    if len(words) == 1 and len(spelled.value.split()) == 1 and letters[:1] != plain[0][:1]:
        return PersonName(f"{said.value} {spelled.value}", span, spelled=True)
    return PersonName(spelled.value, span, spelled=True)


def _is_last(letters: str, words: list[str]) -> bool:
    """Whether the letters spell the last name rather than the first, when one of them was spelled."""
    first, last = words[0], words[-1]
    return (
        letters[:1] == last[:1]
        if letters[:1] != first[:1]
        else len(set(letters) & set(last)) >= len(set(letters) & set(first))
    )
