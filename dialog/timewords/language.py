"""A language's words and rules, read once from its data file.

A data file holds lists of words by kind and rules that name a meaning for kinds that stand side by side; en.yaml explains its own form.
This module knows no language: adding one is adding a file, as long as its rules name meanings that clocks.py, lengths.py, dates.py, periods.py and ranges.py have.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA
from ruamel.yaml import YAML

from dialog.timewords.tokens import Token, cut


@dataclass(frozen=True)
class Item:
    """One place of a rule: any of some words, or one kind; `optional` may be left out."""

    words: frozenset[str]
    kind: str | None
    optional: bool


@dataclass(frozen=True)
class Rule:
    """Kinds side by side and the meaning they have; `extra` is handed to the meaning after what was found."""

    order: int
    items: tuple[Item, ...]
    meaning: str
    extra: tuple[int | str, ...]


@dataclass(frozen=True)
class Phrase:
    """An entry of a word list: its kind and what it stands for."""

    kind: str
    value: Any


@dataclass
class _Node:
    after: dict[str, "_Node"] = field(default_factory=dict)
    phrases: list[Phrase] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Language:
    """Everything the reader needs to know of one language."""

    lexicon: _Node
    steering: dict[str, frozenset[str]]
    steering_phrases: _Node
    numbers: dict[str, int]
    ordinals: dict[str, int]
    parts: dict[str, dict[str, Any]]
    holidays: dict[str, Any]
    last_words: frozenset[str]
    fuzzy: tuple[str, ...]
    not_fuzzy: frozenset[str]
    known: frozenset[str]
    rules: dict[str, tuple[Rule, ...]]
    starts: dict[str, dict[str, tuple[Rule, ...]]]

    def phrases_at(self, tokens: list[Token], at: int, *, steering: bool = False) -> list[tuple[int, Phrase]]:
        """Find the word-list entries that begin at token `at`, each with the position after it."""
        node = self.steering_phrases if steering else self.lexicon
        found: list[tuple[int, Phrase]] = []
        for position in range(at, len(tokens)):
            following = node.after.get(tokens[position].word)
            if following is None:
                break
            node = following
            found.extend((position + 1, phrase) for phrase in node.phrases)
        return found


@lru_cache
def language(name: str) -> Language:
    """Load the language called `name` ("en"), once per process. Raises KeyError for a language without a data file."""
    source = resources.files("dialog.timewords").joinpath(f"{name}.yaml")
    if not name.isalpha() or not source.is_file():
        raise KeyError(name)
    data = YAML(typ="safe", pure=True).load(source.read_text(encoding="utf-8"))
    rules = _rules(data["rules"])
    lexicon = _lexicon(data["words"])
    return Language(
        lexicon=lexicon,
        steering={name: frozenset(map(str, words)) for name, words in data["steering"].items()},
        steering_phrases=_lexicon({name: {0: words} for name, words in data["steering"].items()}),
        numbers=data["numbers"],
        ordinals=data["ordinals"],
        parts=data["parts"],
        holidays=data["holidays"],
        last_words=frozenset(data["last_words"]),
        fuzzy=tuple(data["fuzzy"]),
        not_fuzzy=frozenset(data["not_fuzzy"]),
        known=_words_of(lexicon)
        | frozenset(word for each in rules.values() for rule in each for item in rule.items for word in item.words),
        rules=rules,
        starts=_starts(rules),
    )


def correct(word: str, of: Language) -> str:
    """The time word that `word` most likely is a slip of, or `word` itself."""
    if len(word) < 5 or word in of.known or word in of.not_fuzzy:
        return word
    best = process.extractOne(word, of.fuzzy, scorer=OSA.distance, score_cutoff=2 if len(word) >= 8 else 1)
    return best[0] if best is not None and best[0][0] == word[0] else word


def _lexicon(lists: dict[str, dict[Any, list[Any]]]) -> _Node:
    root = _Node()
    for kind, meanings in lists.items():
        for value, wordings in meanings.items():
            for wording in wordings:
                node = root
                # Hyphens inside words are dropped from utterances too.
                for token in [each for each in cut(str(wording)) if each.word != "-" or wording == "-"]:
                    node = node.after.setdefault(token.word, _Node())
                node.phrases.append(Phrase(kind, tuple(value) if isinstance(value, (list, tuple)) else value))
    return root


def _words_of(node: _Node) -> frozenset[str]:
    words = set(node.after)
    for child in node.after.values():
        words |= _words_of(child)
    return frozenset(words)


def _rules(lists: dict[str, list[str]]) -> dict[str, tuple[Rule, ...]]:
    return {kind: tuple(_rule(order, line) for order, line in enumerate(lines)) for kind, lines in lists.items()}


def _rule(order: int, line: str) -> Rule:
    pattern, _, meaning = line.partition(" => ")
    name, *extra = meaning.split()
    return Rule(
        order,
        tuple(_item(each) for each in pattern.split()),
        name,
        tuple(int(each) if each.lstrip("-").isdigit() else each for each in extra),
    )


def _item(text: str) -> Item:
    optional = text.endswith("?") and len(text) > 1
    body = text.removesuffix("?") if optional else text
    if body.isupper() and body.isalnum():
        return Item(frozenset(), body, optional)
    return Item(frozenset(body.split("|")), None, optional)


def _starts(rules: dict[str, tuple[Rule, ...]]) -> dict[str, dict[str, tuple[Rule, ...]]]:
    """For each kind, the rules that can begin with a given word or word-list kind, so that few are tried at each place."""
    firsts: dict[str, set[str]] = {kind: set() for kind in rules}
    changed = True
    while changed:
        changed = False
        for kind, each in rules.items():
            before = len(firsts[kind])
            for rule in each:
                firsts[kind] |= _first_of(rule, firsts)
            changed = changed or len(firsts[kind]) > before
    table: dict[str, dict[str, list[Rule]]] = {kind: {} for kind in rules}
    for kind, each in rules.items():
        for rule in each:
            for first in _first_of(rule, firsts):
                table[kind].setdefault(first, []).append(rule)
    return {kind: {first: tuple(found) for first, found in each.items()} for kind, each in table.items()}


def _first_of(rule: Rule, firsts: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    for item in rule.items:
        if item.kind is None:
            found |= item.words
        else:
            found |= firsts.get(item.kind, set()) or ({item.kind} if item.kind not in firsts else set())
        if not item.optional:
            break
    return found
