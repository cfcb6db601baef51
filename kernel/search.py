"""Words as people search for them: in any order, in any case, with or without accents, and the last one may be unfinished.

Texts are taken apart here and not by the database, so that the same words are found on PostgreSQL and on SQLite.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Dialect, String, Text, bindparam
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

LONGEST_WORD = 40
MOST_WORDS = 6000
"""Of one row. PostgreSQL takes 1 MB: that many of the longest words, each letter of four bytes, are less."""
SHORTEST_BEGINNING = 2  # of a word that is searched for unfinished
_WORD = re.compile(r"[^\W_]+")


def words_in(text: str, /) -> tuple[str, ...]:
    """Return the words of a text as they are searched for, each once: letters and digits only, without case and accents."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return tuple(dict.fromkeys(word[:LONGEST_WORD] for word in _WORD.findall(plain)))


class WordSet(TypeDecorator[Iterable[str]]):
    """The words of a row, as `words_in` gives them: a `tsvector` on PostgreSQL; on SQLite text, each word after a space."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else TSVECTOR())

    def process_bind_param(self, value: Iterable[str] | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return "".join(f" {word}" if dialect.name == "sqlite" else f"'{word}' " for word in value)


class _WithWords(FunctionElement[Any]):
    type = WordSet()
    inherit_cache = True


@compiles(_WithWords, "postgresql")
def _with_words_on_postgresql(element: _WithWords, compiler: Any, **options: Any) -> str:
    column, more = (compiler.process(each, **options) for each in element.clauses)
    return f"CASE WHEN length({column}) < {MOST_WORDS} THEN {column} || CAST({more} AS tsvector) ELSE {column} END"


@compiles(_WithWords, "sqlite")
def _with_words_on_sqlite(element: _WithWords, compiler: Any, **options: Any) -> str:
    column, more = (compiler.process(each, **options) for each in element.clauses)
    return f"({column} || {more})"


def with_words(column: ColumnElement[Any] | InstrumentedAttribute[Any], name: str) -> ColumnElement[Any]:
    """Return `column` with the words that are given as `name` when the statement is sent. What is NULL stays NULL."""
    return _WithWords(column, bindparam(name, type_=WordSet()))


class _HasWords(FunctionElement[bool]):
    """A column, what PostgreSQL looks for in it, and the pieces of text that SQLite does."""

    type = Boolean()
    inherit_cache = True


@compiles(_HasWords, "postgresql")
def _has_words_on_postgresql(element: _HasWords, compiler: Any, **options: Any) -> str:
    column, query, *_ = (compiler.process(each, **options) for each in element.clauses)
    return f"({column} @@ CAST({query} AS tsquery))"


@compiles(_HasWords, "sqlite")
def _has_words_on_sqlite(element: _HasWords, compiler: Any, **options: Any) -> str:
    column, _, *pieces = (compiler.process(each, **options) for each in element.clauses)
    return "(" + " AND ".join(f"instr({column} || ' ', {piece}) > 0" for piece in pieces) + ")"


def has_words(column: InstrumentedAttribute[Any], words: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that a `WordSet` has all of `words`, at least one, as `words_in` gives them; the last may go on.

    They stand in the statement itself: how rare they are decides how PostgreSQL had best look for them.
    """
    *whole, last = words
    goes_on = len(last) >= SHORTEST_BEGINNING
    query = " & ".join([*(f"'{word}'" for word in whole), f"'{last}'{':*' if goes_on else ''}"])
    pieces = [*(f" {word} " for word in whole), f" {last}{'' if goes_on else ' '}"]
    return _HasWords(column, *(bindparam(None, each, String(), literal_execute=True) for each in (query, *pieces)))
