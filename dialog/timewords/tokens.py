"""Cuts an utterance into words, numbers and marks that keep their place in it.

Numbers that are plainly something else (telephone numbers, prices, long digits) come out as one token of kind `other`, so that no rule sees them.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, cast

Kind = Literal["word", "int", "ordinal", "clock", "date", "decimal", "mark", "other"]

MAX_TOKENS = 400

_TOKEN = re.compile(
    r"""
      (?P<other> [$€£#]\s?\d[\d.,]* | \d[\d.,]*\s?[%$€£] | \+?\(?\d{3}\)?[-.\s]\d{3}[-.\s]\d{4}\b | \+\d[\d\s().-]{6,}\d | \b\d{3}-\d{4}\b | \d{5,}
        | [^\s@]{1,64}@[^\s@]{1,64}\.\w+ )
    | (?P<date> \d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?!\d) | \d{1,2}(?P<sep>[-/.])\d{1,2}(?P=sep)(?:\d{4}|\d{2})(?![\d:]) | \d{1,2}/\d{1,2}(?![\d/]) | \d{1,2}/\d{4}(?!\d) )
    | (?P<clock> \d{1,2}:\d{2}(?![\d:]) | \d{1,2}\.[0-5]\d(?=\s?[ap]\.?\s?m?\b) | \d{1,2}h\d{2}\b )
    | (?P<ordinal> \d{1,2}(?:(?:st|nd|rd|th|er|ero|era|ro|ra|do|da|to|ta|mo|ma|vo|va|no|na|º|ª)\b|°) )
    | (?P<decimal> \d+\.\d+ )
    | (?P<int> \d+ )
    | (?P<word> [^\W\d_]+(?:['’`´][^\W\d_]+)* )
    | (?P<mark> [^\w\s] )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_APOSTROPHES = str.maketrans("’`´", "'''")


@dataclass(frozen=True)
class Token:
    """A piece of the utterance: `word` is lower case and without accents, `start` and `end` are positions in the utterance."""

    kind: Kind
    word: str
    start: int
    end: int
    capital: bool = False
    glued: bool = False


def folded(text: str) -> str:
    """`text` without accents, which speech recognisers and hurried people leave out."""
    if text.isascii():
        return text
    return "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))


def cut(text: str) -> list[Token]:
    """Cut `text` into at most MAX_TOKENS tokens. The "a" or "p" glued to a clock time becomes am or pm."""
    tokens: list[Token] = []
    end_before = -1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind is None or len(tokens) >= MAX_TOKENS:
            break
        word = folded(match.group().lower().translate(_APOSTROPHES))
        glued = match.start() == end_before
        if glued and word in {"a", "p"} and tokens[-1].kind in {"int", "clock"}:
            word += "m"
        tokens.append(Token(cast(Kind, kind), word, match.start(), match.end(), match.group()[:1].isupper(), glued))
        end_before = match.end()
    return tokens
