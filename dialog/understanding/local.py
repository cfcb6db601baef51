"""The interpreter that needs no network and no key: phrases as data, the clinic's own names, and a few rules. Pure and deterministic."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Generic, TypeVar

from booking.values import Catalogue
from dialog import commands as say
from dialog.interpreter import Asked, Interpretation, Listening
from dialog.languages import SPOKEN, spoken_at
from dialog.understanding.answers import AnswerWords
from dialog.understanding.danger import red_flag_in
from dialog.understanding.meaning import interpret
from dialog.understanding.phrasebook import PhraseBook, phrase_book, spelled_right
from dialog.understanding.places import PlaceNames
from dialog.understanding.reasons import ServiceNames
from dialog.understanding.scene import ClinicNames, look, searchable
from dialog.understanding.staff import StaffNames
from dialog.understanding.words import Utterance, read_words

_Read = Mapping[str, Utterance]
"""What was said as it is read in each language."""

Given = TypeVar("Given")
Made = TypeVar("Made")

CLINICS_KEPT = 64
"""Clinics, and of each the people, places and services, whose prepared names stay at hand."""
CLEAR_EVIDENCE = 3
"""Words of another language alone that show that somebody switched to it, where they are more than those of this one."""
_NOT_OURS = frozenset({Asked.NAME, Asked.SPELL_NAME, Asked.EMAIL, Asked.MESSAGE})
"""Questions whose answers tell nothing about the language of the conversation."""


class LocalInterpreter:
    """Implements dialog.interpreter.Interpreter. Keeps the prepared names of the clinics it met last."""

    def __init__(self) -> None:
        self._books = {language: phrase_book(language) for language in SPOKEN}
        self._staff = _Prepared(StaffNames)
        self._places = _Prepared(PlaceNames)
        self._services = _Prepared(ServiceNames)
        self._answers = _Prepared(AnswerWords)
        self._clinics = _Prepared(self._names_of)

    def interpret(self, text: str, listening: Listening, *, deadline_s: float = 1.0) -> Interpretation:
        """Say what `text` means. Never raises for any text; reads its first 600 characters."""
        read = {language: read_words(text, book.rules) for language, book in self._books.items()}
        if (flag := self._red_flag_in(read, listening)) is not None:
            return flag
        if (other := self._other_language(read, listening)) is None:
            return self._interpret(read, listening)
        if other not in spoken_at(listening.catalogue):
            return Interpretation((say.SwitchLanguage(other),), other, 1.0)
        switch = say.SwitchLanguage(other)
        if (asked := self._interpret(read, listening)).commands == (switch,):
            return asked  # "can we speak in English please": in English that would be a wish for somebody who does
        meant = self._interpret(read, replace(listening, language=other))
        return replace(meant, commands=(switch, *(one for one in meant.commands if one != switch)))

    def _interpret(self, read: _Read, listening: Listening) -> Interpretation:
        book = self._books.get(listening.language, self._books["en"])
        names = self._clinics.of(listening.catalogue, book)
        utterance = _corrected(read[book.language], book, names)
        if not utterance.tokens:
            return Interpretation((), listening.language, 0.0)
        scene = look(utterance, searchable(utterance, book), listening, book=book, names=names)
        return replace(interpret(scene), language=listening.language)

    def _red_flag_in(self, read: _Read, listening: Listening) -> Interpretation | None:
        """Find a red flag in any language: whoever is in need says it in their own, whatever was spoken before."""
        own = self._books.get(listening.language, self._books["en"])
        for book in (own, *(book for book in self._books.values() if book is not own)):
            utterance = read[book.language]
            if book is own:
                # Slips are put right in the language that is spoken only: a word of it is no slip of one of another.
                utterance = _corrected(utterance, book, self._clinics.of(listening.catalogue, book))
            flag = red_flag_in(searchable(utterance, book), book)
            # "Meningitis" is one word in both: its own language knows better whether it is told as history.
            if flag and (book is own or not own.vocabulary.issuperset(utterance.words[flag.start : flag.end])):
                emergency = say.Emergency(utterance.said(flag.start, flag.end))
                is_spoken = book.language in spoken_at(listening.catalogue) and book is not own
                commands = (say.SwitchLanguage(book.language), emergency) if is_spoken else (emergency,)
                return Interpretation(commands, book.language if is_spoken else listening.language, 1.0)
        return None

    def _other_language(self, read: _Read, listening: Listening) -> str | None:
        """Give the language somebody went over to: more of its words than of this one's, and not only a "no" or a "gracias"."""
        if listening.asked in _NOT_OURS:
            return None
        own = self._books.get(listening.language, self._books["en"])
        named = self._clinics.of(listening.catalogue, own).words
        for language, book in self._books.items():
            if book is own:
                continue
            # Single letters are those of a name that is spelled.
            here, there = ([one for one in read[each.language].tokens if len(one.word) > 1] for each in (own, book))
            # "Ai" is a word of ours, whatever it is short for in the other.
            own_at = {one.start for one in here if one.word in own.vocabulary}
            theirs = {one.word for one in there if one.word in book.vocabulary and one.start not in own_at}
            # What a service is called or come for may hold any word: only that of a name tells nothing of a language.
            alone = {word for word in theirs - own.vocabulary if word not in named or word in book.names.common}
            ours = {one.word for one in here if one.word in own.vocabulary and one.word not in book.vocabulary}
            # "Eliminate" is one word, though it could be two in Spanish.
            is_several = min(len(there), len(read[language].text.split())) > 1
            is_all = is_several and bool(alone) and book.vocabulary.issuperset(one.word for one in there)
            # What is said in both, as "por favor" is, tells nothing.
            is_all = is_all and len(alone) * 2 >= sum(one.word not in own.vocabulary for one in there)
            if is_all or (len(alone) >= CLEAR_EVIDENCE and len(alone) > len(ours)):
                return language
        return None

    def _names_of(self, catalogue: Catalogue, book: PhraseBook) -> ClinicNames:
        return ClinicNames(
            self._staff.of(catalogue.practitioners, book),
            self._places.of(catalogue.locations, book),
            self._services.of(catalogue.services, book),
            self._answers.of(catalogue.answers, book),
        )


class _Prepared(Generic[Given, Made]):
    """Makes something of a frozen value once. The object itself is the key, kept alive beside what was made; the oldest go first."""

    def __init__(self, make: Callable[[Given, PhraseBook], Made]) -> None:
        self._make = make
        self._kept: OrderedDict[tuple[int, str], tuple[Given, Made]] = OrderedDict()

    def of(self, given: Given, book: PhraseBook) -> Made:
        key = (id(given), book.language)
        known = self._kept.get(key)
        if known is None:
            known = self._kept[key] = (given, self._make(given, book))
            if len(self._kept) > CLINICS_KEPT:
                self._kept.popitem(last=False)
        return known[1]


def _corrected(utterance: Utterance, book: PhraseBook, names: ClinicNames) -> Utterance:
    """Put slips of the pen right, but leave the clinic's own names alone."""
    tokens = tuple(
        token if token.word in names.words else replace(token, word=spelled_right(token.word, book))
        for token in utterance.tokens
    )
    return replace(utterance, tokens=tokens)
