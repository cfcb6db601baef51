"""The little language that phrases are written in, and a graph of all of them that finds them in an utterance.

    (can|could) i (get|have) (a|an)? <visit>

Words stand for themselves. `(a|b c)` is either; `?` after a word or a bracket makes it optional; `<name>` is a set of the phrase file or something that
was found before (a time, a service); `..` is up to three words of any kind; `^` and `$` are the beginning and the end of a part of the sentence.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

Plain = Callable[[str], Sequence[str]]

GAP = ".."
START = "^"
STOP = "$"
LONGEST_GAP = 3

_LEXEME = re.compile(r"\.\.|[()|?^$]|<[\w-]+>|[^\s()|?^$<>]+")
_END = ""


class PatternError(Exception):
    """A line of a phrase file that can't be read; the message says which and why."""


@dataclass(slots=True, eq=False)
class Place:
    """A place between two words. `after` leads on by word or name; `labels` are what a phrase that ends here means."""

    after: dict[str, list["Place"]] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)

    def lead(self, piece: str, target: "Place") -> None:
        """Go on from here to `target` by `piece`."""
        self.after.setdefault(piece, []).append(target)

    def absorb(self, other: "Place") -> None:
        """Be `other` too: what lies between may be left out."""
        for piece, targets in other.after.items():
            self.after.setdefault(piece, []).extend(targets)
        self.labels.extend(label for label in other.labels if label not in self.labels)


class Phrases:
    """A collection of phrases with their meanings, searched all at once."""

    def __init__(self) -> None:
        self._root = Place()
        self._finals: dict[str, Place] = {}
        self.words: set[str] = set()

    def add(self, line: str, label: str, *, plain: Plain) -> None:
        """Enter a line of a phrase file; `plain` makes its words plain as it does those of utterances. Raises PatternError."""
        final = self._finals.setdefault(label, Place(labels=[label]))
        reader = _Reader(line, plain)
        reader.alternatives(self._root, final)
        self.words |= reader.words
        if self._root.labels:
            raise PatternError(f"all of it may be left out: {line!r}")

    @property
    def labels(self) -> list[str]:
        """Give the labels in the order in which they were entered."""
        return list(self._finals)

    def find(self, text: "Text") -> list["Hit"]:
        """Find every phrase anywhere in `text`, overlapping ones included."""
        return [hit for start in range(len(text.words)) for hit in _walk(self._root, text, start)]


@dataclass(frozen=True, slots=True)
class Text:
    """An utterance as it is searched: words, what was found at each (`<name>` to the ends of its spans), and the edges of its parts.

    `details` are those names whose words are not the phrase's own: a time or a service inside it still means what it means.
    """

    words: Sequence[str]
    found: Sequence[dict[str, set[int]]]
    details: Collection[str]
    starts: Collection[int]
    stops: Collection[int]


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase found: words `start` to before `end` mean `label`. `literal` are the words that the phrase itself names."""

    label: str
    start: int
    end: int
    literal: frozenset[int]


def _walk(root: Place, text: Text, start: int) -> Iterator[Hit]:
    todo: list[tuple[Place, int, frozenset[int]]] = [(root, start, frozenset())]
    seen: set[tuple[int, int]] = set()
    while todo:
        place, at, literal = todo.pop()
        if (id(place), at) in seen:
            continue
        seen.add((id(place), at))
        if at > start:
            for label in place.labels:
                yield Hit(label, start, at, literal)
        if place.after:  # most places are where a phrase ends
            todo.extend(_steps(place, text, at, literal))


def _steps(place: Place, text: Text, at: int, literal: frozenset[int]) -> Iterator[tuple[Place, int, frozenset[int]]]:
    # What comes last is walked first, and the first way to a place counts: words that are named rather than passed over.
    after = place.after
    if at < len(text.words):
        for target in after.get(GAP, ()):
            yield from ((target, end, literal) for end in _gap_ends(text, at))
        for name, ends in text.found[at].items():
            for target in after.get(name, ()):
                for end in ends:
                    yield target, end, literal if name in text.details else literal.union(range(at, end))
        if targets := after.get(text.words[at]):
            named = literal | {at}
            yield from ((target, at + 1, named) for target in targets)
    if at in text.stops:
        yield from ((target, at, literal) for target in after.get(STOP, ()))
    if at in text.starts:
        yield from ((target, at, literal) for target in after.get(START, ()))


def _gap_ends(text: Text, at: int) -> Iterator[int]:
    for end in range(at, min(at + LONGEST_GAP, len(text.words)) + 1):
        yield end
        if end in text.stops:
            return


class _Reader:
    """Reads one line by recursive descent, and lays its places from the end to the beginning."""

    def __init__(self, line: str, plain: Plain) -> None:
        self._line = line
        self._lexemes: list[str] = [*_LEXEME.findall(line), _END]
        self._at = 0
        self._plain = plain
        self.words: set[str] = set()

    def alternatives(self, source: Place, target: Place) -> None:
        tree = self._tree(_END)
        _lay(tree, source, target)

    def _tree(self, closing: str) -> "_Either":
        options: list[list[_Part]] = [[]]
        while (lexeme := self._take()) != closing:
            if lexeme == "|":
                options.append([])
            elif lexeme == "(":
                options[-1].append(_Part(self._tree(")"), self._is_optional()))
            elif lexeme in {_END, ")", "?"}:
                raise PatternError(f"a bracket or question mark out of place: {self._line!r}")
            else:
                pieces = self._pieces(lexeme)
                options[-1].append(_Part(pieces, self._is_optional()))
        return _Either(options)

    def _pieces(self, lexeme: str) -> list[str]:
        if lexeme in {GAP, START, STOP} or lexeme.startswith("<"):
            return [lexeme]
        words = list(self._plain(lexeme))
        self.words.update(words)
        return words

    def _take(self) -> str:
        lexeme = self._lexemes[self._at]
        self._at += lexeme != _END
        return lexeme

    def _is_optional(self) -> bool:
        optional = self._lexemes[self._at] == "?"
        self._at += optional
        return optional


@dataclass(frozen=True)
class _Either:
    options: list[list["_Part"]]


@dataclass(frozen=True)
class _Part:
    what: "_Either | list[str]"
    optional: bool


def _lay(either: _Either, source: Place, target: Place) -> None:
    for option in either.options:
        following = target
        for part in reversed(option[1:]):
            here = Place()
            _lay_part(part, here, following)
            following = here
        if option:
            _lay_part(option[0], source, following)
        else:
            source.absorb(target)


def _lay_part(part: _Part, source: Place, target: Place) -> None:
    if isinstance(part.what, _Either):
        _lay(part.what, source, target)
    else:
        following = target
        for piece in reversed(part.what[1:]):
            here = Place()
            here.lead(piece, following)
            following = here
        source.lead(part.what[0], following)
    if part.optional:
        source.absorb(target)
