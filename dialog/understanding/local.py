"""The interpreter that needs no network and no key: phrases as data, the clinic's own names, and a few rules. Pure and deterministic."""

from collections import OrderedDict
from dataclasses import replace

from booking.values import Catalogue
from dialog import commands as say
from dialog.interpreter import Interpretation, Listening
from dialog.understanding.danger import red_flag_in
from dialog.understanding.meaning import interpret
from dialog.understanding.phrasebook import PhraseBook, phrase_book, spelled_right
from dialog.understanding.scene import ClinicNames, look, searchable
from dialog.understanding.words import Utterance, read_words

LANGUAGES = ("en",)
CLINICS_KEPT = 64
CLEAR_EVIDENCE = 3
"""Words of another language that show that somebody switched to it."""


class LocalInterpreter:
    """Implements dialog.interpreter.Interpreter. Keeps the prepared names of the clinics it met last."""

    def __init__(self) -> None:
        self._books = {language: phrase_book(language) for language in LANGUAGES}
        self._clinics: OrderedDict[tuple[int, str], tuple[Catalogue, ClinicNames]] = OrderedDict()

    def interpret(self, text: str, listening: Listening, *, deadline_s: float = 1.0) -> Interpretation:
        """Say what `text` means. Never raises for any text; reads its first 600 characters."""
        book = self._books.get(listening.language, self._books["en"])
        names = self._names(listening.catalogue, book)
        utterance = _corrected(read_words(text, book.rules), book, names)
        if not utterance.tokens:
            return Interpretation((), listening.language, 0.0)
        searched = searchable(utterance, book)
        if flag := red_flag_in(searched, book):
            return Interpretation((say.Emergency(utterance.said(flag.start, flag.end)),), listening.language, 1.0)
        if (other := _other_language(utterance, book)) is not None:
            return Interpretation((say.SwitchLanguage(other),), other, 1.0)
        return replace(
            interpret(look(utterance, searched, listening, book=book, names=names)), language=listening.language
        )

    def _names(self, catalogue: Catalogue, book: PhraseBook) -> ClinicNames:
        """Prepare a clinic's names once. Catalogues are frozen, so the object itself is the key, kept alive beside its names."""
        key = (id(catalogue), book.language)
        if key not in self._clinics:
            self._clinics[key] = (catalogue, ClinicNames(catalogue, book))
            if len(self._clinics) > CLINICS_KEPT:
                self._clinics.popitem(last=False)
        return self._clinics[key][1]


def _corrected(utterance: Utterance, book: PhraseBook, names: ClinicNames) -> Utterance:
    """Put slips of the pen right, but leave the clinic's own names alone."""
    tokens = tuple(
        token if token.word in names.words else replace(token, word=spelled_right(token.word, book))
        for token in utterance.tokens
    )
    return replace(utterance, tokens=tokens)


def _other_language(utterance: Utterance, book: PhraseBook) -> str | None:
    for language, words in book.other_languages.items():
        evidence = {word for word in utterance.words if word in words and word not in book.vocabulary}
        is_all = 1 < len(evidence) == len(utterance.tokens)
        if is_all or (len(evidence) >= CLEAR_EVIDENCE and len(evidence) * 3 >= len(utterance.tokens)):
            return language
    return None
