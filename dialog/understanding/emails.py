"""Finds e-mail addresses: as they are written, and as they are said: "jane dot doe at g mail dot com", "b as in boy", "guion bajo"."""

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from dialog.understanding.mention import Span
from dialog.understanding.phrasebook import EmailWords, PhraseBook
from dialog.understanding.words import Utterance, without_accents
from kernel.errors import Malformed
from kernel.mail import read_address

PROVIDERS = frozenset({"gmail", "googlemail", "yahoo", "ymail", "hotmail", "outlook", "live", "msn", "icloud", "me", "mac", "aol", "mail", "email", "gmx", "web", "proton", "protonmail", "zoho", "yandex", "comcast", "verizon", "att", "sbcglobal", "cox", "charter", "bellsouth", "earthlink", "terra", "telefonica", "movistar", "orange"})  # fmt: skip
"""What most addresses end in, before their last part. What is nearly one of them is most likely that."""
_LONG = 5  # letters of a provider from which on a slip can be told
_LIKELY_SLIPS = 2  # in so many letters more
_ENDS = frozenset({"com", "net", "org", "edu", "gov", "mil", "info", "biz", "io", "co", "me", "us", "uk", "es", "mx", "ar", "cl", "pe", "ec", "uy", "py", "bo", "ve", "pr", "do", "cr", "gt", "hn", "ni", "sv", "pa", "cu", "fr", "de", "it", "pt", "br", "ca", "au", "nz", "eu"})  # fmt: skip
_SLIPS_OF_COM = frozenset({"con", "cmo", "cm", "om", "vom", "xom", "comm", "coom", "ocm", "cpm"})  # fmt: skip
_WRITTEN = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)*")
_PIECE = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+|[@._+-]")
_LOCAL = re.compile(r"[a-z0-9](?:[a-z0-9_+-]|\.(?!\.))*(?<!\.)")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 190
_MOST_WORDS = 4  # of one part of a domain
_FEWEST_SPELLED = 3
_SAME_WORD = 60  # of 100: a word and its spelling


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """An address that was given, in small letters, and the words it was. `meant`: the one that it is more likely to be ("gmial")."""

    value: str
    span: Span
    meant: str | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    word: str
    start: int
    end: int
    is_glued: bool  # to the piece before


def email_in(utterance: Utterance, book: PhraseBook, *, leads: Iterable[int], is_asked: bool) -> EmailAddress | None:
    """Find the first address. `leads` are words that an address is announced before; `is_asked`: all that was said is one."""
    written = _WRITTEN.search(utterance.text)
    if written is not None and (found := _as_written(written.group().lower())):
        return EmailAddress(found, utterance.words_between(*written.span()), likelier(found))
    pieces = _pieces(utterance.text, book)
    words = [piece.word for piece in pieces]
    behind = [utterance.tokens[lead - 1].end for lead in leads if lead]
    for at, start in _joints(words, book, is_asked=is_asked):
        domain, end = _domain(words, start, book)
        first = _first(pieces, at, book, leads=behind, is_asked=is_asked)
        if found := _address(_local(words[first:at], book), domain):
            span = utterance.words_between(pieces[first].start, pieces[end - 1].end)
            return EmailAddress(found, span, likelier(found))
    return None


def _joints(words: Sequence[str], book: PhraseBook, *, is_asked: bool) -> Iterator[tuple[int, int]]:
    """Give where one half of an address may end and the other begin; where one was asked for, also before the name of a provider."""
    emails = book.emails
    yield from ((at, at + 1) for at, word in enumerate(words) if word in emails.at and at + 1 < len(words))
    if is_asked and emails.at.isdisjoint(words):
        for start in range(1, len(words)):
            if _heard_as(words, start, emails) is not None:
                yield (start - 1 if words[start - 1] in emails.at_heard else start), start


def likelier(address: str) -> str | None:
    """Return the address that somebody with a slip of the pen or an ear for names most likely meant; None where it may well be what it is."""
    local, _, domain = address.partition("@")
    provider, _, end = domain.partition(".")
    if provider not in PROVIDERS:
        near = min(PROVIDERS, key=lambda each: (OSA.distance(provider, each), each))
        allowed = 1 if len(near) < _LONG + _LIKELY_SLIPS else _LIKELY_SLIPS
        if len(near) < _LONG or provider[:1] != near[:1] or OSA.distance(provider, near) > allowed:
            return None
        provider = near
    end = "com" if end in _SLIPS_OF_COM or (end == "co" and len(provider) >= _LONG) else end
    likely = f"{local}@{provider}.{end}"
    return likely if likely != address else None


def _as_written(text: str) -> str | None:
    """Take what is written as it is, if a mail server may; signs that nobody says are seldom, and legal."""
    with contextlib.suppress(Malformed):
        return read_address(text)
    return _address(*text.rsplit("@", 1))


def _address(local: str, domain: str) -> str | None:
    """Put the two halves together, where they can be those of an address."""
    if "." not in domain and domain in PROVIDERS:
        domain = f"{domain}.com"
    fits = len(local) <= _LONGEST_LOCAL and len(domain) <= _LONGEST_DOMAIN
    return f"{local}@{domain}" if fits and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain) else None


def _pieces(text: str, book: PhraseBook) -> list[_Piece]:
    """Cut `text` into words, figures and the signs of addresses; a full stop that ends something is none of these."""
    found: list[_Piece] = []
    for match in _PIECE.finditer(text):
        word = without_accents(match.group().lower())
        is_glued = bool(found) and found[-1].end == match.start()
        ends = word == "." and not (is_glued and text[match.end() : match.end() + 1].isalnum())
        parts_letters = word in "-." and bool(found) and len(found[-1].word) == 1 and _is_letter_next(text, match.end())
        if word not in book.rules.fillers and not ends and not parts_letters:
            found.append(_Piece(word, match.start(), match.end(), is_glued))
    return found


def _is_letter_next(text: str, at: int) -> bool:
    """Whether a single letter follows, as in "J-A-N-E"."""
    return text[at : at + 1].isalpha() and not text[at + 1 : at + 2].isalpha()


def _first(pieces: Sequence[_Piece], at: int, book: PhraseBook, *, leads: Collection[int], is_asked: bool) -> int:
    """Find where the part before the "at" at piece `at` begins: behind what announces it, else with what hangs together."""
    behind_lead = [place for place in range(at) if any(lead <= pieces[place].start for lead in leads)]
    if behind_lead or is_asked:
        first = behind_lead[0] if behind_lead else 0
        while first < at - 1 and pieces[first].word.replace("'", "") in book.emails.leads:
            first += 1
        return first
    first = max(0, at - 1)
    while first > 0 and _hangs_together(pieces[first - 1].word, pieces[first].word, book):
        first -= 1
    return first


def _hangs_together(before: str, word: str, book: PhraseBook) -> bool:
    """Whether two words side by side are of one address though nothing announces it: one is a sign, or both are letters or figures."""
    signs = book.emails.dot | book.emails.signs.keys() | set("._-+")
    if signs & {before, word}:
        return True
    return _is_small(before, book) and _is_small(word, book)


def _is_small(word: str, book: PhraseBook) -> bool:
    return len(word) == 1 or word.isdigit() or word in book.numbers


# The part behind the "at"


def _domain(words: Sequence[str], start: int, book: PhraseBook) -> tuple[str, int]:
    """Read the domain that begins at word `start`: "g mail dot com", "elm street dot co dot uk", "gmail". Give it and where it ends."""
    labels: list[str] = []
    at = start
    while at < len(words):
        label, end = _label(words, at, book, is_first=not labels)
        labels.append(label)
        following = words[end] if end < len(words) else ""
        is_dot_lost = len(labels) == 1 and label in PROVIDERS and following == "com"
        if following not in book.emails.dot and not is_dot_lost:
            return ".".join(labels), end
        at = end if is_dot_lost else end + 1
    return ".".join(labels), at


def _label(words: Sequence[str], start: int, book: PhraseBook, *, is_first: bool) -> tuple[str, int]:
    """Read one part of a domain: words up to the next dot, or, where none follows, one word or what is spelled."""
    if (heard := _heard_as(words, start, book.emails)) is not None:
        return heard
    if not is_first and words[start] in _ENDS | _SLIPS_OF_COM:
        return words[start], start + 1
    dot = next((at for at in range(start + 1, len(words)) if words[at] in book.emails.dot), None)
    if dot is not None and sum(len(word) > 1 for word in words[start:dot]) <= _MOST_WORDS:
        return _local(words[start:dot], book), dot
    end = start
    while end < len(words) and len(words[end]) == 1 and words[end].isalpha():
        end += 1
    return ("".join(words[start:end]), end) if end > start else (words[start], start + 1)


def _heard_as(words: Sequence[str], start: int, emails: EmailWords) -> tuple[str, int] | None:
    """Read a provider by what recognisers make of its name: "g mail", "hot male"."""
    for end in range(min(start + 3, len(words)), start, -1):
        if name := emails.heard.get(" ".join(words[start:end])):
            return name, end
    return None


# The part before it


def _local(words: Sequence[str], book: PhraseBook) -> str:
    """Put together what was said of one part: words, letters, figures and signs."""
    parts: list[str] = []
    at = 0
    while at < len(words):
        spelled, end = _spelled(words, at, book)
        if len(spelled) >= _FEWEST_SPELLED:
            if parts and parts[-1].isalpha() and fuzz.ratio(parts[-1], spelled) >= _SAME_WORD:
                parts.pop()  # "Smyth, S M Y T H E"
            parts.append(spelled)
            at = end
            continue
        part, at = _part(words, at, book)
        parts.append(part)
    return "".join(parts)


def _part(words: Sequence[str], at: int, book: PhraseBook) -> tuple[str, int]:
    """Read what one word, or a few that belong together, stand for."""
    emails = book.emails
    for end in (at + 2, at + 1):
        said = " ".join(words[at:end])
        if said in emails.signs:
            return emails.signs[said], min(end, len(words))
        if said in emails.idle:
            return "", min(end, len(words))
    word = words[at]
    if word in emails.dot:
        return ".", at + 1
    if word in book.multiples and at + 1 < len(words):
        part, end = _part(words, at + 1, book)
        return part * book.multiples[word], end
    if word in book.numbers:
        return _figures(words, at, book)
    if len(word) == 1 and word.isalpha():
        return word, _after_example(words, at + 1, word, book)
    return word.replace("'", ""), at + 1


def _figures(words: Sequence[str], at: int, book: PhraseBook) -> tuple[str, int]:
    value = book.numbers[words[at]]
    following = at + 2 if book.number_joints.intersection(words[at + 1 : at + 2]) else at + 1
    unit = book.numbers.get(words[following], 0) if following < len(words) else 0
    if 20 <= value < 100 and value % 10 == 0 and 0 < unit < 10:
        return str(value + unit), following + 1
    return str(value), at + 1


def _spelled(words: Sequence[str], start: int, book: PhraseBook) -> tuple[str, int]:
    """Read letters one after the other, with their examples, and words of the spelling alphabet."""
    letters, at = "", start
    while at < len(words):
        word, times = words[at], 1
        if word in book.names.letter_double and at + 1 < len(words):
            word, times = words[at + 1], 2
        letter = word if len(word) == 1 and word.isalpha() else word[0] if word in book.names.alphabet else ""
        named = book.names.letters.get(word, "")
        if not letter and named and (letters or _after_example(words, at + 1, named, book) > at + 1):
            letter = named
        if not letter:
            break
        letters += letter * times
        at = _after_example(words, at + times, letter, book)
    return letters, at


def _after_example(words: Sequence[str], at: int, letter: str, book: PhraseBook) -> int:
    """Step over "as in boy" and "de burro" after a letter."""
    if at < len(words) and words[at] in book.names.letter_as:
        for end in (at + 1, at + 2):
            if end < len(words) and words[end].startswith(letter) and len(words[end]) > 1:
                return end + 1
    return at
